// The decoder on a GPU: weights in the caller's memory, keys and values in pages of device memory. Each step is a
// graph, recorded once for its bucket of rows and lengths (buckets.h), followed by the head for the actual rows.
#include <string.h>

#include <algorithm>
#include <memory>
#include <new>
#include <vector>

#include "buckets.h"
#include "device_model.h"
#include "error.h"
#include "graph.h"
#include "hir_kernels.h"
#include "kernels_on_device.h"

namespace hir::HIR_DEVICE {

namespace {

// Pages of device memory, allocated many at a time.
class DevicePages : public PageStore {
 public:
  DevicePages(const Place &place, int64_t bytes) : place(place), bytes(bytes) {}
  ~DevicePages() override {
    for (void *chunk : chunks) Call::release(place, chunk);
    Call::trim(place);
  }

  void *allocate() override {
    if (spare.empty()) {
      const int64_t count = std::max<int64_t>(1, CHUNK_BYTES / bytes);
      Call call("decoder", place);
      char *const chunk = static_cast<char *>(call.allocate(static_cast<size_t>(bytes * count)));
      if (!chunk) return nullptr;
      chunks.push_back(chunk);
      for (int64_t i = count; i-- > 0;) spare.push_back(chunk + i * bytes);
    }
    void *const page = spare.back();
    spare.pop_back();
    return page;
  }

  bool copy(void *to, const void *from) override {
    Call call("decoder", place);
    call.copy(to, from, static_cast<size_t>(bytes));
    return !call.failed();
  }

 private:
  static constexpr int64_t CHUNK_BYTES = 64 << 20;

  const Place place;
  const int64_t bytes;
  std::vector<void *> chunks, spare;
};

template <class T>
class Decoder final : private DevicePages, public AnyDecoder {
 public:
  explicit Decoder(DeviceModel<T> &model)
      : DevicePages(model.place, model.shape.layers * 2 * model.shape.key_size() * PAGE * static_cast<int64_t>(sizeof(T))),
        AnyDecoder(this), model(model), place(model.place), s(model.shape), multiply(model.multiply) {}

  ~Decoder() override {
    rows.keep(0);
    for (void *memory : {static_cast<void *>(inputs.data), static_cast<void *>(table.data), static_cast<void *>(floats.data),
                         static_cast<void *>(halves.data), static_cast<void *>(logits.data), static_cast<void *>(drawn.data),
                         static_cast<void *>(arrived.data)}) {
      Call::release(place, memory);
    }
  }

  int32_t prompt(int64_t keys, int64_t values, int64_t layer_stride, int64_t token_stride, int64_t length, int32_t dtype,
                 Prompt **out) override {
    *out = rows.make_prompt(length);
    if (!*out) return HIR_NO_MEMORY;
    Call call("decoder", place);
    const std::vector<void *> &made = (*out)->pages;
    T **pages = static_cast<T **>(call.scratch(sizeof(T *) * std::max<size_t>(1, made.size())));
    call.upload(pages, made.data(), sizeof(T *) * made.size());
    if (!call.failed()) {
      const StoreArguments<T> a = {s,    at<void>(keys), at<void>(values), dtype == HIR_BFLOAT16, layer_stride, token_stride,
                                   pages};
      store_prompt(call, length, a);
    }
    if (call.failed()) rows.let_go(*out);
    return call.result();
  }

  int32_t step(int64_t tokens, int64_t count, int64_t logits, int64_t stride) override;
  int32_t draw(const int64_t *tokens, int64_t count, const Sampling &sampling, int64_t vocabulary) override;

 private:
  // The step of one bucket. The first time it runs without a graph, which loads kernels and allocates what cuBLAS needs
  // (neither is allowed during recording); it is recorded the second time.
  struct Recorded {
    GraphKey key;
    bool ready = false;
    Graph graph;
  };

  // Memory of a step's activations.
  struct Activations {
    float *x, *qkv, *gate_up, *partial;
    T *normed, *mixed, *activated;
  };

  // The inputs of a step for `rows` rows, in one piece: tokens, counters of the generator, positions (-1: no row) and
  // sources (embed).
  struct Inputs {
    int64_t *tokens;
    uint32_t *counters;
    Position *positions;
    int32_t *sources;

    static size_t size(int64_t rows) { return 32 * static_cast<size_t>(rows); }
    Inputs(char *memory, int64_t rows)
        : tokens(reinterpret_cast<int64_t *>(memory)), counters(reinterpret_cast<uint32_t *>(tokens + rows)),
          positions(reinterpret_cast<Position *>(counters + 4 * rows)), sources(positions + rows) {}
  };

  // The results of draws, in one piece: tokens, then log-probs.
  struct Drawn {
    int64_t *tokens;
    float *logprobs, *entropies;
  };
  Drawn drawn_at(char *memory) const {
    int64_t *const tokens = reinterpret_cast<int64_t *>(memory);
    float *const logprobs = reinterpret_cast<float *>(tokens + drawn_rows);
    return {tokens, logprobs, logprobs + drawn_rows};
  }

  GraphKey key_of(int64_t count) const;
  void fill(const GraphKey &key, int64_t count, const int64_t *tokens, const uint32_t *counters, char *memory) const;
  int32_t run(Call &call, const GraphKey &key);
  void head(Call &call, const GraphKey &key, int64_t count, float *to, int64_t stride);
  void reserve_drawn(Call &call, int64_t rows);
  void reserve(Call &call, const GraphKey &key);
  Activations activations(const GraphKey &key) const;
  void launch(Call &call, const GraphKey &key, bool recording);
  void upload_pages(Call &call, int64_t count, void **staging);
  int64_t page_stride() const { return (model.positions + PAGE - 1) / PAGE; }
  // Sums of the attention's splits, in steps of 256 bytes: what follows is aligned alike whatever their number, so that the
  // same kernels take it.
  int64_t partial_floats(const GraphKey &key) const {
    return (key.rows * s.heads * key.splits * (s.head_dim + 2) + 63) / 64 * 64;
  }
  int64_t floats_needed(const GraphKey &key) const {
    return partial_floats(key) + key.rows * (s.hidden + s.qkv_size() + 2 * s.intermediate);
  }

  const DeviceModel<T> &model;
  const Place place;
  const ModelShape &s;
  Products &multiply;
  Buffer<float> floats;
  Buffer<T> halves;
  Buffer<char> inputs, drawn;
  Buffer<uint32_t> arrived;  // of the attention's blocks, zero between steps
  int64_t drawn_rows = 0;
  Buffer<float> logits;
  Buffer<void *> table;
  // Pinned buffers of draws, which wait. Steps do not wait, so their memory is copied at once.
  Pinned inputs_pinned, table_pinned, drawn_pinned;
  std::vector<char> host_inputs;
  std::vector<void *> host_table;
  int64_t table_changes = -1;  // of the rows, when the table was written; -1: anew
  int64_t table_rows = 0;
  int64_t moves = -1;  // of the model, when the graphs were recorded
  std::vector<std::unique_ptr<Recorded>> graphs;
};

// Memory that a graph's kernels use must not move while the graph lives.
template <class T>
void Decoder<T>::reserve(Call &call, const GraphKey &key) {
  const int64_t count = key.rows;
  bool moved = inputs.reserve(call, place, static_cast<int64_t>(Inputs::size(count)));
  moved |= table.reserve(call, place, count * page_stride());
  moved |= floats.reserve(call, place, floats_needed(key));
  if (arrived.reserve(call, place, count * s.heads)) {
    call.fill(arrived.data, 0, sizeof(uint32_t) * static_cast<size_t>(arrived.size));
    moved = true;
  }
  // With padding to align each part to a vector.
  moved |= halves.reserve(call, place, count * (s.hidden + s.query_size() + s.intermediate) + 3 * 16);
  if (moved || moves != model.moves) {
    graphs.clear();
    table_changes = -1;
    moves = model.moves;
  }
}

template <class T>
typename Decoder<T>::Activations Decoder<T>::activations(const GraphKey &key) const {
  const int64_t count = key.rows;
  Activations a;
  a.partial = floats.data;
  a.x = a.partial + partial_floats(key);
  a.qkv = a.x + count * s.hidden;
  a.gate_up = a.qkv + count * s.qkv_size();
  const auto up = [](int64_t count) { return (count + 15) / 16 * 16; };
  a.normed = halves.data;
  a.mixed = a.normed + up(count * s.hidden);
  a.activated = a.mixed + up(count * s.query_size());
  return a;
}

template <class T>
void Decoder<T>::launch(Call &call, const GraphKey &key, bool recording) {
  const Activations a = activations(key);
  const int64_t count = key.rows;
  T *const *const pages = reinterpret_cast<T *const *>(table.data);
  const Inputs in(inputs.data, count);
  embed(call, count,
        EmbedArguments<T>{model.table.embedding, in.tokens, in.sources, drawn_at(drawn.data).tokens, in.positions, a.x,
                          s.hidden, s.vocab, call.faults()});
  // With more rows there is little to gain: on an H100, 64 rows are 5 % slower if kernels start early.
  if (recording && count <= OWN_ROWS) call.overlap();
  const auto product = [&](const T *w, T *x, float *out, int64_t outputs, int64_t inputs, bool accumulate) {
    return LinearArguments<T>{w,       x,          out,     count,   outputs,        inputs,
                              outputs, accumulate, nullptr, nullptr, s.norm_epsilon, nullptr};
  };
  for (int64_t i = 0; i < s.layers; i++) {
    const LayerTable<const T *> &w = model.layers[i];
    LinearArguments<T> qkv = product(w.qkv, a.normed, a.qkv, s.qkv_size(), s.hidden, false);
    qkv.residual = a.x;
    qkv.norm = w.input_norm;
    multiply(call, qkv);
    attend(call, AttendArguments<T>{s, i, count, key.splits, model.layer_windows[i], a.qkv, w.qkv_bias, w.query_norm,
                                    w.key_norm, model.cosines.data, model.sines.data, in.positions, pages, page_stride(),
                                    a.mixed, a.partial, arrived.data});
    multiply(call, product(w.output, a.mixed, a.x, s.hidden, s.query_size(), true));
    LinearArguments<T> gate_up = product(w.gate_up, a.normed, a.gate_up, 2 * s.intermediate, s.hidden, false);
    gate_up.residual = a.x;
    gate_up.norm = w.post_norm;
    gate_up.activated = a.activated;
    multiply(call, gate_up);
    multiply(call, product(w.down, a.activated, a.x, s.hidden, s.intermediate, true));
  }
}

template <class T>
void Decoder<T>::upload_pages(Call &call, int64_t count, void **staging) {
  if (!staging || (table_changes == rows.changes && count <= table_rows)) return;
  const int64_t size = count * page_stride();
  std::fill(staging, staging + size, nullptr);
  for (int64_t i = 0; i < count; i++) {
    const Row &row = rows[i];
    void **to = staging + i * page_stride();
    if (row.prompt) to = std::copy_n(row.prompt->pages.begin(), row.shared_pages(), to);
    std::copy(row.pages.begin(), row.pages.end(), to);
  }
  call.upload(table.data, staging, sizeof(void *) * static_cast<size_t>(size));
  table_changes = rows.changes;
  table_rows = count;
}

template <class T>
GraphKey Decoder<T>::key_of(int64_t count) const {
  int64_t slots = 0;
  for (int64_t i = 0; i < count; i++) slots = std::max(slots, rows[i].position() + 1);
  const int64_t split = split_slots<T>(s);
  return graph_key(count, (slots + split - 1) / split);
}

// Without `tokens`, the tokens are already on the device.
template <class T>
void Decoder<T>::fill(const GraphKey &key, int64_t count, const int64_t *tokens, const uint32_t *counters,
                      char *memory) const {
  memset(memory, 0, Inputs::size(key.rows));
  const Inputs in(memory, key.rows);
  for (int64_t i = 0; i < key.rows; i++) {
    in.positions[i] = i < count ? static_cast<Position>(rows[i].position()) : -1;
    in.sources[i] = i < count && tokens && tokens[i] < 0 ? static_cast<int32_t>(rows[i].drawn) : -1;
    if (i < count && tokens) in.tokens[i] = tokens[i];
  }
  if (counters) memcpy(in.counters, counters, 16 * static_cast<size_t>(count));
}

template <class T>
int32_t Decoder<T>::run(Call &call, const GraphKey &key) {
  if (call.failed()) return call.result();
  Recorded *recorded = nullptr;
  for (const std::unique_ptr<Recorded> &g : graphs) {
    if (g->key == key) recorded = g.get();
  }
  if (!recorded) {
    graphs.emplace_back(new Recorded{key, false, {}});
    launch(call, key, false);
    return call.result();
  }
  if (!recorded->ready) {
    if (int32_t code = recorded->graph.record(place, [&](Call &recording) { launch(recording, key, true); })) {
      graphs.clear();
      return code;
    }
    recorded->ready = true;
  }
  return recorded->graph.start(place);
}

template <class T>
void Decoder<T>::head(Call &call, const GraphKey &key, int64_t count, float *to, int64_t stride) {
  const Activations a = activations(key);
  multiply(call, LinearArguments<T>{model.table.head, a.normed, to, count, s.vocab, s.hidden, stride, false, a.x,
                                    model.table.final_norm, s.norm_epsilon, nullptr});
}

template <class T>
int32_t Decoder<T>::step(int64_t tokens, int64_t count, int64_t logits, int64_t stride) {
  if (int32_t code = model.ready()) return code;
  if (int32_t code = rows.prepare(count, model.positions)) return code;
  if (count == 0) return HIR_OK;
  Call call("decoder", place);
  const GraphKey key = key_of(count);
  reserve(call, key);
  host_inputs.resize(Inputs::size(key.rows));
  fill(key, count, nullptr, nullptr, host_inputs.data());
  call.upload(inputs.data, host_inputs.data(), host_inputs.size());
  call.copy(Inputs(inputs.data, key.rows).tokens, at<int64_t>(tokens), sizeof(int64_t) * static_cast<size_t>(count));
  host_table.resize(count * page_stride());
  upload_pages(call, count, host_table.data());
  if (int32_t code = run(call, key)) return code;
  head(call, key, count, at<float>(logits), stride);
  rows.advance();
  return call.result();
}

// Reserves memory for this many draws; those of the last step are kept.
template <class T>
void Decoder<T>::reserve_drawn(Call &call, int64_t count) {
  if (count <= drawn_rows || call.failed()) return;
  Buffer<char> larger;
  larger.reserve(call, place, count * static_cast<int64_t>(sizeof(int64_t) + 2 * sizeof(float)));
  if (call.failed()) return;
  if (drawn.data) call.copy(larger.data, drawn.data, sizeof(int64_t) * static_cast<size_t>(drawn_rows));
  Call::release(place, drawn.data);
  drawn = larger;
  drawn_rows = count;
  graphs.clear();  // they read where it was
}

template <class T>
int32_t Decoder<T>::draw(const int64_t *tokens, int64_t count, const Sampling &sampling, int64_t vocabulary) {
  if (int32_t code = model.ready()) return code;
  if (int32_t code = check_appended(tokens, count, s.vocab)) return code;
  if (int32_t code = rows.prepare(count, model.positions)) return code;
  if (count == 0) return HIR_OK;
  Call call("decoder", place);
  const GraphKey key = key_of(count);
  reserve(call, key);
  reserve_drawn(call, key.rows);
  logits.reserve(call, place, count * s.vocab);
  char *const given = inputs_pinned.reserve(call, Inputs::size(key.rows));
  void **const pages =
      reinterpret_cast<void **>(table_pinned.reserve(call, sizeof(void *) * static_cast<size_t>(count * page_stride())));
  const int64_t floats = sampling.entropies ? drawn_rows + count : count;
  const size_t bytes = sizeof(int64_t) * static_cast<size_t>(drawn_rows) + sizeof(float) * static_cast<size_t>(floats);
  char *const found = drawn_pinned.reserve(call, bytes);
  if (call.failed()) return call.result();
  fill(key, count, tokens, sampling.counters, given);
  call.upload(inputs.data, given, Inputs::size(key.rows));
  upload_pages(call, count, pages);
  if (int32_t code = run(call, key)) return code;
  head(call, key, count, logits.data, s.vocab);
  const Drawn there = drawn_at(drawn.data), here = drawn_at(found);
  Sampling on_device = sampling;
  on_device.counters = Inputs(inputs.data, key.rows).counters;
  on_device.tokens = there.tokens;
  on_device.logprobs = there.logprobs;
  on_device.entropies = nullptr;  // the kernel that scores writes them
  const Matrix some = {logits.data, count, std::min(vocabulary, s.vocab), s.vocab, HIR_FLOAT32};
  int32_t code = call.failed() ? call.result() : sample(place, some, on_device);
  if (code == HIR_OK && (vocabulary < s.vocab || sampling.entropies)) {
    // Among all ids, as in scoring, by the same kernel.
    const Matrix all = {logits.data, count, s.vocab, s.vocab, HIR_FLOAT32};
    code = token_logprob(place, all, there.tokens, sampling.temperature == 0 ? 1 : sampling.temperature, there.logprobs,
                         sampling.entropies ? there.entropies : nullptr);
  }
  if (code != HIR_OK) return code;
  rows.advance();
  call.read_pinned(found, drawn.data, bytes);
  if (call.failed()) return call.result();
  rows.mark_drawn();
  std::copy_n(here.tokens, count, sampling.tokens);
  std::copy_n(here.logprobs, count, sampling.logprobs);
  if (sampling.entropies) std::copy_n(here.entropies, count, sampling.entropies);
  return HIR_OK;
}

}  // namespace

template <class T>
int32_t DeviceModel<T>::make_decoder(AnyDecoder **decoder) {
  *decoder = new (std::nothrow) Decoder<T>(*this);
  return *decoder ? HIR_OK : fail(HIR_NO_MEMORY, "decoder: out of memory");
}

template int32_t DeviceModel<float>::make_decoder(AnyDecoder **);
template int32_t DeviceModel<bf16>::make_decoder(AnyDecoder **);

}  // namespace hir::HIR_DEVICE
