// A fault that a kernel found in its data. It cannot stop the host, so it is recorded in the device's fault word, which
// the next call that waits for the device reads. Of several faults the one of the lowest row is kept, so that the
// message does not depend on the order of blocks.
#pragma once

#include "simt.h"

namespace hir {

enum class KernelId : uint8_t { TOKEN_LOGPROB, POLICY_LOSS, SAMPLE, ADAMW, DECODER };
enum class Fault : uint8_t { TARGET, NAN_LOGIT, NO_FINITE_LOGIT, NAN_INPUT, NAN_PARAMETER, TOKEN, POSITION };

constexpr uint64_t NO_FAULT = ~uint64_t{0};

HIR_SHARED inline uint64_t fault_word(KernelId kernel, Fault fault, int64_t row) {
  return static_cast<uint64_t>(row) << 16 | static_cast<uint64_t>(kernel) << 8 | static_cast<uint64_t>(fault);
}

// Keeps the message of a fault word and returns its code; HIR_OK for NO_FAULT.
int32_t fail_for(uint64_t word);

}  // namespace hir

namespace hir::HIR_DEVICE {

HIR_GPU void report(uint64_t *faults, KernelId kernel, Fault fault, int64_t row) {
  atomic_min(faults, fault_word(kernel, fault, row));
}

}  // namespace hir::HIR_DEVICE
