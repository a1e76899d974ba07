// Native checks of a model: hidden states against a model in doubles with plain loops, gradients against finite
// differences of that model, on awkward shapes, in float32 and bfloat16; the same bits with any number of threads, with
// and without recomputation, with prompts shared or repeated, and decoded token by token. The GPU's passes run in the
// emulator, where the threads of a block run in different orders instead.
#include <stdio.h>

#include "checks.h"
#include "hir_testing.h"

int main() {
  hir_emulate();
  for (int backend : {HIR_AVX2, HIR_AVX512, HIR_CUDA_EMULATED}) {
    if (hir_backend_usable(backend) != HIR_OK) {
      printf("skipped: %s\n", hir_last_error());
      continue;
    }
    model_test::check_passes(backend, HIR_FLOAT32);
    model_test::check_passes(backend, HIR_BFLOAT16);
    if (backend != HIR_CUDA_EMULATED) {  // only CPUs have adapters
      model_test::check_frozen(backend, HIR_FLOAT32);
      model_test::check_frozen(backend, HIR_BFLOAT16);
    }
    model_test::check_refusals(backend);
  }
  if (model_test::failed() == 0) printf("all model checks passed\n");
  return model_test::failed() == 0 ? 0 : 1;
}
