// The attention of a decode step (decode_kernels.h).
#include "decode_kernels.h"

#include "pass_kernels.h"
#include "row.h"

namespace hir::HIR_DEVICE {

namespace {

constexpr int THREADS = 256;

// One warp per head of queries, keys or values: bias, norm, rotation; keys and values go into the cache.
template <class T>
HIR_KERNEL(WARP, 1)
prepare_kernel(PrepareArguments<T> a) {
  const ModelShape &s = a.shape;
  const int64_t heads = s.heads + 2 * s.kv_heads, row = block() / heads, head = block() % heads;
  const int64_t position = a.positions[row];
  if (position < 0) return;
  const bool is_query = head < s.heads, is_value = head >= s.heads + s.kv_heads;
  float *x = a.qkv + row * s.qkv_size() + head * s.head_dim;
  const int64_t dim = s.head_dim, half = dim / 2;

  float sum = 0;
  for (int64_t i = lane(); i < dim; i += WARP) {
    if (a.bias) x[i] += to_float(a.bias[head * dim + i]);
    sum = fmaf(x[i], x[i], sum);
  }
  sum = warp_reduce(sum, Sum());
  // The shuffles above do not order memory, but the rotation reads what other lanes have written.
  barrier();
  const T *norm = is_query ? a.query_norm : is_value ? nullptr : a.key_norm;
  const float scale = norm ? 1.0f / sqrtf(sum / static_cast<float>(dim) + s.norm_epsilon) : 1.0f;
  const auto at = [&](int64_t i) { return norm ? x[i] * scale * to_float(norm[i]) : x[i]; };

  T *cached = nullptr;
  if (!is_query) {
    const int64_t kv = (head - s.heads) % s.kv_heads;
    cached = cell(s, a.pages[row * a.page_stride + position / PAGE], a.layer, kv, is_value, position);
  }
  if (is_value) {
    for (int64_t i = lane(); i < dim; i += WARP) put(cached + i, x[i]);
    return;
  }
  // The softmax's scale and its change to base 2 go into the queries.
  const float factor = is_query ? static_cast<float>(LOG2E / sqrt(static_cast<double>(dim))) : 1.0f;
  for (int64_t i = lane(); i < half; i += WARP) {
    const float c = a.cosines[position * half + i], n = a.sines[position * half + i];
    const float low = at(i), high = at(i + half);
    const float first = (low * c - high * n) * factor, second = (high * c + low * n) * factor;
    if (is_query) {
      x[i] = first;
      x[i + half] = second;
    } else {
      put(cached + i, first);
      put(cached + i + half, second);
    }
  }
}

// Queries of one key-value head that a block takes at a time: each read of a key serves all of them.
constexpr int QUERIES = 4;

// After this in shared memory: the queries, [QUERIES][head_dim], then the sums of the groups of threads,
// [groups][QUERIES][head_dim].
struct AttendShared {
  float places[WARP];
  float weights[QUERIES][SPLIT];
};

template <class T>
HIR_GPU int vectors_of(const ModelShape &s) {
  return static_cast<int>(s.head_dim) / LANES<T>;
}

// One block per row, key-value head and SPLIT slots; one thread per slot for the scores, then one per vector of the
// values and every groups-th slot.
template <class T>
HIR_KERNEL(SPLIT, 1)
attend_kernel(AttendArguments<T> a) {
  const ModelShape &s = a.shape;
  AttendShared &memory = *shared<AttendShared>();
  const int64_t split = block() % a.splits, kv = block() / a.splits % s.kv_heads;
  const int64_t row = block() / a.splits / s.kv_heads;
  const int64_t position = a.positions[row];
  if (position < 0) return;
  if (split * SPLIT > position) return;
  const int64_t slot = split * SPLIT + thread();
  const bool here = slot <= position;
  const int dim = static_cast<int>(s.head_dim), vectors = vectors_of<T>(s), share = static_cast<int>(s.heads / s.kv_heads);
  float *queries = reinterpret_cast<float *>(&memory + 1), *sums = queries + QUERIES * dim;
  T *const *pages = a.pages + row * a.page_stride;

  for (int from = 0; from < share; from += QUERIES) {
    const int count = share - from < QUERIES ? share - from : QUERIES;
    for (int i = thread(); i < QUERIES * dim; i += threads()) {
      queries[i] = i < count * dim ? a.qkv[row * s.qkv_size() + (kv * share + from) * dim + i] : 0.0f;
    }
    barrier();
    float score[QUERIES] = {};
    if (here) {
      const Bits16 *key = reinterpret_cast<const Bits16 *>(cell(s, pages[slot / PAGE], a.layer, kv, false, slot));
      for (int v = 0; v < vectors; v++) {
        float x[LANES<T>];
        unpack(key[v], x);
#pragma unroll
        for (int q = 0; q < QUERIES; q++) {
#pragma unroll
          for (int i = 0; i < LANES<T>; i++) score[q] = fmaf(x[i], queries[q * dim + v * LANES<T> + i], score[q]);
        }
      }
    }
#pragma unroll
    for (int q = 0; q < QUERIES; q++) {
      const float top = block_reduce(here ? score[q] : -INFINITY, -INFINITY, Max(), memory.places);
      const float weight = here ? exp2_fast(score[q] - top) : 0.0f;
      memory.weights[q][thread()] = weight;
      const float total = block_reduce(weight, 0.0f, Sum(), memory.places);
      if (thread() == 0 && q < count) {
        float *out = a.partial + ((row * s.heads + kv * share + from + q) * a.splits + split) * (dim + 2);
        out[dim] = top;
        out[dim + 1] = total;
      }
    }
    // The reductions made the weights of all threads visible to all.
    const int groups = SPLIT / vectors, group = thread() / vectors, v = thread() % vectors;
    if (group < groups) {
      float mixed[QUERIES][LANES<T>] = {};
      for (int t = group; t < SPLIT && split * SPLIT + t <= position; t += groups) {
        const int64_t at = split * SPLIT + t;
        float x[LANES<T>];
        unpack(reinterpret_cast<const Bits16 *>(cell(s, pages[at / PAGE], a.layer, kv, true, at))[v], x);
#pragma unroll
        for (int q = 0; q < QUERIES; q++) {
          const float weight = memory.weights[q][t];
#pragma unroll
          for (int i = 0; i < LANES<T>; i++) mixed[q][i] = fmaf(weight, x[i], mixed[q][i]);
        }
      }
#pragma unroll
      for (int q = 0; q < QUERIES; q++) {
#pragma unroll
        for (int i = 0; i < LANES<T>; i++) sums[(group * QUERIES + q) * dim + v * LANES<T> + i] = mixed[q][i];
      }
    }
    barrier();
    for (int i = thread(); i < count * dim; i += threads()) {
      const int q = i / dim, d = i % dim;
      float sum = 0;
      for (int g = 0; g < groups; g++) sum += sums[(g * QUERIES + q) * dim + d];
      a.partial[((row * s.heads + kv * share + from + q) * a.splits + split) * (dim + 2) + d] = sum;
    }
    barrier();
  }
}

// One block per row and head: combines the splits.
template <class T>
HIR_KERNEL(THREADS, 1)
combine_kernel(CombineArguments<T> a) {
  const ModelShape &s = a.shape;
  const int64_t row = block() / s.heads, dim = s.head_dim;
  const int64_t position = a.positions[row];
  if (position < 0) return;
  const int64_t used = position / SPLIT + 1;
  const float *parts = a.partial + block() * a.splits * (dim + 2);
  float top = -INFINITY;
  for (int64_t i = 0; i < used; i++) top = max_nan(top, parts[i * (dim + 2) + dim]);
  float total = 0;
  for (int64_t i = 0; i < used; i++) {
    total = fmaf(exp2_fast(parts[i * (dim + 2) + dim] - top), parts[i * (dim + 2) + dim + 1], total);
  }
  for (int64_t d = thread(); d < dim; d += threads()) {
    float sum = 0;
    for (int64_t i = 0; i < used; i++) {
      sum = fmaf(exp2_fast(parts[i * (dim + 2) + dim] - top), parts[i * (dim + 2) + d], sum);
    }
    put(a.mixed + block() * dim + d, sum / total);
  }
}

template <class T>
size_t attend_shared(const ModelShape &s) {
  const size_t vectors = static_cast<size_t>(s.head_dim) * sizeof(T) / VECTOR_BYTES;
  return sizeof(AttendShared) + sizeof(float) * QUERIES * static_cast<size_t>(s.head_dim) * (1 + SPLIT / vectors);
}

}  // namespace

template <class T>
void prepare(Call &call, int64_t rows, const PrepareArguments<T> &a) {
  call.launch(prepare_kernel<T>, rows * (a.shape.heads + 2 * a.shape.kv_heads), WARP, 0, a);
}

template <class T>
void attend(Call &call, int64_t rows, const AttendArguments<T> &a, const CombineArguments<T> &c) {
  call.launch(attend_kernel<T>, rows * a.shape.kv_heads * a.splits, SPLIT, attend_shared<T>(a.shape), a);
  call.launch(combine_kernel<T>, rows * a.shape.heads, c.shape.head_dim <= 128 ? 128 : THREADS, 0, c);
}

#define HIR_INSTANTIATE(T) \
  template void prepare(Call &, int64_t, const PrepareArguments<T> &); \
  template void attend(Call &, int64_t, const AttendArguments<T> &, const CombineArguments<T> &);
HIR_INSTANTIATE(float)
HIR_INSTANTIATE(bf16)
#undef HIR_INSTANTIATE

}  // namespace hir::HIR_DEVICE
