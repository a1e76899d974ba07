#pragma once

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

namespace hir {

// Memory that belongs to a thread and grows. On large pages, because blocks are accessed at strides of whole panels.
class Scratch {
 public:
  ~Scratch() { free(memory); }

  char *get(int64_t bytes) {
    if (bytes > size) {
      constexpr int64_t LARGE_PAGE = 2 << 20;
      const int64_t rounded = bytes < LARGE_PAGE / 4 ? round(bytes, 4096) : round(bytes, LARGE_PAGE);
      free(memory);
      memory = static_cast<char *>(aligned_alloc(rounded < LARGE_PAGE ? 4096 : LARGE_PAGE, rounded));
      if (memory && rounded >= LARGE_PAGE) madvise(memory, rounded, MADV_HUGEPAGE);
      size = memory ? rounded : 0;
    }
    return memory;
  }

 private:
  static int64_t round(int64_t bytes, int64_t to) { return (bytes + to - 1) / to * to; }

  char *memory = nullptr;
  int64_t size = 0;
};

}  // namespace hir
