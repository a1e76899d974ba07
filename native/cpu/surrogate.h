// The loss of one token, as a function of its log-prob and entropy: PPO's clipped surrogate with the dual clip of arXiv
// 1912.09729, as in verl's compute_policy_loss_vanilla and kl_penalty.
#pragma once

#include <math.h>

#include "hir_kernels.h"
#include "kernels.h"
#include "portable.h"

namespace hir {

constexpr int SUMS = 7;

struct Surrogate {
  double terms[SUMS];      // in the order of hir_policy_loss's sums, times the token's weight
  double grad_logprob;     // d loss / d log-prob (through the surrogate and the KL loss)
  double grad_entropy;     // d loss / d entropy
};

HIR_SHARED static inline double clamp(double x, double low, double high) { return x < low ? low : x > high ? high : x; }

HIR_SHARED static inline Surrogate surrogate(const PolicyLoss &loss, int64_t row, double logprob, double entropy) {
  const double weight = loss.weights[row], advantage = loss.advantages[row];
  const double difference = loss.old_logprobs ? logprob - loss.old_logprobs[row] : 0.0;
  const double bounded = clamp(difference, -20.0, 20.0);
  const double ratio = exp(bounded);

  const double plain = -advantage * ratio;
  const double clipped = -advantage * clamp(ratio, 1.0 - loss.clip_low, 1.0 + loss.clip_high);
  const bool is_clipped = clipped > plain;
  double policy = is_clipped ? clipped : plain;
  const double lower = -advantage * loss.clip_dual;
  const bool is_clipped_dual = advantage < 0 && policy > lower;
  if (is_clipped_dual) policy = lower;
  // The loss is flat where a clip binds or the difference was clamped.
  double grad = is_clipped || is_clipped_dual || bounded != difference ? 0.0 : plain;

  double kl = 0.0;
  if (loss.kl_loss != HIR_KL_NONE) {
    const double to_ref = logprob - loss.ref_logprobs[row];
    double grad_kl = 0.0;
    if (loss.kl_loss == HIR_KL_K1) {
      kl = to_ref;
      grad_kl = 1.0;
    } else if (loss.kl_loss == HIR_KL_K2) {
      kl = 0.5 * to_ref * to_ref;
      grad_kl = to_ref;
    } else {
      const double back = clamp(-to_ref, -20.0, 20.0), e = exp(back);
      const double raw = e - back - 1.0;
      kl = clamp(raw, -10.0, 10.0);
      if (back == -to_ref && kl == raw) grad_kl = 1.0 - e;
    }
    grad += loss.kl_weight * grad_kl;
  }

  Surrogate result;
  result.terms[0] = weight * (policy + loss.kl_weight * kl - loss.entropy_bonus * entropy);
  result.terms[1] = weight * policy;
  result.terms[2] = weight * kl;
  result.terms[3] = weight * entropy;
  result.terms[4] = -weight * bounded;
  result.terms[5] = is_clipped ? weight : 0.0;
  result.terms[6] = is_clipped_dual ? weight : 0.0;
  result.grad_logprob = weight * grad;
  result.grad_entropy = -weight * loss.entropy_bonus;
  return result;
}

// Inputs of an unmasked token that make its loss NaN.
HIR_SHARED static inline bool has_nan(const PolicyLoss &loss, int64_t row) {
  const float inputs = loss.weights[row] + loss.advantages[row] + (loss.old_logprobs ? loss.old_logprobs[row] : 0.0f) +
                       (loss.kl_loss != HIR_KL_NONE ? loss.ref_logprobs[row] : 0.0f);
  return inputs != inputs;
}

HIR_SHARED static inline void add_terms(const Surrogate &token, double *sums) {
  for (int i = 0; i < SUMS; i++) sums[i] += token.terms[i];
}

}  // namespace hir
