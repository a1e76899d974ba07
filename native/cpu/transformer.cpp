// The transformer's bookkeeping: weights, batches and memory. The arithmetic is the backends'.
#include "transformer.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <algorithm>
#include <vector>

#include "backends.h"
#include "error.h"
#include "hir_kernels.h"

namespace {

using hir::fail;

template <class T>
T *at(hir_address address) {
  return reinterpret_cast<T *>(address);
}

// Memory that grows and stays: a pass finds its pages there, large ones where the system has them.
class Arena {
 public:
  ~Arena() { drop(); }

  float *reserve(int64_t floats) {
    const size_t wanted = (sizeof(float) * static_cast<size_t>(floats) + LARGE_PAGE - 1) / LARGE_PAGE * LARGE_PAGE;
    if (wanted > size) {
      drop();
      void *memory = mmap(nullptr, wanted, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      if (memory == MAP_FAILED) return nullptr;
      madvise(memory, wanted, MADV_HUGEPAGE);
      start = static_cast<float *>(memory);
      size = wanted;
    }
    return start;
  }

 private:
  static constexpr size_t LARGE_PAGE = 2 << 20;

  void drop() {
    if (size) munmap(start, size);
    size = 0;
  }

  float *start = nullptr;
  size_t size = 0;
};

int32_t out_of_memory() { return fail(HIR_NO_MEMORY, "transformer: out of memory"); }

class Model {
 public:
  Model(const hir::Backend &kernels, const hir::DecoderShape &shape)
      : kernels(kernels), layers(shape.layers), gradients(shape.layers) {
    model.shape = shape;
    model.layers = layers.data();
  }

  ~Model() {
    drop_weights();
    free(cosines);
    free(sines);
  }

  int32_t weights(const int64_t *addresses);
  int32_t rotary(const float *cos, const float *sin, int64_t count);
  int32_t forward(const int64_t *tokens, int64_t count, const int64_t *lengths, const int64_t *prefixes,
                  int64_t segment_count, int32_t keep, float *hidden, float *keys_values, int64_t *pass);
  int32_t backward(int64_t pass, const float *hidden_gradient, const int64_t *addresses);
  int32_t logits(const float *hidden, int64_t rows, float *out, int64_t row_stride);
  int32_t logits_backward(const float *gradient, int64_t row_stride, const float *hidden, int64_t rows,
                          float *hidden_gradient, float *head_gradient);

 private:
  // A matrix to pack: forth at once, back when the first gradient asks for it.
  struct Matrix {
    const float *weights;
    int64_t out, in;
    bool gate_up;
    hir::BothWays *packed;
  };

  bool pack_back();
  bool take_head(hir::Head *head);
  void drop_weights();
  int32_t cut(const int64_t *tokens, int64_t count, const int64_t *lengths, const int64_t *prefixes,
              int64_t segment_count);
  hir::Pass pass_over(float *memory) const { return {&model, &batch, threads, memory}; }

  const hir::Backend &kernels;
  hir::Transformer model = {};
  std::vector<hir::TransformerLayer> layers;
  std::vector<hir::LayerGradients> gradients;
  std::vector<Matrix> matrices;
  bool packed_back = false;
  float *cosines = nullptr, *sines = nullptr;
  int64_t positions = 0;
  // Of the last forward.
  hir::Batch batch = {};
  std::vector<int64_t> ids;
  std::vector<hir::Segment> segments;
  std::vector<hir::Group> groups;
  int32_t threads = 0;
  int64_t passes = 0;
  Arena arena, head_arena;
};

bool pack(const hir::Backend &kernels, const float *weights, int64_t out, int64_t in, bool gate_up,
          hir::Packed *packed, bool back) {
  if (!packed->data) {
    *packed = back ? hir::Packed{nullptr, in, out} : hir::Packed{nullptr, out, in};
    packed->data = aligned_alloc(64, (kernels.packed_size(packed->out, packed->in, HIR_FLOAT32) + 63) / 64 * 64);
    if (!packed->data) return false;
  }
  if (back) {
    kernels.pack_back(weights, packed);
  } else {
    kernels.pack(weights, HIR_FLOAT32, gate_up, packed);
  }
  return true;
}

int32_t Model::weights(const int64_t *addresses) {
  const hir::DecoderShape &s = model.shape;
  const auto next = [&addresses] { return at<const float>(*addresses++); };
  matrices.clear();
  packed_back = false;
  model.embedding = next();
  model.final_norm = next();
  model.head = next();
  for (hir::TransformerLayer &layer : layers) {
    layer.input_norm = next();
    matrices.push_back({next(), s.qkv_size(), s.hidden, false, &layer.qkv});
    layer.qkv_bias = next();
    layer.query_norm = next();
    layer.key_norm = next();
    matrices.push_back({next(), s.hidden, s.query_size(), false, &layer.output});
    layer.post_norm = next();
    matrices.push_back({next(), 2 * s.intermediate, s.hidden, true, &layer.gate_up});
    matrices.push_back({next(), s.hidden, s.intermediate, false, &layer.down});
  }
  for (const Matrix &m : matrices) {
    if (!pack(kernels, m.weights, m.out, m.in, m.gate_up, &m.packed->forth, false)) {
      drop_weights();
      return out_of_memory();
    }
  }
  return HIR_OK;
}

bool Model::pack_back() {
  if (packed_back) return true;
  for (const Matrix &m : matrices) {
    if (!pack(kernels, m.weights, m.out, m.in, m.gate_up, &m.packed->back, true)) return false;
  }
  packed_back = true;
  return true;
}

void Model::drop_weights() {
  for (const Matrix &m : matrices) {
    for (hir::Packed *packed : {&m.packed->forth, &m.packed->back}) {
      free(packed->data);
      packed->data = nullptr;
    }
  }
  matrices.clear();
}

int32_t Model::rotary(const float *cos, const float *sin, int64_t count) {
  if (count < 1 || !cos || !sin) return fail(HIR_INVALID, "transformer: rotary tables of %lld positions", static_cast<long long>(count));
  const size_t bytes = sizeof(float) * static_cast<size_t>(count * model.shape.head_dim / 2);
  for (auto [table, source] : {std::pair<float **, const float *>{&cosines, cos}, {&sines, sin}}) {
    free(*table);
    *table = static_cast<float *>(malloc(bytes));
    if (!*table) {
      positions = 0;
      return out_of_memory();
    }
    memcpy(*table, source, bytes);
  }
  model.cosines = cosines;
  model.sines = sines;
  positions = count;
  return HIR_OK;
}

// Checks a batch and sorts its segments into groups.
int32_t Model::cut(const int64_t *tokens, int64_t count, const int64_t *lengths, const int64_t *prefixes,
                   int64_t segment_count) {
  std::vector<int64_t> starts(segment_count);
  std::vector<std::vector<int64_t>> followers(segment_count);
  int64_t total = 0;
  batch.longest = 0;
  for (int64_t i = 0; i < segment_count; i++) {
    const int64_t prefix = prefixes[i];
    if (lengths[i] < 1 || lengths[i] > count - total) {
      return fail(HIR_INVALID, "transformer: segment %lld has %lld tokens, %lld are left", static_cast<long long>(i),
                  static_cast<long long>(lengths[i]), static_cast<long long>(count - total));
    }
    if (prefix >= i || prefix < -1 || (prefix >= 0 && prefixes[prefix] >= 0)) {
      return fail(HIR_INVALID, "transformer: segment %lld continues %lld, which is no earlier first segment",
                  static_cast<long long>(i), static_cast<long long>(prefix));
    }
    starts[i] = total;
    total += lengths[i];
    followers[prefix < 0 ? i : prefix].push_back(i);
    batch.longest = std::max(batch.longest, lengths[i] + (prefix < 0 ? 0 : lengths[prefix]));
  }
  if (total != count) {
    return fail(HIR_INVALID, "transformer: %lld tokens for segments of %lld in all", static_cast<long long>(count),
                static_cast<long long>(total));
  }
  if (batch.longest > positions) {
    return fail(HIR_INVALID, "transformer: a sequence of %lld tokens, the rotary tables end at %lld",
                static_cast<long long>(batch.longest), static_cast<long long>(positions));
  }
  for (int64_t i = 0; i < count; i++) {
    if (tokens[i] < 0 || tokens[i] >= model.shape.vocab) {
      return fail(HIR_INVALID, "transformer: token %lld is outside the vocabulary [0, %lld)",
                  static_cast<long long>(tokens[i]), static_cast<long long>(model.shape.vocab));
    }
  }
  segments.clear();
  groups.clear();
  segments.reserve(segment_count);  // groups point into it
  for (int64_t root = 0; root < segment_count; root++) {
    if (followers[root].empty()) continue;
    groups.push_back({segments.data() + segments.size(), static_cast<int64_t>(followers[root].size())});
    for (int64_t i : followers[root]) {
      segments.push_back({starts[i], lengths[i], prefixes[i] < 0 ? 0 : lengths[prefixes[i]]});
    }
  }
  ids.assign(tokens, tokens + count);
  return HIR_OK;
}

int32_t Model::forward(const int64_t *tokens, int64_t count, const int64_t *lengths, const int64_t *prefixes,
                       int64_t segment_count, int32_t keep, float *hidden, float *keys_values, int64_t *pass) {
  if (matrices.empty()) return fail(HIR_INVALID, "transformer: no weights yet: hir_transformer_weights comes first");
  if (keep < HIR_KEEP_NOTHING || keep > HIR_KEEP_INPUTS) return fail(HIR_INVALID, "transformer: unknown keep %d", keep);
  *pass = ++passes;
  if (int32_t code = cut(tokens, count, lengths, prefixes, segment_count)) {
    passes++;  // nothing to go back through
    return code;
  }
  if (count == 0) return HIR_OK;
  batch.ids = ids.data();
  batch.tokens = count;
  batch.groups = groups.data();
  batch.group_count = groups.size();
  batch.keep = keep == HIR_KEEP_NOTHING      ? hir::NOTHING
               : keep == HIR_KEEP_EVERYTHING ? hir::EVERYTHING
                                             : hir::INPUTS;
  batch.keys_values = keys_values;
  threads = omp_get_max_threads();
  float *const memory = arena.reserve(kernels.pass_size(model.shape, batch, threads));
  if (!memory) {
    passes++;
    return out_of_memory();
  }
  kernels.forward(pass_over(memory), hidden);
  return HIR_OK;
}

int32_t Model::backward(int64_t pass, const float *hidden_gradient, const int64_t *addresses) {
  if (pass != passes || batch.keep == hir::NOTHING) {
    return fail(HIR_INVALID, "transformer: nothing is kept of pass %lld: it asked for nothing, or another came after it",
                static_cast<long long>(pass));
  }
  if (batch.tokens == 0) return HIR_OK;
  if (!pack_back()) return out_of_memory();
  const auto next = [&addresses] { return at<float>(*addresses++); };
  hir::Gradients all = {next(), next(), gradients.data()};
  next();  // the head's
  for (hir::LayerGradients &g : gradients) {
    g.input_norm = next();
    g.qkv = next();
    g.qkv_bias = next();
    g.query_norm = next();
    g.key_norm = next();
    g.output = next();
    g.post_norm = next();
    g.gate_up = next();
    g.down = next();
  }
  passes++;  // once only
  batch.keys_values = nullptr;
  kernels.backward(pass_over(arena.reserve(0)), hidden_gradient, all);
  return HIR_OK;
}

bool Model::take_head(hir::Head *head) {
  float *const scratch = head_arena.reserve(kernels.head_scratch(model.shape.hidden, omp_get_max_threads()));
  *head = {model.head, model.shape.vocab, model.shape.hidden, scratch};
  return scratch != nullptr;
}

int32_t Model::logits(const float *hidden, int64_t rows, float *out, int64_t row_stride) {
  if (matrices.empty()) return fail(HIR_INVALID, "transformer: no weights yet: hir_transformer_weights comes first");
  if (rows < 0 || row_stride < model.shape.vocab) {
    return fail(HIR_INVALID, "transformer: %lld rows of logits, %lld apart, of a vocabulary of %lld",
                static_cast<long long>(rows), static_cast<long long>(row_stride),
                static_cast<long long>(model.shape.vocab));
  }
  hir::Head head;
  if (!take_head(&head)) return out_of_memory();
  kernels.logits(head, hidden, rows, out, row_stride);
  return HIR_OK;
}

int32_t Model::logits_backward(const float *gradient, int64_t row_stride, const float *hidden, int64_t rows,
                               float *hidden_gradient, float *head_gradient) {
  if (matrices.empty()) return fail(HIR_INVALID, "transformer: no weights yet: hir_transformer_weights comes first");
  hir::Head head;
  if (!take_head(&head)) return out_of_memory();
  kernels.logits_back(head, gradient, row_stride, hidden, rows, hidden_gradient, head_gradient);
  return HIR_OK;
}

Model *model_at(int64_t handle) { return at<Model>(handle); }

}  // namespace

extern "C" {

int32_t hir_transformer_create(int32_t backend, int64_t layers, int64_t hidden, int64_t intermediate, int64_t heads,
                               int64_t kv_heads, int64_t head_dim, int64_t vocab, double norm_epsilon, int32_t dtype,
                               int64_t *transformer) {
  const hir::Backend *kernels = nullptr;
  if (int32_t code = hir::select("transformer", backend, &kernels)) return code;
  if (!kernels->forward || dtype != HIR_FLOAT32) {
    return fail(HIR_UNSUPPORTED, "transformer: float32 on AVX2 and AVX-512 alone");
  }
  if (layers < 1 || hidden < 1 || intermediate < 1 || heads < 1 || kv_heads < 1 || head_dim < 2 || head_dim % 2 ||
      vocab < 1 || heads % kv_heads) {
    return fail(HIR_INVALID,
                "transformer: all sizes must be positive, the head size (%lld) even and heads (%lld) a multiple of "
                "key-value heads (%lld)",
                static_cast<long long>(head_dim), static_cast<long long>(heads), static_cast<long long>(kv_heads));
  }
  const hir::DecoderShape shape = {layers, hidden, intermediate, heads, kv_heads,
                                   head_dim, vocab, static_cast<float>(norm_epsilon), dtype};
  *transformer = reinterpret_cast<int64_t>(new Model(*kernels, shape));
  return HIR_OK;
}

void hir_transformer_free(int64_t transformer) { delete model_at(transformer); }

int32_t hir_transformer_weights(int64_t transformer, const int64_t *addresses) {
  return model_at(transformer)->weights(addresses);
}

int32_t hir_transformer_rotary(int64_t transformer, hir_address cosines, hir_address sines, int64_t positions) {
  return model_at(transformer)->rotary(at<float>(cosines), at<float>(sines), positions);
}

int32_t hir_transformer_forward(int64_t transformer, const int64_t *ids, int64_t tokens, const int64_t *lengths,
                                const int64_t *prefixes, int64_t segments, int32_t keep, hir_address hidden,
                                hir_address keys_values, int64_t *pass) {
  return model_at(transformer)->forward(ids, tokens, lengths, prefixes, segments, keep, at<float>(hidden),
                                         at<float>(keys_values), pass);
}

int32_t hir_transformer_backward(int64_t transformer, int64_t pass, hir_address hidden_gradient,
                                 const int64_t *gradients) {
  return model_at(transformer)->backward(pass, at<float>(hidden_gradient), gradients);
}

int32_t hir_transformer_logits(int64_t transformer, hir_address hidden, int64_t rows, hir_address logits,
                               int64_t row_stride) {
  return model_at(transformer)->logits(at<float>(hidden), rows, at<float>(logits), row_stride);
}

int32_t hir_transformer_logits_backward(int64_t transformer, hir_address logits_gradient, int64_t row_stride,
                                        hir_address hidden, int64_t rows, hir_address hidden_gradient,
                                        hir_address head_gradient) {
  return model_at(transformer)
      ->logits_backward(at<float>(logits_gradient), row_stride, at<float>(hidden), rows, at<float>(hidden_gradient),
                        at<float>(head_gradient));
}

}  // extern "C"
