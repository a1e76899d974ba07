// The decoder on a GPU: weights in the caller's memory, keys and values in pages of device memory, each step a graph
// recorded once for its bucket of rows and lengths (buckets.h), then the head for the rows there are.
#include <algorithm>
#include <memory>
#include <new>
#include <vector>

#include "buckets.h"
#include "device_model.h"
#include "error.h"
#include "graph.h"
#include "hir_kernels.h"
#include "pass_kernels.h"

namespace hir::HIR_DEVICE {

namespace {

// Pages of device memory, made many at a time.
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
    for (void *memory : {static_cast<void *>(states.data), static_cast<void *>(table.data),
                         static_cast<void *>(floats.data), static_cast<void *>(halves.data)}) {
      Call::release(place, memory);
    }
  }

  int32_t prompt(int64_t keys, int64_t values, int64_t layer_stride, int64_t token_stride, int64_t length,
                 int32_t dtype, Prompt **out) override {
    *out = rows.make_prompt(length);
    if (!*out) return HIR_NO_MEMORY;
    Call call("decoder", place);
    const std::vector<void *> &made = (*out)->pages;
    T **pages = static_cast<T **>(call.scratch(sizeof(T *) * std::max<size_t>(1, made.size())));
    call.upload(pages, made.data(), sizeof(T *) * made.size());
    if (!call.failed()) {
      const StoreArguments<T> a = {s,     at<void>(keys), at<void>(values), dtype == HIR_BFLOAT16, layer_stride,
                                   token_stride, pages};
      store_prompt(call, length, a);
    }
    if (call.failed()) rows.let_go(*out);
    return call.result();
  }

  int32_t step(int64_t tokens, int64_t count, int64_t logits, int64_t stride) override;

 private:
  // A step of one key: run as it is at first, which loads its kernels and makes what cuBLAS needs (neither may happen
  // while a graph is recorded), recorded when it comes again.
  struct Recorded {
    GraphKey key;
    int64_t tokens;  // the address that it reads
    bool ready = false;
    Graph graph;
  };

  // Memory of a step's activations.
  struct Activations {
    float *x, *qkv, *gate_up, *partial;
    T *normed, *mixed, *activated;
  };

  void reserve(Call &call, const GraphKey &key);
  Activations activations(const GraphKey &key) const;
  void launch(Call &call, const GraphKey &key, int64_t tokens);
  void upload_pages(Call &call, int64_t count);
  int64_t page_stride() const { return (model.positions + PAGE - 1) / PAGE; }
  int64_t floats_needed(const GraphKey &key) const {
    return key.rows * (s.hidden + s.qkv_size() + 2 * s.intermediate + s.heads * key.splits * (s.head_dim + 2));
  }

  const DeviceModel<T> &model;
  const Place place;
  const ModelShape &s;
  Products &multiply;
  Buffer<float> floats;
  Buffer<T> halves;
  Buffer<Position> states;
  Buffer<void *> table;
  std::vector<Position> host_states;
  std::vector<void *> host_table;
  int64_t table_changes = -1;  // of the rows, when the table was written; -1: anew
  int64_t table_rows = 0;
  int64_t moves = -1;  // of the model, when the graphs were recorded
  std::vector<std::unique_ptr<Recorded>> graphs;
};

// What a graph's kernels read and write lies still while the graph lives.
template <class T>
void Decoder<T>::reserve(Call &call, const GraphKey &key) {
  const int64_t count = key.rows;
  bool moved = states.reserve(call, place, count);
  moved |= table.reserve(call, place, count * page_stride());
  moved |= floats.reserve(call, place, floats_needed(key));
  // With room to begin each part on a vector.
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
  a.x = floats.data;
  a.qkv = a.x + count * s.hidden;
  a.gate_up = a.qkv + count * s.qkv_size();
  a.partial = a.gate_up + count * 2 * s.intermediate;
  const auto up = [](int64_t count) { return (count + 15) / 16 * 16; };
  a.normed = halves.data;
  a.mixed = a.normed + up(count * s.hidden);
  a.activated = a.mixed + up(count * s.query_size());
  return a;
}

template <class T>
void Decoder<T>::launch(Call &call, const GraphKey &key, int64_t tokens) {
  const Activations a = activations(key);
  const int64_t count = key.rows;
  T *const *const pages = reinterpret_cast<T *const *>(table.data);
  embed(call, count, EmbedArguments<T>{model.table.embedding, at<int64_t>(tokens), states.data, a.x, s.hidden, s.vocab,
                                       call.faults()});
  const auto norm = [&](const T *weight) {
    norm_rows(call, count, NormArguments<T>{a.x, s.hidden, weight, a.normed, s.hidden, s.hidden, s.norm_epsilon});
  };
  for (int64_t i = 0; i < s.layers; i++) {
    const LayerTable<const T *> &w = model.layers[i];
    norm(w.input_norm);
    multiply(call, LinearArguments<T>{w.qkv, a.normed, a.qkv, count, s.qkv_size(), s.hidden, s.qkv_size(), false});
    prepare(call, count, PrepareArguments<T>{s, i, a.qkv, w.qkv_bias, w.query_norm, w.key_norm, model.cosines.data,
                                             model.sines.data, states.data, pages, page_stride()});
    attend(call, count, AttendArguments<T>{s, i, key.splits, a.qkv, states.data, pages, page_stride(), a.partial},
           CombineArguments<T>{s, key.splits, states.data, a.partial, a.mixed});
    multiply(call, LinearArguments<T>{w.output, a.mixed, a.x, count, s.hidden, s.query_size(), s.hidden, true});
    norm(w.post_norm);
    multiply(call, LinearArguments<T>{w.gate_up, a.normed, a.gate_up, count, 2 * s.intermediate, s.hidden,
                                      2 * s.intermediate, false});
    gate(call, count, GateArguments<T>{a.gate_up, a.activated, s.intermediate});
    multiply(call, LinearArguments<T>{w.down, a.activated, a.x, count, s.hidden, s.intermediate, s.hidden, true});
  }
  norm(model.table.final_norm);
}

template <class T>
void Decoder<T>::upload_pages(Call &call, int64_t count) {
  if (table_changes == rows.changes && count <= table_rows) return;
  host_table.assign(count * page_stride(), nullptr);
  for (int64_t i = 0; i < count; i++) {
    const Row &row = rows[i];
    auto to = host_table.begin() + i * page_stride();
    if (row.prompt) to = std::copy_n(row.prompt->pages.begin(), row.shared_pages(), to);
    std::copy(row.pages.begin(), row.pages.end(), to);
  }
  call.upload(table.data, host_table.data(), sizeof(void *) * host_table.size());
  table_changes = rows.changes;
  table_rows = count;
}

template <class T>
int32_t Decoder<T>::step(int64_t tokens, int64_t count, int64_t logits, int64_t stride) {
  if (int32_t code = model.ready()) return code;
  if (int32_t code = rows.prepare(count, model.positions)) return code;
  if (count == 0) return HIR_OK;
  int64_t slots = 0;
  for (int64_t i = 0; i < count; i++) slots = std::max(slots, rows[i].position() + 1);
  Call call("decoder", place);
  const GraphKey key = graph_key(count, splits_for(slots));
  reserve(call, key);
  host_states.assign(key.rows, -1);
  for (int64_t i = 0; i < count; i++) host_states[i] = static_cast<Position>(rows[i].position());
  call.upload(states.data, host_states.data(), sizeof(Position) * host_states.size());
  upload_pages(call, count);
  if (call.failed()) return call.result();

  Recorded *recorded = nullptr;
  for (const std::unique_ptr<Recorded> &g : graphs) {
    if (g->key == key && g->tokens == tokens) recorded = g.get();
  }
  if (!recorded) {
    graphs.emplace_back(new Recorded{key, tokens, false, {}});
    launch(call, key, tokens);
  } else {
    if (!recorded->ready) {
      if (int32_t code = recorded->graph.record(place, [&](Call &recording) { launch(recording, key, tokens); })) {
        graphs.clear();
        return code;
      }
      recorded->ready = true;
    }
    if (int32_t code = recorded->graph.start(place)) return code;
  }
  multiply(call, LinearArguments<T>{model.table.head, activations(key).normed, at<float>(logits), count, s.vocab,
                                    s.hidden, stride, false});
  rows.advance();
  return call.result();
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
