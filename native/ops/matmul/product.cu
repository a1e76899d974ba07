// The plain product: used in the emulator, and if cuBLASLt is missing or has no algorithm.
#include "products.h"
#include "pass_kernels.h"

namespace hir::HIR_DEVICE {

namespace {

constexpr int THREADS = 128;

template <class T, class Out>
HIR_KERNEL(THREADS, 1)
product_kernel(ProductArguments<T, Out> p) {
  const int64_t across = (p.columns + threads() - 1) / threads();
  const int64_t row = block() / across, column = block() % across * threads() + thread();
  if (column >= p.columns) return;
  const T *const a = p.a.data + row * p.a.row, *const b = p.b.data + column * p.b.row;
  float sum = 0;
  for (int64_t l = 0; l < p.depth; l++) sum = fmaf(to_float(a[l * p.a.column]), to_float(b[l * p.b.column]), sum);
  const int64_t at = row * p.out_pitch + column;
  put(p.out + at, p.onto ? p.onto[at] + sum : sum);
}

}  // namespace

template <class T, class Out>
void product(Call &call, const ProductArguments<T, Out> &p) {
  call.launch(product_kernel<T, Out>, p.rows * ((p.columns + THREADS - 1) / THREADS), THREADS, 0, p);
}

template void product(Call &, const ProductArguments<float, float> &);
template void product(Call &, const ProductArguments<bf16, float> &);
template void product(Call &, const ProductArguments<bf16, bf16> &);

}  // namespace hir::HIR_DEVICE
