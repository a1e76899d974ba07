// The C ABI: checks arguments, chooses the backend, and turns its result into a message.
#include <math.h>

#include "select.h"
#include "bf16.h"
#include "device_backend.h"
#include "error.h"
#include "hir_kernels.h"
#include "kernels.h"
#include "matmul/matmul.h"
#include "narrow.h"
#include "surrogate.h"

namespace {

using hir::fail;
using hir::select;

// A backend's kernels, on the CPU or on a GPU: one of the two is set.
struct Kernels {
  const hir::Backend *cpu = nullptr;
  const hir::DeviceBackend *gpu = nullptr;
};

int32_t select(const char *kernel, int32_t backend, Kernels *out) {
  out->gpu = hir::device_backend(backend);
  return out->gpu ? HIR_OK : select(kernel, backend, &out->cpu);
}

template <class T>
T *at(hir_address address) {
  return reinterpret_cast<T *>(address);
}

int32_t check_dtype(const char *kernel, int32_t dtype) {
  if (dtype == HIR_FLOAT32 || dtype == HIR_BFLOAT16) return HIR_OK;
  return fail(HIR_INVALID, "%s: unknown element type %d (0 float32, 1 bfloat16)", kernel, dtype);
}

int32_t check_matrix(const char *kernel, const hir::Matrix &m, bool written) {
  if (int32_t code = check_dtype(kernel, m.dtype)) return code;
  if (m.rows < 0 || m.cols < 1) {
    return fail(HIR_INVALID, "%s: logits of shape [%lld, %lld]; rows >= 0 and cols >= 1 are needed", kernel,
                static_cast<long long>(m.rows), static_cast<long long>(m.cols));
  }
  if (m.rows > 0 && !m.data) return fail(HIR_INVALID, "%s: logits is null", kernel);
  if (m.rows > 1 && m.stride < m.cols && (written || m.stride != 0)) {
    return fail(HIR_INVALID, "%s: row stride %lld is less than %lld columns: rows overlap", kernel,
                static_cast<long long>(m.stride), static_cast<long long>(m.cols));
  }
  return HIR_OK;
}

// Limits of the GPU kernels alone: they index columns with 32 bits, and their loads need aligned elements.
int32_t check_on_gpu(const char *kernel, const hir::Matrix &m) {
  if (m.cols > (int64_t{1} << 30) || m.rows > INT32_MAX) {
    return fail(HIR_INVALID, "%s: logits of shape [%lld, %lld] are too large for the GPU kernels", kernel,
                static_cast<long long>(m.rows), static_cast<long long>(m.cols));
  }
  const uintptr_t bytes = m.dtype == HIR_BFLOAT16 ? 2 : 4;
  if (reinterpret_cast<uintptr_t>(m.data) % bytes) {
    return fail(HIR_INVALID, "%s: the address of logits is not a multiple of the %d bytes of an element", kernel,
                static_cast<int>(bytes));
  }
  return HIR_OK;
}

int32_t check_target(const char *kernel, int64_t row, int64_t target, int64_t cols) {
  if (target >= 0 && target < cols) return HIR_OK;
  return fail(HIR_INVALID, "%s: target %lld of row %lld is outside the vocabulary [0, %lld)", kernel,
              static_cast<long long>(target), static_cast<long long>(row), static_cast<long long>(cols));
}

int32_t check_temperature(const char *kernel, double temperature) {
  if (temperature > 0 && temperature < INFINITY) return HIR_OK;
  return fail(HIR_INVALID, "%s: temperature %g; it must be positive and finite", kernel, temperature);
}

int32_t null(const char *kernel, const char *argument) { return fail(HIR_INVALID, "%s: %s is null", kernel, argument); }

// Turns a kernel's result into a code. A `row` that is neither DONE nor OUT_OF_MEMORY is a row of logits without
// probabilities.
int32_t finish(const char *kernel, const hir::Matrix &m, int64_t row) {
  if (row == hir::DONE) return HIR_OK;
  if (row == hir::OUT_OF_MEMORY) return fail(HIR_NO_MEMORY, "%s: out of memory", kernel);
  for (int64_t j = 0; j < m.cols; j++) {
    const int64_t i = row * m.stride + j;
    const float x = m.dtype == HIR_BFLOAT16 ? hir::to_float(static_cast<const hir::bf16 *>(m.data)[i])
                                            : static_cast<const float *>(m.data)[i];
    if (x != x || x == INFINITY) {
      return fail(HIR_NAN, "%s: logit %lld of row %lld is %s: the forward pass has overflowed or its weights are bad",
                  kernel, static_cast<long long>(j), static_cast<long long>(row), x != x ? "NaN" : "+inf");
    }
  }
  return fail(HIR_NAN, "%s: row %lld has no finite logit: every token is masked", kernel, static_cast<long long>(row));
}

int32_t check_rates(const char *kernel, const hir::AdamWRates &r) {
  if (r.step < 1) return fail(HIR_INVALID, "%s: step %lld; the first is 1", kernel, static_cast<long long>(r.step));
  if (!(r.beta1 >= 0 && r.beta1 < 1 && r.beta2 >= 0 && r.beta2 < 1)) {
    return fail(HIR_INVALID, "%s: betas %g and %g must lie in [0, 1)", kernel, r.beta1, r.beta2);
  }
  if (!isfinite(r.learning_rate) || !isfinite(r.weight_decay) || !(r.epsilon >= 0)) {
    return fail(HIR_INVALID, "%s: learning rate %g, weight decay %g and epsilon %g must be finite", kernel, r.learning_rate,
                r.weight_decay, r.epsilon);
  }
  if (!isfinite(r.grad_scale)) {
    return fail(HIR_NAN, "%s: gradient scale %g: the gradient norm is not finite, skip this step", kernel, r.grad_scale);
  }
  return HIR_OK;
}

}  // namespace

namespace hir {

int32_t check_sampling(const char *kernel, const Sampling &s) {
  if (s.temperature != 0) {
    if (int32_t code = check_temperature(kernel, s.temperature)) return code;
  }
  if (s.top_k < 0) return fail(HIR_INVALID, "%s: top_k %lld; 0 switches it off", kernel, static_cast<long long>(s.top_k));
  if (!(s.top_p > 0 && s.top_p <= 1)) return fail(HIR_INVALID, "%s: top_p %g is outside (0, 1]", kernel, s.top_p);
  if (!(s.min_p >= 0 && s.min_p <= 1)) return fail(HIR_INVALID, "%s: min_p %g is outside [0, 1]", kernel, s.min_p);
  return HIR_OK;
}

}  // namespace hir

extern "C" {

int32_t hir_backend_usable(int32_t backend) {
  Kernels kernels;
  if (int32_t code = select("hir_kernels", backend, &kernels)) return code;
  return kernels.gpu ? kernels.gpu->usable("hir_kernels", 0) : HIR_OK;
}

int32_t hir_synchronize(int32_t backend, int32_t device, int64_t stream) {
  Kernels kernels;
  if (int32_t code = select("synchronize", backend, &kernels)) return code;
  return kernels.gpu ? kernels.gpu->synchronize({device, stream}) : HIR_OK;
}

int32_t hir_token_logprob(int32_t backend, int32_t device, int64_t stream, hir_address logits, int64_t rows, int64_t cols,
                          int64_t row_stride, int32_t dtype, hir_address targets, double temperature, hir_address logprobs,
                          hir_address entropies) {
  const char *kernel = "token_logprob";
  Kernels kernels;
  if (int32_t code = select(kernel, backend, &kernels)) return code;
  const hir::Matrix m = {at<void>(logits), rows, cols, row_stride, dtype};
  if (int32_t code = check_matrix(kernel, m, false)) return code;
  if (int32_t code = check_temperature(kernel, temperature)) return code;
  if (rows == 0) return HIR_OK;
  if (!targets) return null(kernel, "targets");
  if (!logprobs) return null(kernel, "logprobs");
  if (kernels.gpu) {
    if (int32_t code = check_on_gpu(kernel, m)) return code;
    return kernels.gpu->token_logprob({device, stream}, m, at<int64_t>(targets), temperature, at<float>(logprobs),
                                      at<float>(entropies));
  }
  for (int64_t row = 0; row < rows; row++) {
    if (int32_t code = check_target(kernel, row, at<int64_t>(targets)[row], cols)) return code;
  }
  return finish(kernel, m,
                kernels.cpu->token_logprob(m, at<int64_t>(targets), temperature, at<float>(logprobs), at<float>(entropies)));
}

int32_t hir_policy_loss(int32_t backend, int32_t device, int64_t stream, hir_address logits, int64_t rows, int64_t cols,
                        int64_t row_stride, int32_t dtype, hir_address targets, hir_address old_logprobs,
                        hir_address ref_logprobs, hir_address advantages, hir_address weights, double temperature,
                        double clip_low, double clip_high, double clip_dual, double entropy_bonus, int32_t kl_loss,
                        double kl_weight, hir_address logprobs, hir_address entropies, double *sums) {
  const char *kernel = "policy_loss";
  Kernels kernels;
  if (int32_t code = select(kernel, backend, &kernels)) return code;
  const hir::Matrix m = {at<void>(logits), rows, cols, row_stride, dtype};
  if (int32_t code = check_matrix(kernel, m, true)) return code;
  if (int32_t code = check_temperature(kernel, temperature)) return code;
  if (!(clip_low >= 0 && clip_high >= 0)) {
    return fail(HIR_INVALID, "%s: clip ratios %g and %g must not be negative", kernel, clip_low, clip_high);
  }
  if (!(clip_dual > 1)) {
    return fail(HIR_INVALID, "%s: dual clip %g must be greater than 1 (infinity switches it off)", kernel, clip_dual);
  }
  if (kl_loss < HIR_KL_NONE || kl_loss > HIR_KL_K3) {
    return fail(HIR_INVALID, "%s: unknown KL estimator %d", kernel, kl_loss);
  }
  if (!isfinite(entropy_bonus) || !isfinite(kl_weight)) {
    return fail(HIR_INVALID, "%s: entropy bonus %g and KL weight %g must be finite", kernel, entropy_bonus, kl_weight);
  }
  if (!sums) return null(kernel, "sums");
  for (int i = 0; i < hir::SUMS; i++) sums[i] = 0;
  if (rows == 0) return HIR_OK;
  if (!targets) return null(kernel, "targets");
  if (!advantages) return null(kernel, "advantages");
  if (!weights) return null(kernel, "weights");
  if (kl_loss != HIR_KL_NONE && !ref_logprobs) return null(kernel, "ref_logprobs, which the KL loss needs,");
  const hir::PolicyLoss loss = {at<int64_t>(targets),
                                at<float>(old_logprobs),
                                at<float>(ref_logprobs),
                                at<float>(advantages),
                                at<float>(weights),
                                temperature,
                                clip_low,
                                clip_high,
                                clip_dual,
                                entropy_bonus,
                                kl_loss,
                                kl_weight,
                                at<float>(logprobs),
                                at<float>(entropies),
                                sums};
  if (kernels.gpu) {
    if (int32_t code = check_on_gpu(kernel, m)) return code;
    return kernels.gpu->policy_loss({device, stream}, m, loss);
  }
  for (int64_t row = 0; row < rows; row++) {
    if (loss.weights[row] == 0.0f) continue;
    if (int32_t code = check_target(kernel, row, loss.targets[row], cols)) return code;
    if (hir::has_nan(loss, row)) {
      return fail(HIR_NAN, "%s: row %lld has a NaN among its weight, advantage, old and reference log-prob", kernel,
                  static_cast<long long>(row));
    }
  }
  return finish(kernel, m, kernels.cpu->policy_loss(m, loss));
}

int32_t hir_sample(int32_t backend, int32_t device, int64_t stream, hir_address logits, int64_t rows, int64_t cols,
                   int64_t row_stride, int32_t dtype, double temperature, int64_t top_k, double top_p, double min_p,
                   int64_t key, hir_address counters, hir_address tokens, hir_address logprobs, hir_address entropies) {
  const char *kernel = "sample";
  Kernels kernels;
  if (int32_t code = select(kernel, backend, &kernels)) return code;
  const hir::Matrix m = {at<void>(logits), rows, cols, row_stride, dtype};
  if (int32_t code = check_matrix(kernel, m, false)) return code;
  const hir::Sampling sampling = {temperature,
                                  top_k,
                                  top_p,
                                  min_p,
                                  static_cast<uint64_t>(key),
                                  at<uint32_t>(counters),
                                  at<int64_t>(tokens),
                                  at<float>(logprobs),
                                  at<float>(entropies)};
  if (int32_t code = hir::check_sampling(kernel, sampling)) return code;
  if (rows == 0) return HIR_OK;
  if (!counters && temperature != 0) return null(kernel, "counters");
  if (!tokens) return null(kernel, "tokens");
  if (!logprobs) return null(kernel, "logprobs");
  if (kernels.gpu) {
    if (int32_t code = check_on_gpu(kernel, m)) return code;
    const int32_t code = kernels.gpu->sample({device, stream}, m, sampling);
    if (code != HIR_OK || !entropies) return code;
    return kernels.gpu->token_logprob({device, stream}, m, sampling.tokens, temperature == 0 ? 1 : temperature,
                                      sampling.logprobs, sampling.entropies);
  }
  return finish(kernel, m, kernels.cpu->sample(m, sampling));
}

int32_t hir_sum_of_squares(int32_t backend, int32_t device, int64_t stream, hir_address values, int64_t count, int32_t dtype,
                           double *result) {
  const char *kernel = "sum_of_squares";
  Kernels kernels;
  if (int32_t code = select(kernel, backend, &kernels)) return code;
  if (int32_t code = check_dtype(kernel, dtype)) return code;
  if (count < 0) return fail(HIR_INVALID, "%s: count %lld", kernel, static_cast<long long>(count));
  if (!result) return null(kernel, "result");
  if (count > 0 && !values) return null(kernel, "values");
  if (kernels.gpu) return kernels.gpu->sum_of_squares({device, stream}, at<void>(values), count, dtype, result);
  return kernels.cpu->sum_of_squares(at<void>(values), count, dtype, result) == hir::OUT_OF_MEMORY
             ? fail(HIR_NO_MEMORY, "%s: out of memory", kernel)
             : HIR_OK;
}

int32_t hir_adamw(int32_t backend, int32_t device, int64_t stream, hir_address params, hir_address grads, int32_t grad_dtype,
                  hir_address m, hir_address v, hir_address low_precision, int64_t count, double learning_rate, double beta1,
                  double beta2, double epsilon, double weight_decay, double grad_scale, int64_t step) {
  const char *kernel = "adamw";
  Kernels kernels;
  if (int32_t code = select(kernel, backend, &kernels)) return code;
  if (int32_t code = check_dtype(kernel, grad_dtype)) return code;
  if (count < 0) return fail(HIR_INVALID, "%s: count %lld", kernel, static_cast<long long>(count));
  if (count == 0) return HIR_OK;
  if (!params) return null(kernel, "params");
  if (!grads) return null(kernel, "grads");
  if (!m) return null(kernel, "m");
  if (!v) return null(kernel, "v");
  const hir::AdamWRates rates = {learning_rate, beta1, beta2, epsilon, weight_decay, grad_scale, step};
  if (int32_t code = check_rates(kernel, rates)) return code;
  const hir::AdamW update = {at<float>(params),
                             at<void>(grads),
                             grad_dtype,
                             at<float>(m),
                             at<float>(v),
                             at<uint16_t>(low_precision),
                             count,
                             learning_rate,
                             beta1,
                             beta2,
                             epsilon,
                             weight_decay,
                             grad_scale,
                             step};
  if (kernels.gpu) return kernels.gpu->adamw({device, stream}, update);
  const int64_t bad = kernels.cpu->adamw(update);
  if (bad == hir::DONE) return HIR_OK;
  return fail(HIR_NAN, "%s: element %lld has become NaN: its gradient or state was; check the gradient norm first", kernel,
              static_cast<long long>(bad));
}

int32_t hir_adamw_narrow(int32_t backend, int32_t, int64_t, const hir_adamw_buffers *buffers, double learning_rate,
                         double beta1, double beta2, double epsilon, double weight_decay, double grad_scale, int64_t step) {
  const char *kernel = "adamw";
  Kernels kernels;
  if (int32_t code = select(kernel, backend, &kernels)) return code;
  if (kernels.gpu) return fail(HIR_UNSUPPORTED, "%s: narrow state is of the CPU's backends", kernel);
  if (!buffers) return null(kernel, "buffers");
  const hir_adamw_buffers &b = *buffers;
  if (int32_t code = check_dtype(kernel, b.grad_dtype)) return code;
  if (b.moment_dtype != HIR_FLOAT32 && b.moment_dtype != HIR_BFLOAT16 && b.moment_dtype != HIR_INT8) {
    return fail(HIR_INVALID, "%s: unknown type %d of moments", kernel, b.moment_dtype);
  }
  if (b.count < 0) return fail(HIR_INVALID, "%s: count %lld", kernel, static_cast<long long>(b.count));
  if (b.count == 0) return HIR_OK;
  if (!b.params == !b.residues) {
    return fail(HIR_INVALID, "%s: masters are params, or weights with residues", kernel);
  }
  if (!b.params && !b.weights) return null(kernel, "weights");
  if (!b.grads) return null(kernel, "grads");
  if (!b.m) return null(kernel, "m");
  if (!b.v) return null(kernel, "v");
  if (b.moment_dtype == HIR_INT8 && !b.m_scales) return null(kernel, "m_scales");
  if (b.moment_dtype == HIR_INT8 && !b.v_scales) return null(kernel, "v_scales");
  const hir::AdamWRates rates = {learning_rate, beta1, beta2, epsilon, weight_decay, grad_scale, step};
  if (int32_t code = check_rates(kernel, rates)) return code;
  const hir::NarrowAdamW update = {at<float>(b.params),
                                   at<hir::bf16>(b.weights),
                                   at<uint16_t>(b.residues),
                                   at<void>(b.grads),
                                   b.grad_dtype,
                                   b.moment_dtype,
                                   at<void>(b.m),
                                   at<void>(b.v),
                                   at<float>(b.m_scales),
                                   at<float>(b.v_scales),
                                   b.count,
                                   b.first,
                                   rates};
  const int64_t bad = kernels.cpu->narrow_adamw(update);
  if (bad == hir::DONE) return HIR_OK;
  return fail(HIR_NAN,
              "%s: element %lld is no finite number any more: its gradient or state was none; check the gradient "
              "norm first",
              kernel, static_cast<long long>(bad));
}

int32_t hir_split(int32_t backend, hir_address masters, int64_t count, hir_address weights, hir_address residues) {
  Kernels kernels;
  if (int32_t code = select("split", backend, &kernels)) return code;
  if (kernels.gpu) return fail(HIR_UNSUPPORTED, "split: split masters are of the CPU's backends");
#pragma omp parallel for schedule(static) if (count > 65536)
  for (int64_t i = 0; i < count; i++) {
    hir::split(at<float>(masters)[i], at<hir::bf16>(weights) + i, at<uint16_t>(residues) + i);
  }
  return HIR_OK;
}

int32_t hir_join(int32_t backend, hir_address weights, hir_address residues, int64_t count, hir_address masters) {
  Kernels kernels;
  if (int32_t code = select("join", backend, &kernels)) return code;
  if (kernels.gpu) return fail(HIR_UNSUPPORTED, "join: split masters are of the CPU's backends");
#pragma omp parallel for schedule(static) if (count > 65536)
  for (int64_t i = 0; i < count; i++) {
    at<float>(masters)[i] = hir::join(at<hir::bf16>(weights)[i], at<uint16_t>(residues)[i]);
  }
  return HIR_OK;
}

const char *hir_matmul_variant(int32_t backend, int32_t dtype) {
  hir::Matmul matmul;
  return hir::Matmul::choose(backend, dtype, &matmul) == HIR_OK ? matmul.name() : nullptr;
}

double hir_matmul_ceiling(int32_t backend, int32_t dtype) {
  hir::Matmul matmul;
  if (hir::Matmul::choose(backend, dtype, &matmul) != HIR_OK) return 0;
  double sum = 0;
#pragma omp parallel reduction(+ : sum)
  sum += matmul.ceiling();
  return sum;
}

}  // extern "C"
