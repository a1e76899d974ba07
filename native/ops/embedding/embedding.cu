// Looks up the embedding's rows for tokens, and adds their gradients: one block per distinct token, in the batch's
// order.
#include "pass_kernels.h"

namespace hir::HIR_DEVICE {

namespace {

constexpr int THREADS = 256;

template <class T>
HIR_KERNEL(THREADS, 1)
gather_kernel(GatherArguments<T> a) {
  const T *const from = a.table + a.ids[block()] * a.columns;
  float *const to = a.x + block() * a.x_pitch;
  for (int64_t c = thread(); c < a.columns; c += threads()) to[c] = to_float(from[c]);
}

HIR_KERNEL(THREADS, 1)
scatter_kernel(ScatterArguments a) {
  float *const to = a.gradient + a.distinct[block()] * a.columns;
  const int32_t first = a.starts[block()], end = a.starts[block() + 1];
  for (int64_t c = thread(); c < a.columns; c += threads()) {
    float sum = 0;
    for (int32_t i = first; i < end; i++) sum += a.flow[a.rows[i] * a.flow_pitch + c];
    to[c] += sum;
  }
}

}  // namespace

template <class T>
void gather_rows(Call &call, int64_t rows, const GatherArguments<T> &a) {
  call.launch(gather_kernel<T>, rows, THREADS, 0, a);
}

void scatter_rows(Call &call, int64_t distinct, const ScatterArguments &a) {
  call.launch(scatter_kernel, distinct, THREADS, 0, a);
}

template void gather_rows(Call &, int64_t, const GatherArguments<float> &);
template void gather_rows(Call &, int64_t, const GatherArguments<bf16> &);

}  // namespace hir::HIR_DEVICE
