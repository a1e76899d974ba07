#include <math.h>
#include <omp.h>

#include "checks.h"

namespace model_test {

void check_decoded(const Model &m, int backend) {
  const Shape &s = m.s;
  const int64_t model = m.make(backend), width = s.kv_heads * s.head_dim;
  std::mt19937 random(13);
  const bool emulated = backend == HIR_CUDA_EMULATED;
  for (const int64_t length : {1, 7, 32, 45}) {
    if (emulated && length != 45) continue;
    const int64_t more = emulated ? 4 : 15, rows = length == 7 ? 40 : 3, whole = length + more;
    std::vector<int64_t> ids(whole), follow(rows * more);
    for (int64_t &id : ids) id = random() % s.vocab;
    for (int64_t &id : follow) id = random() % s.vocab;

    // All rows in one batch behind their shared prompt, then their logits.
    omp_set_num_threads(2);
    std::vector<int64_t> packed(ids.begin(), ids.begin() + length), lengths = {length}, prefixes = {-1};
    for (int64_t r = 0; r < rows; r++) {
      packed.insert(packed.end(), follow.begin() + r * more, follow.begin() + (r + 1) * more);
      lengths.push_back(more);
      prefixes.push_back(0);
    }
    const int64_t count = packed.size();
    const Elements hidden(s.dtype, std::vector<float>(count * s.hidden));
    const Elements keys(s.dtype, std::vector<float>(s.layers * count * 2 * width));
    std::vector<float> scored(count * s.vocab);
    int64_t pass = 0, decoder = 0, prompt = 0;
    expect(hir_model_forward(model, packed.data(), count, lengths.data(), prefixes.data(), lengths.size(), HIR_KEEP_NOTHING,
                             hidden.where(), keys.where(), &pass) == HIR_OK,
           "forward", backend, length);
    expect(hir_model_logits(model, hidden.where(), count, address(scored), s.vocab) == HIR_OK, "logits", backend, length);

    omp_set_num_threads(3);
    const int64_t element = s.dtype == HIR_BFLOAT16 ? 2 : 4;
    expect(hir_decoder_create(model, &decoder) == HIR_OK, "decoder", backend, length);
    expect(hir_decoder_prompt(decoder, keys.where(), keys.where() + width * element, count * 2 * width, 2 * width, length,
                              s.dtype, &prompt) == HIR_OK,
           "prompt", backend, length);
    expect(hir_decoder_admit(decoder, prompt, 0, rows) == HIR_OK, "admit", backend, length);
    for (int64_t t = 0; t < more; t++) {
      std::vector<int64_t> tokens(rows);
      for (int64_t r = 0; r < rows; r++) tokens[r] = follow[r * more + t];
      std::vector<float> logits(rows * s.vocab);
      expect(hir_decoder_step(decoder, address(tokens), rows, address(logits), s.vocab) == HIR_OK, "step", backend, t);
      for (int64_t r = 0; r < rows; r++) {
        const int64_t at = length + r * more + t;
        // On a GPU the two sum in different orders.
        bool same = emulated || memcmp(&logits[r * s.vocab], &scored[at * s.vocab], sizeof(float) * s.vocab) == 0;
        for (int64_t v = 0; v < s.vocab && emulated; v++) {
          const double want = scored[at * s.vocab + v];
          same = same && fabs(logits[r * s.vocab + v] - want) <= m.slack() * (1 + fabs(want));
        }
        expect(same, "decoded as it is scored", backend, length);
      }
    }
    hir_decoder_prompt_free(decoder, prompt);
    hir_decoder_free(decoder);
  }
  hir_model_free(model);
}

}  // namespace model_test
