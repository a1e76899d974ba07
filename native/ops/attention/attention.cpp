#include "attention/attention.h"

#include <math.h>
#include <string.h>

#include <algorithm>

#include "error.h"
#include "hir_kernels.h"
#include "matmul/kernel.h"
#include "scratch.h"
#include "attention/softmax.h"

namespace hir {
namespace {

int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }
int64_t round_up(int64_t n, int64_t to) { return ceil_div(n, to) * to; }

constexpr int64_t TOKENS = STRIP * KEYS;        // of a strip
constexpr int64_t SCORES_PITCH = TOKENS + 16;   // no multiple of a page, whose rows would share few sets of the cache
constexpr int64_t LOW_PITCH = TOKENS + 32;
constexpr int64_t ODD_BYTES = 64;

thread_local Scratch scratch;

// Hands out pieces of a thread's scratch memory; at first it only counts.
class Carver {
 public:
  explicit Carver(char *memory) : memory(memory) {}

  template <class T>
  T *take(int64_t count) {
    char *const piece = memory ? memory + used : nullptr;
    used += round_up(count * static_cast<int64_t>(sizeof(T)), 64);
    return reinterpret_cast<T *>(piece);
  }

  int64_t used = 0;

 private:
  char *const memory;
};

// Memory of a call. Left sides are packed if a product requires it.
struct Memory {
  float *scores, *gradients;           // [count][SCORES_PITCH]
  uint16_t *low, *low_gradients;       // [count][LOW_PITCH], in bfloat16
  float *mixed;                        // [count][head size in whole panels]
  char *left, *query_left, *flow_left; // of weights, queries and output gradients
  char *query_down, *flow_down;        // right sides

  Memory(const MatmulKernel &set, int64_t count, int64_t head_size, bool backward, Carver &carver) {
    const int64_t rows = round_up(count, set.tile_rows), steps = ceil_div(head_size, STEP);
    const int64_t down = steps * ceil_div(count, STEP) * STEP * PANEL * set.size;
    const bool is_low = set.size == sizeof(uint16_t);
    scores = carver.take<float>(count * SCORES_PITCH);
    gradients = backward ? carver.take<float>(count * SCORES_PITCH) : nullptr;
    low = is_low ? carver.take<uint16_t>(count * LOW_PITCH) : nullptr;
    low_gradients = is_low && backward ? carver.take<uint16_t>(count * LOW_PITCH) : nullptr;
    mixed = backward ? nullptr : carver.take<float>(count * steps * PANEL);
    const int64_t across = round_up(TOKENS, set.tile_rows) * ceil_div(count, STEP) * set.gradient_bytes;
    left = carver.take<char>(std::max(rows * (STRIP * set.left_bytes + ODD_BYTES), backward ? across + 64 : 0));
    query_left = carver.take<char>(rows * (steps * set.left_bytes + ODD_BYTES));
    flow_left = backward ? carver.take<char>(rows * (steps * set.left_bytes + ODD_BYTES)) : nullptr;
    query_down = backward ? carver.take<char>(down) : nullptr;
    flow_down = backward ? carver.take<char>(down) : nullptr;
  }
};

// The left side of a product: in place, or packed into `memory`.
struct Left {
  const char *a;
  int64_t row_bytes, rows, steps;

  Left(const MatmulKernel &set, const void *x, int64_t pitch, int64_t rows, int64_t k, char *memory)
      : rows(rows), steps(ceil_div(k, STEP)) {
    if (set.always_packs || k % STEP != 0) {
      a = memory;
      row_bytes = steps * set.left_bytes + ODD_BYTES;
      set.pack_left(x, pitch, rows, k, steps, row_bytes, memory);
    } else {
      a = static_cast<const char *>(x);
      row_bytes = pitch * set.size;
    }
  }
};

Job job_of(const Left &left, const Sink *sink) {
  Job job = {};
  job.a = left.a;
  job.row_bytes = left.row_bytes;
  job.rows = left.rows;
  job.steps = left.steps;
  job.first = job.last = true;
  job.sink = sink;
  return job;
}

Sink floats(Sink::Kind kind, float *y, int64_t pitch) {
  Sink sink;
  sink.kind = kind;
  sink.dtype = HIR_FLOAT32;
  sink.y = y;
  sink.y_stride = pitch;
  return sink;
}

// scores[row][token] = left row . token, for blocks [from, to).
void score(const MatmulKernel &set, const Left &left, const char *const *blocks, int64_t from, int64_t to, int64_t offset,
           float *scores) {
  for (int64_t b = from; b < to; b++) {
    const Sink sink = floats(Sink::STORE, scores + (b - from) * KEYS, SCORES_PITCH);
    Job job = job_of(left, &sink);
    job.b = blocks[b];
    job.offset = offset;
    job.to = 1;
    job.columns = KEYS;
    set.run(job);
  }
}

// y += left rows times blocks, as many as the left side has steps, for all columns of a head.
void mix(const MatmulKernel &set, const Left &left, const char *const *blocks, int64_t offset, int64_t head_size, float *y,
         int64_t pitch) {
  const Sink sink = floats(Sink::CONTINUE, y, pitch);
  Job job = job_of(left, &sink);
  job.places = blocks;
  job.offset = offset;
  job.panel_bytes = STEP * PANEL * set.size;
  job.to = ceil_div(head_size, PANEL);
  job.columns = job.to * PANEL;
  set.run(job);
}

const SoftmaxKernel *softmax_of(Variant variant) {
  switch (variant) {
    case Variant::REFERENCE: return &baseline::softmax_kernel;
    case Variant::AVX2: return &avx2::softmax_kernel;
    default: return &avx512::softmax_kernel;
  }
}

// The blocks that some queries see.
Sight blocks_of(const Queries &q, int64_t from, int64_t to) {
  Sight all = q.sights[from];
  for (int64_t r = from + 1; r < to; r++) {
    all.from = std::min(all.from, q.sights[r].from);
    all.to = std::max(all.to, q.sights[r].to);
  }
  return {all.from / KEYS, ceil_div(all.to, KEYS)};
}

// Where the strip ends that a block is in.
int64_t strip_end(int64_t block) { return (block / STRIP + 1) * STRIP; }

// What a query sees of tokens [start, start + tokens), counted from `start`; empty if `to` <= `from`.
Sight within(const Sight &sight, int64_t start, int64_t tokens) {
  return {std::max<int64_t>(sight.from - start, 0), std::min(sight.to - start, tokens)};
}

}  // namespace

int32_t Attention::of(const Matmul &matmul, int64_t head_size, Attention *out) {
  if (head_size < 1) return fail(HIR_INVALID, "attention: a head of %lld", static_cast<long long>(head_size));
  out->matmul = matmul;
  out->head_size = head_size;
  out->softmax = softmax_of(matmul.variant());
  return HIR_OK;
}

int64_t Attention::part_bytes() const { return ceil_div(head_size, STEP) * STEP * PANEL * matmul.pieces().size; }

float Attention::query_scale() const {
  return static_cast<float>(1.4426950408889634 / sqrt(static_cast<double>(head_size)));
}

void Attention::pack(Part part, const void *rows, int64_t pitch, int64_t count, void *block) const {
  const MatmulKernel &set = matmul.pieces();
  const int64_t step_bytes = STEP * PANEL * set.size;
  for (int64_t s = 0; s < ceil_div(head_size, STEP); s++) {
    const char *const from = static_cast<const char *>(rows) + s * STEP * set.size;
    char *const to = static_cast<char *>(block) + s * step_bytes;
    if (part == Part::KEYS_ACROSS || part == Part::VALUES_ACROSS) {
      set.pack_across(from, pitch, count, head_size - s * STEP, to);
    } else {
      set.pack_down(from, pitch, head_size - s * PANEL, count, to);
    }
  }
}

void Attention::put(Part part, const void *row, int64_t slot, void *block) const {
  const bool across = part == Part::KEYS_ACROSS || part == Part::VALUES_ACROSS;
  for (int64_t i = 0; i < head_size; i++) {
    const int64_t step = i / STEP * STEP * PANEL, k = across ? i % STEP : slot, column = across ? slot : i % PANEL;
    if (matmul.dtype() == HIR_FLOAT32) {
      static_cast<float *>(block)[step + k * PANEL + column] = static_cast<const float *>(row)[i];
    } else {
      static_cast<uint16_t *>(block)[step + k / 2 * 2 * PANEL + 2 * column + k % 2] = static_cast<const uint16_t *>(row)[i];
    }
  }
}

bool Attention::forward(const AttentionForward &call) const {
  const MatmulKernel &set = matmul.pieces();
  const Queries &q = call.queries;
  Carver counter(nullptr);
  Memory(set, q.count, head_size, false, counter);
  char *const start = scratch.get(counter.used);
  if (!start) return false;
  Carver carver(start);
  const Memory memory(set, q.count, head_size, false, carver);
  const int64_t wide = round_up(head_size, PANEL);
  const Sight all = blocks_of(q, 0, q.count);
  const int64_t keys = q.block_offset, values = q.block_offset + part_bytes();
  float maximum[MOST_QUERIES], sum[MOST_QUERIES];
  for (int64_t r = 0; r < q.count; r++) {
    maximum[r] = -INFINITY;
    sum[r] = 0;
  }
  memset(memory.mixed, 0, sizeof(float) * q.count * wide);

  // work(first query, one past the last, first block, one past the last) for the parts of blocks [first, end) that
  // queries share.
  const auto parts = [&](int64_t first, int64_t end, const auto &work) {
    const int64_t common = std::min(q.shared, end);
    if (common > first) work(0, q.count, first, common);
    for (int64_t r = 0; r < q.count;) {
      int64_t next = r + 1;
      while (next < q.count && q.blocks[next] == q.blocks[r]) next++;
      const Sight seen = blocks_of(q, r, next);
      const int64_t from = std::max({q.shared, first, seen.from}), to = std::min(seen.to, end);
      if (to > from) work(r, next, from, to);
      r = next;
    }
  };
  const char *const queries = static_cast<const char *>(q.queries);
  set.enter();
  for (int64_t first = all.from, end; first < all.to; first = end) {
    end = std::min(all.to, strip_end(first));
    parts(first, end, [&](int64_t r, int64_t last, int64_t from, int64_t to) {
      const Left left(set, queries + r * q.pitch * set.size, q.pitch, last - r, head_size, memory.query_left);
      score(set, left, q.blocks[r], from, to, keys, memory.scores + r * SCORES_PITCH + (from - first) * KEYS);
    });
    const int64_t tokens = (end - first) * KEYS;
    for (int64_t r = 0; r < q.count; r++) {
      const Sight seen = within(q.sights[r], first * KEYS, tokens);
      const float before = softmax->soften(memory.scores + r * SCORES_PITCH, seen.from, seen.to, tokens, maximum + r,
                                           sum + r, memory.low ? memory.low + r * LOW_PITCH : nullptr);
      if (first > all.from && before != 1) softmax->scale(memory.mixed + r * wide, wide, before);
    }
    parts(first, end, [&](int64_t r, int64_t last, int64_t from, int64_t to) {
      const int64_t column = (from - first) * KEYS;
      const void *const weights = memory.low ? static_cast<const void *>(memory.low + r * LOW_PITCH + column)
                                             : memory.scores + r * SCORES_PITCH + column;
      const Left left(set, weights, memory.low ? LOW_PITCH : SCORES_PITCH, last - r, (to - from) * KEYS, memory.left);
      mix(set, left, q.blocks[r] + from, values, head_size, memory.mixed + r * wide, wide);
    });
  }
  set.leave();
  for (int64_t r = 0; r < q.count; r++) {
    softmax->finish(memory.mixed + r * wide, head_size, 1 / sum[r], matmul.dtype(), call.out[r]);
    if (call.sums) *call.sums[r] = maximum[r] + log2f(sum[r]);
  }
  return true;
}

bool Attention::backward(const AttentionBackward &call) const {
  const MatmulKernel &set = matmul.pieces();
  const Queries &q = call.queries;
  Carver counter(nullptr);
  Memory(set, q.count, head_size, true, counter);
  char *const start = scratch.get(counter.used);
  if (!start) return false;
  Carver carver(start);
  const Memory memory(set, q.count, head_size, true, carver);
  const int64_t panels = ceil_div(head_size, PANEL), pitch = call.gradient_pitch;
  const Sight all = blocks_of(q, 0, q.count);
  const int64_t steps = ceil_div(q.count, STEP), step_bytes = STEP * PANEL * set.size;
  const auto part = [&](Part p) { return q.block_offset + static_cast<int64_t>(p) * part_bytes(); };
  const char *const *const blocks = q.blocks[0];

  const Left queries(set, q.queries, q.pitch, q.count, head_size, memory.query_left);
  const Left flow(set, call.out_gradients, q.pitch, q.count, head_size, memory.flow_left);
  for (int64_t p = 0; p < panels; p++) {
    for (int64_t s = 0; s < steps; s++) {
      const int64_t at = (s * STEP * q.pitch + p * PANEL) * set.size, to = (p * steps + s) * step_bytes;
      const int64_t columns = head_size - p * PANEL, rows = q.count - s * STEP;
      set.pack_down(static_cast<const char *>(q.queries) + at, q.pitch, columns, rows, memory.query_down + to);
      set.pack_down(static_cast<const char *>(call.out_gradients) + at, q.pitch, columns, rows, memory.flow_down + to);
    }
  }
  for (int64_t r = 0; r < q.count; r++) memset(call.query_gradients + r * pitch, 0, sizeof(float) * panels * PANEL);

  // to [tokens, head size] += y^T times what was packed
  const auto accumulate = [&](const void *y, int64_t y_pitch, int64_t tokens, const char *right, float *to) {
    const Gradient gradient = {q.count, tokens, panels * PANEL, nullptr, 0, nullptr, 0, to, pitch, Order::PLAIN};
    set.pack_left_across(y, y_pitch, tokens, q.count, steps, memory.left);
    Job job = {};
    job.a = memory.left;
    job.rows = tokens;
    job.b = right;
    job.panel_bytes = steps * step_bytes;
    job.to = panels;
    job.steps = steps;
    job.first = job.last = true;
    job.columns = panels * PANEL;
    job.gradient = &gradient;
    set.run_gradient(job);
  };
  set.enter();
  for (int64_t first = all.from, end; first < all.to; first = end) {
    end = std::min(all.to, strip_end(first));
    const int64_t tokens = (end - first) * KEYS;
    score(set, queries, blocks, first, end, part(Part::KEYS_ACROSS), memory.scores);
    score(set, flow, blocks, first, end, part(Part::VALUES_ACROSS), memory.gradients);
    for (int64_t r = 0; r < q.count; r++) {
      const Sight seen = within(q.sights[r], first * KEYS, tokens);
      softmax->soften_back(memory.scores + r * SCORES_PITCH, memory.gradients + r * SCORES_PITCH, seen.from, seen.to, tokens,
                           call.sums[r], call.along[r], memory.low ? memory.low + r * LOW_PITCH : nullptr,
                           memory.low ? memory.low_gradients + r * LOW_PITCH : nullptr);
    }
    const void *const weights = memory.low ? static_cast<const void *>(memory.low) : memory.scores;
    const void *const changes = memory.low ? static_cast<const void *>(memory.low_gradients) : memory.gradients;
    const int64_t row = memory.low ? LOW_PITCH : SCORES_PITCH;
    accumulate(weights, row, tokens, memory.flow_down, call.value_gradients + first * KEYS * pitch);
    accumulate(changes, row, tokens, memory.query_down, call.key_gradients + first * KEYS * pitch);
    const Left left(set, changes, row, q.count, tokens, memory.left);
    mix(set, left, blocks + first, part(Part::KEYS_DOWN), head_size, call.query_gradients, pitch);
  }
  set.leave();
  const float scale = static_cast<float>(1 / sqrt(static_cast<double>(head_size)));
  for (int64_t r = 0; r < q.count; r++) softmax->scale(call.query_gradients + r * pitch, head_size, scale);
  return true;
}

}  // namespace hir
