#pragma once

#include "kernels.h"

namespace hir {

// The backend's kernels; an error if this machine or this build cannot run them.
int32_t select(const char *kernel, int32_t backend, const Backend **out);

}  // namespace hir
