// The kernels of decode_kernels.h but those of attend.cu.
#include "decode_kernels.h"

#include "pass_kernels.h"
#include "row.h"

namespace hir::HIR_DEVICE {

namespace {

constexpr int THREADS = 256;

template <class T>
HIR_KERNEL(THREADS, 1)
embed_kernel(EmbedArguments<T> a) {
  const int64_t row = block();
  if (a.positions[row] < 0) return;
  int64_t token = a.sources[row] < 0 ? a.tokens[row] : a.drawn[a.sources[row]];
  if (token < 0 || token >= a.vocab) {
    if (thread() == 0) report(a.faults, KernelId::DECODER, Fault::TOKEN, row);
    token = 0;
  }
  for (int64_t i = thread(); i < a.hidden; i += threads()) {
    a.x[row * a.hidden + i] = to_float(a.embedding[token * a.hidden + i]);
  }
}

template <class T>
HIR_KERNEL(THREADS, 1)
gate_kernel(GateArguments<T> a) {
  const float *gates = a.gate_up + block() * 2 * a.intermediate, *ups = gates + a.intermediate;
  for (int64_t i = thread(); i < a.intermediate; i += threads()) {
    const float g = gates[i];
    put(a.out + block() * a.intermediate + i, g / (1.0f + exp2_fast(static_cast<float>(-LOG2E) * g)) * ups[i]);
  }
}

// Rows served by one read of a weight.
constexpr int LINEAR_ROWS = 8;

// One warp per output: reads its weights once for LINEAR_ROWS rows. For few rows, when reading the weights takes all
// the time.
template <class T>
HIR_KERNEL(THREADS, 1)
linear_kernel(LinearArguments<T> a) {
  const int64_t tiles = (a.outputs + warps() - 1) / warps();
  const int64_t output = block() % tiles * warps() + warp(), first = block() / tiles * LINEAR_ROWS;
  if (output >= a.outputs) return;
  const T *w = a.w + output * a.inputs;
  const int rows = static_cast<int>(a.rows - first < LINEAR_ROWS ? a.rows - first : LINEAR_ROWS);
  float sum[LINEAR_ROWS] = {};
  const bool whole = a.inputs % LANES<T> == 0 && reinterpret_cast<uintptr_t>(a.w) % VECTOR_BYTES == 0;
  if (whole) {
    const int64_t vectors = a.inputs / LANES<T>;
    for (int64_t v = lane(); v < vectors; v += WARP) {
      float weights[LANES<T>];
      unpack(reinterpret_cast<const Bits16 *>(w)[v], weights);
#pragma unroll
      for (int r = 0; r < LINEAR_ROWS; r++) {
        if (r >= rows) continue;
        float x[LANES<T>];
        unpack(reinterpret_cast<const Bits16 *>(a.x + (first + r) * a.inputs)[v], x);
#pragma unroll
        for (int i = 0; i < LANES<T>; i++) sum[r] = fmaf(weights[i], x[i], sum[r]);
      }
    }
  } else {
    for (int64_t i = lane(); i < a.inputs; i += WARP) {
      const float weight = to_float(w[i]);
#pragma unroll
      for (int r = 0; r < LINEAR_ROWS; r++) {
        if (r < rows) sum[r] = fmaf(weight, to_float(a.x[(first + r) * a.inputs + i]), sum[r]);
      }
    }
  }
#pragma unroll
  for (int r = 0; r < LINEAR_ROWS; r++) {
    if (r >= rows) continue;  // so for all lanes
    const float total = warp_reduce(sum[r], Sum());
    if (lane() == 0) {
      float *out = a.out + (first + r) * a.out_stride + output;
      *out = a.accumulate ? *out + total : total;
    }
  }
}

// One block per token and layer.
template <class T>
HIR_KERNEL(THREADS, 1)
store_kernel(StoreArguments<T> a) {
  const ModelShape &s = a.shape;
  const int64_t layer = block() % s.layers, token = block() / s.layers, width = s.key_size();
  const int64_t from = layer * a.layer_stride + token * a.token_stride;
  T *page = a.pages[token / PAGE];
  for (int64_t i = thread(); i < 2 * width; i += threads()) {
    const bool value = i >= width;
    const int64_t at = from + i % width;
    const void *source = value ? a.values : a.keys;
    const float x =
        a.low_precision ? to_float(static_cast<const bf16 *>(source)[at]) : static_cast<const float *>(source)[at];
    put(cell(s, page, layer, i % width / s.head_dim, value, token) + i % width % s.head_dim, x);
  }
}

}  // namespace

template <class T>
void embed(Call &call, int64_t rows, const EmbedArguments<T> &a) {
  call.launch(embed_kernel<T>, rows, THREADS, 0, a);
}

template <class T>
void gate(Call &call, int64_t rows, const GateArguments<T> &a) {
  call.launch(gate_kernel<T>, rows, THREADS, 0, a);
}

template <class T>
void linear(Call &call, const LinearArguments<T> &a) {
  constexpr int64_t WARPS = THREADS / WARP;
  call.launch(linear_kernel<T>, (a.outputs + WARPS - 1) / WARPS * ((a.rows + LINEAR_ROWS - 1) / LINEAR_ROWS), THREADS, 0, a);
}

template <class T>
void store_prompt(Call &call, int64_t tokens, const StoreArguments<T> &a) {
  call.launch(store_kernel<T>, tokens * a.shape.layers, THREADS, 0, a);
}

#define HIR_INSTANTIATE(T) \
  template void embed(Call &, int64_t, const EmbedArguments<T> &); \
  template void gate(Call &, int64_t, const GateArguments<T> &); \
  template void linear(Call &, const LinearArguments<T> &); \
  template void store_prompt(Call &, int64_t, const StoreArguments<T> &);
HIR_INSTANTIATE(float)
HIR_INSTANTIATE(bf16)
#undef HIR_INSTANTIATE

}  // namespace hir::HIR_DEVICE
