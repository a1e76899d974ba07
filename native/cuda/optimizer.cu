// Global gradient norm and AdamW over flat buffers. Work is split into chunks of fixed size and summed in a fixed
// order, so that results do not depend on the device.
#include "call.h"
#include "hir_kernels.h"
#include "kernels_on_device.h"
#include "row.h"

namespace hir::HIR_DEVICE {

namespace {

constexpr int THREADS = 256;
constexpr int64_t CHUNK = 16384;

inline int64_t chunks(int64_t count) { return (count + CHUNK - 1) / CHUNK; }

template <class T>
struct SquareArguments {
  T *values;
  int64_t count;
  double *parts;
};

template <class T>
HIR_KERNEL(THREADS, 4)
squares_kernel(SquareArguments<T> a) {
  const int64_t start = block() * CHUNK, left = a.count - start;
  const Row<T> chunk(a.values + start, left < CHUNK ? left : CHUNK);
  double mine = 0;
  for_each_vector(chunk, [&](int, const auto &x) {
    constexpr int n = sizeof(x) / sizeof(float);
#pragma unroll
    for (int i = 0; i < n; i++) mine = fma(static_cast<double>(x[i]), static_cast<double>(x[i]), mine);
  });
  mine = block_reduce(mine, 0.0, Sum(), shared<double>());
  if (thread() == 0) a.parts[block()] = mine;
}

struct TotalArguments {
  const double *parts;
  int64_t count;
  double *total;
};

HIR_KERNEL(THREADS, 1)
total_kernel(TotalArguments a) {
  double mine = 0;
  for (int64_t i = thread(); i < a.count; i += threads()) mine += a.parts[i];
  mine = block_reduce(mine, 0.0, Sum(), shared<double>());
  if (thread() == 0) *a.total = mine;
}

template <class T>
int32_t squares(const Place &place, const void *values, int64_t count, double *result) {
  *result = 0;
  if (count == 0) return HIR_OK;
  Call call("sum_of_squares", place);
  const int64_t parts = chunks(count);
  double *memory = static_cast<double *>(call.scratch(sizeof(double) * (parts + 1)));
  const SquareArguments<T> arguments = {static_cast<T *>(const_cast<void *>(values)), count, memory};
  call.launch(squares_kernel<T>, parts, THREADS, sizeof(double) * WARP, arguments);
  const TotalArguments total = {memory, parts, memory + parts};
  call.launch(total_kernel, 1, THREADS, sizeof(double) * WARP, total);
  call.read(result, memory + parts, sizeof(double));
  return call.result();
}

// torch.optim.AdamW with precomputed constants: p -= lr wd p; m += (1 - b1)(g - m); v = b2 v + (1 - b2) g g; p -= lr /
// (1 - b1^t) * m / (sqrt(v) / sqrt(1 - b2^t) + eps).
struct Update {
  float keep, toward, decay, fresh, rate, spread, epsilon, grad_scale;

  explicit Update(const AdamW &a)
      : keep(static_cast<float>(1 - a.learning_rate * a.weight_decay)), toward(static_cast<float>(1 - a.beta1)),
        decay(static_cast<float>(a.beta2)), fresh(static_cast<float>(1 - a.beta2)),
        rate(static_cast<float>(-a.learning_rate / (1 - pow(a.beta1, static_cast<double>(a.step))))),
        spread(static_cast<float>(1 / sqrt(1 - pow(a.beta2, static_cast<double>(a.step))))),
        epsilon(static_cast<float>(a.epsilon)), grad_scale(static_cast<float>(a.grad_scale)) {}

  HIR_GPU void operator()(float &p, float &m, float &v, float gradient) const {
    const float g = gradient * grad_scale;
    m = fmaf(toward, g - m, m);
    v = fmaf(fresh * g, g, decay * v);
    p = fmaf(rate, m / fmaf(sqrtf(v), spread, epsilon), p * keep);
  }
};

template <class G>
struct StepArguments {
  float *params, *m, *v;
  const G *grads;
  bf16 *low;
  int64_t count;
  Update update;
  uint64_t *faults;
  bool aligned;  // all buffers to 16 bytes
};

template <class G>
HIR_GPU void step_one(const StepArguments<G> &a, int64_t i) {
  float p = a.params[i], m = a.m[i], v = a.v[i];
  a.update(p, m, v, to_float(a.grads[i]));
  a.params[i] = p;
  a.m[i] = m;
  a.v[i] = v;
  if (a.low) from_float(p, a.low + i);
  if (p != p) report(a.faults, KernelId::ADAMW, Fault::NAN_PARAMETER, i);
}

HIR_GPU void load_four(const float *x, float (&out)[4]) { unpack(*reinterpret_cast<const Bits16 *>(x), out); }

HIR_GPU void load_four(const bf16 *x, float (&out)[4]) {
#pragma unroll
  for (int i = 0; i < 4; i++) out[i] = to_float(x[i]);
}

struct alignas(8) Bits8 {
  uint32_t low, high;
};

// Four elements at once.
template <class G>
HIR_GPU void step_four(const StepArguments<G> &a, int64_t i) {
  float p[4], m[4], v[4], g[4];
  load_four(a.params + i, p);
  load_four(a.m + i, m);
  load_four(a.v + i, v);
  load_four(a.grads + i, g);
#pragma unroll
  for (int j = 0; j < 4; j++) {
    a.update(p[j], m[j], v[j], g[j]);
    if (p[j] != p[j]) report(a.faults, KernelId::ADAMW, Fault::NAN_PARAMETER, i + j);
  }
  *reinterpret_cast<Bits16 *>(a.params + i) = pack(p);
  *reinterpret_cast<Bits16 *>(a.m + i) = pack(m);
  *reinterpret_cast<Bits16 *>(a.v + i) = pack(v);
  if (a.low) *reinterpret_cast<Bits8 *>(a.low + i) = {pack_bf16(p[0], p[1]), pack_bf16(p[2], p[3])};
}

template <class G>
HIR_KERNEL(THREADS, 4)
adamw_kernel(StepArguments<G> a) {
  const int64_t start = block() * CHUNK, end = start + CHUNK < a.count ? start + CHUNK : a.count;
  int64_t i = start;
  if (a.aligned) {
    for (i += 4 * thread(); i + 4 <= end; i += 4 * threads()) step_four(a, i);
    i = end - (end - start) % 4;
  }
  for (i += thread(); i < end; i += threads()) step_one(a, i);
}

template <class G>
int32_t step(const Place &place, const AdamW &adamw) {
  Call call("adamw", place);
  bf16 *low = reinterpret_cast<bf16 *>(adamw.low_precision);
  const uintptr_t addresses = reinterpret_cast<uintptr_t>(adamw.params) | reinterpret_cast<uintptr_t>(adamw.m) |
                              reinterpret_cast<uintptr_t>(adamw.v) | reinterpret_cast<uintptr_t>(adamw.grads) |
                              reinterpret_cast<uintptr_t>(low);
  const StepArguments<G> arguments = {adamw.params, adamw.m,       adamw.v,       static_cast<const G *>(adamw.grads), low,
                                      adamw.count,  Update(adamw), call.faults(), addresses % VECTOR_BYTES == 0};
  call.launch(adamw_kernel<G>, chunks(adamw.count), THREADS, 0, arguments);
  return call.result();
}

}  // namespace

int32_t sum_of_squares(const Place &place, const void *values, int64_t count, int32_t dtype, double *result) {
  return dtype == HIR_BFLOAT16 ? squares<bf16>(place, values, count, result) : squares<float>(place, values, count, result);
}

int32_t adamw(const Place &place, const AdamW &adamw) {
  return adamw.grad_dtype == HIR_BFLOAT16 ? step<bf16>(place, adamw) : step<float>(place, adamw);
}

}  // namespace hir::HIR_DEVICE
