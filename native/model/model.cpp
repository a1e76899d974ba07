// The bookkeeping of models on a CPU: weights, batches and memory. The arithmetic is in pass.cpp.
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>

#include "bf16.h"
#include "cpu_model.h"
#include "ops/head/head.h"
#include "ops/matmul/kernel.h"
#include "packed.h"

namespace hir {

namespace {

int32_t out_of_memory() { return fail(HIR_NO_MEMORY, "model: out of memory"); }

Keep keep_of(int32_t keep) { return keep == HIR_KEEP_NOTHING ? NOTHING : keep == HIR_KEEP_EVERYTHING ? EVERYTHING : INPUTS; }

}  // namespace

CpuModel::CpuModel(const Backend &kernels, const ModelShape &shape)
    : AnyModel(shape), kernels(kernels), layers(shape.layers), packings(1 + 4 * shape.layers), gradients(shape.layers) {
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
  for (void *memory : memories) free(memory);
  for (const Packing &packing : packings) {
    free(packing.adapter.a);
    free(packing.adapter.b);
  }
}

void CpuModel::release(int64_t small) {
  passes++;  // no pass can go backward any more
  if (arena.bytes() + head_arena.bytes() <= small) return;
  arena.drop();
  head_arena.drop();
}

namespace {

size_t packed_bytes(const Matmul &matmul, const Weight &weight) {
  return static_cast<size_t>(matmul.packed_bytes_forward(weight) + 63) / 64 * 64;
}

// Floats of all norms and biases.
size_t vector_count(const ModelShape &s) {
  return static_cast<size_t>(s.hidden + s.layers * (2 * s.hidden + s.qkv_size() + 2 * s.head_dim));
}

// Sets the sizes of a layer's matrices.
void shape_layer(const ModelShape &s, LayerWeights *layer) {
  layer->qkv.weight = {nullptr, s.qkv_size(), s.hidden, s.hidden, Order::PLAIN};
  layer->output.weight = {nullptr, s.hidden, s.query_size(), s.query_size(), Order::PLAIN};
  layer->gate_up.weight = {nullptr, 2 * s.intermediate, s.hidden, s.hidden, Order::GATE_UP};
  layer->down.weight = {nullptr, s.hidden, s.intermediate, s.intermediate, Order::PLAIN};
}

}  // namespace

int32_t CpuModel::memory(const Backend &kernels, int32_t backend, const ModelShape &shape, const hir_model_work &work,
                         hir_model_sizes *sizes) {
  if (!kernels.forward) return fail(HIR_UNSUPPORTED, "model memory: backend %d only decodes", backend);
  if (work.tokens < 0 || work.sequences < 0 || work.longest < 0 || work.head_rows < 0 || work.decode_rows < 0 ||
      work.decode_longest < 0 || work.keep < HIR_KEEP_NOTHING || work.keep > HIR_KEEP_INPUTS) {
    return fail(HIR_INVALID, "model memory: sizes of work must not be negative, nor keep %d", work.keep);
  }
  Model model = {};
  model.shape = shape;
  if (int32_t code = Matmul::choose(backend, shape.dtype, &model.matmul)) return code;
  std::vector<LayerWeights> layers(shape.layers);
  for (LayerWeights &layer : layers) shape_layer(shape, &layer);
  model.layers = layers.data();
  model.head.weight = {nullptr, shape.vocab, shape.hidden, shape.hidden, Order::PLAIN};
  size_t of_layer = 0;
  const LayerWeights &any = layers[0];
  for (const Linear *linear : {&any.qkv, &any.output, &any.gate_up, &any.down}) {
    of_layer += packed_bytes(model.matmul, linear->weight);
  }
  sizes->weights = static_cast<int64_t>(static_cast<size_t>(shape.layers) * of_layer +
                                        packed_bytes(model.matmul, model.head.weight) + sizeof(float) * vector_count(shape));
  const int32_t threads = omp_get_max_threads();
  Batch batch = {};
  batch.tokens = work.tokens;
  batch.group_count = work.sequences;
  batch.longest = work.longest;
  batch.keep = keep_of(work.keep);
  sizes->pass = work.tokens ? Arena::rounded(kernels.pass_bytes(model, batch, threads)) : 0;
  HeadRows head = {&model, nullptr, work.head_rows, nullptr, shape.vocab, nullptr};
  sizes->head = work.head_rows ? Arena::rounded(kernels.head_bytes(head)) : 0;
  sizes->page = kernels.page_bytes(model);
  sizes->step =
      work.decode_rows ? Arena::rounded(kernels.decode_bytes(shape, work.decode_rows, threads, work.decode_longest)) : 0;
  const int64_t widest = std::max({shape.hidden, shape.query_size(), shape.intermediate});
  sizes->scratch = threads * model.matmul.scratch_bytes(widest);
  return HIR_OK;
}

int32_t CpuModel::ready() const {
  return held ? HIR_OK : fail(HIR_INVALID, "model: no weights yet: hir_model_weights comes first");
}

// Allocates once; the model frees the memory.
bool CpuModel::reserve(int64_t bytes, void **memory) {
  if (*memory) return true;
  *memory = aligned_alloc(64, static_cast<size_t>(bytes + 63) / 64 * 64);
  if (*memory) memories.push_back(*memory);
  return *memory;
}

bool CpuModel::pack(const void *weights, int64_t n, int64_t k, Order order, Linear *linear) {
  linear->weight = {weights, n, k, k, order};
  linear->adapter = nullptr;
  if (!kernels.forward) return true;  // the baseline reads the weights in place
  if (!reserve(model.matmul.packed_bytes_forward(linear->weight), &linear->packed)) return false;
#pragma omp parallel
  model.matmul.pack_forward(Team::region(), linear->weight, linear->packed);
  return true;
}

// Packs matrices as one, their rows concatenated.
bool CpuModel::pack(const Frozen *parts, int64_t count, Order order, Linear *linear, Packing *packing) {
  int64_t n = 0, sources[3] = {};
  for (int64_t i = 0; i < count; i++) {
    n += parts[i].rows;
    sources[i] = parts[i].matrix.rank == 0 ? parts[i].matrix.data : 0;
  }
  const int64_t k = parts[0].columns, row_bytes = k * (shape.dtype == HIR_BFLOAT16 ? 2 : 4);
  const bool plain = std::all_of(sources, sources + count, [](int64_t source) { return source != 0; });
  linear->adapter = nullptr;
  if (plain && memcmp(sources, packing->sources, sizeof sources) == 0) return true;
  memcpy(packing->sources, sources, sizeof sources);
  const auto row = [&](int64_t at, char *to) {
    const Frozen *part = parts;
    for (; at >= part->rows; part++) at -= part->rows;
    kernels.frozen_row(*part, at, shape.dtype, to);
  };
  linear->weight = {nullptr, n, k, k, order};
  if (!kernels.forward) {
    if (!reserve(n * row_bytes, &linear->packed)) return false;
    linear->weight.data = linear->packed;
    for (int64_t i = 0; i < n; i++) row(i, static_cast<char *>(linear->packed) + i * row_bytes);
    return true;
  }
  if (!reserve(model.matmul.packed_bytes_forward(linear->weight), &linear->packed)) return false;
#pragma omp parallel
  {
    std::vector<char> rows(PANEL * row_bytes);
    Team::region().share((width(order, n) + PANEL - 1) / PANEL, [&](int64_t panel) {
      for (int64_t r = 0; r < PANEL; r++) {
        const int64_t from = stored_row(order, n, panel * PANEL + r);
        char *const to = rows.data() + r * row_bytes;
        if (from >= 0 && from < n) {
          row(from, to);
        } else {
          memset(to, 0, row_bytes);
        }
      }
      model.matmul.pack_panel(linear->weight, panel, rows.data(), linear->packed);
    });
  }
  return true;
}

// Packs the trained adapters of a fused matrix as one. Runs on the calling thread alone.
bool CpuModel::adapt(const Frozen *parts, int64_t count, Linear *linear, LowRank *adapter) const {
  const int64_t n = linear->weight.n, k = linear->weight.k;
  free(adapter->a);
  free(adapter->b);
  *adapter = {};
  for (int64_t i = 0, row = 0; i < count; row += parts[i++].rows) {
    const hir_matrix &m = parts[i].matrix;
    if (m.rank == 0 || !m.a_gradient) continue;
    adapter->parts[adapter->count++] = {row,    parts[i].rows,           adapter->rank,
                                        m.rank, at<float>(m.a_gradient), at<float>(m.b_gradient)};
    adapter->rank += m.rank;
  }
  if (adapter->rank == 0 || !kernels.forward) return true;
  const bool low = shape.dtype == HIR_BFLOAT16;
  const int64_t rank = adapter->rank;
  std::vector<char> a(rank * k * (low ? 2 : 4)), b(n * rank * (low ? 2 : 4));
  const auto put = [&](std::vector<char> &to, int64_t at, float value) {
    if (low) {
      from_float(value, reinterpret_cast<bf16 *>(to.data()) + at);
    } else {
      reinterpret_cast<float *>(to.data())[at] = value;
    }
  };
  const LowRank::Part *part = adapter->parts;
  for (int64_t i = 0; i < count; i++) {
    const hir_matrix &m = parts[i].matrix;
    if (m.rank == 0 || !m.a_gradient) continue;
    const float scale = static_cast<float>(m.scale);
    for (int64_t j = 0; j < m.rank * k; j++) put(a, part->start * k + j, scale * parts[i].a()[j]);
    for (int64_t r = 0; r < part->rows; r++) {
      for (int64_t j = 0; j < m.rank; j++) {
        put(b, (part->row + r) * rank + part->start + j, scale * parts[i].b()[r * m.rank + j]);
      }
    }
    part++;
  }
  const Weight of_a = {a.data(), rank, k, k, Order::PLAIN}, of_b = {b.data(), n, rank, rank, linear->weight.order};
  adapter->a = aligned_alloc(64, model.matmul.packed_bytes_forward(of_a));
  adapter->b = aligned_alloc(64, model.matmul.packed_bytes_backward(of_b));
  void *const forward = aligned_alloc(64, model.matmul.packed_bytes_forward(of_b));
  const bool done = adapter->a && adapter->b && forward;
  if (done) {
    model.matmul.pack_forward(Team::alone(), of_a, adapter->a);
    model.matmul.pack_forward(Team::alone(), of_b, forward);
    model.matmul.pack_backward(Team::alone(), of_b, forward, adapter->b);
    linear->adapter = adapter;
  }
  free(forward);
  return done;
}

// Copies values as floats behind the used part of `vectors`.
const float *CpuModel::floats(const void *values, int64_t count, size_t *used) {
  if (!values) return nullptr;
  float *const copy = vectors.data() + *used;
  *used += static_cast<size_t>(count);
  for (int64_t i = 0; i < count; i++) {
    copy[i] =
        shape.dtype == HIR_BFLOAT16 ? to_float(static_cast<const bf16 *>(values)[i]) : static_cast<const float *>(values)[i];
  }
  return copy;
}

// Copies norms and biases.
void CpuModel::take_vectors(const int64_t *addresses) {
  const ModelShape &s = shape;
  WeightTable<const void *> table;
  std::vector<LayerTable<const void *>> tables(s.layers);
  read_table(addresses, s.layers, &table, tables.data());
  size_t used = 0;
  vectors.resize(vector_count(s));
  model.final_norm = floats(table.final_norm, s.hidden, &used);
  for (int64_t i = 0; i < s.layers; i++) {
    const LayerTable<const void *> &from = tables[i];
    LayerWeights &to = layers[i];
    to.input_norm = floats(from.input_norm, s.hidden, &used);
    to.qkv_bias = floats(from.qkv_bias, s.qkv_size(), &used);
    to.query_norm = floats(from.query_norm, s.head_dim, &used);
    to.key_norm = floats(from.key_norm, s.head_dim, &used);
    to.post_norm = floats(from.post_norm, s.hidden, &used);
  }
}

int32_t CpuModel::weights(const int64_t *addresses) {
  const ModelShape &s = shape;
  WeightTable<const void *> table;
  std::vector<LayerTable<const void *>> tables(s.layers);
  read_table(addresses, s.layers, &table, tables.data());
  held = false;
  take_vectors(addresses);
  for (Packing &packing : packings) memset(packing.sources, 0, sizeof packing.sources);
  model.embedding = {};
  model.embedding.matrix.data = reinterpret_cast<int64_t>(table.embedding);
  model.embedding.matrix.type = s.dtype;
  model.embedding.columns = s.hidden;
  bool packed = pack(table.head, s.vocab, s.hidden, Order::PLAIN, &model.head);
  for (int64_t i = 0; i < s.layers; i++) {
    const LayerTable<const void *> &from = tables[i];
    LayerWeights &to = layers[i];
    packed = packed && pack(from.qkv, s.qkv_size(), s.hidden, Order::PLAIN, &to.qkv) &&
             pack(from.output, s.hidden, s.query_size(), Order::PLAIN, &to.output) &&
             pack(from.gate_up, 2 * s.intermediate, s.hidden, Order::GATE_UP, &to.gate_up) &&
             pack(from.down, s.hidden, s.intermediate, Order::PLAIN, &to.down);
  }
  if (!packed) return out_of_memory();
  held = true;
  return HIR_OK;
}

namespace {

// Drops the pages of a mapped file from memory: the packed copy serves, and a page that is needed again is read again.
void unload(const Frozen &f) {
  if (!f.matrix.mapped) return;
  const BlockSize block = block_size(f.matrix.type);
  const int64_t page = sysconf(_SC_PAGESIZE), bytes = f.rows * (f.columns / block.values * block.bytes);
  const int64_t first = (f.matrix.data + page - 1) / page * page, end = (f.matrix.data + bytes) / page * page;
  if (first < end) madvise(at<void>(first), static_cast<size_t>(end - first), MADV_DONTNEED);
}

}  // namespace

int32_t CpuModel::frozen(const int64_t *addresses, const hir_matrix *matrices, int64_t count) {
  const ModelShape &s = shape;
  if (count != 2 + 7 * s.layers) {
    return fail(HIR_INVALID, "model: %lld frozen matrices, %lld layers have %lld", static_cast<long long>(count),
                static_cast<long long>(s.layers), static_cast<long long>(2 + 7 * s.layers));
  }
  const int64_t q = s.query_size(), k = s.key_size(), d = s.hidden, i = s.intermediate;
  const int64_t sizes[7][2] = {{q, d}, {k, d}, {k, d}, {d, q}, {i, d}, {i, d}, {d, i}};
  std::vector<Frozen> all(count);
  for (int64_t m = 0; m < count; m++) {
    const int64_t rows = m < 2 ? s.vocab : sizes[(m - 2) % 7][0], columns = m < 2 ? d : sizes[(m - 2) % 7][1];
    all[m] = {matrices[m], rows, columns};
    const hir_matrix &given = matrices[m];
    const BlockSize block = block_size(given.type);
    if (!given.data || block.values == 0 || columns % block.values != 0 || given.head < 0 || given.head % 2 != 0 ||
        (given.head > 0 && rows % given.head != 0) || given.rank < 0 || (m < 2 && given.rank > 0) ||
        (given.rank > 0 && (!given.a || !given.b)) || !given.a_gradient != !given.b_gradient) {
      return fail(HIR_INVALID, "model: frozen matrix %lld [%lld, %lld]: type %d, heads of %lld rows, rank %lld",
                  static_cast<long long>(m), static_cast<long long>(rows), static_cast<long long>(columns), given.type,
                  static_cast<long long>(given.head), static_cast<long long>(given.rank));
    }
  }
  held = false;
  take_vectors(addresses);
  model.embedding = all[0];
  bool packed = pack(&all[1], 1, Order::PLAIN, &model.head, &packings[0]);
  unload(all[1]);
  if (!kernels.forward) {
    packed = packed && reserve(s.vocab * d * (s.dtype == HIR_BFLOAT16 ? 2 : 4), &plain_embedding);
    const int64_t row_bytes = d * (s.dtype == HIR_BFLOAT16 ? 2 : 4);
    for (int64_t row = 0; packed && row < s.vocab; row++) {
      kernels.frozen_row(all[0], row, s.dtype, static_cast<char *>(plain_embedding) + row * row_bytes);
    }
    model.embedding.matrix.data = reinterpret_cast<int64_t>(plain_embedding);
  }
  struct Fused {
    int64_t first, count;
    Order order;
    Linear LayerWeights::*linear;
  };
  constexpr Fused FUSED[4] = {{0, 3, Order::PLAIN, &LayerWeights::qkv},
                              {3, 1, Order::PLAIN, &LayerWeights::output},
                              {4, 2, Order::GATE_UP, &LayerWeights::gate_up},
                              {6, 1, Order::PLAIN, &LayerWeights::down}};
  for (int64_t l = 0; l < s.layers; l++) {
    for (int64_t f = 0; f < 4; f++) {
      const Frozen *const parts = &all[2 + 7 * l + FUSED[f].first];
      packed =
          packed && pack(parts, FUSED[f].count, FUSED[f].order, &(layers[l].*FUSED[f].linear), &packings[1 + 4 * l + f]);
      std::for_each(parts, parts + FUSED[f].count, unload);
    }
  }
#pragma omp parallel for schedule(dynamic) reduction(&& : packed)
  for (int64_t m = 0; m < 4 * s.layers; m++) {
    const Fused &f = FUSED[m % 4];
    packed = packed && adapt(&all[2 + 7 * (m / 4) + f.first], f.count, &(layers[m / 4].*f.linear), &packings[1 + m].adapter);
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

int32_t CpuModel::windows(const int64_t *tokens) {
  for (int64_t i = 0; i < shape.layers; i++) layers[i].window = tokens[i];
  passes++;  // none with other windows goes backward
  return HIR_OK;
}

// Checks a batch, and sorts its segments into groups.
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
  if (!kernels.forward)
    return AnyModel::forward(tokens, count, lengths, prefixes, segment_count, keep, hidden, keys_values, pass);
  if (int32_t code = ready()) return code;
  if (keep < HIR_KEEP_NOTHING || keep > HIR_KEEP_INPUTS) return fail(HIR_INVALID, "model: unknown keep %d", keep);
  *pass = ++passes;
  if (int32_t code = cut(tokens, count, lengths, prefixes, segment_count)) {
    passes++;  // this pass has no backward
    return code;
  }
  batch.tokens = count;
  batch.keep = keep_of(keep);
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
  passes++;  // a pass goes backward once
  batch.keys_values = nullptr;
  return kernels.backward(pass_over(arena.reserve(0)), at<const float>(hidden_gradient), all) ? HIR_OK : out_of_memory();
}

int32_t CpuModel::logits(int64_t hidden, int64_t rows, int64_t out, int64_t row_stride) {
  if (!kernels.forward) return AnyModel::logits(hidden, rows, out, row_stride);
  if (int32_t code = ready()) return code;
  if (rows < 0 || row_stride < shape.vocab) {
    return fail(HIR_INVALID, "model: %lld rows of logits, %lld apart, of a vocabulary of %lld", static_cast<long long>(rows),
                static_cast<long long>(row_stride), static_cast<long long>(shape.vocab));
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

int32_t CpuModel::logprobs(int64_t hidden, int64_t rows, int64_t targets, double temperature, int64_t out,
                           int64_t entropies) {
  if (!kernels.forward) return AnyModel::logprobs(hidden, rows, targets, temperature, out, entropies);
  if (int32_t code = ready()) return code;
  if (!(temperature > 0 && temperature < INFINITY)) {
    return fail(HIR_INVALID, "model: temperature %g; it must be positive and finite", temperature);
  }
  for (int64_t row = 0; row < rows; row++) {
    const int64_t target = at<const int64_t>(targets)[row];
    if (target >= 0 && target < shape.vocab) continue;
    return fail(HIR_INVALID, "model: target %lld of row %lld is outside the vocabulary [0, %lld)",
                static_cast<long long>(target), static_cast<long long>(row), static_cast<long long>(shape.vocab));
  }
  HeadLogprobs call = {rows,
                       shape.vocab,
                       shape.hidden,
                       at<void>(hidden),
                       shape.hidden,
                       model.head.packed,
                       at<const int64_t>(targets),
                       temperature,
                       at<float>(out),
                       at<float>(entropies),
                       nullptr};
  call.scratch = head_arena.reserve(hir::head_bytes(call));
  if (!call.scratch) return out_of_memory();
  bool failed = false;
#pragma omp parallel
  if (!head_logprobs(model.matmul, Team::region(), call)) __atomic_store_n(&failed, true, __ATOMIC_RELAXED);
  if (failed) return out_of_memory();
  for (int64_t row = 0; row < rows; row++) {
    if (call.logprobs[row] == call.logprobs[row]) continue;
    return fail(HIR_NAN,
                "model: among the logits of row %lld is NaN or +inf, or none is finite: the forward pass has "
                "overflowed or its weights are bad",
                static_cast<long long>(row));
  }
  return HIR_OK;
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
