// Memory that grows and stays: a pass finds its pages there, large ones where the system has them.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>

namespace hir {

class Arena {
 public:
  Arena() = default;
  Arena(const Arena &) = delete;
  Arena &operator=(const Arena &) = delete;
  ~Arena() { drop(); }

  // What it held is lost when it grows; null where memory is out.
  void *reserve(int64_t bytes) {
    const size_t wanted = (static_cast<size_t>(bytes) + LARGE_PAGE - 1) / LARGE_PAGE * LARGE_PAGE;
    if (wanted > size) {
      drop();
      void *const memory = mmap(nullptr, wanted, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      if (memory == MAP_FAILED) return nullptr;
      madvise(memory, wanted, MADV_HUGEPAGE);
      start = memory;
      size = wanted;
    }
    return start;
  }

  void drop() {
    if (size) munmap(start, size);
    start = nullptr;
    size = 0;
  }

 private:
  static constexpr size_t LARGE_PAGE = 2 << 20;

  void *start = nullptr;
  size_t size = 0;
};

}  // namespace hir
