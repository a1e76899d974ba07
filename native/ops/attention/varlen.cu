// Attention of packed sequences by plain kernels, forward and backward: the reference for the flash kernel, used where
// that cannot run (float32, heads of other sizes, the emulator). One block per head of a query, or of a key: its
// threads first take a key (or query) each for the scores, then a dimension each for the sums.
#include "pass_kernels.h"
#include "row.h"

namespace hir::HIR_DEVICE {

namespace {

constexpr int THREADS = 128, DIMS = 2;  // heads of up to 256

// The keys that a query sees: `seen` of them from `first_key` on.
struct View {
  int64_t first_key, seen;

  template <class T>
  HIR_GPU View(const PackedAttentionArguments<T> &a, int64_t token) {
    const int32_t sequence = a.token_sequence[token];
    const int64_t queries = a.query_starts[sequence + 1] - a.query_starts[sequence];
    const int64_t keys = a.key_starts[sequence + 1] - a.key_starts[sequence];
    const Sight sight = Sight::of(a.window, keys - queries + token - a.query_starts[sequence]);
    first_key = a.key_starts[sequence] + sight.from;
    seen = sight.to - sight.from;
  }
};

template <class T>
HIR_GPU const T *head_at(const T *rows, int64_t row, int64_t pitch, int64_t head, int64_t dim) {
  return rows + row * pitch + head * dim;
}

// Heads are whole vectors.
template <class T>
HIR_GPU float dot(const float *x, const T *y, int64_t dim) {
  float sum = 0;
  for (int64_t v = 0; v < dim / LANES<T>; v++) {
    float lanes[LANES<T>];
    unpack(reinterpret_cast<const Bits16 *>(y)[v], lanes);
#pragma unroll
    for (int i = 0; i < LANES<T>; i++) sum = fmaf(x[v * LANES<T> + i], lanes[i], sum);
  }
  return sum;
}

template <class T>
HIR_KERNEL(THREADS, 1)
attend_packed_kernel(PackedAttentionArguments<T> a) {
  const int64_t token = block() / a.heads, head = block() % a.heads, kv = head / (a.heads / a.kv_heads);
  const int64_t dim = a.head_dim, key_size = a.kv_heads * dim;
  float *const places = shared<float>(), *const weights = places + WARP, *const query = weights + THREADS;
  const View view(a, token);
  const float scale = static_cast<float>(LOG2E / sqrt(static_cast<double>(dim)));
  const T *const from = head_at(a.queries, token, a.query_pitch, head, dim);
  for (int64_t i = thread(); i < dim; i += threads()) query[i] = to_float(from[i]) * scale;
  barrier();
  float top = -INFINITY, total = 0, mixed[DIMS] = {};
  for (int64_t chunk = 0; chunk < view.seen; chunk += THREADS) {
    const int64_t key = chunk + thread(), left = view.seen - chunk;
    const float score =
        key < view.seen ? dot(query, head_at(a.keys, view.first_key + key, key_size, kv, dim), dim) : -INFINITY;
    const float higher = max_nan(top, block_reduce(score, -INFINITY, Max(), places));
    const float weight = key < view.seen ? exp2_fast(score - higher) : 0.0f;
    const float kept = exp2_fast(top - higher);
    weights[thread()] = weight;
    // The reduction makes the weights of all threads visible to all.
    total = total * kept + block_reduce(weight, 0.0f, Sum(), places);
    top = higher;
#pragma unroll
    for (int k = 0; k < DIMS; k++) {
      const int64_t d = thread() + k * THREADS;
      if (d >= dim) continue;
      float sum = mixed[k] * kept;
      for (int64_t t = 0; t < THREADS && t < left; t++) {
        sum = fmaf(weights[t], to_float(a.values[(view.first_key + chunk + t) * key_size + kv * dim + d]), sum);
      }
      mixed[k] = sum;
    }
    barrier();
  }
#pragma unroll
  for (int k = 0; k < DIMS; k++) {
    const int64_t d = thread() + k * THREADS;
    if (d < dim) put(a.mixed + token * a.query_pitch + head * dim + d, mixed[k] / total);
  }
  if (thread() == 0 && a.sums) a.sums[head * a.tokens + token] = static_cast<float>((top + log2(total)) * LN2);
}

// A warp a query's head.
template <class T>
HIR_KERNEL(THREADS, 1)
along_kernel(PackedAttentionBackArguments<T> b) {
  const PackedAttentionArguments<T> &a = b.forward;
  const int64_t item = block() * warps() + warp();
  if (item >= a.tokens * a.heads) return;  // so for all lanes
  const int64_t token = item / a.heads, head = item % a.heads, at = token * a.query_pitch + head * a.head_dim;
  float sum = 0;
  for (int64_t d = lane(); d < a.head_dim; d += WARP) {
    sum = fmaf(to_float(a.mixed[at + d]), to_float(b.mixed_flow[at + d]), sum);
  }
  sum = warp_reduce(sum, Sum());
  if (lane() == 0) b.along[head * a.tokens + token] = sum;
}

template <class T>
HIR_KERNEL(THREADS, 1)
query_back_kernel(PackedAttentionBackArguments<T> b) {
  const PackedAttentionArguments<T> &a = b.forward;
  const int64_t token = block() / a.heads, head = block() % a.heads, kv = head / (a.heads / a.kv_heads);
  const int64_t dim = a.head_dim, key_size = a.kv_heads * dim;
  float *const flows = shared<float>(), *const query = flows + THREADS, *const out = query + dim;
  const View view(a, token);
  const float scale = static_cast<float>(1 / sqrt(static_cast<double>(dim)));
  const T *const from = head_at(a.queries, token, a.query_pitch, head, dim);
  const T *const flow = head_at(b.mixed_flow, token, a.query_pitch, head, dim);
  for (int64_t i = thread(); i < dim; i += threads()) {
    query[i] = to_float(from[i]) * scale;
    out[i] = to_float(flow[i]);
  }
  barrier();
  const float sum = a.sums[head * a.tokens + token], along = b.along[head * a.tokens + token];
  float gradient[DIMS] = {};
  for (int64_t chunk = 0; chunk < view.seen; chunk += THREADS) {
    const int64_t key = chunk + thread(), left = view.seen - chunk;
    float score_flow = 0;
    if (key < view.seen) {
      const float score = dot(query, head_at(a.keys, view.first_key + key, key_size, kv, dim), dim);
      const float weight = exp2_fast((score - sum) * static_cast<float>(LOG2E));
      score_flow = weight * (dot(out, head_at(a.values, view.first_key + key, key_size, kv, dim), dim) - along) * scale;
    }
    flows[thread()] = score_flow;
    barrier();
#pragma unroll
    for (int k = 0; k < DIMS; k++) {
      const int64_t d = thread() + k * THREADS;
      if (d >= dim) continue;
      for (int64_t t = 0; t < THREADS && t < left; t++) {
        gradient[k] = fmaf(flows[t], to_float(a.keys[(view.first_key + chunk + t) * key_size + kv * dim + d]), gradient[k]);
      }
    }
    barrier();
  }
#pragma unroll
  for (int k = 0; k < DIMS; k++) {
    const int64_t d = thread() + k * THREADS;
    if (d < dim) put(b.query_flow + token * a.query_pitch + head * dim + d, gradient[k]);
  }
}

// The gradients of a key and its value: over the queries that see it, in order, and for each over the heads that share
// it.
template <class T>
HIR_KERNEL(THREADS, 1)
key_back_kernel(PackedAttentionBackArguments<T> b) {
  const PackedAttentionArguments<T> &a = b.forward;
  const int64_t slot = block() / a.kv_heads, kv = block() % a.kv_heads, share = a.heads / a.kv_heads;
  const int64_t dim = a.head_dim, at = slot * a.kv_heads * dim + kv * dim;
  float *const weights = shared<float>(), *const flows = weights + THREADS, *const key = flows + THREADS,
               *const value = key + dim;
  const float scale = static_cast<float>(1 / sqrt(static_cast<double>(dim)));
  for (int64_t i = thread(); i < dim; i += threads()) {
    key[i] = to_float(a.keys[at + i]) * scale;
    value[i] = to_float(a.values[at + i]);
  }
  barrier();
  const int32_t sequence = a.slot_sequence[slot];
  const int64_t start = a.query_starts[sequence], keys = a.key_starts[sequence + 1] - a.key_starts[sequence];
  const int64_t before = keys - (a.query_starts[sequence + 1] - start);  // keys of what the sequence continues
  const Sight seen = Sight::onto(a.window, slot - a.key_starts[sequence], keys);
  const int64_t first = start + (seen.from > before ? seen.from - before : 0);
  const int64_t pairs = (start + seen.to - before - first) * share;  // not above 0 where no query of its own sees the key
  float key_flow[DIMS] = {}, value_flow[DIMS] = {};
  for (int64_t chunk = 0; chunk < pairs; chunk += THREADS) {
    const int64_t pair = chunk + thread(), left = pairs - chunk;
    float weight = 0, score_flow = 0;
    if (pair < pairs) {
      const int64_t token = first + pair / share, head = kv * share + pair % share, row = head * a.tokens + token;
      const float score = dot(key, head_at(a.queries, token, a.query_pitch, head, dim), dim);
      weight = exp2_fast((score - a.sums[row]) * static_cast<float>(LOG2E));
      score_flow = weight * (dot(value, head_at(b.mixed_flow, token, a.query_pitch, head, dim), dim) - b.along[row]) * scale;
    }
    weights[thread()] = weight;
    flows[thread()] = score_flow;
    barrier();
#pragma unroll
    for (int k = 0; k < DIMS; k++) {
      const int64_t d = thread() + k * THREADS;
      if (d >= dim) continue;
      for (int64_t t = 0; t < THREADS && t < left; t++) {
        const int64_t token = first + (chunk + t) / share, head = kv * share + (chunk + t) % share;
        const int64_t element = token * a.query_pitch + head * dim + d;
        key_flow[k] = fmaf(flows[t], to_float(a.queries[element]), key_flow[k]);
        value_flow[k] = fmaf(weights[t], to_float(b.mixed_flow[element]), value_flow[k]);
      }
    }
    barrier();
  }
#pragma unroll
  for (int k = 0; k < DIMS; k++) {
    const int64_t d = thread() + k * THREADS;
    if (d >= dim) continue;
    put(b.key_flow + at + d, key_flow[k]);
    put(b.value_flow + at + d, value_flow[k]);
  }
}

}  // namespace

template <class T>
void attend_packed(Call &call, const PackedAttentionArguments<T> &a) {
  const size_t bytes = sizeof(float) * (WARP + THREADS + static_cast<size_t>(a.head_dim));
  call.launch(attend_packed_kernel<T>, a.tokens * a.heads, THREADS, bytes, a);
}

template <class T>
void attend_packed_back(Call &call, const PackedAttentionBackArguments<T> &b) {
  const PackedAttentionArguments<T> &a = b.forward;
  constexpr int64_t WARPS = THREADS / WARP;
  call.launch(along_kernel<T>, (a.tokens * a.heads + WARPS - 1) / WARPS, THREADS, 0, b);
  const size_t dims = 2 * static_cast<size_t>(a.head_dim);
  call.launch(query_back_kernel<T>, a.tokens * a.heads, THREADS, sizeof(float) * (THREADS + dims), b);
  call.launch(key_back_kernel<T>, a.slots * a.kv_heads, THREADS, sizeof(float) * (2 * THREADS + dims), b);
}

#define HIR_INSTANTIATE(T) \
  template void attend_packed(Call &, const PackedAttentionArguments<T> &); \
  template void attend_packed_back(Call &, const PackedAttentionBackArguments<T> &);
HIR_INSTANTIATE(float)
HIR_INSTANTIATE(bf16)
#undef HIR_INSTANTIATE

}  // namespace hir::HIR_DEVICE
