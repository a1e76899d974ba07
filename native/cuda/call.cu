#include "call.h"

#include <stdlib.h>
#include <string.h>

#include <mutex>

#include "error.h"
#include "hir_kernels.h"

namespace hir::cuda {

namespace {

constexpr int MOST_DEVICES = 64;
constexpr int LEAST_CAPABILITY = 80;

// What the library keeps per device for the life of the process: the fault word, and pinned memory for reads.
struct DeviceState {
  bool made = false;
  uint64_t *faults = nullptr;
  char *pinned = nullptr;  // Call::READABLE bytes, then the fault word
  int shared_limit = 0, clusters = 0, processors = 0;
};

DeviceState states[MOST_DEVICES];
std::mutex states_lock;

int32_t fail_cuda(const char *kernel, cudaError_t code, const char *what) {
  if (code == cudaErrorMemoryAllocation) {
    size_t free_bytes = 0, total = 0;
    cudaMemGetInfo(&free_bytes, &total);
    cudaGetLastError();
    return fail(HIR_NO_MEMORY, "%s: out of GPU memory (%.1f of %.1f GiB are free)", kernel,
                static_cast<double>(free_bytes) / (1 << 30), static_cast<double>(total) / (1 << 30));
  }
  return fail(HIR_UNSUPPORTED, "%s: CUDA %s: %s (%s)", kernel, what, cudaGetErrorString(code), cudaGetErrorName(code));
}

cudaError_t make(DeviceState &state, int device) {
  if (state.made) return cudaSuccess;
  cudaError_t code = cudaMalloc(&state.faults, sizeof(uint64_t));
  if (code == cudaSuccess) code = cudaMemset(state.faults, 0xff, sizeof(uint64_t));
  if (code == cudaSuccess) code = cudaMallocHost(&state.pinned, Call::READABLE + sizeof(uint64_t));
  if (code == cudaSuccess) {
    code = cudaDeviceGetAttribute(&state.shared_limit, cudaDevAttrMaxSharedMemoryPerBlockOptin, device);
  }
  if (code == cudaSuccess) code = cudaDeviceGetAttribute(&state.clusters, cudaDevAttrClusterLaunch, device);
  if (code == cudaSuccess) code = cudaDeviceGetAttribute(&state.processors, cudaDevAttrMultiProcessorCount, device);
  // Keeps freed memory in the pool: by default every call that waits unmaps it, and the next one maps it again.
  cudaMemPool_t pool = nullptr;
  if (code == cudaSuccess) code = cudaDeviceGetDefaultMemPool(&pool, device);
  uint64_t threshold = UINT64_MAX;
  if (code == cudaSuccess) code = cudaMemPoolSetAttribute(pool, cudaMemPoolAttrReleaseThreshold, &threshold);
  state.made = code == cudaSuccess;
  return code;
}

// Makes a device current during its lifetime, since stream 0 is the current device's.
class OnDevice {
 public:
  explicit OnDevice(int device) {
    cudaGetDevice(&before);
    if (before != device) cudaSetDevice(device);
  }
  ~OnDevice() { cudaSetDevice(before); }

 private:
  int before = 0;
};

}  // namespace

int32_t usable(const char *kernel, int32_t device) {
  int driver = 0, count = 0;
  if (cudaDriverGetVersion(&driver) != cudaSuccess || driver == 0) {
    return fail(HIR_UNSUPPORTED, "%s: no CUDA device: this machine has no NVIDIA driver", kernel);
  }
  cudaError_t code = cudaGetDeviceCount(&count);
  if (code != cudaSuccess) {
    cudaGetLastError();
    return fail(HIR_UNSUPPORTED,
                "%s: no CUDA device: %s (the driver supports CUDA %d.%d, this library was built with "
                "%d.%d)",
                kernel, cudaGetErrorString(code), driver / 1000, driver % 1000 / 10, CUDART_VERSION / 1000,
                CUDART_VERSION % 1000 / 10);
  }
  if (device < 0 || device >= count || device >= MOST_DEVICES) {
    return fail(HIR_UNSUPPORTED, "%s: no CUDA device %d: there are %d (CUDA_VISIBLE_DEVICES hides others)", kernel, device,
                count);
  }
  int major = 0, minor = 0;
  code = cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device);
  if (code == cudaSuccess) code = cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, device);
  if (code != cudaSuccess) return fail_cuda(kernel, code, "device query");
  if (10 * major + minor < LEAST_CAPABILITY) {
    return fail(HIR_UNSUPPORTED, "%s: CUDA device %d has compute capability %d.%d, the kernels need 8.0", kernel, device,
                major, minor);
  }
  return HIR_OK;
}

Call::Call(const char *kernel, const Place &place) : kernel_name(kernel), place(place) {
  if (place.device < 0 || place.device >= MOST_DEVICES) {
    error = usable(kernel, place.device);
    return;
  }
  std::lock_guard<std::mutex> guard(states_lock);
  DeviceState &state = states[place.device];
  // The driver is queried once; later queries would delay every decoded token.
  if (!state.made && (error = usable(kernel, place.device))) return;
  int current = 0;
  if (!ok(cudaGetDevice(&current), "device query")) return;
  if (current != place.device) {
    if (!ok(cudaSetDevice(place.device), "device choice")) return;
    previous_device = current;
  }
  if (!ok(make(state, place.device), "set-up")) return;
  fault_memory = state.faults;
  shared_limit = static_cast<size_t>(state.shared_limit);
  cluster_limit = state.clusters ? 8 : 1;
  processor_count = state.processors;
}

Call::~Call() {
  for (int i = 0; i < blocks_held; i++) cudaFreeAsync(blocks_of_memory[i], reinterpret_cast<cudaStream_t>(place.stream));
  if (previous_device >= 0) cudaSetDevice(previous_device);
}

bool Call::ok(cudaError_t code, const char *what) {
  if (code == cudaSuccess) return true;
  if (!error) error = fail_cuda(kernel_name, code, what);
  return false;
}

void *Call::scratch(size_t bytes) {
  if (failed()) return nullptr;
  void *memory = nullptr;
  // In the stream's order: neither this nor the release waits for the device.
  if (!ok(cudaMallocAsync(&memory, bytes, reinterpret_cast<cudaStream_t>(place.stream)), "allocation")) return nullptr;
  blocks_of_memory[blocks_held++] = memory;
  return memory;
}

void Call::overlap() {
  const char *none = getenv("HIR_NO_PDL");
  // Devices of compute capability 9 and above have both.
  overlapping = cluster_limit > 1 && !(none && *none && *none != '0');
}

void Call::upload(void *to, const void *from, size_t bytes) {
  // From pageable memory: the driver has copied it when this returns.
  if (failed() || bytes == 0) return;
  ok(cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, reinterpret_cast<cudaStream_t>(place.stream)), "copy");
}

void Call::copy(void *to, const void *from, size_t bytes) {
  if (failed()) return;
  ok(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, reinterpret_cast<cudaStream_t>(place.stream)), "copy");
}

void Call::copy_rows(void *to, size_t to_pitch, const void *from, size_t from_pitch, size_t bytes, size_t rows) {
  if (failed() || bytes == 0 || rows == 0) return;
  ok(cudaMemcpy2DAsync(to, to_pitch, from, from_pitch, bytes, rows, cudaMemcpyDeviceToDevice,
                       reinterpret_cast<cudaStream_t>(place.stream)),
     "copy");
}

void *Call::allocate(size_t bytes) {
  void *memory = scratch(bytes);
  if (memory) blocks_held--;
  return memory;
}

void Call::release(const Place &place, void *memory) {
  if (!memory) return;
  const OnDevice guard(place.device);
  cudaFreeAsync(memory, reinterpret_cast<cudaStream_t>(place.stream));
}

void Call::trim(const Place &place) {
  const OnDevice guard(place.device);
  cudaMemPool_t pool = nullptr;
  cudaStreamSynchronize(reinterpret_cast<cudaStream_t>(place.stream));
  if (cudaDeviceGetDefaultMemPool(&pool, place.device) == cudaSuccess) cudaMemPoolTrimTo(pool, 0);
  cudaGetLastError();
}

void Call::fill(void *memory, int value, size_t bytes) {
  if (!failed()) ok(cudaMemsetAsync(memory, value, bytes, reinterpret_cast<cudaStream_t>(place.stream)), "fill");
}

void Call::read(void *to, const void *from, size_t bytes) {
  if (failed()) return;
  std::lock_guard<std::mutex> guard(states_lock);  // of the pinned memory
  char *const pinned = states[place.device].pinned;
  finish(pinned, from, bytes, reinterpret_cast<uint64_t *>(pinned + READABLE));
  if (!failed() && bytes > 0) memcpy(to, pinned, bytes);
}

void Call::read_pinned(void *to, const void *from, size_t bytes) {
  if (failed()) return;
  std::lock_guard<std::mutex> guard(states_lock);
  finish(to, from, bytes, reinterpret_cast<uint64_t *>(states[place.device].pinned + READABLE));
}

void Call::finish(void *pinned, const void *from, size_t bytes, uint64_t *fault) {
  const cudaStream_t stream = reinterpret_cast<cudaStream_t>(place.stream);
  if (bytes > 0 && !ok(cudaMemcpyAsync(pinned, from, bytes, cudaMemcpyDeviceToHost, stream), "copy")) return;
  if (!ok(cudaMemcpyAsync(fault, fault_memory, sizeof(uint64_t), cudaMemcpyDeviceToHost, stream), "copy")) return;
  if (!ok(cudaStreamSynchronize(stream), "kernel")) return;
  if (*fault == NO_FAULT) return;
  ok(cudaMemsetAsync(fault_memory, 0xff, sizeof(uint64_t), stream), "fill");
  error = fail_for(*fault);
}

Pinned::~Pinned() {
  if (data) cudaFreeHost(data);
}

char *Pinned::reserve(Call &call, size_t bytes) {
  if (bytes <= size || call.failed()) return data;
  if (data) cudaFreeHost(data);
  data = nullptr;
  size = 0;
  if (cudaMallocHost(&data, bytes) != cudaSuccess) {
    cudaGetLastError();
    data = nullptr;
    call.fail_with(fail(HIR_NO_MEMORY, "decoder: no pinned memory for %zu bytes", bytes));
  } else {
    size = bytes;
  }
  return data;
}

}  // namespace hir::cuda
