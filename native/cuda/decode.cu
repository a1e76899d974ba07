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
  start_next();
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
void store_prompt(Call &call, int64_t tokens, const StoreArguments<T> &a) {
  call.launch(store_kernel<T>, tokens * a.shape.layers, THREADS, 0, a);
}

#define HIR_INSTANTIATE(T) \
  template void embed(Call &, int64_t, const EmbedArguments<T> &); \
  template void store_prompt(Call &, int64_t, const StoreArguments<T> &);
HIR_INSTANTIATE(float)
HIR_INSTANTIATE(bf16)
#undef HIR_INSTANTIATE

}  // namespace hir::HIR_DEVICE
