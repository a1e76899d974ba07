// LibTorch's flash attention over packed sequences, for processes that have LibTorch with its CUDA part: the operators
// _flash_attention_forward and _flash_attention_backward with cumulative lengths. Their causal mask is aligned at the
// bottom right, as a shared prefix requires. They are called by name through LibTorch's C interface, which is stable
// across releases: no headers and no C++ symbols.
#pragma once

#include "pass_kernels.h"

namespace hir::HIR_DEVICE {

class Flash {
 public:
  Flash(const Place &place, const ModelShape &shape);
  ~Flash();
  Flash(const Flash &) = delete;
  Flash &operator=(const Flash &) = delete;

  // Whether it can take these sequences: bfloat16 heads of whole vectors, on the default stream, with LibTorch present.
  bool usable() const { return found; }

  struct Lengths {
    int64_t sequences, longest_query, longest_key;
  };

  void forward(Call &call, const PackedAttentionArguments<bf16> &a, const Lengths &lengths);
  // The gradients of queries, keys and values are the operator's own results until release(), and `b` gets their addresses;
  // the scratch memory `along` is left unchanged.
  void backward(Call &call, PackedAttentionBackArguments<bf16> &b, const Lengths &lengths);
  // What is queued so far may still read the results: LibTorch reuses memory in the stream's order.
  void release();

 private:
  const Place place;
  bool found = false;
  // Random state, unused with a dropout of 0: that of the first forward serves every backward.
  void *random_state = nullptr, *unused = nullptr;
  void *gradients[3] = {};
};

}  // namespace hir::HIR_DEVICE
