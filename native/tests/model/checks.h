// The checks of a model, one theme a file.
#pragma once

#include "sample.h"

namespace model_test {

// Hidden states and gradients against the reference; the same bits with any number of threads, with or without
// recomputation, with prompts shared or not. Its models' heads and decoders are checked too.
void check_passes(int backend, int32_t dtype);

// Logits, their gradients, and log-probs without logits.
void check_head(const Model &m, int backend);

// A prompt and what follows it, decoded token by token beside other rows, has the logits that a packed pass gives.
void check_decoded(const Model &m, int backend);

// Frozen weights are the weights; adapters are what they add to them, forward, decoded and backward.
void check_frozen(int backend, int32_t dtype);

// Every argument that is refused.
void check_refusals(int backend);

}  // namespace model_test
