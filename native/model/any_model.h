// The handles of hir_model_* and hir_decoder_*: of a CPU backend or of a GPU.
#pragma once

#include "error.h"
#include "hir_kernels.h"
#include "kernels.h"
#include "rows.h"
#include "shape.h"

namespace hir {

// Rows of a model that is being decoded; the model outlives it.
class AnyDecoder {
 public:
  explicit AnyDecoder(PageStore *store) : rows(store) {}
  virtual ~AnyDecoder() {}
  virtual int32_t prompt(int64_t keys, int64_t values, int64_t layer_stride, int64_t token_stride, int64_t length,
                         int32_t dtype, Prompt **prompt) = 0;
  virtual int32_t step(int64_t tokens, int64_t count, int64_t logits, int64_t row_stride) = 0;
  // As hir_decoder_draw; the arrays of `sampling` are on the host.
  virtual int32_t draw(const int64_t *tokens, int64_t count, const Sampling &sampling, int64_t vocabulary) = 0;
  // Ends all rows; their memory goes back, if it is more than so many bytes and the backend can give it.
  virtual void release(int64_t) { rows.keep(0); }

  Rows rows;

 protected:
  // Whether a token is one, or stands for a row's last draw.
  int32_t check_appended(const int64_t *tokens, int64_t count, int64_t vocab) const {
    for (int64_t i = 0; i < count; i++) {
      const bool last = tokens[i] == -1 && i < rows.size() && rows[i].drawn >= 0;
      if (last || (tokens[i] >= 0 && tokens[i] < vocab)) continue;
      return fail(HIR_INVALID, "decoder: token %lld of row %lld is outside the vocabulary [0, %lld)%s",
                  static_cast<long long>(tokens[i]), static_cast<long long>(i), static_cast<long long>(vocab),
                  tokens[i] == -1 ? ", and nothing was drawn for the row in the last step" : "");
    }
    return HIR_OK;
  }
};

class AnyModel {
 public:
  explicit AnyModel(const ModelShape &shape) : shape(shape) {}
  virtual ~AnyModel() {}
  virtual int32_t weights(const int64_t *addresses) = 0;
  virtual int32_t frozen(const int64_t *, const hir_matrix *, int64_t) {
    return fail(HIR_UNSUPPORTED, "model: this backend has no frozen weights with adapters; those of CPUs have");
  }
  virtual int32_t rotary(int64_t cosines, int64_t sines, int64_t positions) = 0;
  virtual int32_t windows(const int64_t *tokens) = 0;
  virtual int32_t make_decoder(AnyDecoder **decoder) = 0;
  virtual void release(int64_t) {}

  virtual int32_t forward(const int64_t *, int64_t, const int64_t *, const int64_t *, int64_t, int32_t, int64_t, int64_t,
                          int64_t *) {
    return unsupported();
  }
  virtual int32_t backward(int64_t, int64_t, const int64_t *) { return unsupported(); }
  virtual int32_t logits(int64_t, int64_t, int64_t, int64_t) { return unsupported(); }
  virtual int32_t logprobs(int64_t, int64_t, int64_t, double, int64_t, int64_t) {
    return fail(HIR_UNSUPPORTED, "model: log-probs without logits are of HIR_AVX2 and HIR_AVX512; score the logits");
  }
  virtual int32_t logits_backward(int64_t, int64_t, int64_t, int64_t, int64_t, int64_t) { return unsupported(); }

  const ModelShape shape;

 private:
  static int32_t unsupported() { return fail(HIR_UNSUPPORTED, "model: this backend only decodes"); }
};

}  // namespace hir
