// Checks rows of frozen matrices: blocks decode to known values, with the same bits on every instruction set; adapters
// are added; and in bfloat16 a small adapter keeps its effect on average.
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <random>
#include <vector>

#include "bf16.h"
#include "kernels.h"
#include "ops/matmul/matmul.h"

using hir::Backend;
using hir::bf16;
using hir::Frozen;

namespace {

int failures = 0;

void expect(bool holds, const char *what, long long detail) {
  if (holds) return;
  failures++;
  printf("FAILED: %s (%lld)\n", what, detail);
}

template <class T>
std::vector<T> row_of(const Backend &backend, const Frozen &f, int64_t row) {
  std::vector<T> out(f.columns);
  backend.frozen_row(f, row, sizeof(T) == 2 ? HIR_BFLOAT16 : HIR_FLOAT32, out.data());
  return out;
}

template <class T>
int64_t address(const std::vector<T> &x) {
  return reinterpret_cast<int64_t>(x.data());
}

bool same(const std::vector<float> &a, const std::vector<float> &b) {
  return a.size() == b.size() && memcmp(a.data(), b.data(), sizeof(float) * a.size()) == 0;
}

void check_blocks(const Backend &backend) {
  std::vector<uint8_t> q4(18);
  q4[1] = 0x3c;  // d = 1
  q4[2] = 0x21;
  const Frozen one = {{address(q4), HIR_Q4_0, 0, 0, 0, 0, 0, 0, 0, 0}, 1, 32};
  const std::vector<float> values = row_of<float>(backend, one, 0);
  expect(values[0] == -7 && values[16] == -6 && values[1] == -8, "Q4_0", 0);
  std::vector<uint16_t> halves = {0x3e00, 0x0001, 0x03ff, 0x8001, 0xfc00, 0x7bff};
  const Frozen half = {{address(halves), HIR_FLOAT16, 0, 0, 0, 0, 0, 0, 0, 0}, 1, 6};
  const std::vector<float> wide = row_of<float>(backend, half, 0);
  expect(wide[0] == 1.5f && wide[1] == 5.9604645e-8f && wide[2] == 6.097555e-5f && wide[3] == -5.9604645e-8f &&
             wide[4] == -INFINITY && wide[5] == 65504.0f,
         "halves", 0);

  // Random bytes of every type, with scales that are not NaN, and heads with interleaved halves.
  std::mt19937 random(3);
  for (const int32_t type : {HIR_FLOAT16, HIR_Q8_0, HIR_Q4_0, HIR_Q4_K, HIR_Q6_K}) {
    const hir::BlockSize block = hir::block_size(type);
    const int64_t rows = 8, columns = block.values == 1 ? 77 : 3 * block.values;
    std::vector<uint8_t> bytes(rows * columns / block.values * block.bytes);
    for (uint8_t &b : bytes) b = static_cast<uint8_t>(random() & 0xbb);
    const Frozen f = {{address(bytes), type, 0, 0, 0, 0, 0, 0, 0, 0}, rows, columns};
    Frozen turns = f;
    turns.matrix.head = 4;
    for (int64_t r = 0; r < rows; r++) {
      expect(same(row_of<float>(backend, f, r), row_of<float>(hir::baseline::backend, f, r)), "the same by all", type);
      const int64_t stored = r / 4 * 4 + (r % 2 * 2) + r % 4 / 2;
      expect(same(row_of<float>(backend, turns, r), row_of<float>(backend, f, stored)), "heads", r);
    }
  }
}

void check_adapters(const Backend &backend) {
  const int64_t rows = 40, columns = 1000, rank = 3;
  std::mt19937 random(5);
  std::normal_distribution<float> draw(0, 0.02f);
  std::vector<bf16> base(rows * columns);
  std::vector<float> a(rank * columns), b(rows * rank);
  for (bf16 &x : base) hir::from_float(draw(random), &x);
  for (float &x : a) x = draw(random);
  // Sums of about 2e-5 are a sixth of the spacing of bfloat16 around 0.02.
  for (float &x : b) x = 0.03f * draw(random);
  const Frozen f = {{address(base), HIR_BFLOAT16, 0, 0, rank, 2.5, address(a), address(b), 0, 0}, rows, columns};
  double off = 0, square = 0, wanted = 0;
  for (int64_t r = 0; r < rows; r++) {
    const std::vector<float> exact = row_of<float>(backend, f, r);
    const std::vector<bf16> low = row_of<bf16>(backend, f, r), again = row_of<bf16>(hir::baseline::backend, f, r);
    expect(memcmp(low.data(), again.data(), 2 * columns) == 0, "the same by all", r);
    for (int64_t c = 0; c < columns; c++) {
      double sum = 0;
      for (int64_t j = 0; j < rank; j++) sum += static_cast<double>(b[r * rank + j]) * a[j * columns + c];
      const double plain = hir::to_float(base[r * columns + c]), want = plain + 2.5 * sum;
      expect(fabs(exact[c] - want) <= 1e-6 * (fabs(want) + fabs(plain)), "W + s B A", r);
      // Projected on the adapter's part, the change should equal it.
      off += (hir::to_float(low[c]) - plain) * sum;
      wanted += 2.5 * sum * sum;
      square += fabs(hir::to_float(low[c]) - want) <= fabs(want) * 0x1p-7 ? 0 : 1;
    }
  }
  expect(square == 0, "within a unit", 0);
  expect(fabs(off / wanted - 1) < 0.1, "a small adapter arrives", static_cast<long long>(1000 * off / wanted));

  // An adapter of zeros changes nothing, infinities and NaNs included.
  std::vector<float> odd = {0.3f, INFINITY, -INFINITY, NAN, 3.3e38f, -3.38e38f};
  std::vector<float> zero(6), one = {1};
  const Frozen edge = {{address(odd), HIR_FLOAT32, 0, 0, 1, 1, address(zero), address(one), 0, 0}, 1, 6};
  const std::vector<bf16> out = row_of<bf16>(backend, edge, 0);
  Frozen plain = edge;
  plain.matrix.rank = 0;
  const std::vector<bf16> nearest = row_of<bf16>(backend, plain, 0);
  for (int i = 0; i < 6; i++) {
    const float x = hir::to_float(out[i]), y = hir::to_float(nearest[i]);
    expect(x == y || (x != x && y != y), "an adapter of zeros", i);
  }
}

}  // namespace

int main() {
  check_blocks(hir::baseline::backend);
  check_adapters(hir::baseline::backend);
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    check_blocks(hir::avx2::backend);
    check_adapters(hir::avx2::backend);
  }
  if (__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")) {
    check_blocks(hir::avx512::backend);
    check_adapters(hir::avx512::backend);
  }
  if (failures == 0) printf("all checks of frozen matrices passed\n");
  return failures == 0 ? 0 : 1;
}
