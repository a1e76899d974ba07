// A model in doubles with plain loops.
#pragma once

#include "sample.h"

namespace model_test {

using Rows = std::vector<std::vector<double>>;
using Weights = std::vector<std::vector<double>>;

// Hidden states of one whole sequence; `cached`, if not null, receives each layer's rotated keys and values.
Rows reference(const Model &m, const Weights &w, const std::vector<int64_t> &ids, std::vector<Rows> *cached = nullptr);

// The sequence that segment `index` ends, and how many of its tokens are the segment's own.
std::vector<int64_t> sequence(const Batch &batch, size_t index);

// The sum of the batch's hidden states, each times its `flow`; `hidden`, if not null, receives them in order.
double reference(const Model &m, const Weights &w, const Batch &batch, std::vector<double> *hidden = nullptr);

}  // namespace model_test
