// Checks the products: every variant that this machine can run, on awkward shapes, against sums in double, and bit for
// bit against the chain that matmul.h promises; that rows do not depend on other rows or on threads, and that calls add
// up.
#include "matmul.h"

#include <stdlib.h>

#include <memory>

#include "../check.h"

namespace {

using hir::Gradient;
using hir::Order;
using hir::Product;
using hir::Sink;
using hir::Weight;
using hir::width;

struct Packed {
  Packed(const Matmul &m, const Weight &w, bool forward, int threads) {
    const int64_t bytes = forward ? m.packed_bytes_forward(w) : m.packed_bytes_backward(w);
    data = aligned_alloc(64, bytes + 64);
    memset(data, 0x7b, bytes + 64);
    const std::unique_ptr<Packed> first(forward ? nullptr : new Packed(m, w, true, threads));
#pragma omp parallel num_threads(threads)
    if (forward) {
      m.pack_forward(Team::region(), w, data);
    } else {
      m.pack_backward(Team::region(), w, first->data, data);
    }
    bool kept = true;
    for (int64_t i = 0; i < 64; i++) kept = kept && static_cast<char *>(data)[bytes + i] == 0x7b;
    expect(kept, m, "packing stays within its bytes", w.n, w.k);
  }
  ~Packed() { free(data); }
  Packed(const Packed &) = delete;
  void *data;
};

// By all threads of a region, or by one alone (0).
template <class Call>
void by(int threads, const Call &call) {
  if (threads == 0) {
#pragma omp parallel num_threads(2)
    {
#pragma omp single
      call(Team::alone());
    }
    return;
  }
#pragma omp parallel num_threads(threads)
  call(Team::region());
}

void multiply(const Matmul &m, const Product &p, int threads) {
  by(threads, [&](const Team &team) { expect(m.multiply(team, p), m, "memory"); });
}

// How AMX treats denormal numbers.
float flushed(float x) { return fabsf(x) < 0x1p-126f ? 0 : x; }

// One chain: sum + a[i] b[i] over i, as in matmul.h.
template <class A, class B>
float chain(const Matmul &m, float sum, int64_t k, const A &a, const B &b) {
  if (m.dtype() == HIR_FLOAT32) {
    for (int64_t i = 0; i < k; i++) sum = fmaf(a(i), b(i), sum);
    return sum;
  }
  if (m.variant() == Variant::AMX) {
    for (int64_t s = 0; s < k; s += 32) {
      float even = 0, odd = 0;
      for (int64_t i = s; i < k && i < s + 32; i += 2) {
        even = flushed(fmaf(a(i), b(i), even));
        if (i + 1 < k) odd = flushed(fmaf(a(i + 1), b(i + 1), odd));
      }
      sum = flushed(sum + flushed(even + odd));
    }
    return sum;
  }
  for (int64_t i = 0; i < k; i += 2) {
    if (i + 1 < k) sum = fmaf(a(i + 1), b(i + 1), sum);
    sum = fmaf(a(i), b(i), sum);
  }
  return sum;
}

double silu(double x) { return x / (1 + exp(-x)); }

// The row of W that is column `c` of a product in its order; -1 if the column is padding.
int64_t weight_row(Order order, int64_t n, int64_t c) {
  if (order == Order::PLAIN) return c;
  const int64_t within = c / 32 * 16 + c % 16;
  return within >= n / 2 ? -1 : c % 32 < 16 ? within : n / 2 + within;
}

double bound(const Matmul &m, double scale, int32_t dtype) {
  const double sum = m.variant() == Variant::REFERENCE ? 1e-7 : 3e-6;
  return scale * (dtype == HIR_BFLOAT16 ? 1.0 / 256 : sum) + 1e-6;
}

void check_product(const Matmul &m, int64_t rows, int64_t n, int64_t k) {
  const int32_t type = m.dtype();
  Rows x = Rows::normal(type, rows, k, 3), w = Rows::normal(type, n, k, k % 2 ? 0 : 1);
  const Weight weight = {w.data(), n, k, w.stride, Order::PLAIN};
  const Packed packed(m, weight, true, 2);
  std::vector<float> bias(n);
  for (float &b : bias) b = static_cast<float>(random_bits() % 1000) / 500 - 1;

  std::vector<double> sums(rows * n), sizes(rows * n);
  for (int64_t r = 0; r < rows; r++) {
    for (int64_t c = 0; c < n; c++) {
      for (int64_t i = 0; i < k; i++) {
        const double product = static_cast<double>(x(r, i)) * w(c, i);
        sums[r * n + c] += product;
        sizes[r * n + c] += fabs(product);
      }
    }
  }
  const auto product = [&](const Sink &sink) { return Product{rows, n, k, x.data(), x.stride, packed.data, sink}; };
  for (int32_t dtype : {HIR_FLOAT32, HIR_BFLOAT16}) {
    for (int kind = 0; kind < 4; kind++) {  // plain, with bias, onto a residual, onto itself
      Rows y(dtype, rows, n, 5);
      Rows residual = Rows::normal(dtype, rows, n, 2);
      Sink sink;
      sink.dtype = dtype;
      sink.y = y.data();
      sink.y_stride = y.stride;
      if (kind == 1) sink.bias = bias.data();
      if (kind >= 2) {
        sink.kind = Sink::ADD;
        if (kind == 3) {
          for (int64_t r = 0; r < rows; r++) {
            for (int64_t c = 0; c < n; c++) y.set(r, c, residual(r, c));
          }
        }
        sink.residual = kind == 2 ? residual.data() : y.data();
        sink.residual_stride = kind == 2 ? residual.stride : y.stride;
      }
      multiply(m, product(sink), 2);
      expect(y.gaps_untouched(), m, "a product stays within its columns", rows, n, k);
      for (int64_t r = 0; r < rows; r++) {
        for (int64_t c = 0; c < n; c++) {
          const double more = kind == 0 ? 0 : kind == 1 ? bias[c] : residual(r, c);
          expect(fabs(y(r, c) - sums[r * n + c] - more) <= bound(m, sizes[r * n + c] + fabs(more), dtype), m, "product",
                 rows, n, k);
        }
      }
    }
  }

  Rows y(HIR_FLOAT32, rows, n, 1);
  Sink sink;
  sink.y = y.data();
  sink.y_stride = y.stride;
  multiply(m, product(sink), 1);
  for (int t = 0; t < 30 && m.variant() != Variant::REFERENCE; t++) {
    const int64_t r = random_bits() % rows, c = random_bits() % n;
    const float want = chain(m, 0, k, [&](int64_t i) { return x(r, i); }, [&](int64_t i) { return w(c, i); });
    expect(y(r, c) == want, m, "the promised chain", rows, n, k);
  }
  for (int threads : {0, 2, 3}) {
    Rows z(HIR_FLOAT32, rows, n, 1);
    sink.y = z.data();
    multiply(m, product(sink), threads);
    expect(z.same(y), m, "any number of threads", rows, n, k);
  }
  // Any part of the rows alone.
  for (int64_t count : {1, 2, 5, 13, 33}) {
    if (count > rows) break;
    const int64_t from = random_bits() % (rows - count + 1);
    Rows z(HIR_FLOAT32, count, n, 1);
    sink.y = z.data();
    multiply(m, {count, n, k, x.row(from), x.stride, packed.data, sink}, count % 2 ? 1 : 2);
    expect(memcmp(z.data(), y.row(from), count * z.stride * 4) == 0, m, "whatever other rows there are", rows, n, count);
  }
  // A sum that goes on.
  if (k >= 64 && m.variant() != Variant::REFERENCE) {
    Rows z(HIR_FLOAT32, rows, n, 1);
    sink.y = z.data();
    for (int64_t from : {int64_t{0}, int64_t{32}}) {
      const int64_t length = from == 0 ? 32 : k - 32;
      const Packed piece(m, {static_cast<char *>(w.data()) + from * w.size, n, length, w.stride, Order::PLAIN}, true, 1);
      multiply(m, {rows, n, length, static_cast<char *>(x.data()) + from * x.size, x.stride, piece.data, sink}, 2);
      sink.kind = Sink::CONTINUE;
    }
    expect(z.same(y), m, "a sum that goes on", rows, n, k);
  }
}

void check_back(const Matmul &m, int64_t rows, int64_t n, int64_t k, Order order) {
  const int32_t type = m.dtype();
  const int64_t wide = width(order, n);
  Rows dy = Rows::normal(type, rows, wide, 1), w = Rows::normal(type, n, k, 2);
  for (int64_t r = 0; r < rows; r++) {
    for (int64_t c = 0; c < wide; c++) {
      if (weight_row(order, n, c) < 0) dy.set(r, c, 0);
    }
  }
  const Packed packed(m, {w.data(), n, k, w.stride, order}, false, 3);
  Rows dx(HIR_FLOAT32, rows, k, 4);
  Sink sink;
  sink.y = dx.data();
  sink.y_stride = dx.stride;
  multiply(m, {rows, k, wide, dy.data(), dy.stride, packed.data, sink}, 2);
  expect(dx.gaps_untouched(), m, "an input's gradient stays within its columns", rows, n, k);
  for (int64_t r = 0; r < rows; r++) {
    for (int64_t i = 0; i < k; i++) {
      double sum = 0, size = 0;
      for (int64_t c = 0; c < wide; c++) {
        const int64_t row = weight_row(order, n, c);
        const double product = row < 0 ? 0 : static_cast<double>(dy(r, c)) * w(row, i);
        sum += product;
        size += fabs(product);
      }
      expect(fabs(dx(r, i) - sum) <= bound(m, size, HIR_FLOAT32), m, "input's gradient", rows, n, k);
    }
  }

  Rows x = Rows::normal(type, rows, k, 3), dw = Rows::normal(HIR_FLOAT32, n, k, 1);
  const Rows before = dw;
  const auto accumulate = [&](int64_t from, int64_t count, Rows *into, int threads) {
    const Gradient g = {count,        n,           k,        dy.row(from),
                        dy.stride,    x.row(from), x.stride, static_cast<float *>(into->data()),
                        into->stride, order};
    by(threads, [&](const Team &team) { expect(m.accumulate(team, g), m, "memory"); });
  };
  accumulate(0, rows, &dw, 2);
  expect(dw.gaps_untouched(), m, "a weight's gradient stays within its columns", rows, n, k);
  for (int64_t c = 0; c < wide; c++) {
    const int64_t row = weight_row(order, n, c);
    if (row < 0) continue;
    for (int64_t i = 0; i < k; i++) {
      double sum = before(row, i), size = fabs(sum);
      for (int64_t r = 0; r < rows; r++) {
        const double product = static_cast<double>(dy(r, c)) * x(r, i);
        sum += product;
        size += fabs(product);
      }
      expect(fabs(dw(row, i) - sum) <= bound(m, size, HIR_FLOAT32), m, "weight's gradient", rows, n, k);
    }
    if (m.variant() == Variant::REFERENCE) continue;
    const int64_t i = random_bits() % k;
    const float want =
        chain(m, before(row, i), rows, [&](int64_t r) { return dy(r, c); }, [&](int64_t r) { return x(r, i); });
    expect(dw(row, i) == want, m, "the promised chain of a gradient", rows, n, k);
  }
  for (int threads : {0, 1, 3}) {
    Rows again = before;
    accumulate(0, rows, &again, threads);
    expect(again.same(dw), m, "a gradient by any number of threads", rows, n, k);
  }
  if (m.variant() == Variant::REFERENCE) return;
  const int64_t first = m.dtype() == HIR_FLOAT32 ? rows / 3 : rows / 2 / 32 * 32;
  Rows pieces = before;
  accumulate(0, first, &pieces, 2);
  accumulate(first, rows - first, &pieces, 1);
  expect(pieces.same(dw), m, "calls add up", rows, n, k);
}

void check_gate(const Matmul &m, int64_t rows, int64_t half, int64_t k) {
  const int32_t type = m.dtype();
  const int64_t wide = width(Order::GATE_UP, 2 * half);
  Rows x = Rows::normal(type, rows, k, 1, 0.5f), w = Rows::normal(type, 2 * half, k, 0, 0.5f);
  const Packed packed(m, {w.data(), 2 * half, k, w.stride, Order::GATE_UP}, true, 2);
  Rows y(type, rows, half, 3), factors(type, rows, wide, 2);
  Sink sink;
  sink.kind = Sink::GATE;
  sink.dtype = type;
  sink.y = y.data();
  sink.y_stride = y.stride;
  sink.factors = factors.data();
  sink.factor_stride = factors.stride;
  multiply(m, {rows, half, k, x.data(), x.stride, packed.data, sink}, 2);
  expect(y.gaps_untouched() && factors.gaps_untouched(), m, "gates stay within their columns", rows, half, k);
  Rows plain(type, rows, half, 3);
  sink.y = plain.data();
  sink.factors = nullptr;
  multiply(m, {rows, half, k, x.data(), x.stride, packed.data, sink}, 1);
  expect(plain.same(y), m, "gates without keeping factors", rows, half, k);
  for (int64_t r = 0; r < rows; r++) {
    for (int64_t c = 0; c < wide; c++) {
      const int64_t row = weight_row(Order::GATE_UP, 2 * half, c);
      double sum = 0, size = 0;
      for (int64_t i = 0; row >= 0 && i < k; i++) {
        sum += static_cast<double>(x(r, i)) * w(row, i);
        size += fabs(static_cast<double>(x(r, i)) * w(row, i));
      }
      if (row < 0) {
        expect(factors(r, c) == 0, m, "a group is filled up with 0", rows, half, k);
      } else {
        expect(fabs(factors(r, c) - sum) <= bound(m, size, type), m, "factor", rows, half, k);
      }
    }
    for (int64_t c = 0; c < half; c++) {
      const double gate = factors(r, c / 16 * 32 + c % 16), up = factors(r, c / 16 * 32 + 16 + c % 16);
      const double want = silu(gate) * up;
      expect(fabs(y(r, c) - want) <= fabs(want) * (type == HIR_FLOAT32 ? 1e-6 : 1.0 / 250), m, "silu(gate) up", rows, half,
             k);
    }
  }

  // Back through `down` [out, half]: dH = dOut W.
  const int64_t out = 37;
  Rows dout = Rows::normal(type, rows, out, 1), down = Rows::normal(type, out, half, 1);
  const Packed packed_down(m, {down.data(), out, half, down.stride, Order::PLAIN}, false, 1);
  Rows flow(type, rows, wide, 1), activated(type, rows, half, 1);
  Sink back;
  back.kind = Sink::GATE_BACK;
  back.dtype = type;
  back.y = flow.data();
  back.y_stride = flow.stride;
  back.factors = factors.data();
  back.factor_stride = factors.stride;
  back.activated = activated.data();
  back.activated_stride = activated.stride;
  multiply(m, {rows, half, out, dout.data(), dout.stride, packed_down.data, back}, 2);
  expect(flow.gaps_untouched() && activated.gaps_untouched(), m, "gates' gradients stay within their columns", rows, half,
         k);
  for (int64_t r = 0; r < rows; r++) {
    for (int64_t c = 0; c < wide / 2; c++) {
      const int64_t at = c / 16 * 32 + c % 16;
      double sum = 0, size = 0;
      for (int64_t i = 0; c < half && i < out; i++) {
        sum += static_cast<double>(dout(r, i)) * down(i, c);
        size += fabs(static_cast<double>(dout(r, i)) * down(i, c));
      }
      const double gate = factors(r, at), up = factors(r, at + 16), share = 1 / (1 + exp(-gate));
      const double slope = share * (1 + gate * (1 - share));
      expect(fabs(flow(r, at) - sum * up * slope) <= bound(m, size * fabs(up) * 1.1, type), m, "gate's gradient", rows, half,
             k);
      expect(fabs(flow(r, at + 16) - sum * gate * share) <= bound(m, size * fabs(gate), type), m, "up's gradient", rows,
             half, k);
      if (c < half) expect(activated(r, c) == y(r, c), m, "activated once more", rows, half, k);
    }
  }
  back.y = factors.data();
  back.y_stride = factors.stride;
  multiply(m, {rows, half, out, dout.data(), dout.stride, packed_down.data, back}, 3);
  for (int64_t r = 0; r < rows; r++) {
    expect(memcmp(factors.row(r), flow.row(r), wide * flow.size) == 0, m, "in place of the factors", rows, half, k);
  }
}

// Rows with NaN and infinity do not affect others, and are not multiplied with the zeros of padding.
void check_unfinite(const Matmul &m) {
  Rows x = Rows::normal(m.dtype(), 20, 33, 0), w = Rows::normal(m.dtype(), 33, 33, 0);
  x.set(3, 32, NAN);
  x.set(5, 0, INFINITY);
  const Packed packed(m, {w.data(), 33, 33, w.stride, Order::PLAIN}, true, 1);
  Rows y(HIR_FLOAT32, 20, 33, 0);
  Sink sink;
  sink.y = y.data();
  sink.y_stride = 33;
  multiply(m, {20, 33, 33, x.data(), x.stride, packed.data, sink}, 2);
  for (int64_t r = 0; r < 20; r++) {
    for (int64_t c = 0; c < 33; c++) {
      expect(r == 3 ? isnan(y(r, c)) : r == 5 ? isinf(y(r, c)) : isfinite(y(r, c)), m, "not finite", r, c);
    }
  }
}

void check(const Matmul &m) {
  const bool slow = m.variant() == Variant::REFERENCE;
  const int64_t sizes[] = {1, 15, 16, 17, 31, 33, 100};
  for (int64_t rows : {1, 2, 3, 4, 6, 7, 8, 11, 12, 13, 17, 25, 33, 130}) {
    check_product(m, rows, sizes[random_bits() % 7], sizes[random_bits() % 7]);
    check_back(m, rows, sizes[random_bits() % 7], sizes[random_bits() % 7], Order::PLAIN);
    check_back(m, rows, 2 * sizes[random_bits() % 7], sizes[random_bits() % 7], Order::GATE_UP);
    check_gate(m, rows, sizes[random_bits() % 7], sizes[random_bits() % 7]);
  }
  for (int64_t n : {1, 17, 31, 100}) {
    for (int64_t k : {1, 16, 33, 100}) check_product(m, 14, n, k);
  }
  check_unfinite(m);
  if (slow) return;
  check_product(m, 130, 96, 576);
  check_product(m, 20, 70, 1536);
  check_product(m, 17, 40, 2500);  // in stretches
  check_product(m, 40, 33, 4096);
  check_product(m, 1, 576, 1024);
  check_product(m, 700, 64, 64);   // several blocks
  check_back(m, 97, 576, 40, Order::PLAIN);
  check_back(m, 64, 48, 576, Order::GATE_UP);
  check_back(m, 1200, 40, 50, Order::PLAIN);  // in stretches
  check_gate(m, 70, 1536 / 4, 96);
}

// Same chain, same bits.
void check_same(const Matmul &a, const Matmul &b) {
  for (int64_t k : {33, 576}) {
    Rows x = Rows::normal(a.dtype(), 50, k, 0), w = Rows::normal(a.dtype(), 77, k, 0);
    Rows ya(HIR_FLOAT32, 50, 77, 0), yb = ya;
    for (const auto &[m, y] : {std::pair<const Matmul *, Rows *>{&a, &ya}, {&b, &yb}}) {
      const Packed packed(*m, {w.data(), 77, k, k, Order::PLAIN}, true, 1);
      Sink sink;
      sink.y = y->data();
      sink.y_stride = 77;
      multiply(*m, {50, 77, k, x.data(), k, packed.data, sink}, 2);
    }
    expect(ya.same(yb), b, "the same chain, the same bits", k);
  }
}

void refused() {
  Matmul m;
  expect(Matmul::of(Variant::AVX512_BF16, HIR_FLOAT32, &m) == HIR_UNSUPPORTED, m, "no float32 of bfloat16 products");
  expect(Matmul::of(Variant::AVX2, 7, &m) == HIR_INVALID, m, "an unknown dtype");
  expect(Matmul::choose(HIR_CUDA, HIR_FLOAT32, &m) == HIR_UNSUPPORTED, m, "no GPU");
}

}  // namespace

int main() {
  Matmul last;  // of the same type
  bool any = false;
  const int code = check_variants("the matrix products", [&](const Matmul &m) {
    check(m);
    if (any && m.dtype() == last.dtype() && m.variant() != Variant::AMX) check_same(last, m);
    any = m.variant() != Variant::REFERENCE;
    last = m;
  });
  refused();
  return failures == 0 ? code : 1;
}
