#include "products.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "hir_kernels.h"

namespace hir::cuda {

namespace {

// cuBLASLt's C interface, loaded if present instead of linked, since the library is larger than the whole engine.
struct Lt {
  struct Heuristic {
    uint64_t algorithm[8];
    size_t workspace;
    int status;
    float waves;
    int reserved[4];
  };

  int (*create)(void **handle) = nullptr;
  int (*destroy)(void *handle) = nullptr;
  int (*matmul)(void *handle, void *operation, const void *alpha, const void *a, void *a_layout, const void *b,
                void *b_layout, const void *beta, const void *c, void *c_layout, void *d, void *d_layout,
                const void *algorithm, void *workspace, size_t workspace_bytes, cudaStream_t stream) = nullptr;
  int (*make_layout)(void **layout, cudaDataType type, uint64_t rows, uint64_t columns, int64_t pitch) = nullptr;
  int (*drop_layout)(void *layout) = nullptr;
  int (*make_operation)(void **operation, int compute_type, cudaDataType scale_type) = nullptr;
  int (*drop_operation)(void *operation) = nullptr;
  int (*set_operation)(void *operation, int attribute, const void *value, size_t bytes) = nullptr;
  int (*make_preference)(void **preference) = nullptr;
  int (*drop_preference)(void *preference) = nullptr;
  int (*set_preference)(void *preference, int attribute, const void *value, size_t bytes) = nullptr;
  int (*choose)(void *handle, void *operation, void *a_layout, void *b_layout, void *c_layout, void *d_layout,
                void *preference, int wanted, Heuristic *results, int *count) = nullptr;

  Lt() {
    void *library = nullptr;
    // LibTorch's copy comes first, if it is loaded.
    for (const char *name : {"libcublasLt.so.13", "libcublasLt.so.12"}) {
      if (!library) library = dlopen(name, RTLD_LAZY | RTLD_NOLOAD);
    }
    if (!library) library = dlopen("libcublasLt.so.13", RTLD_LAZY | RTLD_LOCAL);
    if (!library) return;
    const auto find = [library](const char *name, auto *function) {
      *function = reinterpret_cast<std::remove_reference_t<decltype(*function)>>(dlsym(library, name));
      return *function != nullptr;
    };
    complete =
        find("cublasLtCreate", &create) && find("cublasLtDestroy", &destroy) && find("cublasLtMatmul", &matmul) &&
        find("cublasLtMatrixLayoutCreate", &make_layout) && find("cublasLtMatrixLayoutDestroy", &drop_layout) &&
        find("cublasLtMatmulDescCreate", &make_operation) && find("cublasLtMatmulDescDestroy", &drop_operation) &&
        find("cublasLtMatmulDescSetAttribute", &set_operation) && find("cublasLtMatmulPreferenceCreate", &make_preference) &&
        find("cublasLtMatmulPreferenceDestroy", &drop_preference) &&
        find("cublasLtMatmulPreferenceSetAttribute", &set_preference) && find("cublasLtMatmulAlgoGetHeuristic", &choose);
  }

  bool complete = false;
};

const Lt &lt() {
  static const Lt library;
  return library;
}

constexpr int COMPUTE_32F = 68, TRANSPOSE_A = 3, TRANSPOSE_B = 4, WORKSPACE_BYTES = 1, ALIGNMENT_A = 5;
constexpr size_t WORKSPACE = 32 << 20;

// Lengths that differ in every micro-batch keep adding keys.
constexpr size_t MOST_CHOICES = 4096;

cudaDataType type_of(const float *) { return CUDA_R_32F; }
cudaDataType type_of(const bf16 *) { return CUDA_R_16BF; }

// The largest power of two, at most 256, that an address is a multiple of.
int32_t alignment(const void *address) {
  const uintptr_t bits = reinterpret_cast<uintptr_t>(address) | 256;
  return static_cast<int32_t>(bits & -bits);
}

int32_t log2_of(int32_t power) { return __builtin_ctz(static_cast<unsigned>(power)); }

// Handles of one product, and whether all could be made.
struct Description {
  void *operation = nullptr, *a = nullptr, *b = nullptr, *c = nullptr;
  bool made = false;

  Description() {}
  Description(const Description &) = delete;
  Description &operator=(const Description &) = delete;
  ~Description() {
    if (operation) lt().drop_operation(operation);
    for (void *layout : {a, b, c}) {
      if (layout) lt().drop_layout(layout);
    }
  }
};

}  // namespace

bool Products::Key::operator<(const Key &other) const { return memcmp(this, &other, sizeof *this) < 0; }

Products::Products(const Place &place) : place(place) {
  const char *invariant = getenv("HIR_BATCH_INVARIANT");
  if ((invariant && *invariant && *invariant != '0') || !lt().complete) return;
  int current = 0;
  cudaGetDevice(&current);
  cudaSetDevice(place.device);
  // Our own workspace, since nothing may be allocated while a graph is recorded.
  if (lt().create(&handle) != 0) {
    handle = nullptr;
  } else if (cudaMalloc(&workspace, WORKSPACE) != cudaSuccess) {
    cudaGetLastError();
    lt().destroy(handle);
    handle = workspace = nullptr;
  }
  cudaSetDevice(current);
}

Products::~Products() {
  if (handle) lt().destroy(handle);
  if (workspace) cudaFree(workspace);
}

template <class T>
void Products::operator()(Call &call, const LinearArguments<T> &a) {
  if (call.failed()) return;
  if (a.rows > OWN_ROWS && handle) {
    normalize(call, a);
    if (multiply(call, ProductArguments<T, float>{a.rows,
                                                  a.outputs,
                                                  a.inputs,
                                                  {a.x, a.inputs, 1},
                                                  {a.w, a.inputs, 1},
                                                  a.accumulate ? a.out : nullptr,
                                                  a.out,
                                                  a.out_stride})) {
      gate(call, a);
      return;
    }
  }
  linear(call, a);
}

template <class T, class Out>
void Products::operator()(Call &call, const ProductArguments<T, Out> &a) {
  if (call.failed() || a.rows == 0) return;
  if (handle && multiply(call, a)) return;
  product(call, a);
}

// False if cuBLASLt has no algorithm. Row-major out = a b^T is column-major out^T = b a^T: its first operand is our b,
// which cuBLASLt sees transposed if the depth is contiguous.
template <class T, class Out>
bool Products::multiply(Call &call, const ProductArguments<T, Out> &a) {
  const bool first_transposed = a.b.column == 1, second_transposed = a.a.column != 1;
  const int64_t first_pitch = first_transposed ? a.b.row : a.b.column;
  const int64_t second_pitch = second_transposed ? a.a.column : a.a.row;
  const void *const onto = a.onto ? static_cast<const void *>(a.onto) : a.out;
  const int32_t alignments[4] = {alignment(a.b.data), alignment(a.a.data), alignment(onto), alignment(a.out)};
  Key key;
  memset(&key, 0, sizeof key);
  key.rows = a.rows;
  key.columns = a.columns;
  key.depth = a.depth;
  key.a_pitch = first_pitch;
  key.b_pitch = second_pitch;
  key.out_pitch = a.out_pitch;
  for (int32_t each : alignments) key.alignments = key.alignments << 4 | log2_of(each);
  key.kind = (sizeof(T) == 2) | (sizeof(Out) == 2) << 1 | first_transposed << 2 | second_transposed << 3 |
             (a.onto != nullptr) << 4 | (static_cast<const void *>(a.onto) == a.out) << 5;

  Description d;
  const cudaDataType type = type_of(static_cast<const T *>(nullptr)), out_type = type_of(static_cast<const Out *>(nullptr));
  const int32_t first = first_transposed, second = second_transposed;
  d.made = lt().make_operation(&d.operation, COMPUTE_32F, CUDA_R_32F) == 0 &&
           lt().set_operation(d.operation, TRANSPOSE_A, &first, sizeof first) == 0 &&
           lt().set_operation(d.operation, TRANSPOSE_B, &second, sizeof second) == 0 &&
           lt().make_layout(&d.a, type, first_transposed ? a.depth : a.columns, first_transposed ? a.columns : a.depth,
                            first_pitch) == 0 &&
           lt().make_layout(&d.b, type, second_transposed ? a.rows : a.depth, second_transposed ? a.depth : a.rows,
                            second_pitch) == 0 &&
           lt().make_layout(&d.c, out_type, a.columns, a.rows, a.out_pitch) == 0;
  if (!d.made) return false;

  auto known = choices.find(key);
  if (known == choices.end()) {
    if (choices.size() >= MOST_CHOICES) choices.clear();
    Choice choice = {};
    void *preference = nullptr;
    if (lt().make_preference(&preference) == 0) {
      lt().set_preference(preference, WORKSPACE_BYTES, &WORKSPACE, sizeof WORKSPACE);
      for (int i = 0; i < 4; i++) {
        const uint32_t bytes = static_cast<uint32_t>(alignments[i]);
        lt().set_preference(preference, ALIGNMENT_A + i, &bytes, sizeof bytes);
      }
      Lt::Heuristic best = {};
      int count = 0;
      choice.found = lt().choose(handle, d.operation, d.a, d.b, d.c, d.c, preference, 1, &best, &count) == 0 && count > 0 &&
                     best.status == 0;
      memcpy(choice.algorithm, best.algorithm, sizeof choice.algorithm);
      lt().drop_preference(preference);
    }
    known = choices.emplace(key, choice).first;
  }
  if (!known->second.found) return false;
  const float one = 1.0f, beta = a.onto ? 1.0f : 0.0f;
  const int code = lt().matmul(handle, d.operation, &one, a.b.data, d.a, a.a.data, d.b, &beta, onto, d.c, a.out, d.c,
                               known->second.algorithm, workspace, WORKSPACE, reinterpret_cast<cudaStream_t>(call.stream()));
  if (code != 0) call.fail_with(fail(HIR_UNSUPPORTED, "model: cuBLASLt refuses a product (status %d)", code));
  return true;
}

#define HIR_INSTANTIATE(T) \
  template void Products::operator()(Call &, const LinearArguments<T> &); \
  template void Products::operator()(Call &, const ProductArguments<T, float> &);
HIR_INSTANTIATE(float)
HIR_INSTANTIATE(bf16)
#undef HIR_INSTANTIATE
template void Products::operator()(Call &, const ProductArguments<bf16, bf16> &);

}  // namespace hir::cuda
