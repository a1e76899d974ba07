// The gated activation of rows, silu(gate) up, forward and backward: each thread takes a vector of gates and the
// matching vector of ups.
#include "pass_kernels.h"
#include "row.h"

namespace hir::HIR_DEVICE {

namespace {

constexpr int THREADS = 256;

template <class T>
struct Vectors {
  GateRowsArguments<T> a;
  bool whole;  // gates, ups and activated begin on vectors, and are whole ones
};

HIR_GPU float sigmoid(float x) { return 1.0f / (1.0f + exp2_fast(static_cast<float>(-LOG2E) * x)); }

// Applies f(gates, ups, activated, count) to neighbouring elements as floats, then writes them back.
template <class T, class F>
HIR_GPU void for_elements(const Vectors<T> &v, F f) {
  const GateRowsArguments<T> &a = v.a;
  constexpr int N = LANES<T>;
  const int64_t each = v.whole ? N : 1, units = (a.columns + each - 1) / each;
  const int64_t across = (units + threads() - 1) / threads(), row = block() / across;
  const int64_t unit = block() % across * threads() + thread();
  if (unit >= units) return;
  T *const gates = a.factors + row * a.factor_pitch + unit * each, *const ups = gates + a.columns;
  T *const activated = a.activated + row * a.activated_pitch + unit * each;
  if (v.whole) {
    float g[N], u[N], x[N];
    unpack(*reinterpret_cast<const Bits16 *>(gates), g);
    unpack(*reinterpret_cast<const Bits16 *>(ups), u);
    f(
        g, u, x, N, [&] { unpack(*reinterpret_cast<const Bits16 *>(activated), x); },
        [&] {
          *reinterpret_cast<Bits16 *>(gates) = pack(g);
          *reinterpret_cast<Bits16 *>(ups) = pack(u);
        });
    *reinterpret_cast<Bits16 *>(activated) = pack(x);
  } else {
    float g[1] = {to_float(*gates)}, u[1] = {to_float(*ups)}, x[1];
    f(
        g, u, x, 1, [&] { x[0] = to_float(*activated); },
        [&] {
          put(gates, g[0]);
          put(ups, u[0]);
        });
    put(activated, x[0]);
  }
}

template <class T>
HIR_KERNEL(THREADS, 1)
gate_rows_kernel(Vectors<T> v) {
  for_elements(v, [](auto &g, auto &u, auto &x, int count, auto, auto) {
#pragma unroll
    for (int i = 0; i < count; i++) x[i] = g[i] * sigmoid(g[i]) * u[i];
  });
}

template <class T>
HIR_KERNEL(THREADS, 1)
gate_rows_back_kernel(Vectors<T> v) {
  for_elements(v, [](auto &g, auto &u, auto &x, int count, auto load, auto store) {
    load();
#pragma unroll
    for (int i = 0; i < count; i++) {
      const float s = sigmoid(g[i]), silu = g[i] * s, flow = x[i];
      x[i] = silu * u[i];
      g[i] = flow * u[i] * (s + silu * (1.0f - s));
      u[i] = flow * silu;
    }
    store();
  });
}

template <class T>
void launch(Call &call, void (*kernel)(Vectors<T>), const GateRowsArguments<T> &a) {
  constexpr int N = LANES<T>;
  const auto on_vectors = [](const void *at) { return reinterpret_cast<uintptr_t>(at) % VECTOR_BYTES == 0; };
  const bool whole = a.columns % N == 0 && a.factor_pitch % N == 0 && a.activated_pitch % N == 0 && on_vectors(a.factors) &&
                     on_vectors(a.activated);
  const int64_t units = whole ? a.columns / N : a.columns;
  call.launch(kernel, a.rows * ((units + THREADS - 1) / THREADS), THREADS, 0, Vectors<T>{a, whole});
}

}  // namespace

template <class T>
void gate_rows(Call &call, const GateRowsArguments<T> &a) {
  launch(call, gate_rows_kernel<T>, a);
}

template <class T>
void gate_rows_back(Call &call, const GateRowsArguments<T> &a) {
  launch(call, gate_rows_back_kernel<T>, a);
}

#define HIR_INSTANTIATE(T) \
  template void gate_rows(Call &, const GateRowsArguments<T> &); \
  template void gate_rows_back(Call &, const GateRowsArguments<T> &);
HIR_INSTANTIATE(float)
HIR_INSTANTIATE(bf16)
#undef HIR_INSTANTIATE

}  // namespace hir::HIR_DEVICE
