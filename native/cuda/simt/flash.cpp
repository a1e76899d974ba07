// The emulator has no flash attention: the plain kernels take its place.
#include "flash.h"

namespace hir::simt {

Flash::Flash(const Place &place, const ModelShape &) : place(place) {}
Flash::~Flash() {}
void Flash::forward(Call &, const PackedAttentionArguments<bf16> &, const Lengths &) {}
void Flash::backward(Call &, PackedAttentionBackArguments<bf16> &, const Lengths &) {}
void Flash::release() {}

}  // namespace hir::simt
