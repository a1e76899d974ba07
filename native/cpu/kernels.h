// What every CPU backend implements. The C ABI (api.cpp) has checked the arguments before one of these is called.
#pragma once

#include <stdint.h>

#include "bf16.h"
#include "model/model.h"

namespace hir {

// [rows, cols] elements of dtype, rows `stride` elements apart.
struct Matrix {
  void *data;
  int64_t rows, cols, stride;
  int32_t dtype;
};

struct PolicyLoss {
  const int64_t *targets;
  const float *old_logprobs;  // null: the current log-prob itself
  const float *ref_logprobs;  // null without a KL loss
  const float *advantages;
  const float *weights;
  double temperature, clip_low, clip_high, clip_dual, entropy_bonus;
  int32_t kl_loss;
  double kl_weight;
  float *logprobs;   // may be null
  float *entropies;  // may be null
  double *sums;      // SUMS of them
};

struct Sampling {
  double temperature;
  int64_t top_k;
  double top_p, min_p;
  uint64_t key;
  const uint32_t *counters;
  int64_t *tokens;
  float *logprobs;
  float *entropies;  // may be null
};

// HIR_OK, or which of temperature and filters is out of range.
int32_t check_sampling(const char *kernel, const Sampling &s);

struct AdamW {
  float *params;
  const void *grads;
  int32_t grad_dtype;
  float *m, *v;
  uint16_t *low_precision;  // may be null
  int64_t count;
  double learning_rate, beta1, beta2, epsilon, weight_decay, grad_scale;
  int64_t step;
};

struct AdamWRates {
  double learning_rate, beta1, beta2, epsilon, weight_decay, grad_scale;
  int64_t step;
};

// hir_adamw_buffers, as addresses of this process.
struct NarrowAdamW {
  float *params;       // null where masters are split
  bf16 *weights;       // may be null beside params
  uint16_t *residues;  // of split masters
  const void *grads;
  int32_t grad_dtype, moment_dtype;
  void *m, *v;
  float *m_scales, *v_scales;
  int64_t count, first;
  AdamWRates rates;
};

// What a kernel returns besides the index of the first offending row (or element).
constexpr int64_t DONE = -1;
constexpr int64_t OUT_OF_MEMORY = -2;

struct Backend {
  int64_t (*token_logprob)(const Matrix &logits, const int64_t *targets, double temperature, float *logprobs,
                           float *entropies);
  int64_t (*policy_loss)(const Matrix &logits, const PolicyLoss &loss);
  int64_t (*sample)(const Matrix &logits, const Sampling &sampling);
  int64_t (*sum_of_squares)(const void *values, int64_t count, int32_t dtype, double *result);
  int64_t (*adamw)(const AdamW &step);
  int64_t (*narrow_adamw)(const NarrowAdamW &step);

  // Bytes of one page, and where a token's key and value, of the model's type, go.
  int64_t (*page_bytes)(const Model &model);
  void (*page_put)(const Model &model, void *page, int64_t slot, int64_t layer, int64_t head, const void *key,
                   const void *value);
  // Bytes of scratch memory that a step needs, and the step: appends each row's token, writes its logits. This and what
  // follows gives false where memory is out.
  int64_t (*decode_bytes)(const ModelShape &shape, int64_t rows, int32_t threads, int64_t longest);
  bool (*decode)(const DecoderStep &step);

  // Bytes of a pass over a batch and, on them, the two directions; null where a backend only decodes. `hidden` is
  // [tokens][hidden] of the model's type, its gradient float.
  int64_t (*pass_bytes)(const Model &model, const Batch &batch, int32_t threads);
  bool (*forward)(const Pass &pass, void *hidden);
  bool (*backward)(const Pass &pass, const float *hidden_gradient, const Gradients &gradients);
  // Bytes of scratch memory of the head's backward, and that; `hidden_gradient` is [rows][hidden].
  int64_t (*head_bytes)(const HeadRows &rows);
  bool (*logits_back)(const HeadRows &rows, float *hidden_gradient, float *head_gradient);

  // One row of dtype.
  void (*frozen_row)(const Frozen &matrix, int64_t row, int32_t dtype, void *out);
};

namespace baseline {
extern const Backend backend;
}
namespace avx2 {
extern const Backend backend;
}
namespace avx512 {
extern const Backend backend;
}

}  // namespace hir
