// One decode step of a model for a batch of rows: see model.h for the cache.
#include <math.h>
#include <omp.h>
#include <string.h>

#include "attend.h"
#include "kernels.h"
#include "layer.h"

namespace {

using hir::DecoderRow;
using hir::DecoderStep;
using hir::PAGE;

// Rows whose attention is computed together when they share a prompt.
constexpr int64_t GROUP = 16;

// --- pages: of each layer and key-value head the keys, [PAGE / NR][head_dim][NR], then the values,
// [head_dim / NR, rounded up][PAGE][NR], of the model's type: what the tiles of gemm.h read.

// Where element j of a panel lies: bfloat16 is unpacked to even and odd elements (load_two).
template <class T>
static int64_t place(int64_t j);
template <>
int64_t place<float>(int64_t j) {
  return j;
}
template <>
int64_t place<bf16>(int64_t j) {
  return j < WIDTH ? 2 * j : 2 * (j - WIDTH) + 1;
}

struct Cells {
  const ModelShape &s;

  int64_t keys_size() const { return s.head_dim * PAGE; }
  int64_t values_size() const { return round_up(s.head_dim, NR) * PAGE; }
  int64_t offset(int64_t layer, int64_t head) const { return (layer * s.kv_heads + head) * (keys_size() + values_size()); }
  int64_t page_size() const { return offset(s.layers, 0); }

  template <class T>
  void put(T *page, int64_t slot, int64_t layer, int64_t head, const T *key, const T *value) const {
    T *const keys = page + offset(layer, head) + slot / NR * s.head_dim * NR + place<T>(slot % NR);
    for (int64_t d = 0; d < s.head_dim; d++) keys[d * NR] = key[d];
    T *const values = page + offset(layer, head) + keys_size() + slot * NR;
    for (int64_t d = 0; d < s.head_dim; d++) values[d / NR * PAGE * NR + place<T>(d % NR)] = value[d];
  }
};

// What a step works on.
template <class T>
struct StepMemory {
  int64_t head, scores_pitch;
  float *x;
  T *normed, *qkv, *mixed, *activated;
  char *owns;
  int64_t own_size, size;

  // A thread's.
  struct Own {
    float *queries, *scores, *outputs, *sums;  // [GROUP * share] rows
    T *key;
  };

  StepMemory(const ModelShape &s, int64_t rows, int32_t threads, int64_t longest, void *memory)
      : head(round_up(s.head_dim, NR)), scores_pitch(round_up(longest, PAGE) + PAGE), queries(GROUP * (s.heads / s.kv_heads)) {
    const Pitches<T> pitches(s);
    Carver carver(memory);
    carver.take(rows * pitches.x, &x);
    carver.take(rows * pitches.normed, &normed);
    carver.take(rows * pitches.qkv, &qkv);
    carver.take(rows * pitches.query, &mixed);
    carver.take(rows * pitches.intermediate, &activated);
    carver.take(0, &owns);
    Carver counter(nullptr);
    take(counter);
    own_size = counter.used;
    size = carver.used + threads * own_size;
  }

  Own own(int thread) const {
    Carver carver(owns + thread * own_size);
    return take(carver);
  }

 private:
  Own take(Carver &carver) const {
    Own own;
    carver.take(queries * head, &own.queries);
    carver.take(queries * scores_pitch, &own.scores);
    carver.take(queries * head, &own.outputs);
    carver.take(queries, &own.sums);
    carver.take(2 * head, &own.key);
    return own;
  }

  int64_t queries;
};

// Runs in all threads of a parallel region.
template <class T>
class Step {
 public:
  Step(const DecoderStep &step, const StepMemory<T> &memory, bool *failed)
      : step(step), model(*step.model), s(model.shape), memory(memory), pitches(s), heads(model), cells{s},
        own(memory.own(omp_get_thread_num())), team(Team::region()),
        layer(model, team, step.count, memory.normed, memory.activated, failed) {}

  void run() const {
    embed();
    for (int64_t i = 0; i < s.layers; i++) {
      const Activations<T> a = {memory.x, memory.qkv, memory.mixed, nullptr, memory.x, nullptr, memory.x, nullptr};
      layer.forward(model.layers[i], a, [&] { attend(i, model.layers[i]); });
    }
    // Rows of the logits are in another order.
    layer.for_rows([&](int64_t row) {
      rms_norm(memory.x + row * pitches.x, model.final_norm, s.hidden, s.norm_epsilon,
               memory.normed + step.rows[row].place * pitches.normed);
    });
    layer.multiply_head(memory.normed, pitches.normed, step.logits, step.logits_stride);
  }

 private:
  void embed() const {
    const T *const table = static_cast<const T *>(model.embedding);
    layer.for_rows(
        [&](int64_t row) { convert(table + step.rows[row].token * s.hidden, s.hidden, memory.x + row * pitches.x); });
  }

  // Units are a key-value head and a group of rows with the same prompt.
  void attend(int64_t index, const LayerWeights &w) const {
    int64_t unit = 0;
    for (int64_t row = 0; row < step.count;) {
      int64_t end = row + 1;
      while (end < step.count && end - row < GROUP && step.rows[end].shared == step.rows[row].shared) end++;
      for (int64_t head = 0; head < s.kv_heads; head++, unit++) {
        if (unit % team.size == team.rank) attend(index, w, head, row, end);
      }
      row = end;
    }
    team.wait();
  }

  // All queries on the shared pages at once, each row's on its own; where the shared ones end changes no bit.
  void attend(int64_t index, const LayerWeights &w, int64_t head, int64_t from, int64_t to) const {
    const int64_t share = s.heads / s.kv_heads, queries = (to - from) * share;
    const int64_t shared = step.rows[from].shared_length;
    for (int64_t row = from; row < to; row++) prepare(index, w, head, row, own.queries + (row - from) * share * memory.head);

    const int64_t offset = cells.offset(index, head), values = offset + cells.keys_size();
    scores(step.rows[from].shared, shared, offset, 0, queries, own.scores);
    for (int64_t row = from; row < to; row++) {
      scores(step.rows[row].own, length(row), offset, (row - from) * share, share, own.scores + shared);
    }
    for (int64_t q = 0; q < queries; q++) {
      own.sums[q] = soften(own.scores + q * memory.scores_pitch, shared + length(from + q / share));
    }
    mixes(step.rows[from].shared, shared, values, 0, queries, own.scores, false);
    for (int64_t row = from; row < to; row++) {
      mixes(step.rows[row].own, length(row), values, (row - from) * share, share, own.scores + shared, shared > 0);
    }
    for (int64_t q = 0; q < queries; q++) {
      finish_query(own.outputs + q * memory.head, own.sums[q], s.head_dim,
                   memory.mixed + (from + q / share) * pitches.query + (head * share + q % share) * s.head_dim);
    }
  }

  // Tokens in the row's own pages, the new one included.
  int64_t length(int64_t row) const { return step.rows[row].own_length + 1; }

  // One row's queries of a key-value head; its key and value go into the row's last page.
  void prepare(int64_t index, const LayerWeights &w, int64_t head, int64_t row, float *queries) const {
    const DecoderRow &r = step.rows[row];
    const int64_t share = s.heads / s.kv_heads;
    const T *const qkv = memory.qkv + row * pitches.qkv;
    heads.key(w, qkv + heads.key_column(head), r.position(), own.key, queries);
    cells.put(static_cast<T *>(r.own[r.own_length / PAGE]), r.own_length % PAGE, index, head, own.key,
              qkv + heads.value_column(head));
    for (int64_t q = 0; q < share; q++) {
      heads.query(w, qkv + (head * share + q) * s.head_dim, r.position(), queries + q * memory.head);
    }
  }

  // Of queries [first, first + count) with what lies in pages.
  void scores(const void *const *pages, int64_t tokens, int64_t offset, int64_t first, int64_t count, float *out) const {
    for (int64_t q = first; q < first + count; q += MR) {
      const int m = static_cast<int>(first + count - q < MR ? first + count - q : MR);
      score(own.queries + q * memory.head, memory.head, m, s.head_dim, tokens,
            [&](int64_t t) {
              return static_cast<const T *>(pages[t / PAGE]) + offset + t % PAGE / NR * s.head_dim * NR;
            },
            out + q * memory.scores_pitch, memory.scores_pitch);
    }
  }

  void mixes(const void *const *pages, int64_t tokens, int64_t offset, int64_t first, int64_t count, const float *weights,
             bool onto) const {
    for (int64_t q = first; q < first + count; q += MR) {
      const int m = static_cast<int>(first + count - q < MR ? first + count - q : MR);
      mix(weights + q * memory.scores_pitch, memory.scores_pitch, m, s.head_dim, tokens, PAGE,
          [&](int64_t page, int64_t d) { return static_cast<const T *>(pages[page]) + offset + d * PAGE; },
          own.outputs + q * memory.head, memory.head, onto);
    }
  }

  const DecoderStep &step;
  const hir::Model &model;
  const ModelShape &s;
  const StepMemory<T> &memory;
  const Pitches<T> pitches;
  const Heads heads;
  const Cells cells;
  const typename StepMemory<T>::Own own;
  const Team team;
  const Layer<T> layer;
};

template <class T>
bool run_step(const DecoderStep &step) {
  const StepMemory<T> memory(step.model->shape, step.count, step.threads, step.longest, step.scratch);
  bool failed = false;
#pragma omp parallel num_threads(step.threads)
  Step<T>(step, memory, &failed).run();
  return !failed;
}

template <class T>
void put_as(const ModelShape &s, void *page, int64_t slot, int64_t layer, int64_t head, const void *key,
            const void *value) {
  Cells{s}.put(static_cast<T *>(page), slot, layer, head, static_cast<const T *>(key), static_cast<const T *>(value));
}

}  // namespace

namespace hir::HIR_ISA {

int64_t page_bytes(const ModelShape &shape) {
  return Cells{shape}.page_size() * (shape.dtype == HIR_BFLOAT16 ? 2 : 4);
}

void page_put(const ModelShape &shape, void *page, int64_t slot, int64_t layer, int64_t head, const void *key,
              const void *value) {
  shape.dtype == HIR_BFLOAT16 ? put_as<bf16>(shape, page, slot, layer, head, key, value)
                              : put_as<float>(shape, page, slot, layer, head, key, value);
}

int64_t decode_bytes(const ModelShape &shape, int64_t rows, int32_t threads, int64_t longest) {
  return shape.dtype == HIR_BFLOAT16 ? StepMemory<bf16>(shape, rows, threads, longest, nullptr).size
                                     : StepMemory<float>(shape, rows, threads, longest, nullptr).size;
}

bool decode(const DecoderStep &step) {
  return step.model->shape.dtype == HIR_BFLOAT16 ? run_step<bf16>(step) : run_step<float>(step);
}

}  // namespace hir::HIR_ISA
