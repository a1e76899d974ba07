// The checks of a model, one topic per file.
#pragma once

#include "sample.h"

namespace model_test {

// Hidden states and gradients against the reference; the same bits with any number of threads, with and without
// recomputation, with prompts shared or repeated. Also checks the heads and decoders of its models.
void check_passes(int backend, int32_t dtype);

// Logits, their gradients, and log-probs without logits.
void check_head(const Model &m, int backend);

// A sequence decoded token by token beside other rows, behind its prompt, has the logits of a packed pass.
void check_decoded(const Model &m, int backend);

// Frozen weights equal dense ones, and adapters equal their sum with the weights: forward, decoded and backward.
void check_frozen(int backend, int32_t dtype);

// Refuses bad arguments.
void check_refusals(int backend);

}  // namespace model_test
