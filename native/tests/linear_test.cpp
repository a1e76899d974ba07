// The products of decode steps in the emulator: against doubles, and the same bits with any rows beside a row, on any
// device, and with the norm and the gate as kernels of their own.
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <random>
#include <vector>

#include "decode_kernels.h"
#include "hir_kernels.h"

using hir::bf16;
using hir::from_float;
using hir::to_float;
using hir::simt::LinearArguments;

namespace {

constexpr float EPSILON = 1e-6f;
constexpr int64_t PAD = 3;

int failures = 0;

struct Case {
  int64_t rows, outputs, inputs;
  bool norm, gate, accumulate;
  int64_t shift = 0;  // elements by which the weights miss an aligned address
};

void expect(bool holds, const char *what, const Case &c, long long detail) {
  if (holds) return;
  if (failures++ < 20) {
    printf("FAILED: %s (%lld x %lld x %lld%s%s%s, at %lld): %s\n", what, static_cast<long long>(c.rows),
           static_cast<long long>(c.outputs), static_cast<long long>(c.inputs), c.norm ? ", norm" : "",
           c.gate ? ", gate" : "", c.accumulate ? ", accumulate" : "", detail, hir_last_error());
  }
}

template <class T>
struct Data {
  std::vector<T> w, x, norm;
  std::vector<float> residual, out;

  explicit Data(const Case &c) {
    std::mt19937 random(static_cast<uint32_t>(c.rows * 7 + c.outputs * 31 + c.inputs));
    std::normal_distribution<float> draw(0, 1);
    const auto fill = [&](std::vector<T> &to, int64_t count) {
      to.resize(count);
      for (T &value : to) from_float(draw(random), &value);
    };
    fill(w, c.shift + c.outputs * c.inputs);
    fill(x, c.rows * c.inputs);
    fill(norm, c.inputs);
    residual.resize(c.rows * c.inputs);
    for (float &value : residual) value = 3 * draw(random);
    out.resize(c.rows * (c.outputs + PAD));
    for (float &value : out) value = draw(random);
  }
};

template <class T>
struct Result {
  std::vector<float> out;
  std::vector<T> activated;

  bool same(const Result &other) const {
    return memcmp(out.data(), other.out.data(), sizeof(float) * out.size()) == 0 &&
           memcmp(activated.data(), other.activated.data(), sizeof(T) * activated.size()) == 0;
  }
};

// Rows `from` to `from + count`.
template <class T>
Result<T> run(const Case &c, const Data<T> &given, int device, int64_t from, int64_t count, bool fused) {
  Result<T> result;
  const int64_t stride = c.outputs + PAD, columns = c.outputs / 2;
  result.out.assign(given.out.begin() + from * stride, given.out.begin() + (from + count) * stride);
  result.activated.resize(c.gate ? count * columns : 0);
  std::vector<T> x(given.x.begin() + from * c.inputs, given.x.begin() + (from + count) * c.inputs);
  LinearArguments<T> a = {given.w.data() + c.shift,
                          x.data(),
                          result.out.data(),
                          count,
                          c.outputs,
                          c.inputs,
                          stride,
                          c.accumulate,
                          given.residual.data() + from * c.inputs,
                          c.norm ? given.norm.data() : nullptr,
                          EPSILON,
                          c.gate ? result.activated.data() : nullptr};
  hir::simt::Call call("linear", {device, 0});
  if (fused) {
    linear(call, a);
  } else {
    LinearArguments<T> product = a;
    product.norm = nullptr;
    product.activated = nullptr;
    normalize(call, a);
    linear(call, product);
    gate(call, a);
  }
  expect(call.result() == HIR_OK, "run", c, device);
  if (c.gate) result.out.assign(result.out.size(), 0);  // the products may stay in registers
  return result;
}

template <class T>
void check(const Case &c) {
  const Data<T> given(c);
  const Result<T> got = run(c, given, 0, 0, c.rows, true);
  expect(got.same(run(c, given, 0, 0, c.rows, false)), "fused as apart", c, 0);
  for (int device : {1, 2}) expect(got.same(run(c, given, device, 0, c.rows, true)), "any device", c, device);
  const int64_t stride = c.outputs + PAD, columns = c.outputs / 2;
  // The last row alone, and with the one before it.
  for (int64_t count : {1, 2}) {
    if (count > c.rows) continue;
    const Result<T> few = run(c, given, 0, c.rows - count, count, true);
    const Result<T> part = {{got.out.end() - count * stride, got.out.end()},
                            {got.activated.end() - (c.gate ? count * columns : 0), got.activated.end()}};
    expect(few.same(part), "any rows beside", c, count);
  }

  const double slack = sizeof(T) == 2 ? 1e-2 : 1e-5;
  std::vector<double> x(c.inputs), sums(c.outputs);
  for (int64_t r = 0; r < c.rows; r++) {
    double squares = 0;
    for (int64_t i = 0; i < c.inputs; i++) squares += pow(given.residual[r * c.inputs + i], 2);
    for (int64_t i = 0; i < c.inputs; i++) {
      T low;
      from_float(static_cast<float>(given.residual[r * c.inputs + i] / sqrt(squares / c.inputs + EPSILON) *
                                    to_float(given.norm[i])),
                 &low);
      x[i] = c.norm ? to_float(low) : to_float(given.x[r * c.inputs + i]);
    }
    for (int64_t o = 0; o < c.outputs; o++) {
      sums[o] = 0;
      for (int64_t i = 0; i < c.inputs; i++) sums[o] += x[i] * to_float(given.w[c.shift + o * c.inputs + i]);
      // Rounding: of the norm where it lies between two, of float sums; the terms are about 1.
      const double allowed = (c.norm ? slack : 1e-5) * (1 + sqrt(static_cast<double>(c.inputs)));
      const double want = sums[o] + (c.accumulate ? given.out[r * stride + o] : 0);
      if (!c.gate) expect(fabs(got.out[r * stride + o] - want) <= allowed, "product", c, r * c.outputs + o);
    }
    for (int64_t o = 0; o < columns && c.gate; o++) {
      const double want = sums[o] / (1 + exp(-sums[o])) * sums[columns + o];
      const double reach = fabs(sums[o]) + fabs(sums[columns + o]) + 1;
      expect(fabs(to_float(got.activated[r * columns + o]) - want) <= slack * (fabs(want) + reach * sqrt(c.inputs)), "gated",
             c, r * columns + o);
    }
    for (int64_t i = 0; i < PAD && !c.gate; i++) {
      const int64_t at = r * stride + c.outputs + i;
      expect(got.out[at] == given.out[at], "padding", c, at);
    }
  }
}

}  // namespace

int main() {
  // Inputs around whole vectors, steps of a warp, one step for each warp, and several; outputs around a tile and two.
  for (int64_t inputs : {8, 24, 32, 40, 248, 504, 512, 520, 1024, 1504, 3080}) {
    for (int64_t outputs : {1, 7, 8, 9, 16, 17, 34, 130}) {
      const int64_t which = inputs / 8 + outputs;
      const int64_t rows = std::vector<int64_t>{1, 2, 7, 8, 9, 15, 16, 17, 33}[which % 9];
      check<bf16>({rows, outputs, inputs, which % 2 == 0, false, which % 3 == 0});
      if (outputs % 2 == 0) check<bf16>({rows, outputs, inputs, which % 3 != 0, true, false});
    }
  }
  for (int64_t rows : {1, 3, 8, 9, 17}) {
    for (bool norm : {false, true}) {
      check<float>({rows, 34, 72, norm, true, false});
      check<float>({rows, 9, 33, norm, false, true});
      check<bf16>({rows, 34, 33, norm, true, false});     // no whole vectors
      check<bf16>({rows, 12, 64, norm, false, false, 1});  // not aligned
    }
  }
  if (failures == 0) printf("all checks of products passed\n");
  return failures == 0 ? 0 : 1;
}
