#include "fault.h"

#include "error.h"
#include "hir_kernels.h"

namespace hir {

int32_t fail_for(uint64_t word) {
  if (word == NO_FAULT) return HIR_OK;
  static const char *const names[] = {"token_logprob", "policy_loss", "sample", "adamw", "decoder"};
  const char *kernel = names[word >> 8 & 0xff];
  const long long row = static_cast<long long>(word >> 16);
  switch (static_cast<Fault>(word & 0xff)) {
    case Fault::TARGET: return fail(HIR_INVALID, "%s: the target of row %lld is outside the vocabulary", kernel, row);
    case Fault::NAN_LOGIT:
      return fail(HIR_NAN,
                  "%s: row %lld has a logit that is NaN or +inf: the forward pass has overflowed or its "
                  "weights are bad",
                  kernel, row);
    case Fault::NO_FINITE_LOGIT:
      return fail(HIR_NAN, "%s: row %lld has no finite logit: every token is masked", kernel, row);
    case Fault::NAN_INPUT:
      return fail(HIR_NAN, "%s: row %lld has a NaN among its weight, advantage, old and reference log-prob", kernel, row);
    case Fault::NAN_PARAMETER:
      return fail(HIR_NAN, "%s: element %lld has become NaN: its gradient or state was; check the gradient norm first",
                  kernel, row);
    case Fault::TOKEN: return fail(HIR_INVALID, "%s: the token of row %lld is outside the vocabulary", kernel, row);
    case Fault::POSITION: return fail(HIR_INVALID, "%s: row %lld has outgrown its cache or the rotary tables", kernel, row);
  }
  return fail(HIR_INVALID, "%s: unknown fault in row %lld", kernel, row);
}

}  // namespace hir
