#include "flash.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "hir_kernels.h"

namespace hir::cuda {

namespace {

// LibTorch's plain C interface (torch/csrc/inductor/aoti_torch/c/shim.h), found in the process. An operator's value
// takes 8 bytes: a number itself, a tensor's handle, 0 for an absent optional, a pointer to 8 bytes on the heap for a
// present one.
struct Torch {
  using Tensor = void *;

  int32_t (*call)(const char *operation, const char *overload, uint64_t *values) = nullptr;
  int32_t (*wrap)(void *data, int64_t dims, const int64_t *sizes, const int64_t *strides, int64_t offset, int32_t dtype,
                  int32_t device_type, int32_t device, Tensor *tensor) = nullptr;
  int32_t (*drop)(Tensor tensor) = nullptr;
  int32_t (*handle)(Tensor tensor, Tensor *another) = nullptr;
  int32_t (*data)(Tensor tensor, void **address) = nullptr;
  int32_t (*elements)(Tensor tensor, int64_t *count) = nullptr;
  int32_t bf16_type = -1, int32_type = -1, float_type = -1, cuda_type = -1;
  bool complete = false;

  Torch() {
    void *const library = dlopen("libtorch_cpu.so", RTLD_LAZY | RTLD_NOLOAD);
    // Its CUDA part registers the operators.
    if (!library || !dlopen("libtorch_cuda.so", RTLD_LAZY | RTLD_NOLOAD)) return;
    const auto find = [library](const char *name, auto *function) {
      *function = reinterpret_cast<std::remove_reference_t<decltype(*function)>>(dlsym(library, name));
      return *function != nullptr;
    };
    int32_t (*bf16_of)() = nullptr, (*int32_of)() = nullptr, (*float_of)() = nullptr, (*cuda_of)() = nullptr;
    complete = find("aoti_torch_call_dispatcher", &call) && find("aoti_torch_create_tensor_from_blob", &wrap) &&
               find("aoti_torch_delete_tensor_object", &drop) && find("aoti_torch_new_tensor_handle", &handle) &&
               find("aoti_torch_get_data_ptr", &data) && find("aoti_torch_get_numel", &elements) &&
               find("aoti_torch_dtype_bfloat16", &bf16_of) && find("aoti_torch_dtype_int32", &int32_of) &&
               find("aoti_torch_dtype_float32", &float_of) && find("aoti_torch_device_type_cuda", &cuda_of);
    if (!complete) return;
    bf16_type = bf16_of();
    int32_type = int32_of();
    float_type = float_of();
    cuda_type = cuda_of();
  }
};

const Torch &torch() {
  static const Torch library;
  return library;
}

// The values of one call, and its results. Tensors that are passed belong to the operator.
class Values {
 public:
  explicit Values(int device) : device(device) {}
  Values(const Values &) = delete;
  Values &operator=(const Values &) = delete;

  ~Values() {
    for (int i = 0; i < results; i++) {
      if (values[i]) torch().drop(reinterpret_cast<void *>(values[i]));
    }
  }

  void tensor(const void *data, int32_t dtype, int dims, const int64_t *sizes, const int64_t *strides) {
    void *made = nullptr;
    good = good &&
           torch().wrap(const_cast<void *>(data), dims, sizes, strides, 0, dtype, torch().cuda_type, device, &made) == 0;
    add(reinterpret_cast<uint64_t>(made));
  }

  // [rows][heads][head_dim], rows `pitch` apart.
  void rows(const bf16 *data, int64_t count, int64_t heads, int64_t head_dim, int64_t pitch) {
    const int64_t sizes[] = {count, heads, head_dim}, strides[] = {pitch, head_dim, 1};
    tensor(data, torch().bf16_type, 3, sizes, strides);
  }

  void lengths(const int32_t *data, int64_t count, bool optional) {
    const int64_t sizes[] = {count}, strides[] = {1};
    tensor(data, torch().int32_type, 1, sizes, strides);
    if (optional) values[used - 1] = reinterpret_cast<uint64_t>(new uint64_t(values[used - 1]));
  }

  void same(void *tensor) {
    void *another = nullptr;
    good = good && torch().handle(tensor, &another) == 0;
    add(reinterpret_cast<uint64_t>(another));
  }

  void number(int64_t value) { add(static_cast<uint64_t>(value)); }

  void number(double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    add(bits);
  }

  // The operator's remaining values are absent.
  bool call(const char *operation, int count) {
    if (!good || torch().call(operation, "", values) != 0) return false;
    results = count;
    return true;
  }

  void *result(int i) const { return reinterpret_cast<void *>(values[i]); }
  // Keeps a result alive longer than these values.
  void *take(int i) {
    void *const kept = result(i);
    values[i] = 0;
    return kept;
  }

 private:
  void add(uint64_t value) { values[used++] = value; }

  const int device;
  uint64_t values[32] = {};
  int used = 0, results = 0;
  bool good = true;
};

// Copies a result's elements to our memory; in rows of `width` elements if the target has a pitch.
bool copy(Call &call, void *result, void *to, int64_t rows, int64_t width, int64_t pitch, int64_t element) {
  void *from = nullptr;
  int64_t count = 0;
  if (torch().elements(result, &count) != 0 || count != rows * width || torch().data(result, &from) != 0) return false;
  call.copy_rows(to, pitch * element, from, width * element, width * element, rows);
  return !call.failed();
}

// Where a result of so many elements lies; null if it is not as expected.
bf16 *address_of(void *result, int64_t count) {
  void *data = nullptr;
  int64_t found = 0;
  const bool good = torch().elements(result, &found) == 0 && found == count && torch().data(result, &data) == 0 &&
                    reinterpret_cast<uintptr_t>(data) % 16 == 0;
  return good ? static_cast<bf16 *>(data) : nullptr;
}

void refuse(Call &call, const char *operation) {
  call.fail_with(fail(HIR_UNSUPPORTED,
                      "model: LibTorch's %s has failed; its message is on the error stream. "
                      "HIR_PLAIN_ATTENTION=1 does without it",
                      operation));
}

}  // namespace

Flash::Flash(const Place &place, const ModelShape &shape) : place(place) {
  const char *const plain = getenv("HIR_PLAIN_ATTENTION");
  // LibTorch queues its work on its own current stream, which is the default one.
  found = shape.dtype == HIR_BFLOAT16 && shape.head_dim % 8 == 0 && shape.head_dim <= 256 && place.stream == 0 &&
          !(plain && *plain && *plain != '0') && torch().complete;
}

Flash::~Flash() {
  release();
  if (random_state) torch().drop(random_state);
  if (unused) torch().drop(unused);
}

void Flash::forward(Call &call, const PackedAttentionArguments<bf16> &a, const Lengths &lengths) {
  if (call.failed()) return;
  const int64_t key_pitch = a.kv_heads * a.head_dim;
  Values v(place.device);
  v.rows(a.queries, a.tokens, a.heads, a.head_dim, a.query_pitch);
  v.rows(a.keys, a.slots, a.kv_heads, a.head_dim, key_pitch);
  v.rows(a.values, a.slots, a.kv_heads, a.head_dim, key_pitch);
  v.lengths(a.query_starts, lengths.sequences + 1, true);
  v.lengths(a.key_starts, lengths.sequences + 1, true);
  v.number(lengths.longest_query);
  v.number(lengths.longest_key);
  v.number(0.0);         // dropout
  v.number(int64_t{1});  // causal
  v.number(int64_t{0});  // no mask for debugging
  // Scale, window, lengths in use and slopes are absent.
  const bool done = v.call("aten::_flash_attention_forward", 5) &&
                    copy(call, v.result(0), a.mixed, a.tokens, a.heads * a.head_dim, a.query_pitch, sizeof(bf16)) &&
                    copy(call, v.result(1), a.sums, a.heads, a.tokens, a.tokens, sizeof(float));
  if (!done) return refuse(call, "_flash_attention_forward");
  if (!random_state) {
    random_state = v.take(2);
    unused = v.take(3);
  }
}

void Flash::release() {
  for (void *&each : gradients) {
    if (each) torch().drop(each);
    each = nullptr;
  }
}

void Flash::backward(Call &call, PackedAttentionBackArguments<bf16> &b, const Lengths &lengths) {
  if (call.failed()) return;
  release();
  const PackedAttentionArguments<bf16> &a = b.forward;
  const int64_t key_pitch = a.kv_heads * a.head_dim;
  Values v(place.device);
  v.rows(b.mixed_flow, a.tokens, a.heads, a.head_dim, a.query_pitch);
  v.rows(a.queries, a.tokens, a.heads, a.head_dim, a.query_pitch);
  v.rows(a.keys, a.slots, a.kv_heads, a.head_dim, key_pitch);
  v.rows(a.values, a.slots, a.kv_heads, a.head_dim, key_pitch);
  v.rows(a.mixed, a.tokens, a.heads, a.head_dim, a.query_pitch);
  const int64_t sizes[] = {a.heads, a.tokens}, strides[] = {a.tokens, 1};
  v.tensor(a.sums, torch().float_type, 2, sizes, strides);
  v.lengths(a.query_starts, lengths.sequences + 1, false);
  v.lengths(a.key_starts, lengths.sequences + 1, false);
  v.number(lengths.longest_query);
  v.number(lengths.longest_key);
  v.number(0.0);
  v.number(int64_t{1});
  v.same(random_state);
  v.same(unused);
  if (!v.call("aten::_flash_attention_backward", 3)) return refuse(call, "_flash_attention_backward");
  for (int i = 0; i < 3; i++) gradients[i] = v.take(i);
  // Heads of whole vectors: queries lie without gaps.
  b.query_flow = address_of(gradients[0], a.tokens * a.query_pitch);
  b.key_flow = address_of(gradients[1], a.slots * key_pitch);
  b.value_flow = address_of(gradients[2], a.slots * key_pitch);
  if (!b.query_flow || !b.key_flow || !b.value_flow) refuse(call, "_flash_attention_backward");
}

}  // namespace hir::cuda
