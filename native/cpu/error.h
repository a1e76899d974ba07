#pragma once

#include "hir_kernels.h"

namespace hir {

// Keeps the message for hir_last_error() of this thread; returns `code`. Exported for libhir_testing.
HIR_API int32_t fail(int32_t code, const char *format, ...) __attribute__((format(printf, 2, 3)));

}  // namespace hir
