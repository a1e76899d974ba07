// LibTorch's flash attention over packed sequences, where a process has LibTorch with its CUDA half: the operators
// _flash_attention_forward and _flash_attention_backward with cumulative lengths, whose causal mask is aligned at the
// bottom right, which is what a shared prefix needs. They are called through LibTorch's plain C interface for operators
// by name, which keeps its form from release to release: no header and no symbol of C++.
#pragma once

#include "pass_kernels.h"

namespace hir::HIR_DEVICE {

class Flash {
 public:
  Flash(const Place &place, const ModelShape &shape);
  ~Flash();
  Flash(const Flash &) = delete;
  Flash &operator=(const Flash &) = delete;

  // Whether these sequences can be its: bfloat16 heads of whole vectors, on the default stream, with LibTorch there.
  bool usable() const { return found; }

  struct Lengths {
    int64_t sequences, longest_query, longest_key;
  };

  void forward(Call &call, const PackedAttentionArguments<bf16> &a, const Lengths &lengths);
  // What is found of the scratch memory `along` stays as it is.
  void backward(Call &call, const PackedAttentionBackArguments<bf16> &b, const Lengths &lengths);

 private:
  const Place place;
  bool found = false;
  // Random numbers that a dropout of 0 does not use: of the first forward, for every backward.
  void *random_state = nullptr, *unused = nullptr;
};

}  // namespace hir::HIR_DEVICE
