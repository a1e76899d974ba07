// The filters by a full sort, as HF's logits warpers do them.
#include <stdlib.h>

#include "philox.h"
#include "reference.h"

namespace hir::baseline {

namespace {

struct Candidate {
  double logit, probability;
  int64_t id;
};

// Descending by logit, ties by id.
int by_rank(const void *a, const void *b) {
  const Candidate *x = static_cast<const Candidate *>(a), *y = static_cast<const Candidate *>(b);
  if (x->logit != y->logit) return x->logit > y->logit ? -1 : 1;
  return x->id < y->id ? -1 : 1;
}

int by_id(const void *a, const void *b) {
  return static_cast<const Candidate *>(a)->id < static_cast<const Candidate *>(b)->id ? -1 : 1;
}

void normalise(Candidate *c, int64_t count) {
  double sum = 0;
  for (int64_t i = 0; i < count; i++) sum += c[i].probability;
  for (int64_t i = 0; i < count; i++) c[i].probability /= sum;
}

int64_t filter(Candidate *c, int64_t count, const Sampling &sampling) {
  qsort(c, count, sizeof(Candidate), by_rank);
  if (sampling.top_k > 0 && sampling.top_k < count) {
    int64_t kept = sampling.top_k;
    while (kept < count && c[kept].logit == c[sampling.top_k - 1].logit) kept++;
    count = kept;
    normalise(c, count);
  }
  if (sampling.top_p < 1) {
    double before = 0;
    int64_t kept = 0;
    while (kept < count && (kept == 0 || before < sampling.top_p)) before += c[kept++].probability;
    count = kept;
    normalise(c, count);
  }
  if (sampling.min_p > 0) {
    int64_t kept = 0;
    while (kept < count && c[kept].probability >= sampling.min_p * c[0].probability) kept++;
    count = kept;
    normalise(c, count);
  }
  qsort(c, count, sizeof(Candidate), by_id);
  return count;
}

}  // namespace

namespace {

int64_t draw(const Softmax &softmax, const Sampling &sampling, double uniform, Candidate *candidates) {
  const int64_t cols = softmax.logits.cols;
  for (int64_t j = 0; j < cols; j++) candidates[j] = {softmax.logit(j), softmax.probability(j), j};
  const bool filtered = sampling.top_k > 0 || sampling.top_p < 1 || sampling.min_p > 0;
  const int64_t count = filtered ? filter(candidates, cols, sampling) : cols;
  double sum = 0;
  int64_t token = -1;
  for (int64_t i = 0; i < count; i++) {
    if (candidates[i].probability == 0) continue;
    sum += candidates[i].probability;
    token = candidates[i].id;
    if (sum > uniform) break;
  }
  return token;
}

int64_t greedy(const Softmax &softmax) {
  int64_t token = 0;
  while (softmax.logit(token) != softmax.max) token++;
  return token;
}

}  // namespace

int64_t sample(const Matrix &logits, const Sampling &sampling) {
  int64_t bad = INT64_MAX;
  bool out_of_memory = false;
#pragma omp parallel reduction(min : bad) reduction(|| : out_of_memory) if (logits.rows > 1)
  {
    Candidate *candidates = static_cast<Candidate *>(malloc(sizeof(Candidate) * logits.cols));
    out_of_memory = candidates == nullptr;
#pragma omp for schedule(static)
    for (int64_t row = 0; row < logits.rows; row++) {
      const Softmax softmax(logits, row, sampling.temperature > 0 ? sampling.temperature : 1.0);
      if (!softmax.valid || out_of_memory) {
        if (row < bad) bad = row;
        continue;
      }
      const int64_t token =
          sampling.temperature == 0
              ? greedy(softmax)
              : draw(softmax, sampling, philox_uniform(sampling.key, sampling.counters + 4 * row), candidates);
      sampling.tokens[row] = token;
      sampling.logprobs[row] = static_cast<float>(softmax.logprob(token));
      if (sampling.entropies) sampling.entropies[row] = static_cast<float>(softmax.entropy);
    }
    free(candidates);
  }
  if (out_of_memory) return OUT_OF_MEMORY;
  return bad == INT64_MAX ? DONE : bad;
}

}  // namespace hir::baseline
