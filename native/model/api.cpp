// hir_model_* and hir_decoder_*: check arguments and find the backend.
#include "select.h"
#include "cpu_model.h"
#include "device_backend.h"

namespace {

using hir::at;
using hir::fail;

hir::AnyModel *model_at(int64_t handle) { return at<hir::AnyModel>(handle); }
hir::AnyDecoder *decoder_at(int64_t handle) { return at<hir::AnyDecoder>(handle); }

// Checks a shape, and converts it to the kernels' type.
int32_t read_shape(const hir_model_shape &s, hir::ModelShape *shape) {
  if (s.dtype != HIR_FLOAT32 && s.dtype != HIR_BFLOAT16) return fail(HIR_INVALID, "model: unknown element type %d", s.dtype);
  if (s.layers < 1 || s.hidden < 1 || s.intermediate < 1 || s.heads < 1 || s.kv_heads < 1 || s.head_dim < 2 ||
      s.head_dim % 2 || s.vocab < 1 || s.heads % s.kv_heads) {
    return fail(HIR_INVALID,
                "model: %lld layers, hidden %lld, intermediate %lld, %lld heads on %lld, head size %lld, vocabulary "
                "%lld: all must be positive, the head size even and heads a multiple of key-value heads",
                static_cast<long long>(s.layers), static_cast<long long>(s.hidden), static_cast<long long>(s.intermediate),
                static_cast<long long>(s.heads), static_cast<long long>(s.kv_heads), static_cast<long long>(s.head_dim),
                static_cast<long long>(s.vocab));
  }
  *shape = {s.layers, s.hidden, s.intermediate, s.heads, s.kv_heads, s.head_dim, s.vocab, static_cast<float>(s.norm_epsilon),
            s.dtype};
  return HIR_OK;
}

}  // namespace

extern "C" {

int32_t hir_model_create(int32_t backend, int32_t device, int64_t stream, const hir_model_shape *given, int64_t *model) {
  const hir::Backend *kernels = nullptr;
  const hir::DeviceBackend *gpu = hir::device_backend(backend);
  if (!gpu) {
    if (int32_t code = hir::select("model", backend, &kernels)) return code;
  }
  hir::ModelShape shape;
  if (int32_t code = read_shape(*given, &shape)) return code;
  hir::AnyModel *made = nullptr;
  if (int32_t code =
          gpu ? gpu->make_model({device, stream}, shape, &made) : hir::CpuModel::make(*kernels, backend, shape, &made)) {
    return code;
  }
  *model = reinterpret_cast<int64_t>(made);
  return HIR_OK;
}

void hir_model_free(int64_t model) { delete model_at(model); }

void hir_model_release(int64_t model, int64_t small) { model_at(model)->release(small); }

int32_t hir_model_memory(int32_t backend, const hir_model_shape *given, const hir_model_work *work, hir_model_sizes *sizes) {
  if (hir::device_backend(backend)) return fail(HIR_UNSUPPORTED, "model memory: backend %d only decodes", backend);
  const hir::Backend *kernels = nullptr;
  if (int32_t code = hir::select("model memory", backend, &kernels)) return code;
  hir::ModelShape shape;
  if (int32_t code = read_shape(*given, &shape)) return code;
  return hir::CpuModel::memory(*kernels, backend, shape, *work, sizes);
}

int32_t hir_model_weights(int64_t model, const int64_t *addresses) { return model_at(model)->weights(addresses); }

int32_t hir_model_frozen(int64_t model, const int64_t *addresses, const hir_matrix *matrices, int64_t count) {
  return model_at(model)->frozen(addresses, matrices, count);
}

int32_t hir_model_rotary(int64_t model, hir_address cosines, hir_address sines, int64_t positions) {
  return model_at(model)->rotary(cosines, sines, positions);
}

int32_t hir_model_windows(int64_t model, const int64_t *tokens) {
  const int64_t layers = model_at(model)->shape.layers;
  for (int64_t i = 0; i < layers; i++) {
    if (tokens[i] >= 0) continue;
    return fail(HIR_INVALID, "model: a window of %lld tokens in layer %lld; it must be positive, or 0 for none",
                static_cast<long long>(tokens[i]), static_cast<long long>(i));
  }
  return model_at(model)->windows(tokens);
}

int32_t hir_model_forward(int64_t model, const int64_t *ids, int64_t tokens, const int64_t *lengths, const int64_t *prefixes,
                          int64_t segments, int32_t keep, hir_address hidden, hir_address keys_values, int64_t *pass) {
  return model_at(model)->forward(ids, tokens, lengths, prefixes, segments, keep, hidden, keys_values, pass);
}

int32_t hir_model_backward(int64_t model, int64_t pass, hir_address hidden_gradient, const int64_t *gradients) {
  return model_at(model)->backward(pass, hidden_gradient, gradients);
}

int32_t hir_model_logits(int64_t model, hir_address hidden, int64_t rows, hir_address logits, int64_t row_stride) {
  return model_at(model)->logits(hidden, rows, logits, row_stride);
}

int32_t hir_model_logprobs(int64_t model, hir_address hidden, int64_t rows, hir_address targets, double temperature,
                           hir_address logprobs, hir_address entropies) {
  return model_at(model)->logprobs(hidden, rows, targets, temperature, logprobs, entropies);
}

int32_t hir_model_logits_backward(int64_t model, hir_address logits_gradient, int64_t row_stride, hir_address hidden,
                                  int64_t rows, hir_address hidden_gradient, hir_address head_gradient) {
  return model_at(model)->logits_backward(logits_gradient, row_stride, hidden, rows, hidden_gradient, head_gradient);
}

int32_t hir_decoder_create(int64_t model, int64_t *decoder) {
  hir::AnyDecoder *made = nullptr;
  if (int32_t code = model_at(model)->make_decoder(&made)) return code;
  *decoder = reinterpret_cast<int64_t>(made);
  return HIR_OK;
}

void hir_decoder_free(int64_t decoder) { delete decoder_at(decoder); }

int32_t hir_decoder_prompt(int64_t decoder, hir_address keys, hir_address values, int64_t layer_stride, int64_t token_stride,
                           int64_t length, int32_t dtype, int64_t *prompt) {
  hir::Prompt *made = nullptr;
  const int32_t code = decoder_at(decoder)->prompt(keys, values, layer_stride, token_stride, length, dtype, &made);
  if (code == HIR_OK) *prompt = reinterpret_cast<int64_t>(made);
  return code;
}

void hir_decoder_prompt_free(int64_t decoder, int64_t prompt) {
  if (prompt) decoder_at(decoder)->rows.let_go(at<hir::Prompt>(prompt));
}

int32_t hir_decoder_admit(int64_t decoder, int64_t prompt, int64_t first, int64_t count) {
  return decoder_at(decoder)->rows.admit(at<hir::Prompt>(prompt), first, count);
}

int32_t hir_decoder_move(int64_t decoder, int64_t from, int64_t to) { return decoder_at(decoder)->rows.move(from, to); }

void hir_decoder_keep(int64_t decoder, int64_t rows) { decoder_at(decoder)->rows.keep(rows > 0 ? rows : 0); }

int64_t hir_decoder_pages(int64_t decoder) { return decoder_at(decoder)->rows.held(); }

void hir_decoder_release(int64_t decoder, int64_t small) { decoder_at(decoder)->release(small); }

int32_t hir_decoder_step(int64_t decoder, hir_address tokens, int64_t rows, hir_address logits, int64_t row_stride) {
  return decoder_at(decoder)->step(tokens, rows, logits, row_stride);
}

int32_t hir_decoder_draw(int64_t decoder, const int64_t *tokens, int64_t rows, double temperature, int64_t top_k,
                         double top_p, double min_p, int64_t vocabulary, int64_t key, const int32_t *counters,
                         int64_t *drawn, float *logprobs, float *entropies) {
  const hir::Sampling sampling = {
      temperature, top_k,    top_p,    min_p, static_cast<uint64_t>(key), reinterpret_cast<const uint32_t *>(counters),
      drawn,       logprobs, entropies};
  if (int32_t code = hir::check_sampling("decoder", sampling)) return code;
  if (vocabulary < 1) return fail(HIR_INVALID, "decoder: a vocabulary of %lld", static_cast<long long>(vocabulary));
  return decoder_at(decoder)->draw(tokens, rows, sampling, vocabulary);
}

}  // extern "C"
