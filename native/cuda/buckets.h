// Sizes for which decode steps are captured: a graph has fixed launches, so rows and lengths are rounded up to one of
// few sizes, and kernels skip the excess.
#pragma once

#include <stdint.h>

namespace hir {

// 1, 2, 4, 8, then multiples of 8 up to 64, of 32 up to 256, of 128 above: from 64 on at most an eighth of the rows is
// wasted, and there are few sizes.
inline int64_t row_bucket(int64_t rows) {
  if (rows <= 8) {
    int64_t bucket = 1;
    while (bucket < rows) bucket *= 2;
    return bucket;
  }
  const int64_t step = rows <= 64 ? 8 : rows <= 256 ? 32 : 128;
  return (rows + step - 1) / step * step;
}

// 1 to 8, then four sizes for each doubling: blocks of the attention beyond a row's length end at once, but take time.
inline int64_t split_bucket(int64_t splits) {
  int64_t step = 1;
  while (8 * step < splits) step *= 2;
  return (splits + step - 1) / step * step;
}

struct GraphKey {
  int64_t rows, splits;
  bool operator==(const GraphKey &other) const { return rows == other.rows && splits == other.splits; }
};

inline GraphKey graph_key(int64_t rows, int64_t splits) { return {row_bucket(rows), split_bucket(splits)}; }

}  // namespace hir
