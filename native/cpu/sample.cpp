// Draws one token per row: temperature, top-k, top-p, min-p in this order (as in HF's logits warpers), then inverse
// CDF.
//
// No filter sorts the vocabulary. Each leaves a list of candidates, kept in vocabulary order: top-k by selecting the
// k-th logit, top-p by bisecting the probability at which to cut, min-p by a threshold.
#include <stdlib.h>
#include <string.h>

#include "hir_kernels.h"
#include "kernels.h"
#include "philox.h"
#include "softmax.h"

namespace {

// Sum in float lanes over at most this many elements, then in double.
constexpr int64_t GROUP = 1024;

static double sum_of(const float *x, int64_t n) {
  Vec s0 = vec(0), s1 = s0;
  int64_t i = 0;
  for (; i + 2 * WIDTH <= n; i += 2 * WIDTH) {
    s0 = add(s0, load(x + i));
    s1 = add(s1, load(x + i + WIDTH));
  }
  for (; i < n; i += WIDTH) s0 = add(s0, n - i >= WIDTH ? load(x + i) : load_part(x + i, n - i, 0));
  return sum_lanes(add(s0, s1));
}

static double total_of(const float *x, int64_t n) {
  double total = 0;
  for (int64_t i = 0; i < n; i += GROUP) total += sum_of(x + i, n - i < GROUP ? n - i : GROUP);
  return total;
}

// The first index at which the running sum exceeds `wanted`; if rounding prevents that, the last one with any mass (-1
// if there is none, or if *wanted is what remains to reach after this list).
static int64_t find(const float *mass, int64_t n, double *wanted, int64_t *last) {
  double before = 0;
  for (int64_t g = 0; g < n; g += GROUP) {
    const int64_t end = g + GROUP < n ? g + GROUP : n;
    const double group = sum_of(mass + g, end - g);
    if (before + group > *wanted) {
      double sum = before;
      for (int64_t i = g; i < end; i++) {
        if (mass[i] == 0) continue;
        sum += mass[i];
        *last = i;
        if (sum > *wanted) return i;
      }
    } else {
      for (int64_t i = end - 1; group > 0 && i >= g; i--) {
        if (mass[i] > 0) {
          *last = i;
          break;
        }
      }
    }
    before += group;
  }
  *wanted -= before;
  return -1;
}

// The k-th largest (from 1) of x, which is permuted.
static float select_kth(float *x, int64_t n, int64_t k) {
  for (;;) {
    const float a = x[0], b = x[n / 2], c = x[n - 1];
    const float pivot = a < b ? (b < c ? b : a < c ? c : a) : (a < c ? a : b < c ? c : b);
    int64_t above = 0, i = 0, below = n;  // x[0, above) > pivot, x[above, i) == pivot, x[below, n) < pivot
    while (i < below) {
      const float value = x[i];
      if (value > pivot) {
        x[i++] = x[above];
        x[above++] = value;
      } else if (value < pivot) {
        x[i] = x[--below];
        x[below] = value;
      } else {
        i++;
      }
    }
    if (k <= above) {
      n = above;
    } else if (k <= below) {
      return pivot;
    } else {
      x += below;
      n -= below;
      k -= below;
    }
  }
}

static double sum_at_least(const float *x, int64_t n, float threshold) {
  const Vec t = vec(threshold);
  double sum = 0;
  for (int64_t g = 0; g < n; g += GROUP) {
    const int64_t end = g + GROUP < n ? g + GROUP : n;
    Vec s = vec(0);
    for (int64_t i = g; i < end; i += WIDTH) {
      const Vec v = end - i >= WIDTH ? load(x + i) : load_part(x + i, end - i, -1);
      s = add(s, where_ge(v, t, v));
    }
    sum += sum_lanes(s);
  }
  return sum;
}

// Keeps the elements on one side of the threshold, in their order.
static int64_t keep_side(float *x, int64_t n, float threshold, bool at_least) {
  const Vec t = vec(threshold);
  int64_t kept = 0;
  for (int64_t i = 0; i < n; i += WIDTH) {
    const unsigned valid = n - i >= WIDTH ? (1u << WIDTH) - 1 : (1u << (n - i)) - 1;
    const Vec v = n - i >= WIDTH ? load(x + i) : load_part(x + i, n - i, 0);
    const unsigned above = bits_ge(v, t), mask = (at_least ? above : ~above) & valid;
    compress(x + kept, mask, v);
    kept += __builtin_popcount(mask);
  }
  return kept;
}

static float as_float(uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

static uint32_t as_bits(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

// The cut of top-p: masses above `value` stay, and of those equal to it the first `ties`.
struct Cut {
  float value;
  int64_t ties;
};

// The fewest largest masses that reach `wanted`: a token stays while the mass ranked before it is below that. Bisects
// the bits of the mass at the cut (positive floats have the order of their bits) and drops what is decided. x is
// consumed.
static Cut cut_at(float *x, int64_t n, double wanted) {
  uint32_t low = 0, high = as_bits(max_of(x, n)) + 1;
  double above = 0;  // mass at or over as_float(high)
  while (n > 32 && high - low > 1) {
    const uint32_t middle = low + (high - low) / 2;
    const float threshold = as_float(middle);
    const double sum = above + sum_at_least(x, n, threshold);
    const bool reached = sum >= wanted;
    n = keep_side(x, n, threshold, reached);
    if (reached) {
      low = middle;
    } else {
      high = middle;
      above = sum;
    }
  }
  if (high - low <= 1 && n > 32) {  // all that is left is equal
    const double ties = ceil((wanted - above) / x[0]);
    return {x[0], ties < 1 ? 1 : static_cast<int64_t>(ties)};
  }
  for (int64_t i = 1; i < n; i++) {  // few: descending insertion sort
    const float value = x[i];
    int64_t j = i;
    for (; j > 0 && x[j - 1] < value; j--) x[j] = x[j - 1];
    x[j] = value;
  }
  Cut cut = {n > 0 ? x[0] : 0, 0};
  for (int64_t i = 0; i < n && (i == 0 || above < wanted); i++) {
    cut.ties = x[i] == cut.value ? cut.ties + 1 : 1;
    cut.value = x[i];
    above += x[i];
  }
  return cut;
}

// One thread's scratch memory, a vector longer than a row because compress writes whole vectors.
struct Scratch {
  float *mass = nullptr, *work = nullptr;
  int32_t *ids = nullptr;

  bool allocate(int64_t cols) {
    mass = static_cast<float *>(malloc(sizeof(float) * (cols + WIDTH)));
    work = static_cast<float *>(malloc(sizeof(float) * (cols + WIDTH)));
    ids = static_cast<int32_t *>(malloc(sizeof(int32_t) * (cols + WIDTH)));
    return mass && work && ids;
  }
  ~Scratch() {
    free(mass);
    free(work);
    free(ids);
  }
};

template <class T>
class Row {
 public:
  Row(const T *x, int64_t cols, const hir::Sampling &sampling, const RowStats &stats, float scale)
      : x(x), cols(cols), sampling(sampling), stats(stats), scale(scale) {}

  static bool filtered(const hir::Sampling &sampling, int64_t cols) {
    return sampling.temperature > 0 &&
           ((sampling.top_k > 0 && sampling.top_k < cols) || sampling.top_p < 1 || sampling.min_p > 0);
  }

  int64_t greedy() const {
    const Vec top = vec(max_of(x, cols));
    int64_t i = 0;
    for (unsigned hit; !(hit = bits_ge(load_padded(x + i, cols - i), top)); i += WIDTH) {
    }
    return i + __builtin_ctz(bits_ge(load_padded(x + i, cols - i), top));
  }

  // Over the whole row: the blocks' sums find the block, and only that block is read again.
  int64_t draw(const BlockStats *blocks, double uniform) const {
    float mass[BLOCK];
    double wanted = uniform;
    int64_t last = -1;
    for (int64_t b = 0; b < block_count(cols); b++) {
      const double share = blocks[b].sum * ::exp2(blocks[b].reference - stats.log_sum);
      if (share <= 0) continue;
      if (share <= wanted && last_with_mass(b + 1, blocks)) {
        wanted -= share;
        continue;
      }
      const int64_t n = block_length(cols, b);
      for (int64_t i = 0; i < n; i += WIDTH) {
        const Vec p = probabilities(load_padded(x + b * BLOCK + i, n - i), stats, scale);
        if (n - i >= WIDTH) {
          store(mass + i, p);
        } else {
          store_part(mass + i, n - i, p);
        }
      }
      int64_t within = -1;
      const int64_t hit = find(mass, n, &wanted, &within);
      if (hit >= 0) return b * BLOCK + hit;
      if (within >= 0) last = b * BLOCK + within;
    }
    return last;
  }

  int64_t draw_filtered(const Scratch &scratch, double uniform) const {
    const bool top_k = sampling.top_k > 0 && sampling.top_k < cols;
    int64_t count = top_k ? keep_top_k(scratch) : keep_probable(scratch);
    if (sampling.top_p < 1) count = keep_top_p(scratch, count, top_k ? total_of(scratch.mass, count) : 1.0);
    if (sampling.min_p > 0) count = keep_at_least(scratch, count, min_p_floor(max_of(scratch.mass, count)));
    double wanted = uniform * total_of(scratch.mass, count);
    int64_t last = -1;
    const int64_t hit = find(scratch.mass, count, &wanted, &last);
    return scratch.ids[hit >= 0 ? hit : last];
  }

 private:
  bool last_with_mass(int64_t from, const BlockStats *blocks) const {
    for (int64_t b = from; b < block_count(cols); b++) {
      if (blocks[b].sum > 0) return true;
    }
    return false;
  }

  float min_p_floor(float top) const { return static_cast<float>(sampling.min_p) * top; }

  // Tokens that top-p or min-p can possibly keep. top-p keeps none with p < (1 - top_p) / cols: all of those together
  // weigh less than 1 - top_p.
  int64_t keep_probable(const Scratch &scratch) const {
    float floor;
    if (sampling.top_p < 1) {
      floor = static_cast<float>((1 - sampling.top_p) / static_cast<double>(cols) * (1 - 1e-5));
    } else {
      const Vec top = probabilities(vec(max_of(x, cols)), stats, scale);
      floor = min_p_floor(max_lane(top)) * (1 - 1e-5f);
    }
    return gather(scratch, [](Vec) { return ~0u; }, floor);
  }

  // Keeps the k largest and all ties of the k-th. A pool of the largest logits so far is thinned to k whenever it is
  // full; its smallest is a bound that excludes nearly all of the rest of the row.
  int64_t keep_top_k(const Scratch &scratch) const {
    const int64_t k = sampling.top_k, room = 2 * k + 1024;
    float *pool = scratch.work;
    int64_t held = 0;
    float bound = -INFINITY;
    for (int64_t i = 0; i < cols; i += WIDTH) {
      const Vec logits = load_padded(x + i, cols - i);
      const unsigned hits = bits_gt(logits, vec(bound));
      if (!hits) continue;
      compress(pool + held, hits, logits);
      held += __builtin_popcount(hits);
      if (held >= room) {
        bound = select_kth(pool, held, k);
        held = k;
      }
    }
    const float kth = held >= k ? select_kth(pool, held, k) : -INFINITY;
    const Vec least = vec(kth);
    return gather(scratch, [least](Vec logits) { return bits_ge(logits, least); }, 0);
  }

  // The candidates of the row: `chosen` by logit, and of probability above 0 and at least `floor`.
  template <class Chosen>
  int64_t gather(const Scratch &scratch, Chosen chosen, float floor) const {
    const Vec low = vec(floor);
    int64_t count = 0;
    for (int64_t i = 0; i < cols; i += WIDTH) {
      const Vec logits = load_padded(x + i, cols - i);
      unsigned mask = chosen(logits);
      if (!mask) continue;
      const Vec p = probabilities(logits, stats, scale);
      mask &= bits_ge(p, low) & bits_gt(p, vec(0));
      if (!mask) continue;
      compress(scratch.mass + count, mask, p);
      compress_ids(scratch.ids + count, mask, static_cast<int32_t>(i));
      count += __builtin_popcount(mask);
    }
    return count;
  }

  int64_t keep_top_p(const Scratch &scratch, int64_t count, double total) const {
    memcpy(scratch.work, scratch.mass, sizeof(float) * count);
    const Cut cut = cut_at(scratch.work, count, sampling.top_p * total);
    int64_t ties = cut.ties;
    const Vec value = vec(cut.value);
    return keep(scratch, count, [value, &ties](Vec mass) {
      unsigned kept = bits_gt(mass, value);
      for (unsigned equal = bits_ge(mass, value) & ~kept; equal && ties > 0; equal &= equal - 1, ties--) {
        kept |= equal & -equal;
      }
      return kept;
    });
  }

  int64_t keep_at_least(const Scratch &scratch, int64_t count, float floor) const {
    const Vec least = vec(floor);
    return keep(scratch, count, [least](Vec mass) { return bits_ge(mass, least); });
  }

  // Thins the candidates in place.
  template <class Chosen>
  int64_t keep(const Scratch &scratch, int64_t count, Chosen chosen) const {
    int64_t kept = 0;
    for (int64_t i = 0; i < count; i += WIDTH) {
      const Vec mass = count - i >= WIDTH ? load(scratch.mass + i) : load_part(scratch.mass + i, count - i, -1);
      const unsigned mask = chosen(mass);
      compress_ints(scratch.ids + kept, mask, scratch.ids + i);
      compress(scratch.mass + kept, mask, mass);
      kept += __builtin_popcount(mask);
    }
    return kept;
  }

  const T *x;
  const int64_t cols;
  const hir::Sampling &sampling;
  const RowStats &stats;
  const float scale;
};

template <class T>
class Run {
 public:
  Run(const hir::Matrix &logits, const hir::Sampling &sampling)
      : logits(logits), sampling(sampling), data(static_cast<const T *>(logits.data)), blocks(block_count(logits.cols)),
        temperature(sampling.temperature > 0 ? sampling.temperature : 1.0), scale(static_cast<float>(LOG2E / temperature)) {}

  int64_t operator()() {
    const int64_t rows = logits.rows, cols = logits.cols;
    const bool by_row = rows >= 16, filtered = Row<T>::filtered(sampling, cols);
    BlockStats *shared = nullptr;
    if (!by_row && !(shared = static_cast<BlockStats *>(malloc(sizeof(BlockStats) * rows * blocks)))) {
      return hir::OUT_OF_MEMORY;
    }
    bool out_of_memory = false;
#pragma omp parallel if (rows * cols > 32768)
    {
      Scratch scratch;
      BlockStats *own = by_row ? static_cast<BlockStats *>(malloc(sizeof(BlockStats) * blocks)) : nullptr;
      if ((filtered && !scratch.allocate(cols)) || (by_row && !own)) {
#pragma omp atomic write
        out_of_memory = true;
      }
#pragma omp barrier
      if (out_of_memory) {
        // nothing is drawn
      } else if (by_row) {
        // A second pass over a row finds it in cache.
#pragma omp for schedule(dynamic, 1)
        for (int64_t r = 0; r < rows; r++) {
          for (int64_t b = 0; b < blocks; b++) own[b] = stats(r, b);
          draw(r, own, scratch);
        }
      } else {
        // Few rows: threads share their blocks.
#pragma omp for schedule(dynamic, 4)
        for (int64_t unit = 0; unit < rows * blocks; unit++) shared[unit] = stats(unit / blocks, unit % blocks);
#pragma omp for schedule(dynamic, 1)
        for (int64_t r = 0; r < rows; r++) draw(r, shared + r * blocks, scratch);
      }
      free(own);
    }
    free(shared);
    if (out_of_memory) return hir::OUT_OF_MEMORY;
    for (int64_t row = 0; row < rows; row++) {
      if (sampling.tokens[row] < 0) return row;
    }
    return hir::DONE;
  }

 private:
  BlockStats stats(int64_t row, int64_t block) const {
    return block_stats(data + row * logits.stride + block * BLOCK, block_length(logits.cols, block), scale);
  }

  void draw(int64_t r, const BlockStats *parts, const Scratch &scratch) const {
    const RowStats stats = row_stats(parts, blocks, scale);
    sampling.tokens[r] = -1;
    if (!stats.valid) return;
    const T *x = data + r * logits.stride;
    const Row<T> row(x, logits.cols, sampling, stats, scale);
    int64_t token;
    if (sampling.temperature == 0) {
      token = row.greedy();
    } else {
      const double uniform = hir::philox_uniform(sampling.key, sampling.counters + 4 * r);
      token = Row<T>::filtered(sampling, logits.cols) ? row.draw_filtered(scratch, uniform) : row.draw(parts, uniform);
    }
    sampling.tokens[r] = token;
    sampling.logprobs[r] = static_cast<float>(logprob_of(x[token], stats, temperature));
    if (sampling.entropies) sampling.entropies[r] = static_cast<float>(stats.entropy);
  }

  const hir::Matrix &logits;
  const hir::Sampling &sampling;
  const T *data;
  const int64_t blocks;
  const double temperature;
  const float scale;
};

}  // namespace

namespace hir::HIR_ISA {

int64_t sample(const Matrix &logits, const Sampling &sampling) {
  return logits.dtype == HIR_BFLOAT16 ? Run<bf16>(logits, sampling)() : Run<float>(logits, sampling)();
}

}  // namespace hir::HIR_ISA
