// One call of the ABI on a device and stream: starts kernels, holds scratch memory, keeps the first error. Only read()
// waits for the device.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "device_backend.h"
#include "fault.h"
#include "simt.h"

namespace hir::HIR_DEVICE {

int32_t usable(const char *kernel, int32_t device);

class Call {
 public:
  Call(const char *kernel, const Place &place);
  ~Call();
  Call(const Call &) = delete;
  Call &operator=(const Call &) = delete;

  // Where kernels record faults in their data.
  uint64_t *faults() const { return fault_memory; }

  // Maximum shared memory of a block, in bytes.
  size_t most_shared() const { return shared_limit; }

  // Maximum number of blocks in a cluster; 1 on devices without clusters.
  int most_cluster() const { return cluster_limit; }

  // Multiprocessors of the device.
  int64_t processors() const { return processor_count; }

  // Device memory until the end of the call (of its work on the stream); null and an error when there is none.
  void *scratch(size_t bytes);

  template <class A>
  void launch(void (*kernel)(A), int64_t blocks, int threads, size_t shared_bytes, const A &arguments, int cluster = 1);

  // From now on kernels may start while the one before runs (programmatic dependent launch), where the device can and
  // HIR_NO_PDL is not set. All of them begin with wait_for_previous(), but for reading what no kernel of the call writes.
  void overlap();

  void fill(void *memory, int value, size_t bytes);

  // Copies from the host; `from` may be reused at once.
  void upload(void *to, const void *from, size_t bytes);

  // Copies on the device.
  void copy(void *to, const void *from, size_t bytes);

  // Rows of `bytes`, pitches apart.
  void copy_rows(void *to, size_t to_pitch, const void *from, size_t from_pitch, size_t bytes, size_t rows);

  // Device memory that outlives the call, until release(); null and an error when there is none.
  void *allocate(size_t bytes);
  static void release(const Place &place, void *memory);

  // Waits for the stream and returns released memory to the driver: for large pieces, which others may need.
  static void trim(const Place &place);

  // Waits for the stream and copies `bytes` (at most READABLE) from the device; reports faults found so far.
  static constexpr size_t READABLE = 256;
  void read(void *to, const void *from, size_t bytes);

  // The same into pinned memory (Pinned), of any size.
  void read_pinned(void *to, const void *from, size_t bytes);

  int64_t stream() const { return place.stream; }
  void fail_with(int32_t code) {
    if (!error) error = code;
  }
  bool failed() const { return error != 0; }
  // The first error of the call; HIR_OK when all was queued.
  int32_t result() const { return error; }

 private:
  const char *const kernel_name;
  const Place place;
  int32_t error = 0;
  uint64_t *fault_memory = nullptr;
  size_t shared_limit = 0;
  int cluster_limit = 1;
  int64_t processor_count = 0;
  bool overlapping = false;
  void *blocks_of_memory[4] = {};
  int blocks_held = 0;
#ifdef __CUDACC__
  bool ok(cudaError_t code, const char *what);
  // Queues a copy to pinned memory and one of the fault word, waits, and reports what was found.
  void finish(void *pinned, const void *from, size_t bytes, uint64_t *fault);
  int previous_device = -1;
#endif
};

// Pinned host memory; copies from it are queued like kernels.
class Pinned {
 public:
  Pinned() {}
  ~Pinned();
  Pinned(const Pinned &) = delete;
  Pinned &operator=(const Pinned &) = delete;

  // Memory of at least this size; its contents are lost when it grows. Null and an error of the call if there is none.
  char *reserve(Call &call, size_t bytes);

 private:
  char *data = nullptr;
  size_t size = 0;
};

}  // namespace hir::HIR_DEVICE

#ifdef __CUDACC__

#include "error.h"
#include "hir_kernels.h"

namespace hir::cuda {

template <class A>
void Call::launch(void (*kernel)(A), int64_t blocks, int threads, size_t shared_bytes, const A &arguments, int cluster) {
  if (failed() || blocks == 0) return;
  if (blocks > INT32_MAX) {
    error = fail(HIR_INVALID, "%s: %lld blocks, a grid has at most 2^31 - 1", kernel_name, static_cast<long long>(blocks));
    return;
  }
  constexpr size_t WITHOUT_ASKING = 48 << 10;
  if (shared_bytes > WITHOUT_ASKING &&
      !ok(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(shared_bytes)),
          "asking for shared memory")) {
    return;
  }
  // As much of the first cache as there is, so that all blocks fit that can; and kernels that overlap divide it alike, as
  // a processor changes the division only while it is idle.
  if ((shared_bytes > WITHOUT_ASKING || overlapping) &&
      !ok(cudaFuncSetAttribute(kernel, cudaFuncAttributePreferredSharedMemoryCarveout, cudaSharedmemCarveoutMaxShared),
          "asking for shared memory")) {
    return;
  }
  cudaLaunchAttribute attributes[2] = {};
  cudaLaunchConfig_t config = {};
  config.gridDim = dim3(static_cast<unsigned>(blocks));
  config.blockDim = dim3(static_cast<unsigned>(threads));
  config.dynamicSmemBytes = shared_bytes;
  config.stream = reinterpret_cast<cudaStream_t>(place.stream);
  config.attrs = attributes;
  if (cluster > 1) {
    cudaLaunchAttribute &attribute = attributes[config.numAttrs++];
    attribute.id = cudaLaunchAttributeClusterDimension;
    attribute.val.clusterDim.x = static_cast<unsigned>(cluster);
    attribute.val.clusterDim.y = attribute.val.clusterDim.z = 1;
  }
  if (overlapping) {
    cudaLaunchAttribute &attribute = attributes[config.numAttrs++];
    attribute.id = cudaLaunchAttributeProgrammaticStreamSerialization;
    attribute.val.programmaticStreamSerializationAllowed = 1;
  }
  ok(cudaLaunchKernelEx(&config, kernel, arguments), "launch");
}

}  // namespace hir::cuda

#else

#include <functional>
#include <vector>

#include "error.h"
#include "hir_kernels.h"

namespace hir::simt {

// Launches that wait to be started as a graph (graph.h); null while launches run at once.
using Recording = std::vector<std::function<int32_t()> >;
extern thread_local Recording *recording;

template <class A>
void Call::launch(void (*kernel)(A), int64_t blocks, int threads, size_t shared_bytes, const A &arguments, int cluster) {
  if (failed() || blocks == 0) return;
  struct Bound {
    void (*kernel)(A);
    A arguments;
  };
  const Bound bound = {kernel, arguments};
  const Order order = static_cast<Order>(place.device % ORDERS);
  const char *name = kernel_name;
  const auto start = [=]() -> int32_t {
    const char *wrong = run(
        [](const void *data) {
          const Bound &b = *static_cast<const Bound *>(data);
          b.kernel(b.arguments);
        },
        &bound, blocks, threads, shared_bytes, order, cluster);
    return wrong ? fail(HIR_INVALID, "%s: emulated kernel: %s", name, wrong) : HIR_OK;
  };
  if (recording) {
    recording->push_back(start);
  } else {
    error = start();
  }
}

}  // namespace hir::simt

#endif
