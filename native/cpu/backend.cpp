#include "kernels.h"

namespace hir::HIR_ISA {

int64_t token_logprob(const Matrix &, const int64_t *, double, float *, float *);
int64_t policy_loss(const Matrix &, const PolicyLoss &);
int64_t sample(const Matrix &, const Sampling &);
int64_t sum_of_squares(const void *, int64_t, int32_t, double *);
int64_t adamw(const AdamW &);
int64_t narrow_adamw(const NarrowAdamW &);
int64_t page_bytes(const Model &);
void page_put(const Model &, void *, int64_t, int64_t, int64_t, const void *, const void *);
int64_t decode_bytes(const ModelShape &, int64_t, int32_t, int64_t);
bool decode(const DecoderStep &);
int64_t pass_bytes(const Model &, const Batch &, int32_t);
bool forward(const Pass &, void *);
bool backward(const Pass &, const float *, const Gradients &);
int64_t head_bytes(const HeadRows &);
bool logits_back(const HeadRows &, float *, float *);
void frozen_row(const Frozen &, int64_t, int32_t, void *);

extern const Backend backend = {token_logprob, policy_loss, sample,   sum_of_squares, adamw,
                                narrow_adamw,  page_bytes,  page_put, decode_bytes,   decode,
#ifdef HIR_PASSES
                                pass_bytes,    forward,     backward, head_bytes,     logits_back,
#else
                                nullptr,       nullptr,     nullptr,  nullptr,        nullptr,
#endif
                                frozen_row};

}  // namespace hir::HIR_ISA
