#include "packed.h"

#include "error.h"
#include "hir_kernels.h"

namespace hir {

int32_t check_packed(const Packed &batch, int64_t vocab, int64_t positions, int64_t *longest) {
  const int64_t *const lengths = batch.lengths, *const prefixes = batch.prefixes;
  int64_t total = 0;
  *longest = 0;
  for (int64_t i = 0; i < batch.segments; i++) {
    const int64_t prefix = prefixes[i];
    if (lengths[i] < 1 || lengths[i] > batch.tokens - total) {
      return fail(HIR_INVALID, "model: segment %lld has %lld tokens, %lld are left", static_cast<long long>(i),
                  static_cast<long long>(lengths[i]), static_cast<long long>(batch.tokens - total));
    }
    if (prefix >= i || prefix < -1 || (prefix >= 0 && prefixes[prefix] >= 0)) {
      return fail(HIR_INVALID, "model: segment %lld continues %lld, which is no earlier first segment",
                  static_cast<long long>(i), static_cast<long long>(prefix));
    }
    total += lengths[i];
    const int64_t whole = lengths[i] + batch.prefix_length(i);
    if (whole > *longest) *longest = whole;
  }
  if (total != batch.tokens) {
    return fail(HIR_INVALID, "model: %lld tokens for segments of %lld in all", static_cast<long long>(batch.tokens),
                static_cast<long long>(total));
  }
  if (*longest > positions) {
    return fail(HIR_INVALID, "model: a sequence of %lld tokens, the rotary tables end at %lld",
                static_cast<long long>(*longest), static_cast<long long>(positions));
  }
  for (int64_t i = 0; i < batch.tokens; i++) {
    if (batch.ids[i] < 0 || batch.ids[i] >= vocab) {
      return fail(HIR_INVALID, "model: token %lld is outside the vocabulary [0, %lld)", static_cast<long long>(batch.ids[i]),
                  static_cast<long long>(vocab));
    }
  }
  return HIR_OK;
}

}  // namespace hir
