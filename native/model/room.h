// Whether the system has memory to give. It promises more than there is and ends processes that take it at its word; asking
// first makes that an error, which a smaller batch can answer.
#pragma once

#include <stdint.h>

namespace hir {

// True where so many bytes are free, or it cannot be told.
bool room_for(int64_t bytes);

}  // namespace hir
