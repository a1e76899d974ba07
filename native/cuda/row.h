// A row of logits and the block of threads that works on it.
//
// The warps take the whole 16-byte vectors of the row in contiguous segments, so that each warp's results are in
// vocabulary order; inside its segment the lanes of a warp read neighbouring vectors. Elements before the first 16-byte
// boundary belong to the first segment, those after the last whole vector to the last one.
#pragma once

#include "fault.h"
#include "simt.h"

namespace hir::HIR_DEVICE {

constexpr double LOG2E = 1.4426950408889634, LN2 = 0.6931471805599453;
constexpr int VECTOR_BYTES = 16;

template <class T>
constexpr int LANES = VECTOR_BYTES / static_cast<int>(sizeof(T));

// Threads for a row of that many bytes: four vectors for each, at most `most`.
inline int row_threads(int64_t bytes, int most) {
  int threads = WARP;
  while (threads < most && threads * int64_t{4 * VECTOR_BYTES} < bytes) threads *= 2;
  return threads < most ? threads : most;
}

template <class T>
struct Row {
  T *data;
  int cols, head, vectors, tail;
  int per_warp;  // vectors of a segment

  HIR_GPU Row(T *data, int64_t cols) : data(data), cols(static_cast<int>(cols)) {
    const int misaligned = static_cast<int>(reinterpret_cast<uintptr_t>(data) % VECTOR_BYTES);
    const int before = misaligned ? (VECTOR_BYTES - misaligned) / static_cast<int>(sizeof(T)) : 0;
    head = before < this->cols ? before : this->cols;
    vectors = (this->cols - head) / LANES<T>;
    tail = this->cols - head - vectors * LANES<T>;
    per_warp = (vectors + warps() - 1) / warps();
  }

  HIR_GPU Bits16 *vector(int v) const { return reinterpret_cast<Bits16 *>(data + head) + v; }
  HIR_GPU int first_vector(int segment) const {
    const int first = segment * per_warp;
    return first < vectors ? first : vectors;
  }

  // The first element of a segment; that of segment warps() is the end of the row.
  HIR_GPU int first_element(int segment) const {
    return segment == 0 ? 0 : segment == warps() ? cols : head + first_vector(segment) * LANES<T>;
  }

  HIR_GPU float at(int i) const { return to_float(data[i]); }
};

HIR_GPU void unpack(const Bits16 &bits, float (&x)[4]) {
  x[0] = as_float(bits.x);
  x[1] = as_float(bits.y);
  x[2] = as_float(bits.z);
  x[3] = as_float(bits.w);
}

HIR_GPU void unpack(const Bits16 &bits, float (&x)[8]) {
  const uint32_t words[4] = {bits.x, bits.y, bits.z, bits.w};
#pragma unroll
  for (int i = 0; i < 4; i++) {
    x[2 * i] = as_float(words[i] << 16);
    x[2 * i + 1] = as_float(words[i] & 0xffff0000u);
  }
}

HIR_GPU Bits16 pack(const float (&x)[4]) { return bits16(as_bits(x[0]), as_bits(x[1]), as_bits(x[2]), as_bits(x[3])); }

HIR_GPU Bits16 pack(const float (&x)[8]) {
  return bits16(pack_bf16(x[0], x[1]), pack_bf16(x[2], x[3]), pack_bf16(x[4], x[5]), pack_bf16(x[6], x[7]));
}

// Calls f(first element, float (&)[n]) for this thread's share of its warp's segment, four vectors in flight; every
// element once, in no particular order. n is LANES<T>, or 1 at the row's ends.
template <class T, class F>
HIR_GPU void for_each_vector(const Row<T> &row, F f) {
  constexpr int IN_FLIGHT = 4;
  const int end = row.first_vector(warp() + 1);
  // The last round is shorter, but its loads are in flight together, too.
  for (int v = row.first_vector(warp()) + lane(); v < end; v += IN_FLIGHT * WARP) {
    Bits16 bits[IN_FLIGHT];
#pragma unroll
    for (int i = 0; i < IN_FLIGHT; i++) {
      if (v + i * WARP < end) bits[i] = *row.vector(v + i * WARP);
    }
#pragma unroll
    for (int i = 0; i < IN_FLIGHT; i++) {
      if (v + i * WARP >= end) continue;
      float x[LANES<T>];
      unpack(bits[i], x);
      f(row.head + (v + i * WARP) * LANES<T>, x);
    }
  }
  if (warp() == 0 && lane() < row.head) {
    float x[1] = {row.at(lane())};
    f(lane(), x);
  }
  if (warp() == warps() - 1 && lane() < row.tail) {
    float x[1] = {row.at(row.cols - row.tail + lane())};
    f(row.cols - row.tail + lane(), x);
  }
}

// One thread's part of the softmax: relative to the largest logit that it has seen, to base 2.
struct OnlineSoftmax {
  static constexpr float FLOOR = -1000.0f;  // 2^FLOOR is 0, and so is FLOOR * 0: -inf would give NaN

  float top = -INFINITY;
  float sum = 0;       // of 2^y, y = (x - top) * scale
  float weighted = 0;  // of y 2^y

  template <int n>
  HIR_GPU void add(const float (&x)[n], float scale) {
    float highest = x[0];
#pragma unroll
    for (int i = 1; i < n; i++) highest = max_nan(highest, x[i]);
    if (!(highest <= top)) raise(max_nan(top, highest), scale);  // a NaN comes here too, and stays
    if (top == -INFINITY) return;                                // nothing but masked logits so far
#pragma unroll
    for (int i = 0; i < n; i++) {
      const float y = max_nan(FLOOR, (x[i] - top) * scale);
      const float e = exp2_fast(y);
      sum += e;
      weighted = fmaf(y, e, weighted);
    }
  }

  HIR_GPU void raise(float higher, float scale) {
    if (higher == -INFINITY) return;
    const float y = max_nan(FLOOR, (top - higher) * scale);
    const float e = exp2_fast(y);
    weighted = fmaf(sum, y, weighted) * e;
    sum *= e;
    top = higher;
  }
};

// The sums of several threads.
struct SoftmaxSum {
  float top = -INFINITY;
  double sum = 0, weighted = 0;

  HIR_GPU void raise(float higher, float scale) {
    if (higher == -INFINITY) return;
    const float y = max_nan(OnlineSoftmax::FLOOR, (top - higher) * scale);
    const float e = exp2_fast(y);
    weighted = (weighted + sum * y) * e;
    sum *= e;
    top = higher;
  }
};

// Combines the lanes of a warp; all get the same.
HIR_GPU SoftmaxSum warp_softmax(SoftmaxSum mine, float scale) {
  mine.raise(warp_reduce(mine.top, Max()), scale);
  mine.sum = warp_reduce(mine.sum, Sum());
  mine.weighted = warp_reduce(mine.weighted, Sum());
  return mine;
}

// Combines the threads of a block, for its first warp alone: the others have only their own warp's. `places` is for one
// value a warp.
HIR_GPU SoftmaxSum block_softmax(OnlineSoftmax mine, float scale, SoftmaxSum *places) {
  mine.raise(warp_reduce(mine.top, Max()), scale);
  SoftmaxSum own;
  own.top = mine.top;
  own.sum = warp_reduce(static_cast<double>(mine.sum), Sum());
  own.weighted = warp_reduce(static_cast<double>(mine.weighted), Sum());
  if (lane() == 0) places[warp()] = own;
  barrier();
  if (warp() > 0) return own;
  return warp_softmax(lane() < warps() ? places[lane()] : SoftmaxSum(), scale);
}

struct RowSoftmax {
  float top;         // the largest logit
  double log_sum;    // log2 of the sum of 2^((x - top) * scale)
  double entropy;    // nats
  bool valid;

  HIR_GPU explicit RowSoftmax(const SoftmaxSum &all) : top(all.top) {
    // A NaN is in the sum; +inf makes one (inf - inf); all masked leaves 0.
    valid = all.sum > 0;
    log_sum = log2(all.sum);
    entropy = LN2 * (log_sum - all.weighted / all.sum);
    if (entropy < 0) entropy = 0;  // rounding of a one-hot row
  }

  // Natural log-prob of a logit: in double, because the scale's rounding to float is harmless only near the top.
  HIR_GPU double logprob(float logit, double temperature) const {
    const double value = (static_cast<double>(logit) - top) / temperature - LN2 * log_sum;
    return value > 0 ? 0 : value;
  }

  HIR_GPU Fault fault() const { return top == -INFINITY ? Fault::NO_FINITE_LOGIT : Fault::NAN_LOGIT; }
};

}  // namespace hir::HIR_DEVICE
