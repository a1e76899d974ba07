// One decode step of a transformer for a batch of rows: see decoder.h for the cache, gemm.h for the products.
//
// Threads share out either the rows (each thread runs its rows through the whole model, without ever waiting) or, when
// there are few rows, the columns of every product and the heads (waiting for each other five times a layer).
#include <math.h>
#include <omp.h>
#include <string.h>

#include "blocks.h"
#include "gemm.h"
#include "hir_kernels.h"
#include "kernels.h"

namespace {

using hir::DecoderLayer;
using hir::DecoderModel;
using hir::DecoderRow;
using hir::DecoderShape;
using hir::DecoderStep;
using hir::Packed;
using hir::PAGE;

// Rows whose attention is computed together when they share a prompt.
constexpr int64_t GROUP = 16;

// --- pages: of each layer and key-value head the keys, [PAGE / NR][head_dim][NR], then the values,
// [head_dim / NR, rounded up][PAGE][NR]: what the tiles of gemm.h read.

static int64_t keys_size(const DecoderShape &s) { return s.head_dim * PAGE; }
static int64_t values_size(const DecoderShape &s) { return round_up(s.head_dim, NR) * PAGE; }
static int64_t head_offset(const DecoderShape &s, int64_t layer, int64_t head) {
  return (layer * s.kv_heads + head) * (keys_size(s) + values_size(s));
}

static void put(const DecoderShape &s, float *page, int64_t slot, int64_t layer, int64_t head, const float *key,
                const float *value) {
  float *keys = page + head_offset(s, layer, head) + slot / NR * s.head_dim * NR + slot % NR;
  for (int64_t d = 0; d < s.head_dim; d++) keys[d * NR] = key[d];
  float *values = page + head_offset(s, layer, head) + keys_size(s) + slot * NR;
  for (int64_t d = 0; d < s.head_dim; d += NR, values += PAGE * NR) {
    memcpy(values, value + d, sizeof(float) * (s.head_dim - d < NR ? s.head_dim - d : NR));
  }
}

// --- packing

// Output column j of a panel: bfloat16 is unpacked to even and odd elements (load_two).
template <class W>
static int64_t place(int64_t j);
template <>
int64_t place<float>(int64_t j) {
  return j;
}
template <>
int64_t place<bf16>(int64_t j) {
  return j < WIDTH ? 2 * j : 2 * (j - WIDTH) + 1;
}

// gate_up: a panel holds WIDTH gates and the WIDTH ups that belong to them.
template <class W>
static void pack_as(const W *weights, bool gate_up, Packed *packed) {
  const int64_t half = packed->out / 2, k = packed->in;
  const int64_t panels = gate_up ? (half + WIDTH - 1) / WIDTH : (packed->out + NR - 1) / NR;
  W *out = static_cast<W *>(packed->data);
#pragma omp parallel for schedule(static) if (packed->out * k > 65536)
  for (int64_t p = 0; p < panels; p++) {
    W *panel = out + p * k * NR;
    for (int64_t j = 0; j < NR; j++) {
      const int64_t within = gate_up ? p * WIDTH + j % WIDTH : p * NR + j;
      const int64_t row = gate_up && j >= WIDTH ? half + within : within;
      const bool there = within < (gate_up ? half : packed->out);
      for (int64_t i = 0; i < k; i++) panel[i * NR + place<W>(j)] = there ? weights[row * k + i] : W{};
    }
  }
}

// --- the step

// Strides of the activations, in floats.
struct Strides {
  int64_t x, qkv, mixed, activated, scores;

  Strides(const DecoderShape &s, int64_t longest)
      : x(round_up(s.hidden, NR)), qkv(round_up(s.qkv_size(), NR)), mixed(round_up(s.query_size(), NR)),
        activated(round_up(s.intermediate, WIDTH)),
        // The prompt's scores end on a page, the row's own begin on one.
        scores(round_up(longest, PAGE) + 2 * PAGE) {}

  int64_t shared(int64_t rows) const { return rows * (x + qkv + mixed + activated); }
  int64_t own(const DecoderShape &s, int64_t rows) const {
    const int64_t queries = GROUP * (s.heads / s.kv_heads);
    return rows * x + queries * (scores + round_up(s.head_dim, NR) + 1);
  }
};

// One thread's share of the step.
template <class W>
class Worker {
 public:
  Worker(const DecoderStep &step, int thread, int threads)
      : step(step), model(*step.model), s(model.shape), strides(s, step.longest), thread(thread), threads(threads),
        by_rows(step.count >= 8 * threads), first(by_rows ? step.count * thread / threads : 0),
        last(by_rows ? step.count * (thread + 1) / threads : step.count), x(step.scratch),
        qkv(x + step.count * strides.x), mixed(qkv + step.count * strides.qkv),
        activated(mixed + step.count * strides.mixed),
        normed(step.scratch + strides.shared(step.count) + thread * strides.own(s, step.count)),
        scores(normed + step.count * strides.x),
        outputs(scores + GROUP * (s.heads / s.kv_heads) * strides.scores),
        sums(outputs + GROUP * (s.heads / s.kv_heads) * round_up(s.head_dim, NR)) {}

  void run() {
    if (by_rows || thread == 0) embed();
    wait();
    for (int64_t i = 0; i < s.layers; i++) layer(i);
    norm(model.final_norm);
    product(normed, strides.x, model.head, NR, [this](int64_t row, int64_t column, Vec low, Vec high) {
      store_columns(step.rows[row].logits + column, s.vocab - column, low, high);
    });
  }

 private:
  void wait() const {
    if (!by_rows) {
#pragma omp barrier
    }
  }

  void embed() {
    for (int64_t row = first; row < last; row++) {
      const W *source = static_cast<const W *>(model.embedding) + step.rows[row].token * s.hidden;
      for (int64_t i = 0; i < s.hidden; i++) x[row * strides.x + i] = hir::to_float(source[i]);
      for (int64_t i = s.hidden; i < strides.x; i++) x[row * strides.x + i] = 0;
    }
  }

  // Every thread norms all rows that it goes on with: cheaper than waiting for another's.
  void norm(const float *weight) {
    for (int64_t row = first; row < last; row++) {
      rms_norm(x + row * strides.x, weight, s.hidden, s.norm_epsilon, normed + row * strides.x);
    }
  }

  // This thread's part of a product; sink(row, column, low, high), where a panel has `width` columns.
  template <class Sink>
  void product(const float *input, int64_t stride, const Packed &w, int64_t width, const Sink &sink) {
    const int64_t panels = width == NR ? (w.out + NR - 1) / NR : (w.out / 2 + width - 1) / width;
    const int64_t from = by_rows ? 0 : panels * thread / threads;
    const int64_t to = by_rows ? panels : panels * (thread + 1) / threads;
    gemm(input, stride, first, last, static_cast<const W *>(w.data), w.in, from, to,
         [&sink, width](int64_t row, int64_t panel, Vec low, Vec high) { sink(row, panel * width, low, high); });
  }

  void layer(int64_t index) {
    const DecoderLayer &w = model.layers[index];
    norm(w.input_norm);
    product(normed, strides.x, w.qkv, NR, [this](int64_t row, int64_t column, Vec low, Vec high) {
      store(qkv + row * strides.qkv + column, low);
      store(qkv + row * strides.qkv + column + WIDTH, high);
    });
    wait();
    attend(index, w);
    wait();
    add_product(mixed, strides.mixed, w.output);
    wait();
    norm(w.post_norm);
    product(normed, strides.x, w.gate_up, WIDTH, [this](int64_t row, int64_t column, Vec gate, Vec up) {
      store(activated + row * strides.activated + column, mul(silu(gate), up));
    });
    wait();
    add_product(activated, strides.activated, w.down);
    wait();
  }

  // x += input times w
  void add_product(const float *input, int64_t stride, const Packed &w) {
    product(input, stride, w, NR, [this](int64_t row, int64_t column, Vec low, Vec high) {
      float *out = x + row * strides.x + column;
      store(out, add(load(out), low));
      store(out + WIDTH, add(load(out + WIDTH), high));
    });
  }

  // --- attention: units of a key-value head and a group of rows with the same prompt

  void attend(int64_t index, const DecoderLayer &w) {
    int64_t unit = 0;
    for (int64_t row = first; row < last;) {
      int64_t end = row + 1;
      while (end < last && end - row < GROUP && step.rows[end].prefix == step.rows[row].prefix) end++;
      for (int64_t head = 0; head < s.kv_heads; head++, unit++) {
        if (by_rows || unit % threads == thread) attend(index, w, head, row, end);
      }
      row = end;
    }
  }

  void attend(int64_t index, const DecoderLayer &w, int64_t head, int64_t from, int64_t to) {
    const int64_t share = s.heads / s.kv_heads, queries = (to - from) * share;
    for (int64_t row = from; row < to; row++) prepare(index, w, head, row);

    // All queries on the prompt at once, each row's on its own tokens; see Strides for where the scores lie.
    const DecoderRow &any = step.rows[from];
    const int64_t own = round_up(any.prefix_length, PAGE), offset = head_offset(s, index, head);
    score(any.prefix, any.prefix_length, offset, from, queries, head, scores);
    for (int64_t q = 0; q < queries; q++) {
      float *row = scores + q * strides.scores;
      for (int64_t i = any.prefix_length; i < own; i++) row[i] = -INFINITY;
    }
    for (int64_t row = from; row < to; row++) {
      const int64_t q = (row - from) * share;
      score(step.rows[row].suffix, length(row), offset, row, share, head, scores + q * strides.scores + own);
    }
    for (int64_t q = 0; q < queries; q++) {
      sums[q] = soften(scores + q * strides.scores, own + length(from + q / share));
    }
    mix(any.prefix, any.prefix_length, offset, queries, scores, 0, false);
    for (int64_t row = from; row < to; row++) {
      const int64_t q = (row - from) * share;
      mix(step.rows[row].suffix, length(row), offset, share, scores + own, q, any.prefix_length > 0);
    }
    const int64_t width = round_up(s.head_dim, NR);
    for (int64_t q = 0; q < queries; q++) {
      float *target = mixed + (from + q / share) * strides.mixed + (head * share + q % share) * s.head_dim;
      const float scale = 1.0f / sums[q];
      for (int64_t d = 0; d < s.head_dim; d++) target[d] = outputs[q * width + d] * scale;
    }
  }

  // Tokens of the row's own, the new one included.
  int64_t length(int64_t row) const { return step.rows[row].suffix_length + 1; }

  // Bias, norm and rotation of one head's queries and key; the key and value go into the row's last page.
  void prepare(int64_t index, const DecoderLayer &w, int64_t head, int64_t row) {
    const DecoderRow &r = step.rows[row];
    const int64_t dim = s.head_dim, half = dim / 2, share = s.heads / s.kv_heads;
    float *start = qkv + row * strides.qkv;
    float *key = start + s.query_size() + head * dim, *value = key + s.key_size();
    const float *cosines = model.cosines + r.position() * half, *sines = model.sines + r.position() * half;
    if (w.qkv_bias) {
      add_bias(start, w.qkv_bias, head * share * dim, share * dim);
      add_bias(start, w.qkv_bias, key - start, dim);
      add_bias(start, w.qkv_bias, value - start, dim);
    }
    // The softmax's scale and its change to base 2 go into the queries.
    const float scale = static_cast<float>(LOG2E / sqrt(static_cast<double>(dim)));
    for (int64_t q = head * share; q < (head + 1) * share; q++) {
      if (w.query_norm) rms_norm(start + q * dim, w.query_norm, dim, s.norm_epsilon, start + q * dim);
      rotate(start + q * dim, cosines, sines, half, scale);
    }
    if (w.key_norm) rms_norm(key, w.key_norm, dim, s.norm_epsilon, key);
    rotate(key, cosines, sines, half, 1.0f);
    put(s, r.suffix[r.suffix_length / PAGE], r.suffix_length % PAGE, index, head, key, value);
  }

  static void add_bias(float *x, const float *bias, int64_t from, int64_t n) {
    for (int64_t i = from; i < from + n; i++) x[i] += bias[i];
  }

  // out[q][t] = query q . key t, for `queries` queries of a head, those of row `row` first.
  void score(const float *const *pages, int64_t tokens, int64_t offset, int64_t row, int64_t queries, int64_t head,
             float *out) {
    const int64_t share = s.heads / s.kv_heads;
    for (int64_t q = 0; q < queries; q += MR) {
      const int m = static_cast<int>(queries - q < MR ? queries - q : MR);
      const float *rows[MR];
      for (int i = 0; i < m; i++) {
        rows[i] = qkv + (row + (q + i) / share) * strides.qkv + (head * share + (q + i) % share) * s.head_dim;
      }
      for (int64_t t = 0; t < tokens; t += NR) {
        const float *panel = pages[t / PAGE] + offset + t % PAGE / NR * s.head_dim * NR;
        tile(m, rows, s.head_dim, s.head_dim, [panel](int64_t) { return panel; }, [&](int i, Vec low, Vec high) {
          store(out + (q + i) * strides.scores + t, low);
          store(out + (q + i) * strides.scores + t + WIDTH, high);
        });
      }
    }
  }

  // outputs[at + q] = or += sum over t of weights[at + q][t] value t
  void mix(const float *const *pages, int64_t tokens, int64_t offset, int64_t queries, const float *weights, int64_t at,
           bool onto) {
    const int64_t width = round_up(s.head_dim, NR);
    for (int64_t q = at; q < at + queries; q += MR) {
      const int m = static_cast<int>(at + queries - q < MR ? at + queries - q : MR);
      const float *rows[MR];
      for (int i = 0; i < m; i++) rows[i] = weights + (q + i) * strides.scores;
      for (int64_t d = 0; d < width; d += NR) {
        const int64_t start = offset + keys_size(s) + d * PAGE;
        tile(m, rows, tokens, PAGE, [pages, start](int64_t page) { return pages[page] + start; },
             [&](int i, Vec low, Vec high) {
               float *out = outputs + (q + i) * width + d;
               store(out, onto ? add(load(out), low) : low);
               store(out + WIDTH, onto ? add(load(out + WIDTH), high) : high);
             });
      }
    }
  }

  const DecoderStep &step;
  const DecoderModel &model;
  const DecoderShape &s;
  const Strides strides;
  const int thread, threads;
  const bool by_rows;
  const int64_t first, last;  // rows of this thread's products
  float *const x, *const qkv, *const mixed, *const activated;          // shared
  float *const normed, *const scores, *const outputs, *const sums;     // of this thread
};

}  // namespace

namespace hir::HIR_ISA {

int64_t page_size(const DecoderShape &shape) { return head_offset(shape, shape.layers, 0); }

void page_put(const DecoderShape &shape, float *page, int64_t slot, int64_t layer, int64_t head, const float *key,
              const float *value) {
  put(shape, page, slot, layer, head, key, value);
}

int64_t packed_size(int64_t out, int64_t in, int32_t dtype) {
  // A gate and up matrix rounds its halves up.
  return (round_up(out, NR) + NR) * in * (dtype == HIR_BFLOAT16 ? 2 : 4);
}

void pack(const void *weights, int32_t dtype, bool gate_up, Packed *packed) {
  if (dtype == HIR_BFLOAT16) {
    pack_as(static_cast<const bf16 *>(weights), gate_up, packed);
  } else {
    pack_as(static_cast<const float *>(weights), gate_up, packed);
  }
}

int64_t decode_scratch(const DecoderShape &shape, int64_t rows, int32_t threads, int64_t longest) {
  const Strides strides(shape, longest);
  return strides.shared(rows) + threads * strides.own(shape, rows) + NR;
}

void decode(const DecoderStep &step) {
#pragma omp parallel num_threads(step.threads)
  {
    // The runtime may give fewer threads than asked for.
    const int thread = omp_get_thread_num(), threads = omp_get_num_threads();
    if (step.model->shape.dtype == HIR_BFLOAT16) {
      Worker<bf16>(step, thread, threads).run();
    } else {
      Worker<float>(step, thread, threads).run();
    }
  }
}

}  // namespace hir::HIR_ISA
