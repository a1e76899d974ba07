// Whether the system has memory left. Linux promises more than it has, and kills processes that use it. A check
// beforehand makes that an error, and the caller can try a smaller batch.
#pragma once

#include <stdint.h>

namespace hir {

// True if so many bytes are free, or if it is unknown.
bool room_for(int64_t bytes);

}  // namespace hir
