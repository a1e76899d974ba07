// Which tokens a query sees, and which queries see a token: the one place where a kind of attention is defined.
#pragma once

#include <stdint.h>

#include "portable.h"

namespace hir {

// Tokens [from, to) of a sequence.
struct Sight {
  int64_t from, to;

  // What the token at `position` sees through a window of so many tokens, itself included, as in transformers'
  // sliding_window_overlay; 0 for a layer without a window.
  HIR_SHARED static Sight of(int64_t window, int64_t position) {
    return {window > 0 && window <= position ? position + 1 - window : 0, position + 1};
  }

  // The other way round, for a backward by keys: which tokens of a sequence of `length` see the one at `position`.
  HIR_SHARED static Sight onto(int64_t window, int64_t position, int64_t length) {
    return {position, window > 0 && position + window < length ? position + window : length};
  }
};

}  // namespace hir
