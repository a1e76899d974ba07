#include "call.h"
#include "kernels_on_device.h"

namespace hir::HIR_DEVICE {

namespace {

int32_t synchronize(const Place &place) {
  Call call("synchronize", place);
  call.read(nullptr, nullptr, 0);
  return call.result();
}

}  // namespace

extern const DeviceBackend backend = {usable,         token_logprob, policy_loss, sample,
                                      sum_of_squares, adamw,         synchronize, make_model};

}  // namespace hir::HIR_DEVICE
