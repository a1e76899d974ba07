// Queries, keys and values of packed tokens: bias, norm, rotation and the slots of keys and values, forward and
// backward. One warp per head of a token; a lane has the pairs (i, i + head_dim / 2) with i = lane, lane + 32, ...
#include "pass_kernels.h"

namespace hir::HIR_DEVICE {

namespace {

constexpr int WARPS = 4, PAIRS = 4;  // heads of up to 256

// A head of one token, and whether it is of a query, key or value.
struct Head {
  int64_t token, index;
  bool query, value;
  int64_t kv;  // of keys and values

  HIR_GPU Head(const ModelShape &s, int64_t item) {
    const int64_t heads = s.heads + 2 * s.kv_heads;
    token = item / heads;
    index = item % heads;
    query = index < s.heads;
    value = index >= s.heads + s.kv_heads;
    kv = query ? 0 : (index - s.heads) % s.kv_heads;
  }
};

struct Pairs {
  float low[PAIRS], high[PAIRS];

  template <class F>
  HIR_GPU void each(int64_t half, F f) {
#pragma unroll
    for (int k = 0; k < PAIRS; k++) {
      const int64_t i = lane() + k * WARP;
      if (i < half) f(i, low[k], high[k]);
    }
  }

  HIR_GPU void clear() {
#pragma unroll
    for (int k = 0; k < PAIRS; k++) low[k] = high[k] = 0;
  }
};

// Loads a head with its bias; returns 1 / rms.
template <class T>
HIR_GPU float load(const HeadsArguments<T> &a, const Head &head, Pairs &x) {
  const int64_t dim = a.shape.head_dim, half = dim / 2;
  const T *const from = a.qkv + head.token * a.qkv_pitch + head.index * dim;
  const T *const bias = a.bias ? a.bias + head.index * dim : nullptr;
  float squares = 0;
  x.clear();
  x.each(half, [&](int64_t i, float &low, float &high) {
    low = to_float(from[i]) + (bias ? to_float(bias[i]) : 0.0f);
    high = to_float(from[half + i]) + (bias ? to_float(bias[half + i]) : 0.0f);
    squares = fmaf(low, low, fmaf(high, high, squares));
  });
  squares = warp_reduce(squares, Sum());
  return 1.0f / sqrtf(squares / static_cast<float>(dim) + a.shape.norm_epsilon);
}

template <class T>
HIR_GPU const T *norm_of(const HeadsArguments<T> &a, const Head &head) {
  return head.query ? a.query_norm : head.value ? nullptr : a.key_norm;
}

template <class T>
HIR_KERNEL(WARPS *WARP, 1)
heads_kernel(HeadsArguments<T> a) {
  const ModelShape &s = a.shape;
  const int64_t item = block() * WARPS + warp(), dim = s.head_dim, half = dim / 2;
  if (item >= a.tokens * (s.heads + 2 * s.kv_heads)) return;  // so for all lanes
  const Head head(s, item);
  Pairs x;
  const float scale = load(a, head, x);
  const T *const norm = norm_of(a, head);
  const float *const cosines = a.cosines + a.at.position[head.token] * half;
  const float *const sines = a.sines + a.at.position[head.token] * half;
  if (!head.value) {
    x.each(half, [&](int64_t i, float &low, float &high) {
      const float first = norm ? low * scale * to_float(norm[i]) : low;
      const float second = norm ? high * scale * to_float(norm[half + i]) : high;
      low = first * cosines[i] - second * sines[i];
      high = second * cosines[i] + first * sines[i];
    });
  }
  const auto write = [&](T *to) {
    x.each(half, [&](int64_t i, float &low, float &high) {
      put(to + i, low);
      put(to + half + i, high);
    });
  };
  if (head.query) {
    write(a.queries + head.token * a.query_pitch + head.index * dim);
    return;
  }
  T *const places = head.value ? a.values : a.keys;
  for (int32_t i = a.at.slot_starts[head.token]; i < a.at.slot_starts[head.token + 1]; i++) {
    write(places + a.at.slots[i] * s.key_size() + head.kv * dim);
  }
  if (a.keys_values) write(a.keys_values + (2 * head.token + head.value) * s.key_size() + head.kv * dim);
}

// The gradient of a head of the output; for keys and values, the sum over their slots.
template <class T>
HIR_GPU void load_flow(const HeadsArguments<T> &a, const Head &head, Pairs &flow) {
  const ModelShape &s = a.shape;
  const int64_t dim = s.head_dim, half = dim / 2;
  flow.clear();
  const auto add = [&](const T *from) {
    flow.each(half, [&](int64_t i, float &low, float &high) {
      low += to_float(from[i]);
      high += to_float(from[half + i]);
    });
  };
  if (head.query) {
    add(a.queries + head.token * a.query_pitch + head.index * dim);
    return;
  }
  const T *const places = head.value ? a.values : a.keys;
  for (int32_t i = a.at.slot_starts[head.token]; i < a.at.slot_starts[head.token + 1]; i++) {
    add(places + a.at.slots[i] * s.key_size() + head.kv * dim);
  }
}

// A block takes HEAD_TOKENS tokens, its warps the heads in turn; each warp keeps its sums for the norms' weights until
// the warps' sums are added in order.
template <class T>
HIR_KERNEL(WARPS *WARP, 1)
heads_back_kernel(HeadsBackArguments<T> b) {
  const HeadsArguments<T> &a = b.forward;
  const ModelShape &s = a.shape;
  const int64_t dim = s.head_dim, half = dim / 2, heads = s.heads + 2 * s.kv_heads;
  const int64_t first = block() * HEAD_TOKENS, end = first + HEAD_TOKENS < a.tokens ? first + HEAD_TOKENS : a.tokens;
  Pairs query_sum, key_sum;
  query_sum.clear();
  key_sum.clear();
  for (int64_t item = first * heads + warp(); item < end * heads; item += WARPS) {
    const Head head(s, item);
    Pairs x, flow;
    const float scale = load(a, head, x);
    load_flow(a, head, flow);
    const T *const norm = norm_of(a, head);
    const int64_t place = a.at.position[head.token] * half;
    float along = 0;
    if (!head.value) {
#pragma unroll
      for (int k = 0; k < PAIRS; k++) {
        const int64_t i = lane() + k * WARP;
        if (i >= half) continue;
        const float c = a.cosines[place + i], n = a.sines[place + i];
        const float low = flow.low[k] * c + flow.high[k] * n, high = flow.high[k] * c - flow.low[k] * n;
        flow.low[k] = low;
        flow.high[k] = high;
        if (!norm) continue;
        const float low_part = low * (x.low[k] * scale), high_part = high * (x.high[k] * scale);
        if (head.query) {
          query_sum.low[k] += low_part;
          query_sum.high[k] += high_part;
        } else {
          key_sum.low[k] += low_part;
          key_sum.high[k] += high_part;
        }
        flow.low[k] = low * to_float(norm[i]);
        flow.high[k] = high * to_float(norm[half + i]);
        along = fmaf(flow.low[k], x.low[k], fmaf(flow.high[k], x.high[k], along));
      }
    }
    along = warp_reduce(along, Sum());
    const float back = along * scale * scale * scale / static_cast<float>(dim);
    T *const to = b.qkv_flow + head.token * a.qkv_pitch + head.index * dim;
#pragma unroll
    for (int k = 0; k < PAIRS; k++) {
      const int64_t i = lane() + k * WARP;
      if (i >= half) continue;
      put(to + i, norm ? flow.low[k] * scale - x.low[k] * back : flow.low[k]);
      put(to + half + i, norm ? flow.high[k] * scale - x.high[k] * back : flow.high[k]);
    }
  }
  if (!b.parts) return;  // so for all threads
  float *const sums = shared<float>() + warp() * 2 * dim;
  query_sum.each(half, [&](int64_t i, float &low, float &high) {
    sums[i] = low;
    sums[half + i] = high;
  });
  key_sum.each(half, [&](int64_t i, float &low, float &high) {
    sums[dim + i] = low;
    sums[dim + half + i] = high;
  });
  barrier();
  for (int64_t i = thread(); i < 2 * dim; i += threads()) {
    float sum = 0;
    for (int w = 0; w < WARPS; w++) sum += shared<float>()[w * 2 * dim + i];
    b.parts[block() * 2 * dim + i] = sum;
  }
}

}  // namespace

template <class T>
void rotate_heads(Call &call, const HeadsArguments<T> &a) {
  const int64_t items = a.tokens * (a.shape.heads + 2 * a.shape.kv_heads);
  call.launch(heads_kernel<T>, (items + WARPS - 1) / WARPS, WARPS * WARP, 0, a);
}

template <class T>
void rotate_heads_back(Call &call, const HeadsBackArguments<T> &a) {
  const size_t bytes = sizeof(float) * WARPS * 2 * static_cast<size_t>(a.forward.shape.head_dim);
  call.launch(heads_back_kernel<T>, head_parts(a.forward.tokens), WARPS * WARP, bytes, a);
}

#define HIR_INSTANTIATE(T) \
  template void rotate_heads(Call &, const HeadsArguments<T> &); \
  template void rotate_heads_back(Call &, const HeadsBackArguments<T> &);
HIR_INSTANTIATE(float)
HIR_INSTANTIATE(bf16)
#undef HIR_INSTANTIATE

}  // namespace hir::HIR_DEVICE
