// Memory that grows and stays: a pass finds its pages there, large ones where the system has them.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>

#include "room.h"

namespace hir {

class Arena {
 public:
  Arena() = default;
  Arena(const Arena &) = delete;
  Arena &operator=(const Arena &) = delete;
  ~Arena() { drop(); }

  // What reserve() takes for so many bytes.
  static constexpr int64_t rounded(int64_t bytes) { return (bytes + LARGE_PAGE - 1) / LARGE_PAGE * LARGE_PAGE; }

  // What it held is lost when it grows; null where memory is out.
  void *reserve(int64_t bytes) {
    const size_t wanted = static_cast<size_t>(rounded(bytes));
    if (wanted > size) {
      drop();
      if (!room_for(rounded(bytes))) return nullptr;
      void *const memory = mmap(nullptr, wanted, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      if (memory == MAP_FAILED) return nullptr;
      madvise(memory, wanted, MADV_HUGEPAGE);
      start = memory;
      size = wanted;
    }
    return start;
  }

  int64_t bytes() const { return static_cast<int64_t>(size); }

  void drop() {
    if (size) munmap(start, size);
    start = nullptr;
    size = 0;
  }

 private:
  static constexpr int64_t LARGE_PAGE = 2 << 20;

  void *start = nullptr;
  size_t size = 0;
};

}  // namespace hir
