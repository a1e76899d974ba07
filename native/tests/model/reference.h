// A model in doubles with plain loops.
#pragma once

#include "sample.h"

namespace model_test {

using Rows = std::vector<std::vector<double>>;
using Weights = std::vector<std::vector<double>>;

// Hidden states of one whole sequence; `cached`, if not null, receives each layer's rotated keys and values.
Rows reference(const Model &m, const Weights &w, const std::vector<int64_t> &ids, std::vector<Rows> *cached = nullptr);

// The sequence that segment `index` ends, and how many of its tokens are the segment's own.
std::vector<int64_t> sequence(const Cut &cut, const std::vector<int64_t> &ids, size_t index);

// Hidden states of the batch in its order; `flow`, if not null, weights them for the returned sum.
double reference(const Model &m, const Weights &w, const Cut &cut, const std::vector<int64_t> &ids,
                 const std::vector<float> &flow, std::vector<double> *hidden);

}  // namespace model_test
