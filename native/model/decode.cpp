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
using hir::MOST_QUERIES;
using hir::PAGE;

// Rows whose attention is computed together when they share a prompt.
constexpr int64_t GROUP = 16;

// Pages: of each layer and key-value head a block of ops/attention.
static_assert(PAGE == hir::KEYS, "a page is a block");

struct Cells {
  const ModelShape &s;
  const hir::Attention &attention;

  int64_t offset(int64_t layer, int64_t head) const { return (layer * s.kv_heads + head) * 2 * attention.part_bytes(); }
  int64_t page_size() const { return offset(s.layers, 0); }

  void put(void *page, int64_t slot, int64_t layer, int64_t head, const void *key, const void *value) const {
    char *const keys = static_cast<char *>(page) + offset(layer, head), *const values = keys + attention.part_bytes();
    // Slots that no query sees must not contain NaN.
    if (slot == 0) memset(keys, 0, 2 * attention.part_bytes());
    attention.put(hir::Part::KEYS_ACROSS, key, slot, keys);
    attention.put(hir::Part::VALUES_DOWN, value, slot, values);
  }
};

// The memory of a step.
template <class T>
struct StepMemory {
  int64_t head, most, pages;
  float *x;
  T *normed, *qkv, *mixed, *activated, *last;
  char *owns;
  int64_t own_size, size;

  // A thread's.
  struct Own {
    T *queries, *key;      // [most, head], [head]
    float *scratch;        // [head]
    const char **places;   // [GROUP][pages]: where each row's blocks lie
  };

  // For the rows from `row` on.
  StepMemory from(int64_t row, const Pitches<T> &pitches) const {
    StepMemory rest = *this;
    rest.x += row * pitches.x;
    rest.qkv += row * pitches.qkv;
    rest.mixed += row * pitches.query;
    rest.activated += row * pitches.intermediate;
    rest.normed += row * pitches.normed;
    return rest;
  }

  StepMemory(const ModelShape &s, int64_t rows, int32_t threads, int64_t longest, void *memory)
      : head(round_up(s.head_dim, hir::KEYS)), most(GROUP * (s.heads / s.kv_heads)), pages((longest + PAGE - 1) / PAGE) {
    const Pitches<T> pitches(s);
    Carver carver(memory);
    carver.take(rows * pitches.x, &x);
    carver.take(rows * pitches.normed, &normed);
    carver.take(rows * pitches.qkv, &qkv);
    carver.take(rows * pitches.query, &mixed);
    carver.take(rows * pitches.intermediate, &activated);
    carver.take(rows * pitches.normed, &last);  // what the head reads
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
    carver.take(most * head, &own.queries);
    carver.take(head, &own.key);
    carver.take(head, &own.scratch);
    carver.take(GROUP * pages, &own.places);
    return own;
  }
};

// Some rows through the layers, by the threads of a team.
template <class T>
class Step {
 public:
  Step(const DecoderStep &step, const StepMemory<T> &memory, const Team &team, T *normed, bool *failed)
      : step(step), model(*step.model), s(model.shape), memory(memory), pitches(s), heads(model), cells{s, heads.attention},
        failed(failed), own(memory.own(omp_get_thread_num())), team(team),
        layer(model, team, step.count, memory.normed, memory.activated, failed), normed(normed) {}

  // Normed rows for the head, in the order of the logits.
  void run() const {
    embed();
    for (int64_t i = 0; i < s.layers; i++) {
      const Activations<T> a = {memory.x, memory.qkv, memory.mixed, nullptr, memory.x, nullptr, memory.x, nullptr};
      layer_forward(layer, model.layers[i], a, [&] { attend(i, model.layers[i]); }, true);
    }
    layer.for_rows([&](int64_t row) {
      rms_norm(memory.x + row * pitches.x, model.final_norm, s.hidden, s.norm_epsilon,
               normed + step.rows[row].place * pitches.normed);
    });
  }

 private:
  void embed() const {
    layer.for_rows([&](int64_t row) { layer.embed(step.rows[row].token, row, memory.x + row * pitches.x); });
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

  // All queries at once on the shared pages, each row's on its own pages; where the shared ones end does not change a
  // bit.
  void attend(int64_t index, const LayerWeights &w, int64_t head, int64_t from, int64_t to) const {
    const int64_t share = s.heads / s.kv_heads, shared = step.rows[from].shared_length / PAGE;
    hir::Sight sights[MOST_QUERIES];
    const char *const *blocks[MOST_QUERIES];
    void *out[MOST_QUERIES];
    int64_t count = 0;
    for (int64_t row = from; row < to; row++) {
      const DecoderRow &r = step.rows[row];
      const char **const places = own.places + (row - from) * memory.pages;
      for (int64_t p = 0; p < shared; p++) places[p] = static_cast<const char *>(r.shared[p]);
      for (int64_t p = 0; p <= r.own_length / PAGE; p++) places[shared + p] = static_cast<const char *>(r.own[p]);
      put_key(index, w, head, row);
      for (int64_t q = 0; q < share; q++) {
        const int64_t column = (head * share + q) * s.head_dim;
        heads.query(w, memory.qkv + row * pitches.qkv + column, r.position(), own.queries + count * memory.head,
                    own.scratch);
        sights[count] = Heads::sight(w, r.position());
        blocks[count] = places;
        out[count] = memory.mixed + row * pitches.query + column;
        const bool last = row + 1 == to && q + 1 == share;
        if (++count < MOST_QUERIES && !last) continue;
        const hir::Queries queries = {count, own.queries, memory.head, sights, blocks, shared, cells.offset(index, head)};
        if (!heads.attention.forward({queries, out, nullptr})) __atomic_store_n(failed, true, __ATOMIC_RELAXED);
        count = 0;
      }
    }
  }

  // One row's key and value of a head go into the row's last page.
  void put_key(int64_t index, const LayerWeights &w, int64_t head, int64_t row) const {
    const DecoderRow &r = step.rows[row];
    const T *const qkv = memory.qkv + row * pitches.qkv;
    heads.key(w, qkv + heads.key_column(head), r.position(), own.key, own.scratch);
    cells.put(r.own[r.own_length / PAGE], r.own_length % PAGE, index, head, own.key, qkv + heads.value_column(head));
  }

  const DecoderStep &step;
  const hir::Model &model;
  const ModelShape &s;
  const StepMemory<T> &memory;
  const Pitches<T> pitches;
  const Heads heads;
  const Cells cells;
  bool *const failed;
  const typename StepMemory<T>::Own own;
  const Team team;
  const Layer<T> layer;
  T *const normed;
};

// Up to this size of a layer's matrices, in bytes, each thread runs all layers over its own rows: the matrices stay in
// its caches, and threads do not wait for each other.
constexpr int64_t SMALL_LAYER = 4 << 20;
constexpr int64_t ROWS_OF_A_THREAD = 8;  // at least

template <class T>
bool run_step(const DecoderStep &step) {
  const ModelShape &s = step.model->shape;
  const StepMemory<T> memory(s, step.count, step.threads, step.longest, step.scratch);
  const int64_t weights = s.hidden * (s.qkv_size() + s.query_size() + 3 * s.intermediate) * static_cast<int64_t>(sizeof(T));
  bool failed = false;
#pragma omp parallel num_threads(step.threads)
  {
    const Team all = Team::region();
    if (all.size > 1 && weights <= SMALL_LAYER && step.count >= ROWS_OF_A_THREAD * all.size) {
      const int64_t from = step.count * all.rank / all.size, to = step.count * (all.rank + 1) / all.size;
      DecoderStep mine = step;
      mine.rows += from;
      mine.count = to - from;
      Step<T>(mine, memory.from(from, Pitches<T>(s)), Team::alone(), memory.last, &failed).run();
      all.wait();
    } else {
      Step<T>(step, memory, all, memory.last, &failed).run();
    }
    Layer<T>(*step.model, all, step.count, memory.normed, memory.activated, &failed)
        .multiply_head(memory.last, Pitches<T>(s).normed, step.logits, step.logits_stride);
  }
  return !failed;
}

}  // namespace

namespace hir::HIR_ISA {

int64_t page_bytes(const Model &model) { return Cells{model.shape, Heads(model).attention}.page_size(); }

void page_put(const Model &model, void *page, int64_t slot, int64_t layer, int64_t head, const void *key,
              const void *value) {
  const Heads heads(model);
  Cells{model.shape, heads.attention}.put(page, slot, layer, head, key, value);
}

int64_t decode_bytes(const ModelShape &shape, int64_t rows, int32_t threads, int64_t longest) {
  return shape.dtype == HIR_BFLOAT16 ? StepMemory<bf16>(shape, rows, threads, longest, nullptr).size
                                     : StepMemory<float>(shape, rows, threads, longest, nullptr).size;
}

bool decode(const DecoderStep &step) {
  return step.model->shape.dtype == HIR_BFLOAT16 ? run_step<bf16>(step) : run_step<float>(step);
}

}  // namespace hir::HIR_ISA
