// Packed passes on a GPU: the layer's program (model/program.h) with the kernels of ops/ and cuBLASLt's products.
#include <algorithm>
#include <new>

#include "device_model.h"
#include "error.h"
#include "flash.h"
#include "hir_kernels.h"
#include "kernels_on_device.h"
#include "model/packed.h"
#include "model/program.h"
#include "pass_kernels.h"

namespace hir::HIR_DEVICE {

namespace passes {

// Rows begin on 16-byte vectors.
inline int64_t pitch_of(int64_t columns) { return (columns + 7) / 8 * 8; }

struct Pitches {
  int64_t x, normed, qkv, query, intermediate, factors;

  explicit Pitches(const ModelShape &s)
      : x(pitch_of(s.hidden)), normed(x), qkv(pitch_of(s.qkv_size())), query(pitch_of(s.query_size())),
        intermediate(pitch_of(s.intermediate)), factors(pitch_of(2 * s.intermediate)) {}
};

// Takes pieces of a block of memory; without memory it only counts.
class Carver {
 public:
  explicit Carver(char *memory) : memory(memory) {}

  template <class V>
  void take(int64_t count, V **piece) {
    *piece = memory ? reinterpret_cast<V *>(memory + used) : nullptr;
    used += (count * static_cast<int64_t>(sizeof(V)) + 255) / 256 * 256;
  }

  int64_t used = 0;

 private:
  char *const memory;
};

template <class T>
struct Matrix {
  const T *data;
  int64_t n, k;
};

template <class T>
struct LayerWeights {
  const T *input_norm, *qkv_bias, *query_norm, *key_norm, *post_norm;
  Matrix<T> qkv, output, gate_up, down;
  int64_t window;

  LayerWeights(const ModelShape &s, const LayerTable<const T *> &w, int64_t window)
      : input_norm(w.input_norm), qkv_bias(w.qkv_bias), query_norm(w.query_norm), key_norm(w.key_norm),
        post_norm(w.post_norm), qkv{w.qkv, s.qkv_size(), s.hidden}, output{w.output, s.hidden, s.query_size()},
        gate_up{w.gate_up, 2 * s.intermediate, s.hidden}, down{w.down, s.hidden, s.intermediate}, window(window) {}
};

// As on a CPU (model/activations.h).
template <class T>
struct Activations {
  float *x;
  T *qkv, *mixed;
  float *sums, *mid;
  T *factors;
  float *out;
  T *keys_values;
};

// The layout of a batch's tokens: made on the host, then copied to the device.
struct Plan {
  int64_t tokens = 0, sequences = 0, slots = 0, distinct = 0, longest_query = 0, longest_key = 0;
  const int64_t *ids = nullptr, *distinct_ids = nullptr;
  const int32_t *position = nullptr, *slot_starts = nullptr, *slot_list = nullptr, *query_starts = nullptr,
                *key_starts = nullptr, *token_sequence = nullptr, *slot_sequence = nullptr, *scatter_starts = nullptr,
                *scatter_rows = nullptr;
  std::vector<int64_t> wide;
  std::vector<int32_t> narrow;

  int32_t make(const Packed &batch);
  int64_t bytes() const { return static_cast<int64_t>(8 * wide.size() + 4 * narrow.size()); }
  void upload(Call &call, char *memory);

 private:
  std::vector<size_t> parts;  // where the arrays of `narrow` begin
};

int32_t Plan::make(const Packed &batch) {
  tokens = batch.tokens;
  sequences = batch.segments;
  slots = longest_query = longest_key = 0;
  for (int64_t i = 0; i < sequences; i++) {
    const int64_t keys = batch.prefix_length(i) + batch.lengths[i];
    slots += keys;
    longest_query = std::max(longest_query, batch.lengths[i]);
    longest_key = std::max(longest_key, keys);
  }
  if (slots > INT32_MAX) {
    return fail(HIR_INVALID, "model: %lld keys in a batch: lower train.micro_tokens", static_cast<long long>(slots));
  }
  std::vector<int32_t> order(tokens), scatter(1, 0);
  for (int64_t t = 0; t < tokens; t++) order[t] = static_cast<int32_t>(t);
  std::stable_sort(order.begin(), order.end(), [&](int32_t a, int32_t b) { return batch.ids[a] < batch.ids[b]; });
  wide.assign(batch.ids, batch.ids + tokens);
  for (int64_t t = 0; t < tokens; t++) {
    if (t > 0 && batch.ids[order[t]] == batch.ids[order[t - 1]]) continue;
    wide.push_back(batch.ids[order[t]]);
    if (t > 0) scatter.push_back(static_cast<int32_t>(t));
  }
  scatter.push_back(static_cast<int32_t>(tokens));
  distinct = static_cast<int64_t>(wide.size()) - tokens;

  std::vector<int32_t> position(tokens), starts(tokens + 1, 0), list(slots), queries(1, 0), keys(1, 0), of_token(tokens),
      of_slot(slots);
  const auto start_of = [&](int64_t segment) { return static_cast<int64_t>(queries[segment]); };
  for (int64_t i = 0; i < sequences; i++) {
    queries.push_back(static_cast<int32_t>(queries[i] + batch.lengths[i]));
    keys.push_back(static_cast<int32_t>(keys[i] + batch.prefix_length(i) + batch.lengths[i]));
  }
  // each(token, slot) of all keys, sequence by sequence: a token's slots come in ascending order.
  const auto for_slots = [&](auto each) {
    for (int64_t i = 0; i < sequences; i++) {
      const int64_t before = batch.prefix_length(i), prefix = before ? start_of(batch.prefixes[i]) : 0;
      for (int64_t k = 0; k < before + batch.lengths[i]; k++) {
        each(k < before ? prefix + k : start_of(i) + k - before, keys[i] + k);
      }
    }
  };
  for_slots([&](int64_t token, int64_t) { starts[token + 1]++; });
  for (int64_t t = 0; t < tokens; t++) starts[t + 1] += starts[t];
  std::vector<int32_t> next(starts.begin(), starts.end() - 1);
  for_slots([&](int64_t token, int64_t slot) { list[next[token]++] = static_cast<int32_t>(slot); });
  for (int64_t i = 0; i < sequences; i++) {
    for (int64_t t = 0; t < batch.lengths[i]; t++) {
      position[queries[i] + t] = static_cast<int32_t>(batch.prefix_length(i) + t);
      of_token[queries[i] + t] = static_cast<int32_t>(i);
    }
    std::fill(of_slot.begin() + keys[i], of_slot.begin() + keys[i + 1], static_cast<int32_t>(i));
  }
  narrow.clear();
  parts.clear();
  for (const std::vector<int32_t> *part :
       {&position, &starts, &list, &queries, &keys, &of_token, &of_slot, &scatter, &order}) {
    parts.push_back(narrow.size());
    narrow.insert(narrow.end(), part->begin(), part->end());
    narrow.resize((narrow.size() + 3) / 4 * 4);
  }
  return HIR_OK;
}

void Plan::upload(Call &call, char *memory) {
  char *const behind = memory + 8 * wide.size();
  call.upload(memory, wide.data(), 8 * wide.size());
  call.upload(behind, narrow.data(), 4 * narrow.size());
  ids = reinterpret_cast<const int64_t *>(memory);
  distinct_ids = ids + tokens;
  const int32_t **const targets[] = {&position,       &slot_starts,   &slot_list,      &query_starts, &key_starts,
                                     &token_sequence, &slot_sequence, &scatter_starts, &scatter_rows};
  for (size_t i = 0; i < parts.size(); i++) *targets[i] = reinterpret_cast<const int32_t *>(behind) + parts[i];
}

// The program's memory; `packed` is empty, since weights are read in place.
template <class T>
struct Memory {
  struct Nothing {};
  struct {
    Nothing qkv, output, gate_up, down;
  } packed;

  int64_t tokens, layers;
  int32_t keep;
  ModelShape s;
  Pitches pitches;
  float *x, *sums, *mid;
  T *qkv, *mixed, *factors, *normed, *activated, *queries, *keys, *values;
  float *flow = nullptr, *mid_flow = nullptr, *normed_flow = nullptr, *norm_parts[2] = {}, *head_parts = nullptr,
        *column_parts = nullptr, *along = nullptr;
  T *low_flow = nullptr, *low_mid_flow = nullptr, *mixed_flow = nullptr, *qkv_flow = nullptr, *query_flow = nullptr,
    *key_flow = nullptr, *value_flow = nullptr;
  T *keys_values = nullptr;
  int64_t size;

  // Without `flows` the attention's backward has its own memory for the gradients of queries, keys and values.
  Memory(const ModelShape &s, const Plan &plan, int32_t keep, bool flows, char *memory)
      : tokens(plan.tokens), layers(s.layers), keep(keep), s(s), pitches(s) {
    Carver carver(memory);
    const bool backward = keep != HIR_KEEP_NOTHING;
    const int64_t full = keep == HIR_KEEP_EVERYTHING ? layers : 1, key_slots = plan.slots * s.key_size();
    carver.take((backward ? layers + 1 : 1) * tokens * pitches.x, &x);
    carver.take(full * tokens * pitches.qkv, &qkv);
    carver.take(full * tokens * pitches.query, &mixed);
    carver.take(full * tokens * s.heads, &sums);
    carver.take(full * tokens * pitches.x, &mid);
    carver.take(full * tokens * pitches.factors, &factors);
    carver.take(tokens * pitches.normed, &normed);
    carver.take(tokens * pitches.intermediate, &activated);
    carver.take(tokens * pitches.query, &queries);
    carver.take(key_slots, &keys);
    carver.take(key_slots, &values);
    if (backward) {
      for (float **each : {&flow, &mid_flow, &normed_flow}) carver.take(tokens * pitches.x, each);
      for (float *&each : norm_parts) carver.take(hir::HIR_DEVICE::norm_parts(tokens) * s.hidden, &each);
      carver.take(hir::HIR_DEVICE::head_parts(tokens) * 2 * s.head_dim, &head_parts);
      carver.take(hir::HIR_DEVICE::column_parts(tokens) * s.qkv_size(), &column_parts);
      carver.take(tokens * s.heads, &along);
      for (T **each : {&low_flow, &low_mid_flow}) carver.take(tokens * pitches.normed, each);
      carver.take(tokens * pitches.query, &mixed_flow);
      carver.take(tokens * pitches.qkv, &qkv_flow);
      if (flows) {
        carver.take(tokens * pitches.query, &query_flow);
        for (T **each : {&key_flow, &value_flow}) carver.take(key_slots, each);
      }
    }
    size = carver.used;
  }

  Activations<T> layer(int64_t index) const {
    float *const in = x + (keep == HIR_KEEP_NOTHING ? 0 : index * tokens * pitches.x);
    float *const out = keep == HIR_KEEP_NOTHING ? in : in + tokens * pitches.x;
    const int64_t skip = keep == HIR_KEEP_EVERYTHING ? index * tokens : 0;
    return {in,
            qkv + skip * pitches.qkv,
            mixed + skip * pitches.query,
            sums + skip * s.heads,
            mid + skip * pitches.x,
            factors + skip * pitches.factors,
            out,
            keys_values ? keys_values + index * tokens * 2 * s.key_size() : nullptr};
  }

  // Behind the last layer.
  const float *last() const { return layer(layers - 1).out; }
};

// The program's operations, queued on a call.
template <class T>
class Operations {
 public:
  Operations(Call &call, Products &products, const Memory<T> &memory)
      : pitches(memory.pitches), s(memory.s), normed(memory.normed), activated(memory.activated), call(call),
        products(products), rows(memory.tokens), column_parts(memory.column_parts) {}

  struct Sink {
    enum Kind { STORE, STORE_FLOAT, ADD, GATE, GATE_BACK } kind;
    void *y;
    int64_t pitch;
    const float *residual;
  };

  // The bias is added with the heads' norms (ops/heads).
  Sink stored(T *y, int64_t pitch, const T *) const { return {Sink::STORE, y, pitch, nullptr}; }
  template <class Wide = float>
  std::enable_if_t<!std::is_same_v<T, Wide>, Sink> stored(Wide *y, int64_t pitch, const T *) const {
    return {Sink::STORE_FLOAT, y, pitch, nullptr};
  }
  Sink added(const float *x, float *y) const { return {Sink::ADD, y, pitches.x, x}; }
  Sink gated(T *factors) const { return {Sink::GATE, factors, pitches.factors, nullptr}; }
  Sink gated_back(T *factors) const { return {Sink::GATE_BACK, factors, pitches.factors, nullptr}; }

  void norm(const float *x, const T *weight, T *out, int64_t out_pitch) const {
    norm_rows(call, rows, NormArguments<T>{x, pitches.x, weight, out, out_pitch, s.hidden, s.norm_epsilon});
  }

  void norm_back(const Memory<T> &m, int which, const float *x, const T *weight, const float *gradient, const float *onto,
                 float *out, T *low) const {
    norm_back(m, which, x, weight, gradient, pitches.x, onto, out, low);
  }

  void norm_back(const Memory<T> &m, int which, const float *x, const T *weight, const float *gradient,
                 int64_t gradient_pitch, const float *onto, float *out, T *low) const {
    norm_rows_back(call, NormBackArguments<T>{x, pitches.x, weight, gradient, gradient_pitch, onto, out, low, pitches.normed,
                                              rows, s.hidden, s.norm_epsilon, m.norm_parts[which]});
  }

  void add_norm_sums(const Memory<T> &m, int which, float *gradient) const {
    add_parts(call, {norm_sums(m, which, gradient)});
  }

  // Those of the heads' norms as well.
  void add_norm_sums(const Memory<T> &m, const LayerTable<float *> &g) const {
    const int64_t parts = head_parts(rows), dim = s.head_dim;
    add_parts(call, {norm_sums(m, 0, g.input_norm),
                     norm_sums(m, 1, g.post_norm),
                     {m.head_parts, parts, 2 * dim, dim, g.query_norm},
                     {m.head_parts + dim, parts, 2 * dim, dim, g.key_norm}});
  }

  void add_rows(const T *x, int64_t pitch, int64_t columns, float *gradient) const {
    sum_columns(call, ColumnSumArguments<T>{x, pitch, rows, columns, column_parts});
    add_parts(call, {{column_parts, hir::HIR_DEVICE::column_parts(rows), columns, columns, gradient}});
  }

  void multiply(const Matrix<T> &w, const T *x, int64_t x_pitch, const Sink &sink) const {
    write(w.n, w.k, {x, x_pitch, 1}, {w.data, w.k, 1}, sink);
  }

  template <class Packed>
  void multiply_back(const Matrix<T> &w, const Packed &, const T *dy, int64_t dy_pitch, const Sink &sink) const {
    write(w.k, w.n, {dy, dy_pitch, 1}, {w.data, 1, w.k}, sink);
  }

  void accumulate(const T *dy, int64_t dy_pitch, int64_t n, const T *x, int64_t x_pitch, int64_t k, float *dw,
                  hir::Order) const {
    products(call, ProductArguments<T, float>{n, k, rows, {dy, 1, dy_pitch}, {x, 1, x_pitch}, dw, dw, k});
  }

  // No adapters here: hir_model_frozen is only for CPUs.
  template <class... Anything>
  void adapt(const Anything &...) const {}

  template <class Weights, class Packed>
  void pack_back(const Weights &, const Packed &) const {}

  const Pitches pitches;
  const ModelShape s;
  T *const normed, *const activated;

 private:
  AddPartsArguments norm_sums(const Memory<T> &m, int which, float *gradient) const {
    return {m.norm_parts[which], norm_parts(rows), s.hidden, s.hidden, gradient};
  }

  void write(int64_t columns, int64_t depth, const Operand<T> &a, const Operand<T> &b, const Sink &sink) const {
    switch (sink.kind) {
      case Sink::STORE:
      case Sink::GATE:
        products(call, ProductArguments<T, T>{rows, columns, depth, a, b, nullptr, static_cast<T *>(sink.y), sink.pitch});
        break;
      case Sink::STORE_FLOAT:
      case Sink::ADD:
        products(call, ProductArguments<T, float>{rows, columns, depth, a, b, sink.residual, static_cast<float *>(sink.y),
                                                  sink.pitch});
        break;
      case Sink::GATE_BACK:
        products(call, ProductArguments<T, T>{rows, columns, depth, a, b, nullptr, activated, pitches.intermediate});
        break;
    }
    if (sink.kind != Sink::GATE && sink.kind != Sink::GATE_BACK) return;
    const GateRowsArguments<T> gates = {static_cast<T *>(sink.y), sink.pitch, rows,
                                        s.intermediate,           activated,  pitches.intermediate};
    if (sink.kind == Sink::GATE) {
      gate_rows(call, gates);
    } else {
      gate_rows_back(call, gates);
    }
  }

  Call &call;
  Products &products;
  const int64_t rows;
  float *const column_parts;
};

}  // namespace passes

using namespace passes;

template <class T>
class Pass {
 public:
  Pass(const Place &place, const ModelShape &shape) : place(place), s(shape), flash(place, shape) {}
  ~Pass() {
    Call::release(place, arena.data);
    Call::release(place, plan_memory.data);
    Call::trim(place);
  }

  int32_t forward(DeviceModel<T> &model, const Packed &batch, int32_t kept, T *hidden, T *keys_values) {
    keep = HIR_KEEP_NOTHING;
    if (int32_t code = plan.make(batch)) return code;
    Call call("model", place);
    const int64_t needed = Memory<T>(s, plan, kept, some_plain(model), nullptr).size;
    if (needed > arena.size && arena.data) {  // the pool cannot merge the old piece with free memory
      Call::release(place, arena.data);
      arena = {};
      Call::trim(place);
    }
    arena.reserve(call, place, needed);
    plan_memory.reserve(call, place, plan.bytes());
    if (call.failed()) return call.result();
    plan.upload(call, plan_memory.data);
    Memory<T> memory(s, plan, kept, some_plain(model), arena.data);
    memory.keys_values = keys_values;
    const Operations<T> o(call, model.multiply, memory);
    gather_rows(call, plan.tokens, GatherArguments<T>{model.table.embedding, plan.ids, memory.x, o.pitches.x, s.hidden});
    for (int64_t i = 0; i < s.layers; i++) run(call, model, o, memory, i, true);
    o.norm(memory.last(), model.table.final_norm, hidden, s.hidden);
    if (!call.failed()) keep = kept;
    return call.result();
  }

  bool kept() const { return keep != HIR_KEEP_NOTHING; }

  int32_t backward(DeviceModel<T> &model, const float *hidden_gradient, const WeightTable<float *> &gradients,
                   const std::vector<LayerTable<float *>> &layers) {
    Call call("model", place);
    const Memory<T> m(s, plan, keep, some_plain(model), arena.data);
    const Operations<T> o(call, model.multiply, m);
    o.norm_back(m, 0, m.last(), model.table.final_norm, hidden_gradient, s.hidden, nullptr, m.flow, m.low_flow);
    o.add_norm_sums(m, 0, gradients.final_norm);
    for (int64_t i = s.layers - 1; i >= 0; i--) {
      if (keep == HIR_KEEP_INPUTS) run(call, model, o, m, i, false);
      const LayerWeights<T> w(s, model.layers[i], model.layer_windows[i]);
      const Activations<T> a = m.layer(i);
      layer_backward(o, w, a, layers[i], m, [&] { attend_back(call, model, w, a, m); });
    }
    scatter_rows(call, plan.distinct,
                 ScatterArguments{plan.distinct_ids, plan.scatter_starts, plan.scatter_rows, m.flow, o.pitches.x, s.hidden,
                                  gradients.embedding});
    keep = HIR_KEEP_NOTHING;
    return call.result();
  }

 private:
  void run(Call &call, const DeviceModel<T> &model, const Operations<T> &o, const Memory<T> &m, int64_t index, bool whole) {
    const LayerWeights<T> w(s, model.layers[index], model.layer_windows[index]);
    const Activations<T> a = m.layer(index);
    layer_forward(
        o, w, a,
        [&] {
          rotate_heads(call, heads(model, w, a, m));
          const PackedAttentionArguments<T> attention = packed(w, a, m);
          if constexpr (std::is_same_v<T, bf16>) {
            if (takes_flash(w.window)) return flash.forward(call, attention, lengths());
          }
          attend_packed(call, attention);
        },
        whole);
  }

  void attend_back(Call &call, const DeviceModel<T> &model, const LayerWeights<T> &w, const Activations<T> &a,
                   const Memory<T> &m) {
    HeadsArguments<T> h = heads(model, w, a, m);
    h.keys_values = nullptr;
    rotate_heads(call, h);
    PackedAttentionBackArguments<T> back = {packed(w, a, m), m.mixed_flow, m.along, m.query_flow, m.key_flow, m.value_flow};
    bool done = false;
    if constexpr (std::is_same_v<T, bf16>) {
      done = takes_flash(w.window);
      if (done) flash.backward(call, back, lengths());
    }
    if (!done) attend_packed_back(call, back);
    h.queries = back.query_flow;
    h.keys = back.key_flow;
    h.values = back.value_flow;
    rotate_heads_back(call, HeadsBackArguments<T>{h, m.qkv_flow, w.query_norm ? m.head_parts : nullptr});
    flash.release();
  }

  HeadsArguments<T> heads(const DeviceModel<T> &model, const LayerWeights<T> &w, const Activations<T> &a,
                          const Memory<T> &m) const {
    return {s,
            a.qkv,
            m.pitches.qkv,
            w.qkv_bias,
            w.query_norm,
            w.key_norm,
            model.cosines.data,
            model.sines.data,
            {plan.position, plan.slot_starts, plan.slot_list},
            plan.tokens,
            m.queries,
            m.pitches.query,
            m.keys,
            m.values,
            a.keys_values};
  }

  PackedAttentionArguments<T> packed(const LayerWeights<T> &w, const Activations<T> &a, const Memory<T> &m) const {
    return {plan.tokens,
            plan.slots,
            s.heads,
            s.kv_heads,
            s.head_dim,
            w.window,
            plan.query_starts,
            plan.key_starts,
            plan.token_sequence,
            plan.slot_sequence,
            m.queries,
            m.pitches.query,
            m.keys,
            m.values,
            a.mixed,
            a.sums};
  }

  // A window that every sequence fits into is none. Windows within a sequence are the plain kernels'.
  bool takes_flash(int64_t window) const { return flash.usable() && (window == 0 || window >= plan.longest_key); }

  bool some_plain(const DeviceModel<T> &model) const {
    return !std::all_of(model.layer_windows.begin(), model.layer_windows.end(),
                        [this](int64_t window) { return takes_flash(window); });
  }

  Flash::Lengths lengths() const { return {plan.sequences, plan.longest_query, plan.longest_key}; }

  const Place place;
  const ModelShape s;
  Flash flash;
  Plan plan;
  int32_t keep = HIR_KEEP_NOTHING;
  Buffer<char> arena, plan_memory;
};

template <class T>
DeviceModel<T>::DeviceModel(const Place &place, const ModelShape &shape)
    : AnyModel(shape), place(place), layers(shape.layers), layer_windows(shape.layers), multiply(place) {}

template <class T>
DeviceModel<T>::~DeviceModel() {
  Call::release(place, cosines.data);
  Call::release(place, sines.data);
  Call::release(place, head_gradients.data);
}

template <class T>
int32_t DeviceModel<T>::weights(const int64_t *addresses) {
  const std::vector<int64_t> given(addresses, addresses + table_size(shape.layers));
  if (given != known) moves++;
  known = given;
  read_table(addresses, shape.layers, &table, layers.data());
  return HIR_OK;
}

template <class T>
int32_t DeviceModel<T>::rotary(int64_t cos, int64_t sin, int64_t count) {
  if (count < 1 || !cos || !sin) {
    return fail(HIR_INVALID, "model: rotary tables of %lld positions", static_cast<long long>(count));
  }
  Call call("model", place);
  const int64_t size = count * shape.head_dim / 2;
  // Graphs contain the tables' addresses and the stride of the pages.
  if (cosines.reserve(call, place, size) | sines.reserve(call, place, size) || count != positions) moves++;
  call.copy(cosines.data, at<float>(cos), sizeof(float) * size);
  call.copy(sines.data, at<float>(sin), sizeof(float) * size);
  positions = count;
  return call.result();
}

template <class T>
int32_t DeviceModel<T>::windows(const int64_t *tokens) {
  layer_windows.assign(tokens, tokens + shape.layers);
  moves++;   // graphs contain them
  passes++;  // none with other windows goes backward
  return HIR_OK;
}

template <class T>
int32_t DeviceModel<T>::ready() const {
  return table.embedding ? HIR_OK : fail(HIR_INVALID, "model: no weights yet: hir_model_weights comes first");
}

template <class T>
int32_t DeviceModel<T>::forward(const int64_t *tokens, int64_t count, const int64_t *lengths, const int64_t *prefixes,
                                int64_t segment_count, int32_t keep, int64_t hidden, int64_t keys_values, int64_t *out) {
  if (int32_t code = ready()) return code;
  if (keep < HIR_KEEP_NOTHING || keep > HIR_KEEP_INPUTS) return fail(HIR_INVALID, "model: unknown keep %d", keep);
  const Packed batch = {tokens, count, lengths, prefixes, segment_count};
  *out = ++passes;
  int64_t longest = 0;
  int32_t code = check_packed(batch, shape.vocab, positions, &longest);
  if (code == HIR_OK && count == 0) return HIR_OK;
  if (code == HIR_OK && keys_values % 16) {
    code = fail(HIR_INVALID, "model: the keys and values of a pass must begin on 16 bytes");
  }
  if (code == HIR_OK && !pass) pass.reset(new (std::nothrow) Pass<T>(place, shape));
  if (code == HIR_OK) code = pass->forward(*this, batch, keep, at<T>(hidden), at<T>(keys_values));
  if (code != HIR_OK) passes++;  // nothing to go back through
  return code;
}

template <class T>
int32_t DeviceModel<T>::backward(int64_t number, int64_t hidden_gradient, const int64_t *addresses) {
  if (number != passes || !pass || !pass->kept()) {
    return fail(HIR_INVALID, "model: nothing is kept of pass %lld: it asked for nothing, or another came after it",
                static_cast<long long>(number));
  }
  WeightTable<float *> gradients;
  std::vector<LayerTable<float *>> tables(shape.layers);
  read_table(addresses, shape.layers, &gradients, tables.data());
  passes++;  // once only
  return pass->backward(*this, at<const float>(hidden_gradient), gradients, tables);
}

template <class T>
int32_t DeviceModel<T>::logits(int64_t hidden, int64_t rows, int64_t out, int64_t row_stride) {
  if (int32_t code = ready()) return code;
  if (rows < 0 || row_stride < shape.vocab) {
    return fail(HIR_INVALID, "model: %lld rows of logits, %lld apart, of a vocabulary of %lld", static_cast<long long>(rows),
                static_cast<long long>(row_stride), static_cast<long long>(shape.vocab));
  }
  Call call("model", place);
  const int64_t d = shape.hidden;
  multiply(call, ProductArguments<T, float>{
                     rows, shape.vocab, d, {at<T>(hidden), d, 1}, {table.head, d, 1}, nullptr, at<float>(out), row_stride});
  return call.result();
}

template <class T>
int32_t DeviceModel<T>::logits_backward(int64_t gradient, int64_t row_stride, int64_t hidden, int64_t rows,
                                        int64_t hidden_gradient, int64_t head_gradient) {
  if (int32_t code = ready()) return code;
  Call call("model", place);
  const int64_t d = shape.hidden;
  const T *flow;
  int64_t pitch = row_stride;
  if constexpr (std::is_same_v<T, float>) {
    flow = at<T>(gradient);
  } else {
    pitch = pitch_of(shape.vocab);
    head_gradients.reserve(call, place, rows * pitch);
    convert_rows(call, rows, ConvertArguments<T>{at<float>(gradient), row_stride, head_gradients.data, pitch, shape.vocab});
    flow = head_gradients.data;
  }
  multiply(call, ProductArguments<T, float>{
                     rows, d, shape.vocab, {flow, pitch, 1}, {table.head, 1, d}, nullptr, at<float>(hidden_gradient), d});
  float *const sum = at<float>(head_gradient);
  if (rows > 0)
    multiply(call, ProductArguments<T, float>{shape.vocab, d, rows, {flow, 1, pitch}, {at<T>(hidden), 1, d}, sum, sum, d});
  return call.result();
}

template class DeviceModel<float>;
template class DeviceModel<bf16>;

int32_t make_model(const Place &place, const ModelShape &shape, AnyModel **model) {
  {
    Call call("model", place);  // allocate what the device needs before anything is recorded
    if (call.failed()) return call.result();
  }
  const int64_t bytes = shape.head_dim * (shape.dtype == HIR_BFLOAT16 ? 2 : 4);
  if (bytes % 16 || shape.head_dim > 256) {
    return fail(HIR_UNSUPPORTED, "model: heads of %lld elements: a GPU's kernels take up to 256, whole 16-byte vectors",
                static_cast<long long>(shape.head_dim));
  }
  if (shape.dtype == HIR_BFLOAT16) {
    *model = new (std::nothrow) DeviceModel<bf16>(place, shape);
  } else {
    *model = new (std::nothrow) DeviceModel<float>(place, shape);
  }
  return *model ? HIR_OK : fail(HIR_NO_MEMORY, "model: out of memory");
}

}  // namespace hir::HIR_DEVICE
