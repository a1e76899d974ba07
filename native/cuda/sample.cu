// Draws one token per row: temperature, top-k, top-p, min-p, then inverse CDF in vocabulary order; one block per row.
//
// Nothing is sorted. top-k and top-p look for the logit at which they cut, digit by digit of its bits (a radix search):
// a histogram of the tokens, or of their mass, by digit shows which bin contains the cut. Masses are integers (48
// binary places), so that their sums are exact and no result depends on the order in which threads add.
#include "call.h"
#include "hir_kernels.h"
#include "kernels_on_device.h"
#include "philox.h"
#include "row.h"

namespace hir::HIR_DEVICE {

namespace {

constexpr int MOST_THREADS = 1024;
constexpr float MASS_ONE = 0x1p48f;
constexpr int DIGIT = 11, BINS = 1 << DIGIT;

// Bits in the order of the floats, the same for -0 and 0.
HIR_GPU uint32_t ordered_bits(float x) {
  const uint32_t bits = as_bits(x + 0.0f);
  return bits & 0x80000000u ? ~bits : bits | 0x80000000u;
}

HIR_GPU float from_ordered_bits(uint32_t key) { return as_float(key & 0x80000000u ? key & 0x7fffffffu : ~key); }

// The key that the search runs over, and its digits from the highest: bfloat16 has half as many bits.
template <class T>
struct Key;

template <>
struct Key<float> {
  static constexpr int BITS = 32;
  static HIR_GPU uint32_t of(float x) { return ordered_bits(x); }
  static HIR_GPU float value(uint32_t key) { return from_ordered_bits(key); }
};

template <>
struct Key<bf16> {
  static constexpr int BITS = 16;
  static HIR_GPU uint32_t of(float x) { return ordered_bits(x) >> 16; }
  static HIR_GPU float value(uint32_t key) {
    // The lower half of a negative number's key is all ones.
    return from_ordered_bits(key << 16 | (key & 0x8000u ? 0u : 0xffffu));
  }
};

struct Shared {
  union {
    uint32_t counts[BINS];
    uint64_t masses[BINS];
  };
  ReducePlaces places;
  uint64_t sums[WARP];
  uint64_t rest;
  uint32_t bin;
  int found;
};

HIR_GPU uint32_t *bins(Shared &s, uint32_t) { return s.counts; }
HIR_GPU uint64_t *bins(Shared &s, uint64_t) { return s.masses; }

// The sum over the threads below this one; *total over all of them.
HIR_GPU uint64_t sum_below(uint64_t value, uint64_t *places, uint64_t *total) {
  const uint64_t running = warp_running_sum(value);
  if (lane() == WARP - 1) places[warp()] = running;
  barrier();
  uint64_t before = 0;
  *total = 0;
  for (int w = 0; w < warps(); w++) {
    if (w == warp()) before = *total;
    *total += places[w];
  }
  barrier();
  return before + running - value;
}

struct Cut {
  uint32_t key;
  uint64_t rest;  // weight that is wanted of the elements of that key
};

// The key such that keys above it weigh less than wanted, and together with keys equal to it at least as much.
// weight(i, x) is of type W; wanted(total) at least 1 and at most the total.
template <class W, class T, class Weight, class Wanted>
HIR_GPU Cut radix_search(const Row<T> &row, Shared &s, Weight weight, Wanted wanted) {
  Cut cut = {0, 0};
  W *const histogram = bins(s, W{});
  for (int left = Key<T>::BITS; left > 0;) {
    const int width = left < DIGIT ? left : DIGIT, shift = left - width, count = 1 << width;
    for (int i = thread(); i < count; i += threads()) histogram[i] = 0;
    barrier();
    for_each_vector(row, [&](int first, const auto &x) {
      constexpr int n = sizeof(x) / sizeof(float);
#pragma unroll
      for (int i = 0; i < n; i++) {
        const uint32_t key = Key<T>::of(x[i]);
        // The digits above this one are those of the cut. (Shifted in 64 bits: the first digit has none above it.)
        if (static_cast<uint64_t>(key) >> left != static_cast<uint64_t>(cut.key) >> left) continue;
        const W w = weight(first + i, x[i]);
        if (w > 0) atomic_add(&histogram[key >> shift & (count - 1)], w);
      }
    });
    barrier();
    // Threads take the bins from the highest, in order.
    const int share = (count + threads() - 1) / threads();
    const auto bin = [&](int i) { return count - 1 - (thread() * share + i); };
    uint64_t own = 0, total;
    for (int i = 0; i < share && bin(i) >= 0; i++) own += histogram[bin(i)];
    uint64_t above = sum_below(own, s.sums, &total);
    if (left == Key<T>::BITS) cut.rest = wanted(total);
    if (above < cut.rest && cut.rest <= above + own) {  // true for one thread
      int i = 0;
      for (; above + histogram[bin(i)] < cut.rest; i++) above += histogram[bin(i)];
      s.bin = static_cast<uint32_t>(bin(i));
      s.rest = cut.rest - above;
    }
    barrier();
    cut.key |= s.bin << shift;
    cut.rest = s.rest;
    left = shift;
    barrier();
  }
  return cut;
}

// The first element at which the running sum of weight(i, x) exceeds wanted(total); -1 when the total is 0.
template <class T, class Weight, class Wanted>
HIR_GPU int find(const Row<T> &row, Shared &s, Weight weight, Wanted wanted) {
  uint64_t mine = 0;
  for_each_vector(row, [&](int first, const auto &x) {
    constexpr int n = sizeof(x) / sizeof(float);
#pragma unroll
    for (int i = 0; i < n; i++) mine += weight(first + i, x[i]);
  });
  mine = warp_reduce(mine, Sum());
  if (lane() == 0) s.sums[warp()] = mine;
  if (thread() == 0) s.found = -1;
  barrier();
  uint64_t total = 0;
  for (int w = 0; w < warps(); w++) total += s.sums[w];
  uint64_t left = total == 0 ? 0 : wanted(total);
  int segment = 0;
  while (segment < warps() - 1 && s.sums[segment] <= left) left -= s.sums[segment++];
  barrier();
  if (total == 0) return -1;
  // Element by element, the whole block over the one segment.
  const int end = row.first_element(segment + 1);
  for (int start = row.first_element(segment); start < end; start += threads()) {
    const int i = start + thread();
    const uint64_t w = i < end ? weight(i, row.at(i)) : 0;
    uint64_t tile;
    const uint64_t before = sum_below(w, s.sums, &tile);
    if (before <= left && left < before + w) s.found = i;
    barrier();
    if (left < tile) break;
    left -= tile;
  }
  const int found = s.found;
  barrier();
  return found;
}

// The tokens that the filters keep: those with a key above `least`, and those equal to it up to `last`.
struct Filter {
  uint32_t least = 0;
  int last = INT32_MAX;
  float floor = 0;  // of the probability
  float top, scale, offset;

  HIR_GPU float probability(float x) const { return exp2_fast(max_nan(OnlineSoftmax::FLOOR, fmaf(x - top, scale, offset))); }

  template <class T>
  HIR_GPU uint64_t mass(int i, float x) const {
    const uint32_t key = Key<T>::of(x);
    if (key < least || (key == least && i > last)) return 0;
    const float p = probability(x);
    return p < floor ? 0 : static_cast<uint64_t>(p * MASS_ONE);
  }
};

template <class T>
struct Arguments {
  T *logits;
  int64_t cols, stride;
  Sampling sampling;
  uint64_t *faults;
};

template <class T>
HIR_GPU void keep_top_k(const Row<T> &row, Shared &s, uint64_t k, Filter &filter) {
  const Cut cut = radix_search<uint32_t>(row, s, [](int, float) { return 1u; }, [k](uint64_t) { return k; });
  filter.least = cut.key;
}

template <class T>
HIR_GPU void keep_top_p(const Row<T> &row, Shared &s, double top_p, Filter &filter) {
  const auto mass = [&filter](int i, float x) { return filter.template mass<T>(i, x); };
  const Cut cut = radix_search<uint64_t>(row, s, mass, [top_p](uint64_t total) {
    const uint64_t wanted = static_cast<uint64_t>(ceil(top_p * static_cast<double>(total)));
    return wanted < 1 ? 1 : wanted > total ? total : wanted;
  });
  // As many of the tokens at the cut as are needed, lower ids first.
  const uint64_t each = filter.template mass<T>(0, Key<T>::value(cut.key)), ties = (cut.rest + each - 1) / each;
  filter.last = find(
      row, s, [&cut](int, float x) { return uint64_t{Key<T>::of(x) == cut.key}; },
      [ties](uint64_t total) { return (ties < total ? ties : total) - 1; });
  filter.least = cut.key;
}

template <class T>
HIR_GPU int draw(const Row<T> &row, Shared &s, const Sampling &sampling, const RowSoftmax &softmax, float scale) {
  if (sampling.temperature == 0) {
    return find(
        row, s, [&softmax](int, float x) { return uint64_t{x == softmax.top}; }, [](uint64_t) { return uint64_t{0}; });
  }
  Filter filter;
  filter.top = softmax.top;
  filter.scale = scale;
  filter.offset = static_cast<float>(-softmax.log_sum);
  if (sampling.top_k > 0 && sampling.top_k < row.cols) keep_top_k(row, s, sampling.top_k, filter);
  if (sampling.top_p < 1) keep_top_p(row, s, sampling.top_p, filter);
  // Relative to the likeliest token, which no filter drops.
  if (sampling.min_p > 0) filter.floor = static_cast<float>(sampling.min_p) * filter.probability(softmax.top);
  const double uniform = philox_uniform(sampling.key, sampling.counters + 4 * block());
  return find(
      row, s, [&filter](int i, float x) { return filter.template mass<T>(i, x); },
      [uniform](uint64_t total) { return static_cast<uint64_t>(uniform * static_cast<double>(total)); });
}

template <class T>
HIR_KERNEL(MOST_THREADS, 1)
sample_kernel(Arguments<T> a) {
  Shared &s = *shared<Shared>();
  const Row<T> row(a.logits + block() * a.stride, a.cols);
  const double temperature = a.sampling.temperature > 0 ? a.sampling.temperature : 1.0;
  const float scale = static_cast<float>(LOG2E / temperature);
  const RowSoftmax softmax = row_softmax(row, scale, s.places);
  if (!softmax.valid) {
    if (thread() == 0) {
      report(a.faults, KernelId::SAMPLE, softmax.fault(), block());
      a.sampling.tokens[block()] = 0;  // a valid id, in case something reads it before the fault
      a.sampling.logprobs[block()] = NAN;
    }
    return;
  }
  const int token = draw(row, s, a.sampling, softmax, scale);
  if (thread() == 0) {
    a.sampling.tokens[block()] = token;
    a.sampling.logprobs[block()] = static_cast<float>(softmax.logprob(row.at(token), temperature));
  }
}

template <class T>
int32_t run(const Place &place, const Matrix &logits, const Sampling &sampling) {
  Call call("sample", place);
  const Arguments<T> arguments = {static_cast<T *>(logits.data), logits.cols, logits.stride, sampling, call.faults()};
  call.launch(sample_kernel<T>, logits.rows, row_threads(logits.cols * sizeof(T), MOST_THREADS), sizeof(Shared), arguments);
  return call.result();
}

struct PhiloxArguments {
  uint64_t key;
  const uint32_t *counters;
  int64_t count;
  uint32_t *out;
};

constexpr int PHILOX_THREADS = 256;

HIR_KERNEL(PHILOX_THREADS, 1)
philox_kernel(PhiloxArguments a) {
  const int64_t i = block() * threads() + thread();
  if (i < a.count) philox4x32(a.key, a.counters + 4 * i, a.out + 4 * i);
}

}  // namespace

int32_t sample(const Place &place, const Matrix &logits, const Sampling &sampling) {
  return logits.dtype == HIR_BFLOAT16 ? run<bf16>(place, logits, sampling) : run<float>(place, logits, sampling);
}

int32_t philox(const Place &place, uint64_t key, const uint32_t *counters, int64_t count, uint32_t *out) {
  Call call("philox", place);
  const PhiloxArguments arguments = {key, counters, count, out};
  call.launch(philox_kernel, (count + PHILOX_THREADS - 1) / PHILOX_THREADS, PHILOX_THREADS, 0, arguments);
  return call.result();
}

}  // namespace hir::HIR_DEVICE
