// The bookkeeping of models on a CPU: weights, batches and memory. The arithmetic is the backends' (pass.cpp).
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include <algorithm>

#include "bf16.h"
#include "cpu_model.h"
#include "packed.h"

namespace hir {

namespace {

int32_t out_of_memory() { return fail(HIR_NO_MEMORY, "model: out of memory"); }

}  // namespace

CpuModel::CpuModel(const Backend &kernels, const ModelShape &shape)
    : AnyModel(shape), kernels(kernels), layers(shape.layers), gradients(shape.layers) {
  model.shape = shape;
  model.layers = layers.data();
}

int32_t CpuModel::make(const Backend &kernels, int32_t backend, const ModelShape &shape, AnyModel **out) {
  CpuModel *const made = new CpuModel(kernels, shape);
  if (int32_t code = Matmul::choose(backend, shape.dtype, &made->model.matmul)) {
    delete made;
    return code;
  }
  made->backend = backend;
  *out = made;
  return HIR_OK;
}

CpuModel::~CpuModel() {
  for (Linear *linear : matrices) free(linear->packed);
}

int32_t CpuModel::ready() const {
  return held ? HIR_OK : fail(HIR_INVALID, "model: no weights yet: hir_model_weights comes first");
}

bool CpuModel::pack(const void *weights, int64_t n, int64_t k, Order order, Linear *linear) {
  linear->weight = {weights, n, k, k, order};
  if (!kernels.forward) return true;  // the baseline reads them as they are
  if (!linear->packed) {
    linear->packed =
        aligned_alloc(64, static_cast<size_t>(model.matmul.packed_bytes_forward(linear->weight) + 63) / 64 * 64);
    if (!linear->packed) return false;
    matrices.push_back(linear);
  }
#pragma omp parallel
  model.matmul.pack_forward(Team::region(), linear->weight, linear->packed);
  return true;
}

// Copies of the values, after the used part of the vectors.
const float *CpuModel::floats(const void *values, int64_t count, size_t *used) {
  if (!values) return nullptr;
  float *const copy = vectors.data() + *used;
  *used += static_cast<size_t>(count);
  for (int64_t i = 0; i < count; i++) {
    copy[i] = shape.dtype == HIR_BFLOAT16 ? to_float(static_cast<const bf16 *>(values)[i])
                                          : static_cast<const float *>(values)[i];
  }
  return copy;
}

int32_t CpuModel::weights(const int64_t *addresses) {
  const ModelShape &s = shape;
  WeightTable<const void *> table;
  std::vector<LayerTable<const void *>> tables(s.layers);
  read_table(addresses, s.layers, &table, tables.data());
  held = false;
  size_t used = 0;
  vectors.resize(s.hidden + s.layers * (2 * s.hidden + s.qkv_size() + 2 * s.head_dim));
  model.embedding = table.embedding;
  model.final_norm = floats(table.final_norm, s.hidden, &used);
  bool packed = pack(table.head, s.vocab, s.hidden, Order::PLAIN, &model.head);
  for (int64_t i = 0; i < s.layers; i++) {
    const LayerTable<const void *> &from = tables[i];
    LayerWeights &to = layers[i];
    to.input_norm = floats(from.input_norm, s.hidden, &used);
    to.qkv_bias = floats(from.qkv_bias, s.qkv_size(), &used);
    to.query_norm = floats(from.query_norm, s.head_dim, &used);
    to.key_norm = floats(from.key_norm, s.head_dim, &used);
    to.post_norm = floats(from.post_norm, s.hidden, &used);
    packed = packed && pack(from.qkv, s.qkv_size(), s.hidden, Order::PLAIN, &to.qkv) &&
             pack(from.output, s.hidden, s.query_size(), Order::PLAIN, &to.output) &&
             pack(from.gate_up, 2 * s.intermediate, s.hidden, Order::GATE_UP, &to.gate_up) &&
             pack(from.down, s.hidden, s.intermediate, Order::PLAIN, &to.down);
  }
  if (!packed) return out_of_memory();
  held = true;
  return HIR_OK;
}

int32_t CpuModel::rotary(int64_t cosines, int64_t sines, int64_t count) {
  if (count < 1 || !cosines || !sines) {
    return fail(HIR_INVALID, "model: rotary tables of %lld positions", static_cast<long long>(count));
  }
  const size_t size = static_cast<size_t>(count * shape.head_dim / 2);
  rotations.resize(2 * size);
  memcpy(rotations.data(), at<const float>(cosines), sizeof(float) * size);
  memcpy(rotations.data() + size, at<const float>(sines), sizeof(float) * size);
  model.cosines = rotations.data();
  model.sines = rotations.data() + size;
  positions = count;
  return HIR_OK;
}

// Checks a batch and sorts its segments into groups.
int32_t CpuModel::cut(const int64_t *tokens, int64_t count, const int64_t *lengths, const int64_t *prefixes,
                      int64_t segment_count) {
  const Packed packed = {tokens, count, lengths, prefixes, segment_count};
  if (int32_t code = check_packed(packed, shape.vocab, positions, &batch.longest)) return code;
  std::vector<int64_t> starts(segment_count);
  std::vector<std::vector<int64_t>> followers(segment_count);
  int64_t total = 0;
  for (int64_t i = 0; i < segment_count; i++) {
    starts[i] = total;
    total += lengths[i];
    followers[prefixes[i] < 0 ? i : prefixes[i]].push_back(i);
  }
  segments.clear();
  groups.clear();
  segments.reserve(segment_count);  // groups point into it
  for (int64_t root = 0; root < segment_count; root++) {
    if (followers[root].empty()) continue;
    groups.push_back({segments.data() + segments.size(), static_cast<int64_t>(followers[root].size())});
    for (int64_t i : followers[root]) {
      segments.push_back({starts[i], lengths[i], packed.prefix_length(i)});
    }
  }
  ids.assign(tokens, tokens + count);
  return HIR_OK;
}

int32_t CpuModel::forward(const int64_t *tokens, int64_t count, const int64_t *lengths, const int64_t *prefixes,
                          int64_t segment_count, int32_t keep, int64_t hidden, int64_t keys_values, int64_t *pass) {
  if (!kernels.forward) return AnyModel::forward(tokens, count, lengths, prefixes, segment_count, keep, hidden, keys_values, pass);
  if (int32_t code = ready()) return code;
  if (keep < HIR_KEEP_NOTHING || keep > HIR_KEEP_INPUTS) return fail(HIR_INVALID, "model: unknown keep %d", keep);
  *pass = ++passes;
  if (int32_t code = cut(tokens, count, lengths, prefixes, segment_count)) {
    passes++;  // nothing to go back through
    return code;
  }
  batch.tokens = count;
  batch.keep = keep == HIR_KEEP_NOTHING ? NOTHING : keep == HIR_KEEP_EVERYTHING ? EVERYTHING : INPUTS;
  if (count == 0) return HIR_OK;
  batch.ids = ids.data();
  batch.groups = groups.data();
  batch.group_count = groups.size();
  batch.keys_values = at<void>(keys_values);
  threads = omp_get_max_threads();
  void *const memory = arena.reserve(kernels.pass_bytes(model, batch, threads));
  if (!memory || !kernels.forward(pass_over(memory), at<void>(hidden))) {
    passes++;
    return out_of_memory();
  }
  return HIR_OK;
}

int32_t CpuModel::backward(int64_t pass, int64_t hidden_gradient, const int64_t *addresses) {
  if (pass != passes || batch.keep == NOTHING) {
    return fail(HIR_INVALID, "model: nothing is kept of pass %lld: it asked for nothing, or another came after it",
                static_cast<long long>(pass));
  }
  if (batch.tokens == 0) return HIR_OK;
  Gradients all = {{}, gradients.data()};
  read_table(addresses, shape.layers, &all.table, gradients.data());
  passes++;  // once only
  batch.keys_values = nullptr;
  return kernels.backward(pass_over(arena.reserve(0)), at<const float>(hidden_gradient), all) ? HIR_OK : out_of_memory();
}

int32_t CpuModel::logits(int64_t hidden, int64_t rows, int64_t out, int64_t row_stride) {
  if (!kernels.forward) return AnyModel::logits(hidden, rows, out, row_stride);
  if (int32_t code = ready()) return code;
  if (rows < 0 || row_stride < shape.vocab) {
    return fail(HIR_INVALID, "model: %lld rows of logits, %lld apart, of a vocabulary of %lld",
                static_cast<long long>(rows), static_cast<long long>(row_stride), static_cast<long long>(shape.vocab));
  }
  Sink sink;
  sink.y = at<float>(out);
  sink.y_stride = row_stride;
  const Product product = {rows, shape.vocab, shape.hidden, at<void>(hidden), shape.hidden, model.head.packed, sink};
  bool failed = false;
#pragma omp parallel
  if (!model.matmul.multiply(Team::region(), product)) __atomic_store_n(&failed, true, __ATOMIC_RELAXED);
  return failed ? out_of_memory() : HIR_OK;
}

int32_t CpuModel::logits_backward(int64_t gradient, int64_t row_stride, int64_t hidden, int64_t rows,
                                  int64_t hidden_gradient, int64_t head_gradient) {
  if (!kernels.forward) return AnyModel::logits_backward(gradient, row_stride, hidden, rows, hidden_gradient, head_gradient);
  if (int32_t code = ready()) return code;
  HeadRows head = {&model, at<void>(hidden), rows, at<float>(gradient), row_stride, nullptr};
  head.scratch = head_arena.reserve(kernels.head_bytes(head));
  if (!head.scratch) return out_of_memory();
  return kernels.logits_back(head, at<float>(hidden_gradient), at<float>(head_gradient)) ? HIR_OK : out_of_memory();
}

}  // namespace hir
