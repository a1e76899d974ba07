// The primitives of the kernels in this folder: threads of a block, warps, barriers, shuffles, shared memory. Under
// nvcc these are CUDA's. Elsewhere they are those of simt/emulator.h, which runs the same sources on the CPU thread by
// thread, so that every kernel is tested on machines without a GPU.
//
// A kernel is a function of one struct of arguments, started by Call::launch() (call.h) with one-dimensional blocks of whole
// warps.
#pragma once

#include <math.h>
#include <stdint.h>

#include "bf16.h"
#include "portable.h"

#ifdef __CUDACC__

#include <cuda_bf16.h>
#include <cuda_runtime.h>

#define HIR_DEVICE cuda
#define HIR_KERNEL(threads, blocks_per_sm) __global__ void __launch_bounds__(threads, blocks_per_sm)
#define HIR_GPU __device__ __forceinline__

namespace hir::cuda {

HIR_GPU int thread() { return static_cast<int>(threadIdx.x); }
HIR_GPU int threads() { return static_cast<int>(blockDim.x); }
HIR_GPU int64_t block() { return blockIdx.x; }
HIR_GPU int64_t blocks() { return gridDim.x; }

HIR_GPU void barrier() { __syncthreads(); }
HIR_GPU void warp_barrier() { __syncwarp(); }

// Blocks that were launched as a cluster run at the same time and read each other's shared memory. All their threads
// arrive, and after the wait see what others wrote before they arrived. A block alone on older devices: never called.
HIR_GPU void cluster_arrive() {
#if __CUDA_ARCH__ >= 900
  asm volatile("barrier.cluster.arrive.release;" ::: "memory");
#endif
}

// The same for threads that have only read: what they wrote need not be seen.
HIR_GPU void cluster_arrive_reader() {
#if __CUDA_ARCH__ >= 900
  asm volatile("barrier.cluster.arrive.relaxed;" ::: "memory");
#endif
}

HIR_GPU void cluster_wait() {
#if __CUDA_ARCH__ >= 900
  asm volatile("barrier.cluster.wait.acquire;" ::: "memory");
#endif
}

// The same place in the shared memory of the cluster's block `rank`.
template <class T>
HIR_GPU const T *of_cluster(T *shared, int rank) {
#if __CUDA_ARCH__ >= 900
  const T *there;
  asm volatile("mapa.u64 %0, %1, %2;" : "=l"(there) : "l"(shared), "r"(rank));
  return there;
#else
  return shared;
#endif
}

template <class V>
HIR_GPU V shuffle_xor(V value, int lanes) {
  return __shfl_xor_sync(0xffffffffu, value, lanes);
}

// The value of the lane `lanes` below; of the lowest lanes their own.
template <class V>
HIR_GPU V shuffle_up(V value, int lanes) {
  return __shfl_up_sync(0xffffffffu, value, lanes);
}

template <class V>
HIR_GPU V shuffle_from(V value, int lane) {
  return __shfl_sync(0xffffffffu, value, lane);
}

HIR_GPU uint32_t ballot(bool holds) { return __ballot_sync(0xffffffffu, holds); }

// The block's shared memory, of the size given to launch().
template <class T>
HIR_GPU T *shared() {
  extern __shared__ uint4 dynamic_shared_memory[];
  return reinterpret_cast<T *>(dynamic_shared_memory);
}

// Reads 16 bytes (zeros if they are not `there`) that nobody writes meanwhile and nobody here reads again.
HIR_GPU uint4 load_once(const uint4 *at, bool there) {
  uint4 bits;
  asm volatile(
      "{\n"
      " .reg .pred p;\n"
      " setp.ne.b32 p, %5, 0;\n"
      " mov.b32 %0, 0;\n"
      " mov.b32 %1, 0;\n"
      " mov.b32 %2, 0;\n"
      " mov.b32 %3, 0;\n"
      " @p ld.global.nc.L1::no_allocate.v4.b32 {%0, %1, %2, %3}, [%4];\n"
      "}\n"
      : "=&r"(bits.x), "=&r"(bits.y), "=&r"(bits.z), "=&r"(bits.w)
      : "l"(at), "r"(static_cast<int>(there)));
  return bits;
}

// Reads what other blocks of the same launch have written, past the multiprocessor's own cache.
HIR_GPU float load_fresh(const float *at) { return __ldcg(at); }
HIR_GPU uint4 load_fresh(const uint4 *at) { return __ldcg(at); }
// Writes for other blocks to read.
HIR_GPU void store_fresh(uint4 *at, uint4 bits) { __stcg(at, bits); }

// Counts the blocks that come here and starts over after the last of them, for which it is true: that block sees what
// the others wrote before a barrier and this. Called by one thread; the others of the last block see it after a barrier.
HIR_GPU bool last_to_come(uint32_t *count, int blocks) {
  uint32_t before;
  asm volatile("atom.acq_rel.gpu.global.inc.u32 %0, [%1], %2;" : "=r"(before) : "l"(count), "r"(blocks - 1) : "memory");
  return before == static_cast<uint32_t>(blocks - 1);
}

HIR_GPU void atomic_add(uint32_t *at, uint32_t value) { atomicAdd(at, value); }
HIR_GPU void atomic_add(uint64_t *at, uint64_t value) {
  atomicAdd(reinterpret_cast<unsigned long long *>(at), static_cast<unsigned long long>(value));
}
// Returns what was there before.
HIR_GPU uint32_t fetch_add(uint32_t *at, uint32_t value) { return atomicAdd(at, value); }
HIR_GPU void atomic_min(uint64_t *at, uint64_t value) {
  atomicMin(reinterpret_cast<unsigned long long *>(at), static_cast<unsigned long long>(value));
}

// 2^x by the special function unit, within 2 units of the last place; below 2^-126 it is 0.
HIR_GPU float exp2_fast(float x) {
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}

// The greater one; NaN if either is NaN.
HIR_GPU float max_nan(float a, float b) {
  float c;
  asm("max.NaN.f32 %0, %1, %2;" : "=f"(c) : "f"(a), "f"(b));
  return c;
}

HIR_GPU uint32_t as_bits(float x) { return __float_as_uint(x); }
HIR_GPU float as_float(uint32_t x) { return __uint_as_float(x); }
HIR_GPU int leading_zeros(uint32_t x) { return __clz(static_cast<int>(x)); }
HIR_GPU int bits_set(uint32_t x) { return __popc(x); }

// Two floats rounded to bfloat16 (nearest, ties to even), the first in the low half.
HIR_GPU uint32_t pack_bf16(float low, float high) {
  const __nv_bfloat162 pair = __floats2bfloat162_rn(low, high);
  return static_cast<uint32_t>(__bfloat16_as_ushort(pair.x)) | static_cast<uint32_t>(__bfloat16_as_ushort(pair.y)) << 16;
}

using Bits8 = uint2;
using Bits16 = uint4;  // 16 bytes, the widest access
HIR_GPU Bits16 bits16(uint32_t a, uint32_t b, uint32_t c, uint32_t d) { return make_uint4(a, b, c, d); }
// Whole accesses to global memory: the compiler may take an assignment apart.
HIR_GPU Bits16 load16(const void *from) {
  Bits16 bits;
  asm volatile("ld.global.v4.b32 {%0, %1, %2, %3}, [%4];"
               : "=r"(bits.x), "=r"(bits.y), "=r"(bits.z), "=r"(bits.w)
               : "l"(from));
  return bits;
}
HIR_GPU void store16(void *to, const Bits16 &bits) {
  asm volatile("st.global.v4.b32 [%0], {%1, %2, %3, %4};" ::"l"(to), "r"(bits.x), "r"(bits.y), "r"(bits.z), "r"(bits.w)
               : "memory");
}
HIR_GPU void store8(void *to, const Bits8 &bits) {
  asm volatile("st.global.v2.b32 [%0], {%1, %2};" ::"l"(to), "r"(bits.x), "r"(bits.y) : "memory");
}

// Copies a vector from global to shared memory past the registers and the first cache, without waiting; zeros if it is
// not `there`. The thread that copies may read it after commit_copies() and wait_for_copies().
HIR_GPU void copy_async(Bits16 *to, const Bits16 *from, bool there) {
  asm volatile(
      "cp.async.cg.shared.global.L2::128B [%0], [%1], 16, %2;" ::"r"(static_cast<uint32_t>(__cvta_generic_to_shared(to))),
      "l"(__cvta_generic_to_global(from)), "r"(there ? 16 : 0)
      : "memory");
}

// Ends a group of this thread's copies, which may be empty.
HIR_GPU void commit_copies() { asm volatile("cp.async.commit_group;" ::: "memory"); }

// Waits for all groups of this thread but the last `but`.
template <int but>
HIR_GPU void wait_for_copies() {
  asm volatile("cp.async.wait_group %0;" ::"n"(but) : "memory");
}

// Keeps the compiler from computing with these bits before this point: unpacked values take twice the registers.
HIR_GPU void renew(uint4 &bits) { asm volatile("" : "+r"(bits.x), "+r"(bits.y), "+r"(bits.z), "+r"(bits.w)); }

// In kernels that may start before the one before them has ended (Call::overlap): waits for its end, and with that of
// all before it; what they write may be read, and what they read be written, after this alone.
HIR_GPU void wait_for_previous() {
#if __CUDA_ARCH__ >= 900
  asm volatile("griddepcontrol.wait;" ::: "memory");
#endif
}

// Lets the next kernel start, once all blocks have come here.
HIR_GPU void start_next() {
#if __CUDA_ARCH__ >= 900
  asm volatile("griddepcontrol.launch_dependents;" ::: "memory");
#endif
}

// By the whole warp on tensor cores: c += a b, with a of 16 rows and 16 columns of bfloat16, b of 16 and 8. Lane 4 i + j
// holds of a, with columns 2 j and 2 j + 1: a0 of row i, a1 of row i + 8; a2 and a3 the same with columns 8 further on;
// of b, b0 its rows 2 j and 2 j + 1 of column i, b1 8 further on; of c, columns 2 j and 2 j + 1 of row i, then of row i + 8.
HIR_GPU void multiply_16x8x16(float (&c)[4], uint32_t a0, uint32_t a1, uint32_t a2, uint32_t a3, uint32_t b0, uint32_t b1) {
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
      : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
      : "r"(a0), "r"(a1), "r"(a2), "r"(a3), "r"(b0), "r"(b1));
}

}  // namespace hir::cuda

#else

#define HIR_DEVICE simt
#define HIR_KERNEL(threads, blocks_per_sm) void
#define HIR_GPU inline

#include "simt/emulator.h"

#endif

namespace hir::HIR_DEVICE {

constexpr int WARP = 32;

HIR_GPU int lane() { return thread() % WARP; }
HIR_GPU int warp() { return thread() / WARP; }
HIR_GPU int warps() { return threads() / WARP; }

// Reductions give every thread the same bits: the order of the operations is fixed.
struct Sum {
  template <class V>
  HIR_GPU V operator()(V a, V b) const {
    return a + b;
  }
};

struct Max {
  HIR_GPU float operator()(float a, float b) const { return max_nan(a, b); }
};

template <class V, class Op>
HIR_GPU V warp_reduce(V value, Op op) {
  for (int lanes = WARP / 2; lanes > 0; lanes /= 2) value = op(value, shuffle_xor(value, lanes));
  return value;
}

// `places` is shared memory for one value a warp; it may be used again at once.
template <class V, class Op>
HIR_GPU V block_reduce(V value, V neutral, Op op, V *places) {
  value = warp_reduce(value, op);
  if (lane() == 0) places[warp()] = value;
  barrier();
  value = warp_reduce(lane() < warps() ? places[lane()] : neutral, op);
  barrier();
  return value;
}

// The sum of the values of the lanes up to this one.
template <class V>
HIR_GPU V warp_running_sum(V value) {
  for (int lanes = 1; lanes < WARP; lanes *= 2) {
    const V below = shuffle_up(value, lanes);
    if (lane() >= lanes) value += below;
  }
  return value;
}

}  // namespace hir::HIR_DEVICE
