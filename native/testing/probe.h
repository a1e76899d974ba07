// The measurements of hir_probe, by instruction set.
#pragma once

#include <stdint.h>

namespace hir {

namespace avx2 {
void probe(int32_t what, float *x, float *y, int64_t count);
}
namespace avx512 {
void probe(int32_t what, float *x, float *y, int64_t count);
}

}  // namespace hir
