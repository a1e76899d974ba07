// The statistics of softmax(x / temperature) over a block of a row, from which the softmax of a row is combined.
#pragma once

#include <stdint.h>

namespace hir {

// Columns per block, the unit of work: 16 KB of floats.
constexpr int64_t BLOCK = 4096;

struct BlockStats {
  double reference;  // about the block's largest x * scale; -infinity where no logit is finite
  double sum;        // of 2^y, y = x * scale - reference
  double weighted;   // of y 2^y; NaN where a logit is NaN or +inf
  float pivot;       // the logit behind the reference
};

}  // namespace hir
