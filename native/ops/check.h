// Shared by the checks of the operations: reporting, rows of random elements, the list of variants.
#pragma once

#include <math.h>
#include <stdio.h>
#include <string.h>

#include <random>
#include <vector>

#include "bf16.h"
#include "hir_kernels.h"
#include "matmul/matmul.h"

namespace {

using hir::bf16;
using hir::Matmul;
using hir::Team;
using hir::Variant;

int failures = 0;

const char *type_name(int32_t dtype) { return dtype == HIR_FLOAT32 ? "float32" : "bfloat16"; }

void expect(bool holds, const Matmul &m, const char *what, int64_t a = 0, int64_t b = 0, int64_t c = 0) {
  if (holds) return;
  if (++failures <= 40) {
    printf("FAILED: %s %s: %s (%lld, %lld, %lld)\n", m.name(), type_name(m.dtype()), what, static_cast<long long>(a),
           static_cast<long long>(b), static_cast<long long>(c));
  }
}

std::mt19937 random_bits(3);

// Rows of elements of a dtype with a gap after each, which must not be written.
class Rows {
 public:
  Rows(int32_t dtype, int64_t rows, int64_t columns, int64_t gap)
      : dtype(dtype), rows(rows), columns(columns), stride(columns + gap), size(dtype == HIR_FLOAT32 ? 4 : 2),
        bytes((rows * stride + 1) * size, 0x7b) {}  // 1.3e36: seen in any sum

  static Rows normal(int32_t dtype, int64_t rows, int64_t columns, int64_t gap, float spread = 1) {
    Rows x(dtype, rows, columns, gap);
    std::normal_distribution<float> draw(0, spread);
    for (int64_t r = 0; r < rows; r++) {
      for (int64_t c = 0; c < columns; c++) x.set(r, c, draw(random_bits));
    }
    return x;
  }

  void *data() { return bytes.data(); }
  char *row(int64_t r) { return bytes.data() + r * stride * size; }
  double operator()(int64_t r, int64_t c) const {
    const char *p = bytes.data() + (r * stride + c) * size;
    if (dtype == HIR_FLOAT32) {
      float x;
      memcpy(&x, p, 4);
      return x;
    }
    bf16 x;
    memcpy(&x, p, 2);
    return hir::to_float(x);
  }
  void set(int64_t r, int64_t c, float value) {
    char *p = row(r) + c * size;
    if (dtype == HIR_FLOAT32) {
      memcpy(p, &value, 4);
    } else {
      bf16 x;
      hir::from_float(value, &x);
      memcpy(p, &x, 2);
    }
  }
  bool gaps_untouched() const {
    for (int64_t r = 0; r < rows; r++) {
      for (int64_t i = (r * stride + columns) * size; i < (r + 1) * stride * size; i++) {
        if (bytes[i] != 0x7b) return false;
      }
    }
    return true;
  }
  bool same(const Rows &other) const { return bytes == other.bytes; }

  int32_t dtype;
  int64_t rows, columns, stride, size;
  std::vector<char> bytes;
};

// check(products) for every variant and type that runs here (with AMX's tiles in plain C: for AMX alone, the others have a
// check without), then the exit code.
template <class Check>
int check_variants(const char *what, const Check &check) {
#if defined(HIR_EMULATE_TILES)
  const int first = static_cast<int>(Variant::AMX);
#else
  const int first = 0;
#endif
  for (int32_t dtype : {HIR_FLOAT32, HIR_BFLOAT16}) {
    for (int v = first; v < hir::VARIANTS; v++) {
      Matmul m;
      if (Matmul::of(static_cast<Variant>(v), dtype, &m) != HIR_OK) {
        printf("skipped: %s\n", hir_last_error());
        continue;
      }
      check(m);
      printf("%s %s\n", m.name(), type_name(dtype));
    }
  }
  if (failures == 0) printf("all checks of %s passed\n", what);
  return failures == 0 ? 0 : 1;
}

}  // namespace
