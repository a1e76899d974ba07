// Native checks of the decoder: every backend against the baseline on awkward shapes, while rows start and end, with
// equal results on any number of threads. java/kernels compares the same backends with a model in doubles.
#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <string.h>

#include <random>
#include <vector>

#include "buckets.h"
#include "hir_testing.h"

namespace {

constexpr int64_t POSITIONS = 90;

int failures = 0;

void expect(bool holds, const char *what, int backend, long long detail) {
  if (holds) return;
  failures++;
  printf("FAILED: %s (backend %d, %lld): %s\n", what, backend, detail, hir_last_error());
}

template <class T>
hir_address address(const std::vector<T> &x) {
  return reinterpret_cast<hir_address>(x.data());
}

struct Shape {
  int64_t layers, hidden, intermediate, heads, kv_heads, head_dim, vocab;
  int32_t dtype;
  bool bias, head_norms;
};

// Random weights of the element type; `addresses` is for hir_model_weights.
struct Model {
  const Shape s;
  const int64_t positions;
  std::mt19937 random{3};
  std::vector<std::vector<uint16_t>> halves;
  std::vector<std::vector<float>> floats;
  std::vector<int64_t> addresses;
  std::vector<float> cosines, sines, keys, values;

  explicit Model(const Shape &shape, int64_t positions = POSITIONS) : s(shape), positions(positions) {
    matrix(s.vocab * s.hidden, 1);
    matrix(s.hidden, 1);
    matrix(s.vocab * s.hidden, 0.2f);
    const int64_t qkv = (s.heads + 2 * s.kv_heads) * s.head_dim;
    for (int64_t l = 0; l < s.layers; l++) {
      matrix(s.hidden, 1);
      matrix(qkv * s.hidden, 0.2f);
      optional(s.bias, qkv);
      optional(s.head_norms, s.head_dim);
      optional(s.head_norms, s.head_dim);
      matrix(s.hidden * s.heads * s.head_dim, 0.2f);
      matrix(s.hidden, 1);
      matrix(2 * s.intermediate * s.hidden, 0.2f);
      matrix(s.hidden * s.intermediate, 0.2f);
    }
    for (int64_t i = 0; i < positions * s.head_dim / 2; i++) {
      cosines.push_back(cosf(0.37f * static_cast<float>(i)));
      sines.push_back(sinf(0.37f * static_cast<float>(i)));
    }
    keys = normal(s.layers * positions * s.kv_heads * s.head_dim, 1);
    values = normal(s.layers * positions * s.kv_heads * s.head_dim, 1);
  }

  std::vector<float> normal(int64_t count, float spread) {
    std::normal_distribution<float> draw(0, spread);
    std::vector<float> x(count);
    for (float &value : x) value = draw(random);
    return x;
  }

  void optional(bool there, int64_t count) {
    if (there) {
      matrix(count, 1);
    } else {
      addresses.push_back(0);
    }
  }

  void matrix(int64_t count, float spread) {
    floats.push_back(normal(count, spread));
    if (s.dtype == HIR_FLOAT32) {
      addresses.push_back(address(floats.back()));
      return;
    }
    halves.emplace_back();
    for (float value : floats.back()) {
      uint32_t word;
      memcpy(&word, &value, 4);
      halves.back().push_back(static_cast<uint16_t>(word >> 16));
    }
    addresses.push_back(address(halves.back()));
  }
};

// Logits of some steps, while rows leave and a group of rows joins.
std::vector<float> decode(const Model &m, int backend, int threads, int device = 0, int steps = 40) {
  const Shape &s = m.s;
  omp_set_num_threads(threads);
  int64_t model = 0, decoder = 0, prompt = 0, longer = 0;
  const int64_t width = s.kv_heads * s.head_dim;
  const auto ok = [&](int32_t code, const char *what) { expect(code == HIR_OK, what, backend, s.hidden); };
  const hir_model_shape shape = {s.layers,   s.hidden, s.intermediate, s.heads, s.kv_heads,
                                 s.head_dim, s.vocab,  1e-6,           s.dtype};
  ok(hir_model_create(backend, device, 0, &shape, &model), "create");
  ok(hir_decoder_create(model, &decoder), "decoder");
  ok(hir_model_weights(model, m.addresses.data()), "weights");
  ok(hir_model_weights(model, m.addresses.data()), "weights again");
  ok(hir_model_rotary(model, address(m.cosines), address(m.sines), POSITIONS), "rotary");
  ok(hir_decoder_prompt(decoder, address(m.keys), address(m.values), POSITIONS * width, width, 7, HIR_FLOAT32, &prompt),
     "prompt");
  ok(hir_decoder_prompt(decoder, address(m.keys), address(m.values), POSITIONS * width, width, 45, HIR_FLOAT32, &longer),
     "prompt");
  ok(hir_decoder_admit(decoder, 0, 0, 2), "admit without a prompt");
  ok(hir_decoder_admit(decoder, prompt, 2, 3), "admit");
  ok(hir_decoder_admit(decoder, longer, 5, 18), "admit");
  hir_decoder_prompt_free(decoder, prompt);
  std::vector<float> all;
  int64_t rows = 23;
  std::mt19937 random(1);
  std::vector<int64_t> tokens(rows + 4);  // fixed addresses: a GPU's step is recorded when its bucket recurs
  for (int step = 0; step < steps; step++) {
    for (int64_t r = 0; r < rows; r++) tokens[r] = random() % s.vocab;
    std::vector<float> logits(rows * (s.vocab + 3), -1.0f);
    ok(hir_decoder_step(decoder, address(tokens), rows, address(logits), s.vocab + 3), "step");
    ok(hir_synchronize(backend, device, 0), "synchronize");
    for (int64_t r = 0; r < rows; r++) {
      for (int i = 0; i < 3; i++) expect(logits[r * (s.vocab + 3) + s.vocab + i] == -1.0f, "padding", backend, r);
    }
    all.insert(all.end(), logits.begin(), logits.end());
    if (step % 3 == 2 && rows > 2) {
      rows--;
      ok(hir_decoder_move(decoder, rows, static_cast<int64_t>(random() % rows)), "move");
    }
    if (step == steps / 2) {
      ok(hir_decoder_admit(decoder, longer, rows, 4), "admit later");
      rows += 4;
    }
  }
  hir_decoder_prompt_free(decoder, longer);
  hir_decoder_free(decoder);
  hir_model_free(model);
  return all;
}

// Compares each logit in float32. A bfloat16 model rounds its activations, so there compares all logits together.
void compare(const std::vector<float> &got, const std::vector<float> &expected, int32_t dtype, int backend) {
  double off = 0, size = 0;
  for (size_t i = 0; i < expected.size(); i++) {
    const double error = fabs(got[i] - expected[i]);
    expect(error <= (dtype == HIR_BFLOAT16 ? 0.5 : 2e-4) * (1 + fabs(expected[i])), "logit", backend,
           static_cast<long long>(i));
    off += error * error;
    size += expected[i] * expected[i];
  }
  expect(sqrt(off / size) <= (dtype == HIR_BFLOAT16 ? 0.03 : 1e-5), "logits", backend, static_cast<long long>(size));
}

// Draws equal a step followed by the sampling kernel, and a token that is fed back is the one drawn, whichever rows
// leave, move and join in between.
void draws(int backend, const Model &m, int device = 0) {
  const Shape &s = m.s;
  const hir_model_shape shape = {s.layers,   s.hidden, s.intermediate, s.heads, s.kv_heads,
                                 s.head_dim, s.vocab,  1e-6,           s.dtype};
  const int64_t width = s.kv_heads * s.head_dim;
  int64_t model = 0, plain = 0, drawing = 0;
  const auto ok = [&](int32_t code, const char *what) { expect(code == HIR_OK, what, backend, s.hidden); };
  ok(hir_model_create(backend, device, 0, &shape, &model), "create");
  ok(hir_model_weights(model, m.addresses.data()), "weights");
  ok(hir_model_rotary(model, address(m.cosines), address(m.sines), POSITIONS), "rotary");
  int64_t rows = 3;
  for (int64_t *decoder : {&plain, &drawing}) {
    int64_t prompt = 0;
    ok(hir_decoder_create(model, decoder), "decoder");
    ok(hir_decoder_prompt(*decoder, address(m.keys), address(m.values), POSITIONS * width, width, 34, HIR_FLOAT32, &prompt),
       "prompt");
    ok(hir_decoder_admit(*decoder, prompt, 0, rows), "admit");
    hir_decoder_prompt_free(*decoder, prompt);
  }
  std::vector<int64_t> tokens(20, 1), given(20, 1), drawn(20), expected(20);
  std::vector<int32_t> counters(80);
  std::vector<float> logits(20 * s.vocab), logprobs(20), wanted(20), entropies(20), spread(20);
  std::mt19937 random(3);
  for (int step = 0; step < 7; step++) {
    const int64_t vocabulary = step % 2 ? s.vocab : s.vocab - 3;
    for (int32_t &word : counters) word = static_cast<int32_t>(random());
    ok(hir_decoder_step(plain, address(tokens), rows, address(logits), s.vocab), "step");
    ok(hir_sample(backend, device, 0, address(logits), rows, vocabulary, s.vocab, HIR_FLOAT32, 0.9, 0, 1, 0, 5,
                  address(counters), address(expected), address(wanted), 0),
       "sample");
    ok(hir_token_logprob(backend, device, 0, address(logits), rows, s.vocab, s.vocab, HIR_FLOAT32, address(expected), 0.9,
                         address(wanted), address(spread)),
       "log-probs");
    ok(hir_synchronize(backend, device, 0), "synchronize");
    ok(hir_decoder_draw(drawing, given.data(), rows, 0.9, 0, 1, 0, vocabulary, 5, counters.data(), drawn.data(),
                        logprobs.data(), step == 5 ? nullptr : entropies.data()),
       "draw");
    for (int64_t r = 0; r < rows; r++) {
      expect(drawn[r] == expected[r] && drawn[r] < vocabulary, "draw as sampled", backend, step);
      expect(fabs(logprobs[r] - wanted[r]) <= 1e-5 * (1 + fabs(wanted[r])), "its log-prob", backend, step);
      expect(step == 5 || fabs(entropies[r] - spread[r]) <= 1e-5 * (1 + spread[r]), "its entropy", backend, step);
      tokens[r] = drawn[r];
      given[r] = r % 2 && step == 1 ? drawn[r] : -1;
    }
    if (step == 2) {  // a row ends, and the last one takes its place
      rows--;
      for (int64_t decoder : {plain, drawing}) ok(hir_decoder_move(decoder, rows, 0), "move");
      tokens[0] = tokens[rows];
    }
    if (step == 3) {  // more rows than have memory so far
      for (int64_t decoder : {plain, drawing}) ok(hir_decoder_admit(decoder, 0, rows, 9), "admit");
      expect(hir_decoder_draw(drawing, std::vector<int64_t>(rows + 9, -1).data(), rows + 9, 0.9, 0, 1, 0, s.vocab, 5,
                              counters.data(), drawn.data(), logprobs.data(), nullptr) == HIR_INVALID,
             "nothing drawn yet", backend, step);
      for (int64_t r = rows; r < rows + 9; r++) tokens[r] = given[r] = r % s.vocab;
      rows += 9;
    }
  }
  expect(hir_decoder_draw(drawing, given.data(), rows, -1, 0, 1, 0, s.vocab, 5, counters.data(), drawn.data(),
                          logprobs.data(), nullptr) == HIR_INVALID,
         "temperature", backend, 0);
  for (int64_t decoder : {plain, drawing}) hir_decoder_free(decoder);
  hir_model_free(model);
}

void against_baseline(int backend) {
  for (int32_t dtype : {HIR_FLOAT32, HIR_BFLOAT16}) {
    const Shape shapes[] = {{2, 40, 56, 4, 2, 16, 37, dtype, false, true},
                            {1, 33, 17, 3, 3, 40, 64, dtype, true, false},
                            {2, 96, 100, 5, 1, 80, 131, dtype, false, false},
                            {1, 1, 1, 1, 1, 2, 1, dtype, true, true}};
    for (const Shape &shape : shapes) {
      const Model model(shape);
      const std::vector<float> expected = decode(model, HIR_BASELINE, 2);
      const std::vector<float> one = decode(model, backend, 1);
      const std::vector<float> three = decode(model, backend, 3);
      expect(one == three, "the same with 1 and 3 threads", backend, shape.hidden);
      if (shape.vocab > 3) draws(backend, model);
      compare(one, expected, dtype, backend);
    }
  }
}

// Logits of some steps of rows whose prompts have these lengths.
std::vector<float> continued(const Model &m, int backend, int device, const std::vector<int64_t> &lengths, int64_t first,
                             int steps) {
  const Shape &s = m.s;
  const hir_model_shape shape = {s.layers,   s.hidden, s.intermediate, s.heads, s.kv_heads,
                                 s.head_dim, s.vocab,  1e-6,           s.dtype};
  const int64_t width = s.kv_heads * s.head_dim, rows = static_cast<int64_t>(lengths.size());
  int64_t model = 0, decoder = 0;
  const auto ok = [&](int32_t code, const char *what) { expect(code == HIR_OK, what, backend, s.head_dim); };
  omp_set_num_threads(1);
  ok(hir_model_create(backend, device, 0, &shape, &model), "create");
  ok(hir_model_weights(model, m.addresses.data()), "weights");
  ok(hir_model_rotary(model, address(m.cosines), address(m.sines), m.positions), "rotary");
  ok(hir_decoder_create(model, &decoder), "decoder");
  for (int64_t r = 0; r < rows; r++) {
    int64_t prompt = 0;
    if (lengths[r]) {
      ok(hir_decoder_prompt(decoder, address(m.keys), address(m.values), m.positions * width, width, lengths[r], HIR_FLOAT32,
                            &prompt),
         "prompt");
    }
    ok(hir_decoder_admit(decoder, prompt, r, 1), "admit");
    if (prompt) hir_decoder_prompt_free(decoder, prompt);
  }
  std::vector<float> all, logits(rows * s.vocab);
  std::vector<int64_t> tokens(rows);
  for (int step = 0; step < steps; step++) {
    for (int64_t r = 0; r < rows; r++) tokens[r] = (3 * (first + r) + step) % s.vocab;
    ok(hir_decoder_step(decoder, address(tokens), rows, address(logits), s.vocab), "step");
    ok(hir_synchronize(backend, device, 0), "synchronize");
    all.insert(all.end(), logits.begin(), logits.end());
  }
  hir_decoder_free(decoder);
  hir_model_free(model);
  return all;
}

// The GPU's attention at lengths around the ends of warps' shares, pages and splits, for heads of every size of tile,
// with and without idle lanes, and every number of queries for a key.
void attention_lengths() {
  struct Case {
    int64_t head_dim, heads, kv_heads;
    int32_t dtype;
    bool bias, head_norms;
    int64_t split;  // slots of a block
  };
  const Case cases[] = {{128, 4, 2, HIR_BFLOAT16, false, true, 128},  {128, 4, 1, HIR_BFLOAT16, true, true, 128},
                        {128, 1, 1, HIR_BFLOAT16, false, false, 128}, {96, 7, 1, HIR_BFLOAT16, false, true, 128},
                        {80, 5, 1, HIR_BFLOAT16, true, false, 128},   {64, 7, 1, HIR_BFLOAT16, true, false, 256},
                        {64, 4, 2, HIR_BFLOAT16, false, true, 256},   {256, 8, 1, HIR_BFLOAT16, false, true, 64},
                        {256, 2, 2, HIR_BFLOAT16, true, true, 64},    {8, 3, 1, HIR_BFLOAT16, false, true, 256},
                        {256, 3, 1, HIR_FLOAT32, true, true, 32},     {128, 4, 2, HIR_FLOAT32, false, true, 64},
                        {96, 5, 1, HIR_FLOAT32, true, false, 64},     {64, 1, 1, HIR_FLOAT32, false, true, 128},
                        {4, 6, 2, HIR_FLOAT32, false, false, 256}};
  for (const Case &c : cases) {
    const Model model({1, 24, 20, c.heads, c.kv_heads, c.head_dim, 19, c.dtype, c.bias, c.head_norms}, 9 * c.split + 8);
    // Steps pass the ends of splits, of a page and of a warp's share; where splits are short, one row comes to have more of
    // them than are combined at once.
    const int64_t most = c.split <= 64 ? 8 : 3;
    const std::vector<int64_t> lengths = {0, c.split - 2, c.split, 2 * c.split - 1, 3, 31, most * c.split - 1};
    const int steps = 3;
    const std::vector<float> expected = continued(model, HIR_BASELINE, 0, lengths, 0, steps);
    const std::vector<float> got = continued(model, HIR_CUDA_EMULATED, 0, lengths, 0, steps);
    compare(got, expected, c.dtype, HIR_CUDA_EMULATED);
    expect(got == continued(model, HIR_CUDA_EMULATED, 2, lengths, 0, steps), "any order of threads and blocks",
           HIR_CUDA_EMULATED, c.head_dim);
    for (int64_t r : {3, 6}) {
      const std::vector<float> alone = continued(model, HIR_CUDA_EMULATED, 1, {lengths[r]}, r, steps);
      const int64_t rows = static_cast<int64_t>(lengths.size()), vocab = model.s.vocab;
      for (int64_t i = 0; i < steps * vocab; i++) {
        expect(alone[i] == got[(i / vocab * rows + r) * vocab + i % vocab], "a row alone", HIR_CUDA_EMULATED, i);
      }
    }
  }
}

// The GPU's decoder in the emulator. Its step is a recorded graph, replayed with other rows.
void emulated() {
  hir_emulate();
  const Shape shapes[] = {{2, 40, 56, 6, 2, 16, 37, HIR_FLOAT32, false, true},
                          {1, 33, 17, 5, 1, 80, 64, HIR_FLOAT32, true, false},
                          {1, 40, 56, 4, 2, 16, 37, HIR_BFLOAT16, true, true}};
  for (const Shape &shape : shapes) {
    const Model model(shape);
    const int steps = 6;
    const std::vector<float> expected = decode(model, HIR_BASELINE, 2, 0, steps);
    const std::vector<float> got = decode(model, HIR_CUDA_EMULATED, 1, 0, steps);
    // Another order of a block's threads gives the same bits.
    expect(got == decode(model, HIR_CUDA_EMULATED, 1, 2, steps), "any order of threads", HIR_CUDA_EMULATED, shape.hidden);
    compare(got, expected, shape.dtype, HIR_CUDA_EMULATED);
    draws(HIR_CUDA_EMULATED, model, 1);
  }
  // A graph's bucket has at least as many rows as asked, and at most twice as many.
  for (int64_t rows = 1; rows < 2000; rows++) {
    const int64_t bucket = hir::row_bucket(rows);
    expect(bucket >= rows && bucket < 2 * rows && hir::row_bucket(bucket) == bucket, "row bucket", 0, rows);
    expect(bucket >= hir::row_bucket(rows - (rows > 1)), "row buckets rise", 0, rows);
    const int64_t splits = hir::split_bucket(rows);
    expect(splits >= rows && 4 * (splits - rows) < rows && hir::split_bucket(splits) == splits, "split bucket", 0, rows);
    expect(splits >= hir::split_bucket(rows - (rows > 1)), "split buckets rise", 0, rows);
  }
  expect(hir::graph_key(9, 11) == hir::graph_key(16, 12) && !(hir::graph_key(8, 11) == hir::graph_key(9, 11)), "graph key",
         0, 0);
  const hir_model_shape odd = {1, 8, 8, 1, 1, 6, 8, 1e-6, HIR_FLOAT32};
  int64_t model = 0;
  expect(hir_model_create(HIR_CUDA_EMULATED, 0, 0, &odd, &model) == HIR_UNSUPPORTED, "heads that are no whole vectors",
         HIR_CUDA_EMULATED, 0);
}

}  // namespace

int main() {
  for (int backend : {HIR_AVX2, HIR_AVX512}) {
    if (hir_backend_usable(backend) != HIR_OK) {
      printf("skipped: %s\n", hir_last_error());
      continue;
    }
    against_baseline(backend);
  }
  emulated();
  attention_lengths();
  if (failures == 0) printf("all decoder checks passed\n");
  return failures == 0 ? 0 : 1;
}
