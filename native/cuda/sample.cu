// Draws one token per row: temperature, top-k, top-p, min-p, then inverse CDF in vocabulary order.
//
// scan_kernel reads the logits once, a warp for each segment of a row, so that few rows use the whole device, too; it
// leaves each segment's softmax and, for the filters, the largest logit of each lane. From these draw_kernel, one block
// per row, draws a segment and then a token inside it. With filters, filter_kernel finds a bound below which no token can
// stay, reads again only the lanes whose largest logit reaches it, and ranks these few candidates by comparing all pairs.
//
// If too many reach it, it searches the whole row for the logit at which top-k and top-p cut, digit by digit of its bits
// (a radix search): a histogram of the tokens, or of their mass, by digit shows which bin contains the cut. Masses are
// integers (48 binary places), so that their sums are exact and no result depends on the order in which threads add.
#include "call.h"
#include "hir_kernels.h"
#include "kernels_on_device.h"
#include "philox.h"
#include "row.h"

namespace hir::HIR_DEVICE {

namespace {

constexpr float MASS_ONE = 0x1p48f;
constexpr int DIGIT = 11, BINS = 1 << DIGIT;

constexpr int SCAN_THREADS = 256, DRAW_THREADS = 128, FILTER_THREADS = 256;
constexpr int PER_LANE = 8, SEGMENT = PER_LANE * WARP;  // vectors
constexpr int MOST_CANDIDATES = 1024, MOST_SHARES = 1024;
// Logits are binned by their distance from the largest one, in these parts of a factor of two of probability.
constexpr float FINE = 64.0f;

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

// A segment's largest logit, and the sum of 2^((x - top) * scale).
struct Segment {
  float top, sum;
};

// A token that the filters may keep.
struct Candidate {
  float logit;
  int id;
  uint64_t mass;
};

struct Reduce {
  float tops[WARP];
  uint64_t sums[WARP];
  double totals[WARP];
};

struct DrawShared {
  Reduce reduce;
  int segment;
  uint64_t rest, mass;
};

struct Shared {
  union {
    uint32_t counts[BINS];
    uint64_t masses[BINS];
    struct {
      Candidate candidates[MOST_CANDIDATES];
      uint64_t before[MOST_CANDIDATES];  // mass of those that rank higher
      uint32_t shares[MOST_SHARES];      // lanes that may hold candidates
    };
  };
  Reduce reduce;
  uint64_t rest;
  uint32_t bin, share_count, count;
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
    uint64_t above = sum_below(own, s.reduce.sums, &total);
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
  if (lane() == 0) s.reduce.sums[warp()] = mine;
  if (thread() == 0) s.found = -1;
  barrier();
  uint64_t total = 0;
  for (int w = 0; w < warps(); w++) total += s.reduce.sums[w];
  uint64_t left = total == 0 ? 0 : wanted(total);
  int segment = 0;
  while (segment < warps() - 1 && s.reduce.sums[segment] <= left) left -= s.reduce.sums[segment++];
  barrier();
  if (total == 0) return -1;
  // Element by element, the whole block over the one segment.
  const int end = row.first_element(segment + 1);
  for (int start = row.first_element(segment); start < end; start += threads()) {
    const int i = start + thread();
    const uint64_t w = i < end ? weight(i, row.at(i)) : 0;
    uint64_t tile;
    const uint64_t before = sum_below(w, s.reduce.sums, &tile);
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
HIR_GPU void keep_top_k(const Row<T> &row, Shared &s, uint64_t k, Filter &filter) {
  const Cut cut = radix_search<uint32_t>(row, s, [](int, float) { return 1u; }, [k](uint64_t) { return k; });
  filter.least = cut.key;
}

HIR_GPU uint64_t mass_to_keep(double top_p, uint64_t total) {
  const uint64_t wanted = static_cast<uint64_t>(ceil(top_p * static_cast<double>(total)));
  return wanted < 1 ? 1 : wanted > total ? total : wanted;
}

// `whole`: of all the row's mass, which is 1 but for rounding.
template <class T>
HIR_GPU void keep_top_p(const Row<T> &row, Shared &s, double top_p, bool whole, Filter &filter) {
  const auto mass = [&filter](int i, float x) { return filter.template mass<T>(i, x); };
  const Cut cut = radix_search<uint64_t>(row, s, mass, [top_p, whole](uint64_t total) {
    const uint64_t wanted = mass_to_keep(top_p, whole ? static_cast<uint64_t>(MASS_ONE) : total);
    return wanted < total ? wanted : total;
  });
  // As many of the tokens at the cut as are needed, lower ids first.
  const uint64_t each = filter.template mass<T>(0, Key<T>::value(cut.key)), ties = (cut.rest + each - 1) / each;
  filter.last = find(
      row, s, [&cut](int, float x) { return uint64_t{Key<T>::of(x) == cut.key}; },
      [ties](uint64_t total) { return (ties < total ? ties : total) - 1; });
  filter.least = cut.key;
}

// The larger the logit, the lower its bin; the last one takes the rest.
HIR_GPU int bin_of(float logit, float top, float scale) {
  const float distance = (top - logit) * scale * FINE;
  return distance < BINS - 1 ? static_cast<int>(distance) : BINS - 1;
}

template <class T>
struct Arguments {
  T *logits;
  int64_t cols, stride;
  Sampling sampling;
  int most_segments;  // of a row
  Segment *segments;  // [rows][most_segments]
  float *tops;        // [rows][most_segments][WARP]: of each lane; null without filters
  uint64_t *faults;

  HIR_GPU Row<T> row(int64_t r) const { return Row<T>(logits + r * stride, cols); }
  HIR_GPU bool by_rank() const { return sampling.top_k > 0 && sampling.top_k < cols; }
  HIR_GPU double temperature() const { return sampling.temperature > 0 ? sampling.temperature : 1.0; }
  HIR_GPU float scale() const { return static_cast<float>(LOG2E / temperature()); }
};

template <class T>
HIR_GPU int segments_of(const Row<T> &row) {
  const int count = (row.vectors + SEGMENT - 1) / SEGMENT;
  return count > 0 ? count : 1;
}

HIR_GPU Bits16 all_masked(float) { return bits16(0xff800000u, 0xff800000u, 0xff800000u, 0xff800000u); }
HIR_GPU Bits16 all_masked(bf16) { return bits16(0xff80ff80u, 0xff80ff80u, 0xff80ff80u, 0xff80ff80u); }

// All of a lane's loads are in flight at once.
template <class T>
HIR_KERNEL(SCAN_THREADS, 4)
scan_kernel(Arguments<T> a) {
  const unsigned blocks_per_row = static_cast<unsigned>((a.most_segments + warps() - 1) / warps());
  const unsigned r = static_cast<unsigned>(block()) / blocks_per_row;
  const int segment = static_cast<int>(static_cast<unsigned>(block()) % blocks_per_row) * warps() + warp();
  const Row<T> row = a.row(r);
  if (segment >= segments_of(row)) return;
  const float scale = a.scale();
  Bits16 bits[PER_LANE];
#pragma unroll
  for (int i = 0; i < PER_LANE; i++) {
    const int v = segment * SEGMENT + i * WARP + lane();
    bits[i] = v < row.vectors ? *row.vector(v) : all_masked(T());
  }
  const bool leads = segment == 0 && lane() < row.head;
  const bool trails = segment == segments_of(row) - 1 && lane() < row.tail;
  const float first = leads ? row.at(lane()) : -INFINITY;
  const float last = trails ? row.at(row.cols - row.tail + lane()) : -INFINITY;
  float mine = max_nan(first, last);
#pragma unroll
  for (int i = 0; i < PER_LANE; i++) {
    float x[LANES<T>];
    unpack(bits[i], x);
#pragma unroll
    for (int j = 0; j < LANES<T>; j++) mine = max_nan(mine, x[j]);
  }
  const float top = warp_reduce(mine, Max());
  float sum = 0;
  if (top != -INFINITY) {
    sum = exp2_fast((first - top) * scale) + exp2_fast((last - top) * scale);
#pragma unroll
    for (int i = 0; i < PER_LANE; i++) {
      float x[LANES<T>];
      renew(bits[i]);
      unpack(bits[i], x);
#pragma unroll
      for (int j = 0; j < LANES<T>; j++) sum += exp2_fast((x[j] - top) * scale);
    }
  }
  sum = warp_reduce(sum, Sum());
  const int64_t at = r * int64_t{a.most_segments} + segment;
  if (a.tops) a.tops[at * WARP + lane()] = mine;
  if (lane() == 0) a.segments[at] = {top, sum};
}

// The row's softmax, without its entropy; all threads get the same.
HIR_GPU RowSoftmax combine(const Segment *segments, int count, float scale, Reduce &places) {
  SoftmaxSum all;
  for (int i = thread(); i < count; i += threads()) all.top = max_nan(all.top, segments[i].top);
  all.top = block_reduce(all.top, -INFINITY, Max(), places.tops);
  if (all.top != -INFINITY) {
    for (int i = thread(); i < count; i += threads()) {
      all.sum += segments[i].sum * exp2_fast((segments[i].top - all.top) * scale);
    }
  }
  all.sum = block_reduce(all.sum, 0.0, Sum(), places.totals);
  return RowSoftmax(all);
}

template <class T>
HIR_GPU void fail_row(const Arguments<T> &a, const RowSoftmax &softmax) {
  if (thread() > 0) return;
  report(a.faults, KernelId::SAMPLE, softmax.fault(), block());
  a.sampling.tokens[block()] = 0;  // a valid id, in case something reads it before the fault
  a.sampling.logprobs[block()] = NAN;
}

template <class T>
HIR_GPU void write(const Arguments<T> &a, const RowSoftmax &softmax, int token, float logit) {
  a.sampling.tokens[block()] = token;
  a.sampling.logprobs[block()] = static_cast<float>(softmax.logprob(logit, a.temperature()));
}

// Without filters: draws a segment by its share of the softmax, then a token by its share of the segment.
template <class T>
HIR_KERNEL(DRAW_THREADS, 7)
draw_kernel(Arguments<T> a) {
  DrawShared &s = *shared<DrawShared>();
  const Row<T> row = a.row(block());
  const Segment *segments = a.segments + block() * a.most_segments;
  const int count = segments_of(row);
  const float scale = a.scale();
  const bool greedy = a.sampling.temperature == 0;
  const double uniform = greedy ? 0 : philox_uniform(a.sampling.key, a.sampling.counters + 4 * block());
  const RowSoftmax softmax = combine(segments, count, scale, s.reduce);
  if (!softmax.valid) return fail_row(a, softmax);

  const float offset = static_cast<float>(-softmax.log_sum);
  const auto share = [&](int i) {
    const Segment segment = segments[i];
    if (greedy) return uint64_t{segment.top == softmax.top};
    return static_cast<uint64_t>(segment.sum * exp2_fast(fmaf(segment.top - softmax.top, scale, offset)) * MASS_ONE);
  };
  const int each = (count + threads() - 1) / threads(), from = thread() * each;
  const int to = from + each < count ? from + each : count;
  uint64_t own = 0, total;
  for (int i = from; i < to; i++) own += share(i);
  uint64_t before = sum_below(own, s.reduce.sums, &total);
  const uint64_t left = static_cast<uint64_t>(uniform * static_cast<double>(total));
  if (before <= left && left < before + own) {  // true for one thread
    int i = from;
    for (; before + share(i) <= left; i++) before += share(i);
    s.segment = i;
    s.rest = left - before;
    s.mass = share(i);
  }
  barrier();

  constexpr int EACH = 2 * LANES<T> + 1;
  static_assert(EACH * DRAW_THREADS >= SEGMENT * LANES<T> + 2 * (LANES<T> - 1), "a segment and the row's ends");
  const float top = segments[s.segment].top;
  const int begin = s.segment == 0 ? 0 : row.head + s.segment * SEGMENT * LANES<T>;
  const int end = s.segment == count - 1 ? row.cols : row.head + (s.segment + 1) * SEGMENT * LANES<T>;
  const int first = begin + thread() * EACH;
  T there[EACH];  // loads without conditions are in flight together
#pragma unroll
  for (int i = 0; i < EACH; i++) there[i] = row.data[first + i < end ? first + i : end - 1];
  float x[EACH];
#pragma unroll
  for (int i = 0; i < EACH; i++) x[i] = first + i < end ? to_float(there[i]) : -INFINITY;
  const auto mass = [&](float logit) {
    return greedy ? uint64_t{logit == top} : static_cast<uint64_t>(exp2_fast((logit - top) * scale) * MASS_ONE);
  };
  own = 0;
#pragma unroll
  for (int i = 0; i < EACH; i++) own += mass(x[i]);
  before = sum_below(own, s.reduce.sums, &total);
  // The segment's largest logit has a mass of 2^48 here, so that rounding cannot make this as large as the total.
  const uint64_t wanted =
      static_cast<uint64_t>(static_cast<double>(s.rest) / static_cast<double>(s.mass) * static_cast<double>(total));
  if (before > wanted || wanted >= before + own) return;
#pragma unroll
  for (int i = 0; i < EACH; i++) {
    const uint64_t m = mass(x[i]);
    if (before <= wanted && wanted < before + m) write(a, softmax, first + i, x[i]);
    before += m;
  }
}

// Calls f(lane of the row, its largest logit) for this thread's share, 16 of them in flight.
template <class F>
HIR_GPU void for_each_top(const float *tops, int count, F f) {
  constexpr int IN_FLIGHT = 4, EACH = LANES<float>;
  const Bits16 *vectors = reinterpret_cast<const Bits16 *>(tops);
  for (int v = thread(); v < count / EACH; v += IN_FLIGHT * threads()) {
    Bits16 bits[IN_FLIGHT];
#pragma unroll
    for (int i = 0; i < IN_FLIGHT; i++) {
      const int at = v + i * threads();
      bits[i] = vectors[at < count / EACH ? at : v];
    }
#pragma unroll
    for (int i = 0; i < IN_FLIGHT; i++) {
      const int at = v + i * threads();
      if (at >= count / EACH) continue;
      float x[EACH];
      unpack(bits[i], x);
#pragma unroll
      for (int j = 0; j < EACH; j++) f(at * EACH + j, x[j]);
    }
  }
}

// The bins of the logits that the filters may keep, from 0 to this one.
template <class T>
HIR_GPU int last_bin(const Arguments<T> &a, const float *tops, int count, const RowSoftmax &softmax, float scale,
                     Shared &s) {
  const Sampling &p = a.sampling;
  double bound = BINS;
  // top-p after top-k refers to the mass of all that top-k kept.
  if (p.min_p > 0 && (!a.by_rank() || p.top_p >= 1)) bound = -log2(p.min_p) * FINE;
  if (p.top_p < 1 && !a.by_rank()) {
    // Those less likely than (1 - top_p) / cols weigh less than 1 - top_p together.
    const double by_mass = (-softmax.log_sum - log2((1 - p.top_p) / static_cast<double>(a.cols))) * FINE;
    if (by_mass < bound) bound = by_mass;
  }
  // One more for what rounds.
  int last = bound < BINS - 2 ? static_cast<int>(bound) + 1 : BINS - 1;
  if (a.by_rank()) {
    // The k-th largest of the lanes' largest logits, and so k logits of the row, are in these bins.
    const uint64_t k = static_cast<uint64_t>(p.top_k);
    for (int i = thread(); i < BINS; i += threads()) s.counts[i] = 0;
    if (thread() == 0) s.bin = BINS - 1;
    barrier();
    for_each_top(tops, count, [&](int, float top) { atomic_add(&s.counts[bin_of(top, softmax.top, scale)], 1u); });
    barrier();
    const int share = BINS / threads(), first = thread() * share;
    uint64_t own = 0, total;
    for (int i = 0; i < share; i++) own += s.counts[first + i];
    uint64_t before = sum_below(own, s.reduce.sums, &total);
    if (before < k && k <= before + own) {
      int i = first;
      for (; before + s.counts[i] < k; i++) before += s.counts[i];
      s.bin = static_cast<uint32_t>(i);
    }
    barrier();
    last = last < static_cast<int>(s.bin) ? last : static_cast<int>(s.bin);
    barrier();
  }
  return last;
}

// Leaves the row's logits in bins up to `last` in s.candidates, in no particular order. False if they are too many.
template <class T>
HIR_GPU bool gather(const Row<T> &row, const float *tops, int count, float top, float scale, int last, Shared &s) {
  if (thread() == 0) s.share_count = s.count = 0;
  barrier();
  for_each_top(tops, count, [&](int i, float x) {
    if (bin_of(x, top, scale) > last) return;
    const uint32_t at = fetch_add(&s.share_count, 1);
    if (at < MOST_SHARES) s.shares[at] = static_cast<uint32_t>(i);
  });
  barrier();
  if (s.share_count > MOST_SHARES) return false;
  const auto take = [&](int id, float x) {
    if (bin_of(x, top, scale) > last) return;
    const uint32_t at = fetch_add(&s.count, 1);
    if (at < MOST_CANDIDATES) s.candidates[at] = {x, id, 0};
  };
  for (int i = thread() / PER_LANE; i < static_cast<int>(s.share_count); i += threads() / PER_LANE) {
    const int of = static_cast<int>(s.shares[i]);
    const int v = of / WARP * SEGMENT + thread() % PER_LANE * WARP + of % WARP;
    if (v >= row.vectors) continue;
    float x[LANES<T>];
    unpack(*row.vector(v), x);
#pragma unroll
    for (int j = 0; j < LANES<T>; j++) take(row.head + v * LANES<T> + j, x[j]);
  }
  if (thread() < row.head) take(thread(), row.at(thread()));
  if (thread() < row.tail) take(row.cols - row.tail + thread(), row.at(row.cols - row.tail + thread()));
  barrier();
  return s.count <= MOST_CANDIDATES;
}

// Among the candidates: the thread that holds the token drawn writes it.
template <class T>
HIR_GPU void draw_candidate(const Arguments<T> &a, const RowSoftmax &softmax, const Filter &filter, double uniform,
                            Shared &s) {
  const Sampling &p = a.sampling;
  const int count = static_cast<int>(s.count);
  for (int i = thread(); i < count; i += threads()) {
    s.candidates[i].mass = static_cast<uint64_t>(filter.probability(s.candidates[i].logit) * MASS_ONE);
  }
  barrier();
  // Ranked by logit, then id. Ties of the k-th stay, too.
  uint64_t mine = 0;
  for (int i = thread(); i < count; i += threads()) {
    const Candidate own = s.candidates[i];
    int64_t greater = 0;
    uint64_t before = 0;
    for (int j = 0; j < count; j++) {
      const Candidate other = s.candidates[j];
      greater += other.logit > own.logit;
      if (other.logit > own.logit || (other.logit == own.logit && other.id < own.id)) before += other.mass;
    }
    const bool stays = !a.by_rank() || greater < p.top_k;
    s.before[i] = stays ? before : ~uint64_t{0};
    if (stays) mine += own.mass;
  }
  uint64_t total = block_reduce(mine, uint64_t{0}, Sum(), s.reduce.sums);
  if (!a.by_rank()) total = static_cast<uint64_t>(MASS_ONE);
  const uint64_t kept = p.top_p < 1 ? mass_to_keep(p.top_p, total) : ~uint64_t{0};
  mine = 0;
  for (int i = thread(); i < count; i += threads()) {
    Candidate &own = s.candidates[i];
    if (s.before[i] >= kept || filter.probability(own.logit) < filter.floor) own.mass = 0;
    mine += own.mass;
  }
  total = block_reduce(mine, uint64_t{0}, Sum(), s.reduce.sums);
  const uint64_t wanted = static_cast<uint64_t>(uniform * static_cast<double>(total));
  for (int i = thread(); i < count; i += threads()) {
    const Candidate own = s.candidates[i];
    uint64_t before = 0;
    for (int j = 0; j < count; j++) {
      if (s.candidates[j].id < own.id) before += s.candidates[j].mass;
    }
    if (before <= wanted && wanted < before + own.mass) write(a, softmax, own.id, own.logit);
  }
}

template <class T>
HIR_KERNEL(FILTER_THREADS, 3)
filter_kernel(Arguments<T> a) {
  Shared &s = *shared<Shared>();
  const Row<T> row = a.row(block());
  const Sampling &p = a.sampling;
  const int count = segments_of(row);
  const float *tops = a.tops + block() * a.most_segments * WARP;
  const float scale = a.scale();
  const RowSoftmax softmax = combine(a.segments + block() * a.most_segments, count, scale, s.reduce);
  if (!softmax.valid) return fail_row(a, softmax);
  Filter filter;
  filter.top = softmax.top;
  filter.scale = scale;
  filter.offset = static_cast<float>(-softmax.log_sum);
  // Relative to the likeliest token, which no filter drops.
  const float floor = p.min_p > 0 ? static_cast<float>(p.min_p) * filter.probability(softmax.top) : 0.0f;
  const double uniform = philox_uniform(p.key, p.counters + 4 * block());

  const int last = last_bin(a, tops, count * WARP, softmax, scale, s);
  if (gather(row, tops, count * WARP, softmax.top, scale, last, s)) {
    filter.floor = floor;
    draw_candidate(a, softmax, filter, uniform, s);
    return;
  }
  barrier();
  if (a.by_rank()) keep_top_k(row, s, static_cast<uint64_t>(p.top_k), filter);
  if (p.top_p < 1) keep_top_p(row, s, p.top_p, !a.by_rank(), filter);
  filter.floor = floor;
  const int token = find(
      row, s, [&filter](int i, float x) { return filter.template mass<T>(i, x); },
      [uniform](uint64_t total) { return static_cast<uint64_t>(uniform * static_cast<double>(total)); });
  if (thread() == 0) write(a, softmax, token, row.at(token));
}

template <class T>
int32_t run(const Place &place, const Matrix &logits, const Sampling &sampling) {
  Call call("sample", place);
  const bool filtered = sampling.temperature > 0 &&
                        ((sampling.top_k > 0 && sampling.top_k < logits.cols) || sampling.top_p < 1 || sampling.min_p > 0);
  const int64_t vectors = logits.cols / LANES<T>, segments = vectors > 0 ? (vectors + SEGMENT - 1) / SEGMENT : 1;
  const size_t count = static_cast<size_t>(logits.rows * segments);
  Segment *const sums = static_cast<Segment *>(call.scratch(count * sizeof(Segment)));
  float *const tops = filtered ? static_cast<float *>(call.scratch(count * WARP * sizeof(float))) : nullptr;
  const Arguments<T> arguments = {static_cast<T *>(logits.data), logits.cols, logits.stride, sampling,
                                  static_cast<int>(segments),    sums,        tops,          call.faults()};
  const int warps = segments < SCAN_THREADS / WARP ? static_cast<int>(segments) : SCAN_THREADS / WARP;
  call.launch(scan_kernel<T>, logits.rows * ((segments + warps - 1) / warps), warps * WARP, 0, arguments);
  if (filtered) {
    call.launch(filter_kernel<T>, logits.rows, FILTER_THREADS, sizeof(Shared), arguments);
  } else {
    call.launch(draw_kernel<T>, logits.rows, DRAW_THREADS, sizeof(DrawShared), arguments);
  }
  return call.result();
}

}  // namespace

int32_t sample(const Place &place, const Matrix &logits, const Sampling &sampling) {
  return logits.dtype == HIR_BFLOAT16 ? run<bf16>(place, logits, sampling) : run<float>(place, logits, sampling);
}

}  // namespace hir::HIR_DEVICE
