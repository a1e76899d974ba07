// Log-probs of tokens under the model's head, straight from hidden states: logits are computed for a few rows and one
// block of the vocabulary at a time, and only their statistics are kept. The results are bit for bit those of
// token_logprob on the logits that multiply would store.
#pragma once

#include "matmul/matmul.h"

namespace hir {

struct HeadLogprobs {
  int64_t rows, vocab, hidden;
  const void *x;  // [rows, hidden] of the dtype, rows `x_stride` elements apart: after the final norm
  int64_t x_stride;
  const void *packed;      // the head's weights [vocab, hidden]: Matmul::pack_forward
  const int64_t *targets;  // [rows], each in [0, vocab)
  double temperature;
  float *logprobs;   // [rows], written
  float *entropies;  // [rows], written, nats; may be null
  void *scratch;     // of head_bytes, at a multiple of 64; all of a team's threads give the same
};

int64_t head_bytes(const HeadLogprobs &call);

// False if a thread's scratch memory could not be allocated. A row whose logits have a NaN or +inf, or no finite one,
// gets NaN.
bool head_logprobs(const Matmul &matmul, const Team &team, const HeadLogprobs &call);

}  // namespace hir
