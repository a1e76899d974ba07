// Queries, keys and values of packed tokens: bias, norm, rotation and the slots of keys and values, forward and
// backward. A group of lanes takes a head: each has 16 bytes of its first half and those of its second half that rotation
// pairs with them. A block takes all heads of a few tokens, one token after the other.
#include "pass_kernels.h"
#include "row.h"

namespace hir::HIR_DEVICE {

namespace {

constexpr int MOST_THREADS = 256;
constexpr int64_t FORWARD_TOKENS = 4;
// Slots of a token whose gradients are loaded at once.
constexpr int IN_FLIGHT = 2;

template <class A>
struct Grouped {
  A a;
  int lanes;  // of a group: a power of two
};

// A lane's part of a head: `count` elements of each half from `at` on; none in groups and lanes that are left over.
template <class T>
struct Part {
  int head, at, count, kv;
  bool query, value, normed;

  HIR_GPU Part(const HeadsArguments<T> &a, int head, int lanes) : head(head) {
    const int queries = static_cast<int>(a.shape.heads), keys = static_cast<int>(a.shape.kv_heads);
    at = thread() % lanes * LANES<T>;
    const int left = head < queries + 2 * keys ? static_cast<int>(a.shape.head_dim) / 2 - at : 0;
    count = left < 0 ? 0 : left < LANES<T> ? left : LANES<T>;
    query = head < queries;
    value = head >= queries + keys;
    kv = query ? 0 : value ? head - queries - keys : head - queries;
    normed = !value && (query ? a.query_norm : a.key_norm);
  }
};

// The tokens of a block; a lane holds what is known of one of them.
struct Tokens {
  int64_t first;
  int count;
  int32_t positions, starts;

  HIR_GPU Tokens(const Positions &at, int64_t tokens, int64_t each) : first(block() * each) {
    count = static_cast<int>(tokens - first < each ? tokens - first : each);
    positions = lane() < count ? at.position[first + lane()] : 0;
    starts = lane() <= count ? at.slot_starts[first + lane()] : 0;
  }
};

// A lane's elements of a half, which is whole 16-byte vectors (WHOLE) or 8-byte ones; 0 behind `count`.
template <bool WHOLE, class T>
HIR_GPU Bits16 fetch_bits(const T *from, int count) {
  Bits16 bits = bits16(0, 0, 0, 0);
  if constexpr (WHOLE) {
    if (count > 0) bits = *reinterpret_cast<const Bits16 *>(from);
  } else {
    const Bits8 *const parts = reinterpret_cast<const Bits8 *>(from);
    if (count > 0) {
      bits.x = parts[0].x;
      bits.y = parts[0].y;
    }
    if (count > LANES<T> / 2) {
      bits.z = parts[1].x;
      bits.w = parts[1].y;
    }
  }
  return bits;
}

template <bool WHOLE, class T>
HIR_GPU void fetch(const T *from, int count, float (&x)[LANES<T>]) {
  unpack(fetch_bits<WHOLE>(from, count), x);
}

template <bool WHOLE, class T>
HIR_GPU void store(T *to, int count, const Bits16 &bits) {
  if constexpr (WHOLE) {
    if (count > 0) store16(to, bits);
  } else {
    Bits8 *const parts = reinterpret_cast<Bits8 *>(to);
    if (count > 0) store8(parts, {bits.x, bits.y});
    if (count > LANES<T> / 2) store8(parts + 1, {bits.z, bits.w});
  }
}

// The norms of queries and keys, for all threads after the next barrier. Weights may begin anywhere.
template <class T>
HIR_GPU void load_norms(const HeadsArguments<T> &a, T *norms) {
  const int dim = static_cast<int>(a.shape.head_dim);
  for (int i = thread(); i < 2 * dim; i += threads()) {
    const T *const from = i < dim ? a.query_norm : a.key_norm;
    if (from) norms[i] = from[i % dim];
  }
}

template <class T>
HIR_GPU void add_bias(const T *bias, int count, float (&x)[LANES<T>]) {
#pragma unroll
  for (int i = 0; i < LANES<T>; i++) {
    if (i < count) x[i] += to_float(bias[i]);
  }
}

// Cosines or sines of a lane's pairs.
template <bool WHOLE, int n>
HIR_GPU void fetch_turns(const float *from, int count, float (&x)[n]) {
#pragma unroll
  for (int q = 0; q < n; q += 4) {
    float quad[4];
    fetch<WHOLE || n == 8>(from + q, count - q, quad);
#pragma unroll
    for (int i = 0; i < 4; i++) x[q + i] = quad[i];
  }
}

HIR_GPU float group_sum(float value, int lanes) {
  for (lanes /= 2; lanes > 0; lanes /= 2) value += shuffle_xor(value, lanes);
  return value;
}

// 1 / rms of a head; all lanes of the warp come here.
template <int n>
HIR_GPU float scale_of(const ModelShape &s, const float (&low)[n], const float (&high)[n], int lanes) {
  float squares = 0;
#pragma unroll
  for (int i = 0; i < n; i++) squares = fmaf(low[i], low[i], fmaf(high[i], high[i], squares));
  return 1.0f / sqrtf(group_sum(squares, lanes) / static_cast<float>(s.head_dim) + s.norm_epsilon);
}

template <class T, bool WHOLE>
HIR_KERNEL(MOST_THREADS, 3)
heads_kernel(Grouped<HeadsArguments<T>> grouped) {
  constexpr int N = LANES<T>;
  const HeadsArguments<T> &a = grouped.a;
  const ModelShape &s = a.shape;
  const int dim = static_cast<int>(s.head_dim), half = dim / 2, lanes = grouped.lanes, at_once = threads() / lanes;
  const int heads = static_cast<int>(s.heads + 2 * s.kv_heads);
  const Tokens tokens(a.at, a.tokens, FORWARD_TOKENS);
  T *const norms = shared<T>();
  load_norms(a, norms);
  barrier();
  for (int base = 0; base < heads; base += at_once) {
    const Part<T> part(a, base + thread() / lanes, lanes);
    const int column = part.head * dim + part.at, kv_column = part.kv * dim + part.at;
#pragma unroll 1
    for (int t = 0; t < tokens.count; t++) {
      const int64_t token = tokens.first + t;
      const int32_t position = shuffle_from(tokens.positions, t), begin = shuffle_from(tokens.starts, t),
                    end = shuffle_from(tokens.starts, t + 1);
      int32_t slots = begin + lane() < end ? a.at.slots[begin + lane()] : 0;
      float low[N], high[N];
      fetch<WHOLE>(a.qkv + token * a.qkv_pitch + column, part.count, low);
      fetch<WHOLE>(a.qkv + token * a.qkv_pitch + column + half, part.count, high);
      if (a.bias) {
        add_bias(a.bias + column, part.count, low);
        add_bias(a.bias + column + half, part.count, high);
      }
      const float scale = scale_of(s, low, high, lanes);
      if (part.normed) {
        const T *const norm = norms + (part.query ? 0 : dim) + part.at;
        float low_weights[N], high_weights[N];
        fetch<WHOLE>(norm, part.count, low_weights);
        fetch<WHOLE>(norm + half, part.count, high_weights);
#pragma unroll
        for (int i = 0; i < N; i++) {
          low[i] = low[i] * scale * low_weights[i];
          high[i] = high[i] * scale * high_weights[i];
        }
      }
      if (!part.value) {
        float cosines[N], sines[N];
        fetch_turns<WHOLE>(a.cosines + static_cast<int64_t>(position) * half + part.at, part.count, cosines);
        fetch_turns<WHOLE>(a.sines + static_cast<int64_t>(position) * half + part.at, part.count, sines);
#pragma unroll
        for (int i = 0; i < N; i++) {
          const float first = low[i], second = high[i];
          low[i] = first * cosines[i] - second * sines[i];
          high[i] = second * cosines[i] + first * sines[i];
        }
      }
      const Bits16 low_bits = pack(low), high_bits = pack(high);
      if (part.query) {
        T *const to = a.queries + token * a.query_pitch + column;
        store<WHOLE>(to, part.count, low_bits);
        store<WHOLE>(to + half, part.count, high_bits);
      }
      T *const places = part.value ? a.values : a.keys;
      for (int32_t chunk = begin; chunk < end; chunk += WARP) {
#pragma unroll 1
        for (int i = 0; i < WARP && chunk + i < end; i++) {
          T *const to = places + shuffle_from(slots, i) * s.key_size() + kv_column;
          if (part.query) continue;
          store<WHOLE>(to, part.count, low_bits);
          store<WHOLE>(to + half, part.count, high_bits);
        }
        const int32_t next = chunk + WARP + lane();
        if (chunk + WARP < end) slots = next < end ? a.at.slots[next] : 0;
      }
      if (a.keys_values && !part.query) {
        T *const to = a.keys_values + (2 * token + part.value) * s.key_size() + kv_column;
        store<WHOLE>(to, part.count, low_bits);
        store<WHOLE>(to + half, part.count, high_bits);
      }
    }
  }
}

// The gradient of a key or value: the sum over its token's slots, in order. All lanes of the warp come here.
template <bool WHOLE, class T>
HIR_GPU void add_slots(const T *places, int64_t key_size, int half, int count, const int32_t *list, int32_t begin,
                       int32_t end, float (&low)[LANES<T>], float (&high)[LANES<T>]) {
  constexpr int N = LANES<T>;
  for (int32_t chunk = begin; chunk < end; chunk += WARP) {
    const int32_t slots = chunk + lane() < end ? list[chunk + lane()] : 0;
#pragma unroll 1
    for (int first = 0; first < WARP && chunk + first < end; first += IN_FLIGHT) {
      Bits16 lows[IN_FLIGHT], highs[IN_FLIGHT];
#pragma unroll
      for (int i = 0; i < IN_FLIGHT; i++) {
        const T *const from = places + shuffle_from(slots, first + i) * key_size;
        const int there = chunk + first + i < end ? count : 0;
        lows[i] = fetch_bits<WHOLE>(from, there);
        highs[i] = fetch_bits<WHOLE>(from + half, there);
      }
#pragma unroll
      for (int i = 0; i < IN_FLIGHT; i++) {
        float x[N], y[N];
        unpack(lows[i], x);
        unpack(highs[i], y);
#pragma unroll
        for (int k = 0; k < N; k++) {
          low[k] += x[k];
          high[k] += y[k];
        }
      }
    }
  }
}

// Each thread keeps its sums for the norms' weights in its own places of shared memory; those of the heads are added up
// in order.
template <class T, bool WHOLE>
HIR_KERNEL(MOST_THREADS, WHOLE ? 3 : 2)
heads_back_kernel(Grouped<HeadsBackArguments<T>> grouped) {
  constexpr int N = LANES<T>, VECTORS = 2 * N / 4;
  const HeadsBackArguments<T> &b = grouped.a;
  const HeadsArguments<T> &a = b.forward;
  const ModelShape &s = a.shape;
  const int dim = static_cast<int>(s.head_dim), half = dim / 2, lanes = grouped.lanes, at_once = threads() / lanes;
  const int queries = static_cast<int>(s.heads), keys = static_cast<int>(s.kv_heads), heads = queries + 2 * keys;
  const Tokens tokens(a.at, a.tokens, HEAD_TOKENS);
  T *const norms = shared<T>();
  float *const totals = reinterpret_cast<float *>(norms + 2 * dim), *const sums = totals + 2 * dim;
  Bits16 *const own = reinterpret_cast<Bits16 *>(sums) + thread();  // every threads()-th vector
  load_norms(a, norms);
  for (int i = thread(); i < 2 * dim; i += threads()) totals[i] = 0;
  barrier();
  for (int base = 0; base < heads; base += at_once) {
    const Part<T> part(a, base + thread() / lanes, lanes);
    const int column = part.head * dim + part.at, kv_column = part.kv * dim + part.at;
#pragma unroll
    for (int v = 0; v < VECTORS; v++) own[v * threads()] = bits16(0, 0, 0, 0);
#pragma unroll 1
    for (int t = 0; t < tokens.count; t++) {
      const int64_t token = tokens.first + t;
      const int32_t position = shuffle_from(tokens.positions, t), begin = shuffle_from(tokens.starts, t),
                    end = shuffle_from(tokens.starts, t + 1);
      // What was normed; without a norm it is not needed.
      const T *const x_at = a.qkv + token * a.qkv_pitch + column;
      const Bits16 low_bits = fetch_bits<WHOLE>(x_at, part.normed ? part.count : 0);
      const Bits16 high_bits = fetch_bits<WHOLE>(x_at + half, part.normed ? part.count : 0);
      float low[N] = {}, high[N] = {};
      if (part.query) {
        const T *const from = a.queries + token * a.query_pitch + column;
        fetch<WHOLE>(from, part.count, low);
        fetch<WHOLE>(from + half, part.count, high);
      }
      add_slots<WHOLE>((part.value ? a.values : a.keys) + kv_column, s.key_size(), half, part.query ? 0 : part.count,
                       a.at.slots, begin, end, low, high);
      if (!part.value) {
        float cosines[N], sines[N];
        fetch_turns<WHOLE>(a.cosines + static_cast<int64_t>(position) * half + part.at, part.count, cosines);
        fetch_turns<WHOLE>(a.sines + static_cast<int64_t>(position) * half + part.at, part.count, sines);
#pragma unroll
        for (int i = 0; i < N; i++) {
          const float first = low[i], second = high[i];
          low[i] = first * cosines[i] + second * sines[i];
          high[i] = second * cosines[i] - first * sines[i];
        }
      }
      float x[2 * N], along = 0;  // both halves
      {
        float x_low[N], x_high[N];
        unpack(low_bits, x_low);
        unpack(high_bits, x_high);
        if (part.normed && a.bias) {
          add_bias(a.bias + column, part.count, x_low);
          add_bias(a.bias + column + half, part.count, x_high);
        }
#pragma unroll
        for (int i = 0; i < N; i++) {
          x[i] = x_low[i];
          x[N + i] = x_high[i];
        }
      }
      float squares = 0;
#pragma unroll
      for (int i = 0; i < 2 * N; i++) squares = fmaf(x[i], x[i], squares);
      const float scale = 1.0f / sqrtf(group_sum(squares, lanes) / static_cast<float>(dim) + s.norm_epsilon);
      if (part.normed) {
        const T *const norm = norms + (part.query ? 0 : dim) + part.at;
        float weights[N];
#pragma unroll
        for (int v = 0; v < VECTORS; v++) {
          float sum[4];
          unpack(own[v * threads()], sum);
#pragma unroll
          for (int i = 0; i < 4; i++) {
            const int k = 4 * v + i;
            sum[i] = fmaf(k < N ? low[k] : high[k - N], x[k] * scale, sum[i]);
          }
          own[v * threads()] = pack(sum);
        }
        fetch<WHOLE>(norm, part.count, weights);
#pragma unroll
        for (int i = 0; i < N; i++) {
          low[i] *= weights[i];
          along = fmaf(low[i], x[i], along);
        }
        fetch<WHOLE>(norm + half, part.count, weights);
#pragma unroll
        for (int i = 0; i < N; i++) {
          high[i] *= weights[i];
          along = fmaf(high[i], x[N + i], along);
        }
      }
      along = group_sum(along, lanes);
      if (part.normed) {
        const float back = along * scale * scale * scale / static_cast<float>(dim);
#pragma unroll
        for (int i = 0; i < N; i++) {
          low[i] = low[i] * scale - x[i] * back;
          high[i] = high[i] * scale - x[N + i] * back;
        }
      }
      T *const to = b.qkv_flow + token * a.qkv_pitch + column;
      store<WHOLE>(to, part.count, pack(low));
      store<WHOLE>(to + half, part.count, pack(high));
    }
    if (!b.parts) continue;  // so for all threads
    barrier();
    for (int i = thread(); i < 2 * dim; i += threads()) {
      const int first = i < dim ? 0 : queries, end = i < dim ? queries : queries + keys;
      const int pair = i % half, element = pair % N + (i % dim < half ? 0 : N);
      float sum = totals[i];
      for (int head = first > base ? first : base; head < end && head < base + at_once; head++) {
        sum += sums[(element / 4 * threads() + (head - base) * lanes + pair / N) * 4 + element % 4];
      }
      totals[i] = sum;
    }
    barrier();
  }
  if (!b.parts) return;
  for (int i = thread(); i < 2 * dim; i += threads()) b.parts[block() * 2 * dim + i] = totals[i];
}

// How heads are laid over threads.
template <class T>
struct Layout {
  int lanes = 1, threads;
  bool whole;

  explicit Layout(const ModelShape &s) {
    while (lanes * LANES<T> < s.head_dim / 2) lanes *= 2;
    const int64_t items = (s.heads + 2 * s.kv_heads) * lanes, rounds = (items + MOST_THREADS - 1) / MOST_THREADS;
    threads = static_cast<int>(((items + rounds - 1) / rounds + WARP - 1) / WARP * WARP);
    whole = s.head_dim / 2 % LANES<T> == 0;
  }
};

}  // namespace

template <class T>
void rotate_heads(Call &call, const HeadsArguments<T> &a) {
  const Layout<T> layout(a.shape);
  const size_t norms = 2 * static_cast<size_t>(a.shape.head_dim);
  call.launch(layout.whole ? heads_kernel<T, true> : heads_kernel<T, false>,
              (a.tokens + FORWARD_TOKENS - 1) / FORWARD_TOKENS, layout.threads, sizeof(T) * norms,
              Grouped<HeadsArguments<T>>{a, layout.lanes});
}

template <class T>
void rotate_heads_back(Call &call, const HeadsBackArguments<T> &b) {
  const Layout<T> layout(b.forward.shape);
  const size_t norms = 2 * static_cast<size_t>(b.forward.shape.head_dim), sums = 2 * LANES<T> * layout.threads;
  call.launch(layout.whole ? heads_back_kernel<T, true> : heads_back_kernel<T, false>, head_parts(b.forward.tokens),
              layout.threads, sizeof(T) * norms + sizeof(float) * (norms + sums),
              Grouped<HeadsBackArguments<T>>{b, layout.lanes});
}

#define HIR_INSTANTIATE(T) \
  template void rotate_heads(Call &, const HeadsArguments<T> &); \
  template void rotate_heads_back(Call &, const HeadsBackArguments<T> &);
HIR_INSTANTIATE(float)
HIR_INSTANTIATE(bf16)
#undef HIR_INSTANTIATE

}  // namespace hir::HIR_DEVICE
