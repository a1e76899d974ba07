// The attention of a decode step (decode_kernels.h), from the product's queries, keys and values to the mixed values.
//
// Reading the cached keys and values takes all the time, so the kernel is built around their loads. A warp reads the
// keys and values of a few slots in loads of 16 bytes a lane, neighbouring lanes neighbouring vectors, all of them under
// way before the first is used; meanwhile the block's warps prepare the queries. Every read serves all query heads of
// the key-value head. A block's slots are fixed, so that a row's result does not depend on its batch; of the blocks of
// a row and key-value head the last one to end combines them, in their order.
#include "decode_kernels.h"

#include "pass_kernels.h"
#include "row.h"

namespace hir::HIR_DEVICE {

namespace {

constexpr int THREADS = ATTEND_WARPS * WARP;

// What a warp reads and computes: KEY_LANES lanes hold a key (and a value), each VECTORS vectors of it; QUERIES heads of
// queries are served at a time.
template <class T, int KEY_LANES, int VECTORS, int QUERIES>
struct Tile {
  static constexpr int KEYS = WARP / KEY_LANES;           // of a load
  static constexpr int LOADS = ATTEND_VECTORS / VECTORS;  // of a lane
  static constexpr int SLOTS = KEYS * LOADS, SPLIT = ATTEND_WARPS * SLOTS;
  // A group of KEY_LANES lanes has SCORES scores, numbered load * QUERIES + query. Once summed they are spread over its
  // lanes: HELD for each lane, or each for COPIES lanes.
  static constexpr int SCORES = LOADS * QUERIES;
  static constexpr int HELD = SCORES > KEY_LANES ? SCORES / KEY_LANES : 1;
  static constexpr int COPIES = KEY_LANES > SCORES ? KEY_LANES / SCORES : 1;
  // Elements of a lane in each half of a head.
  static constexpr int PAIRS = KEY_LANES * VECTORS * LANES<T> > 2 * WARP ? KEY_LANES * VECTORS * LANES<T> / (2 * WARP) : 1;
};

// Beside this in shared memory: the queries [QUERIES][head_dim], the newest key and value of type T [2][head_dim], the
// warps' sums [ATTEND_WARPS][QUERIES][head_dim].
template <class S>
struct alignas(VECTOR_BYTES) AttendShared {
  float weights[ATTEND_WARPS][S::KEYS][S::SCORES];
  float tops[ATTEND_WARPS][S::SCORES / S::LOADS], totals[ATTEND_WARPS][S::SCORES / S::LOADS];
  bool last;
};

// A lane's elements of a head of queries, keys or values: lane + WARP i of its lower and its upper half.
template <class T, int PAIRS>
struct HeadPart {
  float low[PAIRS], high[PAIRS], cosines[PAIRS], sines[PAIRS];
  T low_bias[PAIRS], high_bias[PAIRS], low_norm[PAIRS], high_norm[PAIRS];

  HIR_GPU void load(const AttendArguments<T> &a, int64_t row, int64_t head, const T *norm, int position) {
    const int dim = static_cast<int>(a.shape.head_dim), half = dim / 2;
    const float *x = a.qkv + row * a.shape.qkv_size() + head * dim;
    const float *cosine = a.cosines + static_cast<int64_t>(position) * half;
    const float *sine = a.sines + static_cast<int64_t>(position) * half;
    for_each(half, [&](int p, int i) {
      low[p] = x[i];
      high[p] = x[i + half];
      cosines[p] = cosine[i];
      sines[p] = sine[i];
    });
    if (a.bias) load(a.bias + head * dim, half, low_bias, high_bias);
    if (norm) load(norm, half, low_norm, high_norm);
  }

  HIR_GPU void add_bias() {
#pragma unroll
    for (int p = 0; p < PAIRS; p++) {
      low[p] += to_float(low_bias[p]);
      high[p] += to_float(high_bias[p]);
    }
  }

  HIR_GPU void normalise(int dim, float epsilon) {
    float sum = 0;
#pragma unroll
    for (int p = 0; p < PAIRS; p++) sum = fmaf(low[p], low[p], fmaf(high[p], high[p], sum));
    const float scale = 1.0f / sqrtf(warp_reduce(sum, Sum()) / static_cast<float>(dim) + epsilon);
#pragma unroll
    for (int p = 0; p < PAIRS; p++) {
      low[p] *= scale * to_float(low_norm[p]);
      high[p] *= scale * to_float(high_norm[p]);
    }
  }

  HIR_GPU void rotate() {
#pragma unroll
    for (int p = 0; p < PAIRS; p++) {
      const float first = low[p] * cosines[p] - high[p] * sines[p], second = high[p] * cosines[p] + low[p] * sines[p];
      low[p] = first;
      high[p] = second;
    }
  }

  template <class V>
  HIR_GPU void store(V *to, int half, float factor) const {
    for_each(half, [&](int p, int i) {
      put(to + i, low[p] * factor);
      put(to + i + half, high[p] * factor);
    });
  }

 private:
  // Elements that there are not stay 0.
  template <class F>
  HIR_GPU static void for_each(int half, F f) {
#pragma unroll
    for (int p = 0; p < PAIRS; p++) {
      if (lane() + p * WARP < half) f(p, lane() + p * WARP);
    }
  }

  HIR_GPU static void load(const T *from, int half, T (&below)[PAIRS], T (&above)[PAIRS]) {
    for_each(half, [&](int p, int i) {
      below[p] = from[i];
      above[p] = from[i + half];
    });
  }
};

// Sums each of the scores over GROUP lanes. Every step halves the scores that a lane goes on with: it gives away one
// half and gets its neighbour's part of the other.
template <int GROUP, int COUNT, int SIZE>
HIR_GPU void sum_scores(float (&score)[SIZE]) {
  if constexpr (GROUP > 1) {
    constexpr int OTHER = GROUP / 2, HALF = COUNT / 2;
    if constexpr (HALF > 0) {
      const bool upper = lane() & OTHER;
#pragma unroll
      for (int j = 0; j < HALF; j++) {
        const float low = score[j], high = score[j + HALF];
        score[j] = (upper ? high : low) + shuffle_xor(upper ? low : high, OTHER);
      }
      sum_scores<OTHER, HALF>(score);
    } else {
      score[0] += shuffle_xor(score[0], OTHER);
      sum_scores<OTHER, COUNT>(score);
    }
  }
}

// Elements PART * 4 to PART * 4 + 3 of a vector.
template <int PART>
HIR_GPU void unpack_part(const Bits16 &bits, float (&x)[4], bf16) {
  const uint32_t first = PART == 0 ? bits.x : bits.z, second = PART == 0 ? bits.y : bits.w;
  x[0] = as_float(first << 16);
  x[1] = as_float(first & 0xffff0000u);
  x[2] = as_float(second << 16);
  x[3] = as_float(second & 0xffff0000u);
}

template <int PART>
HIR_GPU void unpack_part(const Bits16 &bits, float (&x)[4], float) {
  unpack(bits, x);
}

// Adds to the scores the products of a quarter or half of each vector: so few of the queries' registers are in use.
template <class T, class S, int QUERIES, int PART, int VECTORS>
HIR_GPU void add_scores(const Bits16 (&keys)[S::LOADS][VECTORS], int n, const float *queries, int count, int dim, int v,
                        int vectors, float (&score)[S::SCORES]) {
  float query[QUERIES][4];
#pragma unroll
  for (int q = 0; q < QUERIES; q++) {
    Bits16 bits = bits16(0, 0, 0, 0);
    if (q < count && v < vectors) bits = *reinterpret_cast<const Bits16 *>(queries + q * dim + v * LANES<T> + PART * 4);
    unpack(bits, query[q]);
  }
#pragma unroll
  for (int i = 0; i < S::LOADS; i++) {
    float x[4];
    unpack_part<PART>(keys[i][n], x, T());
#pragma unroll
    for (int q = 0; q < QUERIES; q++) {
#pragma unroll
      for (int l = 0; l < 4; l++) score[i * QUERIES + q] = fmaf(x[l], query[q][l], score[i * QUERIES + q]);
    }
  }
}

// Four elements of a head's mixed values, not yet divided by the sum of their weights. These are relative to `top`.
struct Mixed {
  float top = -INFINITY, total = 0, sum[4] = {};

  // `higher` is at least as high as all that was added.
  HIR_GPU void raise(float higher) {
    const float factor = exp2_fast(top - higher);
    total *= factor;
#pragma unroll
    for (int i = 0; i < 4; i++) sum[i] *= factor;
    top = higher;
  }

  // Adds what is relative to another maximum, at most `top`.
  HIR_GPU void add(float other, float weights, const Bits16 &part) {
    const float factor = exp2_fast(other - top);
    float x[4];
    unpack(part, x);
    total = fmaf(factor, weights, total);
#pragma unroll
    for (int i = 0; i < 4; i++) sum[i] = fmaf(factor, x[i], sum[i]);
  }
};

HIR_GPU void put(float *to, const Mixed &m) {
  const float x[4] = {m.sum[0] / m.total, m.sum[1] / m.total, m.sum[2] / m.total, m.sum[3] / m.total};
  *reinterpret_cast<Bits16 *>(to) = pack(x);
}

HIR_GPU void put(bf16 *to, const Mixed &m) {
  const uint64_t low = pack_bf16(m.sum[0] / m.total, m.sum[1] / m.total);
  const uint64_t high = pack_bf16(m.sum[2] / m.total, m.sum[3] / m.total);
  *reinterpret_cast<uint64_t *>(to) = low | high << 32;
}

// One block per split, key-value head, row and QUERIES of the heads that share it, in this order: rows with the same
// prompt read its pages at the same time.
template <class T, int KEY_LANES, int VECTORS, int QUERIES, bool WHOLE>
HIR_KERNEL(THREADS, 2)
attend_kernel(AttendArguments<T> a) {
  start_next();
  using S = Tile<T, KEY_LANES, VECTORS, QUERIES>;
  const ModelShape &s = a.shape;
  const uint32_t rows = static_cast<uint32_t>(a.rows), kv_heads = static_cast<uint32_t>(s.kv_heads);
  const uint32_t groups = static_cast<uint32_t>(a.groups), index = static_cast<uint32_t>(block());
  const uint32_t row = index / groups % rows, pair = index / groups / rows;
  const int kv = static_cast<int>(pair % kv_heads), split = static_cast<int>(pair / kv_heads);
  const int group = static_cast<int>(index % groups);
  const int count = a.share - group * QUERIES < QUERIES ? a.share - group * QUERIES : QUERIES;
  const int64_t head = kv * a.share + group * QUERIES;  // the first of the block's queries
  // A head that fills its lanes has a size known to the compiler.
  const int dim = WHOLE ? KEY_LANES * VECTORS * LANES<T> : static_cast<int>(s.head_dim), vectors = dim / LANES<T>;
  const int position = a.positions[row], first = split * S::SPLIT + warp() * S::SLOTS;
  // Loaded beside the position: where the row has no such page, it is not used.
  const T *const page = first / PAGE < a.page_stride ? a.pages[row * a.page_stride + first / PAGE] : nullptr;
  const int oldest = static_cast<int>(Sight::of(a.window, position).from);  // the first slot that the row sees
  if (split * S::SPLIT > position || (split + 1) * S::SPLIT <= oldest) return;
  const bool newest = position < (split + 1) * S::SPLIT;  // the block that has the newest slot
  const bool busy = first <= position && first + S::SLOTS > oldest;
  const int in_key = lane() % KEY_LANES, of_load = lane() / KEY_LANES;

  AttendShared<S> &memory = *shared<AttendShared<S>>();
  float *queries = reinterpret_cast<float *>(&memory + 1), *sums = queries + QUERIES * dim;
  T *added = reinterpret_cast<T *>(sums + ATTEND_WARPS * QUERIES * dim);

  Bits16 keys[S::LOADS][VECTORS], values[S::LOADS][VECTORS];
  if (busy) {
    const Bits16 *from = reinterpret_cast<const Bits16 *>(cell(s, page, a.layer, kv, false, first + of_load)) + in_key;
#pragma unroll
    for (int i = 0; i < S::LOADS; i++) {
#pragma unroll
      for (int n = 0; n < VECTORS; n++) {
        const int slot = first + i * S::KEYS + of_load;
        const bool there = slot >= oldest && slot < position && in_key + n * KEY_LANES < vectors;
        keys[i][n] = load_once(from + i * S::KEYS * vectors + n * KEY_LANES, there);
      }
    }
  }

  // Keys of earlier steps do not depend on the kernel before, but the new token's queries do.
  wait_for_previous();
  // The heads that the block prepares: its queries and, if it has the newest slot, that slot's key and value.
  const int prepared = count + (newest ? 2 : 0);
  HeadPart<T, S::PAIRS> part = {};
  if (warp() < prepared) {
    const int64_t from = warp() < count ? head + warp() : s.heads + kv + (warp() > count ? s.kv_heads : 0);
    part.load(a, row, from, warp() < count ? a.query_norm : warp() == count ? a.key_norm : nullptr, position);
  }

  if (busy) {
    const Bits16 *from = reinterpret_cast<const Bits16 *>(cell(s, page, a.layer, kv, true, first + of_load)) + in_key;
#pragma unroll
    for (int i = 0; i < S::LOADS; i++) {
#pragma unroll
      for (int n = 0; n < VECTORS; n++) {
        const int slot = first + i * S::KEYS + of_load;
        const bool there = slot >= oldest && slot < position && in_key + n * KEY_LANES < vectors;
        values[i][n] = load_once(from + i * S::KEYS * vectors + n * KEY_LANES, there);
      }
    }
  }

  if (warp() < prepared && a.bias) part.add_bias();
  if (warp() <= count && warp() < prepared) {
    if (warp() < count ? a.query_norm : a.key_norm) part.normalise(dim, s.norm_epsilon);
    part.rotate();
  }
  if (warp() < count) {
    // The softmax's scale and its change to base 2 go into the queries.
    part.store(queries + warp() * dim, dim / 2, a.factor);
  } else if (warp() < prepared) {
    const bool value = warp() > count;
    part.store(added + value * dim, dim / 2, 1.0f);
    T *const newest_page = a.pages[row * a.page_stride + position / PAGE];
    if (group == 0) part.store(cell(s, newest_page, a.layer, kv, value, position), dim / 2, 1.0f);
  }
  barrier();
  if (newest && busy) {
#pragma unroll
    for (int i = 0; i < S::LOADS; i++) {
#pragma unroll
      for (int n = 0; n < VECTORS; n++) {
        const int v = in_key + n * KEY_LANES;
        if (first + i * S::KEYS + of_load != position || v >= vectors) continue;
        keys[i][n] = reinterpret_cast<const Bits16 *>(added)[v];
        values[i][n] = reinterpret_cast<const Bits16 *>(added)[vectors + v];
      }
    }
  }

  const int start = oldest / S::SPLIT, used = position / S::SPLIT + 1 - start;  // the row's first block, and how many
  const int left = (position - split * S::SPLIT) / S::SLOTS + 1, active = left < ATTEND_WARPS ? left : ATTEND_WARPS;
  const int idle = oldest > split * S::SPLIT ? (oldest - split * S::SPLIT) / S::SLOTS : 0;  // warps before the window
  if (busy) {
    float score[S::SCORES] = {};
#pragma unroll
    for (int n = 0; n < VECTORS; n++) {
      add_scores<T, S, QUERIES, 0>(keys, n, queries, count, dim, in_key + n * KEY_LANES, vectors, score);
      if constexpr (LANES<T> > 4) {
        add_scores<T, S, QUERIES, 1>(keys, n, queries, count, dim, in_key + n * KEY_LANES, vectors, score);
      }
    }
    sum_scores<KEY_LANES, S::SCORES>(score);

    // The weights, relative to the warp's maximum. The lanes of a query differ in the higher bits of their numbers.
    constexpr int NEXT = S::COPIES * (S::HELD < QUERIES ? QUERIES / S::HELD : 1);
    const int held = in_key / S::COPIES * S::HELD;  // the number of the lane's first score
#pragma unroll
    for (int j = 0; j < S::HELD; j++) {
      const int slot = first + (held + j) / QUERIES * S::KEYS + of_load;
      const bool here = slot >= oldest && slot <= position;
      float top = here ? score[j] : -INFINITY;
#pragma unroll
      for (int lanes = NEXT; lanes < WARP; lanes *= 2) top = max_nan(top, shuffle_xor(top, lanes));
      const float weight = here ? exp2_fast(score[j] - top) : 0.0f;
      float total = weight;
#pragma unroll
      for (int lanes = NEXT; lanes < WARP; lanes *= 2) total += shuffle_xor(total, lanes);
      if (in_key % S::COPIES == 0) {
        memory.weights[warp()][of_load][held + j] = weight;
        if (of_load == 0 && held + j < QUERIES) {
          memory.tops[warp()][held + j] = top;
          memory.totals[warp()][held + j] = total;
        }
      }
    }
    warp_barrier();

    float mixed[VECTORS][QUERIES][LANES<T>] = {};
#pragma unroll
    for (int i = 0; i < S::LOADS; i++) {
      float weight[QUERIES];
#pragma unroll
      for (int q = 0; q < QUERIES; q++) weight[q] = memory.weights[warp()][of_load][i * QUERIES + q];
#pragma unroll
      for (int n = 0; n < VECTORS; n++) {
        float x[LANES<T>];
        unpack(values[i][n], x);
#pragma unroll
        for (int q = 0; q < QUERIES; q++) {
#pragma unroll
          for (int l = 0; l < LANES<T>; l++) mixed[n][q][l] = fmaf(weight[q], x[l], mixed[n][q][l]);
        }
      }
    }
#pragma unroll
    for (int n = 0; n < VECTORS; n++) {
      const int v = in_key + n * KEY_LANES;
#pragma unroll
      for (int q = 0; q < QUERIES; q++) {
#pragma unroll
        for (int l = 0; l < LANES<T>; l++) {
#pragma unroll
          for (int lanes = KEY_LANES; lanes < WARP; lanes *= 2) mixed[n][q][l] += shuffle_xor(mixed[n][q][l], lanes);
        }
        if (of_load > 0 || v >= vectors) continue;
        Bits16 *to = reinterpret_cast<Bits16 *>(sums + (warp() * QUERIES + q) * dim + v * LANES<T>);
#pragma unroll
        for (int l = 0; l < LANES<T>; l += 4) {
          to[l / 4] = bits16(as_bits(mixed[n][q][l]), as_bits(mixed[n][q][l + 1]), as_bits(mixed[n][q][l + 2]),
                             as_bits(mixed[n][q][l + 3]));
        }
      }
    }
  }
  barrier();
  // Four elements of a head for each thread.
  for (int i = thread() * 4; i < count * dim; i += THREADS * 4) {
    const int q = i / dim, d = i % dim;
    Mixed mixed;
#pragma unroll
    for (int w = 0; w < ATTEND_WARPS; w++) {
      if (w >= idle && w < active) mixed.top = max_nan(mixed.top, memory.tops[w][q]);
    }
#pragma unroll
    for (int w = 0; w < ATTEND_WARPS; w++) {
      if (w < idle || w >= active) continue;
      const Bits16 part = *reinterpret_cast<const Bits16 *>(sums + (w * QUERIES + q) * dim + d);
      mixed.add(memory.tops[w][q], memory.totals[w][q], part);
    }
    if (used == 1) {
      put(a.mixed + (row * s.heads + head) * dim + i, mixed);
    } else {
      const int64_t at = (row * s.heads + head + q) * a.splits + split;
      store_fresh(reinterpret_cast<Bits16 *>(a.partial + at * dim + d), pack(mixed.sum));
      if (d == 0) {
        a.ends[2 * at] = mixed.top;
        a.ends[2 * at + 1] = mixed.total;
      }
    }
  }
  if (used == 1) return;

  barrier();
  if (thread() == 0) memory.last = last_to_come(a.arrived + row * s.heads + head, used);
  barrier();
  if (!memory.last) return;
  constexpr int IN_FLIGHT = 8;
  for (int i = thread() * 4; i < count * dim; i += THREADS * 4) {
    const int64_t at = (row * s.heads + head + i / dim) * a.splits + start;
    const int d = i % dim;
    Mixed mixed;
    for (int from = 0; from < used; from += IN_FLIGHT) {
      float tops[IN_FLIGHT], totals[IN_FLIGHT];
      Bits16 parts[IN_FLIGHT];
#pragma unroll
      for (int j = 0; j < IN_FLIGHT; j++) {
        const bool there = from + j < used;
        tops[j] = there ? load_fresh(a.ends + 2 * (at + from + j)) : -INFINITY;
        totals[j] = there ? load_fresh(a.ends + 2 * (at + from + j) + 1) : 0.0f;
        parts[j] = bits16(0, 0, 0, 0);
        if (there) parts[j] = load_fresh(reinterpret_cast<const Bits16 *>(a.partial + (at + from + j) * dim + d));
      }
      float top = mixed.top;
#pragma unroll
      for (int j = 0; j < IN_FLIGHT; j++) top = max_nan(top, tops[j]);
      mixed.raise(top);
#pragma unroll
      for (int j = 0; j < IN_FLIGHT; j++) mixed.add(tops[j], totals[j], parts[j]);
    }
    put(a.mixed + (row * s.heads + head) * dim + i, mixed);
  }
}

template <class T, int KEY_LANES, int VECTORS, int QUERIES>
void launch(Call &call, AttendArguments<T> a) {
  using S = Tile<T, KEY_LANES, VECTORS, QUERIES>;
  const size_t dim = static_cast<size_t>(a.shape.head_dim);
  const size_t bytes = sizeof(AttendShared<S>) + sizeof(float) * (1 + ATTEND_WARPS) * QUERIES * dim + 2 * sizeof(T) * dim;
  a.groups = (a.share + QUERIES - 1) / QUERIES;
  const int64_t blocks = a.rows * a.groups * a.shape.kv_heads * a.splits;
  if constexpr (sizeof(T) == 2) {
    if (a.shape.head_dim == KEY_LANES * LANES<T>) {
      return call.launch(attend_kernel<T, KEY_LANES, VECTORS, QUERIES, true>, blocks, THREADS, bytes, a);
    }
  }
  call.launch(attend_kernel<T, KEY_LANES, VECTORS, QUERIES, false>, blocks, THREADS, bytes, a);
}

// Few sizes of tiles: smaller heads leave lanes idle. Heads have at most 256 elements (model.cu).
template <class T, int QUERIES>
void launch(Call &call, const AttendArguments<T> &a) {
  switch (key_vectors<T>(a.shape)) {
    case 8: return launch<T, 8, 1, QUERIES>(call, a);
    case 16: return launch<T, 16, 1, QUERIES>(call, a);
    case 32: return launch<T, 32, 1, QUERIES>(call, a);
    default:
      if constexpr (sizeof(T) == 4) launch<T, 32, 2, QUERIES>(call, a);
  }
}

}  // namespace

template <class T>
void attend(Call &call, const AttendArguments<T> &arguments) {
  AttendArguments<T> a = arguments;
  a.share = static_cast<int32_t>(a.shape.heads / a.shape.kv_heads);
  a.factor = static_cast<float>(LOG2E / sqrt(static_cast<double>(a.shape.head_dim)));
  a.ends = a.partial + a.rows * a.shape.heads * a.splits * a.shape.head_dim;
  if constexpr (sizeof(T) == 2) {
    if (a.share > 2) return launch<T, 4>(call, a);
  }
  launch<T, 2>(call, a);
}

template void attend(Call &, const AttendArguments<float> &);
template void attend(Call &, const AttendArguments<bf16> &);

}  // namespace hir::HIR_DEVICE
