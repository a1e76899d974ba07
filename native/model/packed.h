// A packed batch as the C ABI takes it: segments of tokens, some of which continue an earlier one.
#pragma once

#include "shape.h"

namespace hir {

struct Packed {
  const int64_t *ids;  // [tokens]
  int64_t tokens;
  const int64_t *lengths, *prefixes;  // [segments]; a prefix of -1 is none
  int64_t segments;

  int64_t prefix_length(int64_t segment) const { return prefixes[segment] < 0 ? 0 : lengths[prefixes[segment]]; }
};

// HIR_OK, or what is wrong with it. `longest` receives the tokens of the longest sequence, including its prefix.
int32_t check_packed(const Packed &batch, int64_t vocab, int64_t positions, int64_t *longest);

}  // namespace hir
