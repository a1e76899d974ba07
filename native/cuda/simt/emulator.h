// CUDA's model of execution on the CPU, for the tests: every thread of a block is a fiber with its own stack; they run
// one after the other up to the next barrier or shuffle. What would go unnoticed on a GPU is an error here: a barrier
// that some threads of the block do not reach, shared memory used before it is written (it starts as NaN) or past its
// end. The order in which threads run can be chosen, so that a missing barrier shows as a different result.
#pragma once

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "bf16.h"

namespace hir::simt {

// The running thread. Only the emulator writes it.
struct Running {
  int thread, threads, rank;  // rank: of the block in its cluster
  int64_t block, blocks;
  void *shared;
};
extern thread_local Running running;

// Orders in which the emulator runs the threads of a block; the device number of a call selects one.
enum Order { ASCENDING, DESCENDING, SHUFFLED, ORDERS };

constexpr int MOST_CLUSTER = 8;

// Runs body(arguments) as every thread of every block. Returns null, or what went wrong.
const char *run(void (*body)(const void *), const void *arguments, int64_t blocks, int threads, size_t shared_bytes,
                Order order, int cluster);

void barrier();
// Blocks of a cluster arrive and wait in one.
inline void cluster_arrive() {}
inline void cluster_arrive_reader() {}
void cluster_wait();
void *of_cluster(void *shared, int rank);
// Every lane of the warp puts in 8 bytes and gets those of lane `from`.
uint64_t exchange(uint64_t value, int from);
uint32_t ballot(bool holds);

inline int thread() { return running.thread; }
inline int threads() { return running.threads; }
inline int64_t block() { return running.block; }
inline int64_t blocks() { return running.blocks; }

template <class T>
T *shared() {
  return static_cast<T *>(running.shared);
}

template <class T>
const T *of_cluster(T *shared, int rank) {
  return static_cast<const T *>(of_cluster(static_cast<void *>(shared), rank));
}

template <class V>
V exchange_value(V value, int from) {
  static_assert(sizeof(V) == 4 || sizeof(V) == 8, "shuffles move 4 or 8 bytes");
  uint64_t bits = 0;
  memcpy(&bits, &value, sizeof value);
  bits = exchange(bits, from);
  memcpy(&value, &bits, sizeof value);
  return value;
}

template <class V>
V shuffle_xor(V value, int lanes) {
  return exchange_value(value, (thread() % 32) ^ lanes);
}

template <class V>
V shuffle_up(V value, int lanes) {
  const int own = thread() % 32;
  return exchange_value(value, own >= lanes ? own - lanes : own);
}

template <class V>
V shuffle_from(V value, int lane) {
  return exchange_value(value, lane);
}

// Every lane of the warp comes here before one goes on.
inline void warp_barrier() { exchange(0, 0); }

// One thread runs at a time, and memory has no caches.
template <class V>
V load_fresh(const V *at) {
  return *at;
}
template <class V>
void store_fresh(V *at, V value) {
  *at = value;
}
inline bool last_to_come(uint32_t *count, int blocks) {
  *count = *count + 1 == static_cast<uint32_t>(blocks) ? 0 : *count + 1;
  return *count == 0;
}
inline void atomic_add(uint32_t *at, uint32_t value) { *at += value; }
inline void atomic_add(uint64_t *at, uint64_t value) { *at += value; }
inline uint32_t fetch_add(uint32_t *at, uint32_t value) {
  const uint32_t before = *at;
  *at += value;
  return before;
}
inline void atomic_min(uint64_t *at, uint64_t value) { *at = value < *at ? value : *at; }

inline float exp2_fast(float x) { return x < -126.0f ? 0.0f : exp2f(x); }
inline float max_nan(float a, float b) { return a != a ? a : b != b ? b : a > b ? a : b; }

inline uint32_t as_bits(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

inline float as_float(uint32_t bits) {
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

inline int leading_zeros(uint32_t x) { return x ? __builtin_clz(x) : 32; }
inline int bits_set(uint32_t x) { return __builtin_popcount(x); }

inline uint32_t pack_bf16(float low, float high) {
  bf16 pair[2];
  from_float(low, &pair[0]);
  from_float(high, &pair[1]);
  return pair[0].bits | static_cast<uint32_t>(pair[1].bits) << 16;
}

struct alignas(8) Bits8 {
  uint32_t x, y;
};
struct alignas(16) Bits16 {
  uint32_t x, y, z, w;
};
inline Bits16 bits16(uint32_t a, uint32_t b, uint32_t c, uint32_t d) { return {a, b, c, d}; }
// Copies happen as late as they may: in the wait for them, and before it their places are NaN.
void copy_async(Bits16 *to, const Bits16 *from, bool there);
void commit_copies();
void wait_for_copies_but(int groups);
template <int but>
void wait_for_copies() {
  wait_for_copies_but(but);
}

inline void renew(Bits16 &) {}
inline Bits16 load_once(const Bits16 *at, bool there) { return there ? *at : Bits16{}; }
inline Bits16 load16(const void *from) { return *static_cast<const Bits16 *>(from); }
inline void store16(void *to, const Bits16 &bits) { *static_cast<Bits16 *>(to) = bits; }
inline void store8(void *to, const Bits8 &bits) { *static_cast<Bits8 *>(to) = bits; }

// One kernel runs at a time.
inline void wait_for_previous() {}
inline void start_next() {}

void multiply_16x8x16(float (&c)[4], uint32_t a0, uint32_t a1, uint32_t a2, uint32_t a3, uint32_t b0, uint32_t b1);

}  // namespace hir::simt
