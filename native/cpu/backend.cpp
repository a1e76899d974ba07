#include "kernels.h"

namespace hir::HIR_ISA {

int64_t token_logprob(const Matrix &, const int64_t *, double, float *, float *);
int64_t policy_loss(const Matrix &, const PolicyLoss &);
int64_t sample(const Matrix &, const Sampling &);
int64_t sum_of_squares(const void *, int64_t, int32_t, double *);
int64_t adamw(const AdamW &);
int64_t page_size(const DecoderShape &);
void page_put(const DecoderShape &, float *, int64_t, int64_t, int64_t, const float *, const float *);
int64_t packed_size(int64_t, int64_t, int32_t);
void pack(const void *, int32_t, bool, Packed *);
int64_t decode_scratch(const DecoderShape &, int64_t, int32_t, int64_t);
void decode(const DecoderStep &);
int64_t pass_size(const DecoderShape &, const Batch &, int32_t);
void forward(const Pass &, float *);
void backward(const Pass &, const float *, const Gradients &);
void pack_back(const float *, Packed *);
int64_t head_scratch(int64_t, int32_t);
void logits(const Head &, const float *, int64_t, float *, int64_t);
void logits_back(const Head &, const float *, int64_t, const float *, int64_t, float *, float *);
void probe(int32_t, float *, float *, int64_t);

extern const Backend backend = {
    token_logprob, policy_loss, sample, sum_of_squares, adamw, page_size, page_put, packed_size, pack, decode_scratch,
    decode,
#ifdef HIR_TRANSFORMER
    pass_size, forward, backward, pack_back, head_scratch, logits, logits_back,
#else
    nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr,
#endif
    probe};

}  // namespace hir::HIR_ISA
