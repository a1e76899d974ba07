// RMS norms of rows, forward and backward, and sums over rows.
#include "pass_kernels.h"

namespace hir::HIR_DEVICE {

namespace {

constexpr int THREADS = 256;

template <class T>
HIR_KERNEL(THREADS, 1)
norm_kernel(NormArguments<T> a) {
  const float *const x = a.x + block() * a.x_pitch;
  T *const out = a.out + block() * a.out_pitch;
  float squares = 0;
  for (int64_t c = thread(); c < a.columns; c += threads()) squares = fmaf(x[c], x[c], squares);
  squares = block_reduce(squares, 0.0f, Sum(), shared<float>());
  const float scale = 1.0f / sqrtf(squares / static_cast<float>(a.columns) + a.epsilon);
  for (int64_t c = thread(); c < a.columns; c += threads()) put(out + c, x[c] * scale * to_float(a.weight[c]));
}

// A block takes NORM_ROWS rows one after the other; each thread has its own columns' sums in shared memory.
template <class T>
HIR_KERNEL(THREADS, 1)
norm_back_kernel(NormBackArguments<T> a) {
  float *const places = shared<float>(), *const sums = places + WARP;
  for (int64_t c = thread(); c < a.columns; c += threads()) sums[c] = 0;
  const int64_t first = block() * NORM_ROWS, end = first + NORM_ROWS < a.rows ? first + NORM_ROWS : a.rows;
  for (int64_t row = first; row < end; row++) {
    const float *const x = a.x + row * a.x_pitch, *const gradient = a.gradient + row * a.gradient_pitch;
    float squares = 0, along = 0;
    for (int64_t c = thread(); c < a.columns; c += threads()) {
      squares = fmaf(x[c], x[c], squares);
      along = fmaf(gradient[c] * to_float(a.weight[c]), x[c], along);
    }
    squares = block_reduce(squares, 0.0f, Sum(), places);
    along = block_reduce(along, 0.0f, Sum(), places);
    const float n = static_cast<float>(a.columns), scale = 1.0f / sqrtf(squares / n + a.epsilon);
    const float back = along * scale * scale * scale / n;
    for (int64_t c = thread(); c < a.columns; c += threads()) {
      sums[c] = fmaf(gradient[c], x[c] * scale, sums[c]);
      const float flow = gradient[c] * to_float(a.weight[c]) * scale - x[c] * back;
      const float value = a.onto ? a.onto[row * a.x_pitch + c] + flow : flow;
      a.out[row * a.x_pitch + c] = value;
      put(a.low + row * a.low_pitch + c, value);
    }
  }
  for (int64_t c = thread(); c < a.columns; c += threads()) a.parts[block() * a.columns + c] = sums[c];
}

HIR_KERNEL(THREADS, 1)
add_parts_kernel(AddPartsArguments a) {
  const int64_t c = block() * threads() + thread();
  if (c >= a.columns) return;
  float sum = 0;
  for (int64_t i = 0; i < a.count; i++) sum += a.parts[i * a.stride + c];
  a.to[c] += sum;
}

inline int64_t tiles(int64_t columns) { return (columns + THREADS - 1) / THREADS; }

template <class T>
HIR_KERNEL(THREADS, 1)
column_sum_kernel(ColumnSumArguments<T> a) {
  const int64_t across = (a.columns + threads() - 1) / threads(), part = block() / across;
  const int64_t c = block() % across * threads() + thread();
  if (c >= a.columns) return;
  const int64_t first = part * COLUMN_ROWS, end = first + COLUMN_ROWS < a.rows ? first + COLUMN_ROWS : a.rows;
  float sum = 0;
  for (int64_t row = first; row < end; row++) sum += to_float(a.x[row * a.x_pitch + c]);
  a.parts[part * a.columns + c] = sum;
}

template <class T>
HIR_KERNEL(THREADS, 1)
convert_kernel(ConvertArguments<T> a) {
  for (int64_t c = thread(); c < a.columns; c += threads()) {
    put(a.out + block() * a.out_pitch + c, a.x[block() * a.x_pitch + c]);
  }
}

}  // namespace

template <class T>
void norm_rows(Call &call, int64_t rows, const NormArguments<T> &a) {
  call.launch(norm_kernel<T>, rows, THREADS, sizeof(float) * WARP, a);
}

template <class T>
void norm_rows_back(Call &call, const NormBackArguments<T> &a) {
  call.launch(norm_back_kernel<T>, norm_parts(a.rows), THREADS, sizeof(float) * (WARP + static_cast<size_t>(a.columns)), a);
}

void add_parts(Call &call, const AddPartsArguments &a) { call.launch(add_parts_kernel, tiles(a.columns), THREADS, 0, a); }

template <class T>
void sum_columns(Call &call, const ColumnSumArguments<T> &a) {
  call.launch(column_sum_kernel<T>, column_parts(a.rows) * tiles(a.columns), THREADS, 0, a);
}

template <class T>
void convert_rows(Call &call, int64_t rows, const ConvertArguments<T> &a) {
  call.launch(convert_kernel<T>, rows, THREADS, 0, a);
}

#define HIR_INSTANTIATE(T) \
  template void norm_rows(Call &, int64_t, const NormArguments<T> &); \
  template void norm_rows_back(Call &, const NormBackArguments<T> &); \
  template void sum_columns(Call &, const ColumnSumArguments<T> &); \
  template void convert_rows(Call &, int64_t, const ConvertArguments<T> &);
HIR_INSTANTIATE(float)
HIR_INSTANTIATE(bf16)
#undef HIR_INSTANTIATE

}  // namespace hir::HIR_DEVICE
