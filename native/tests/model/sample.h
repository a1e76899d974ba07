// Random models for the checks, and the library's passes over them.
#pragma once

#include <stdint.h>
#include <string.h>

#include <algorithm>
#include <random>
#include <vector>

#include "hir_kernels.h"

namespace model_test {

// Counts and prints failures.
void expect(bool holds, const char *what, int backend, long long detail);

int failed();

template <class T>
hir_address address(const std::vector<T> &x) {
  return x.empty() ? 0 : reinterpret_cast<hir_address>(x.data());
}

constexpr double EPSILON = 1e-6;

struct Shape {
  int64_t layers, hidden, intermediate, heads, kv_heads, head_dim, vocab;
  bool bias, head_norms;
  int32_t dtype;
  std::vector<int64_t> windows = {};  // of each layer; empty for none

  int64_t qkv() const { return (heads + 2 * kv_heads) * head_dim; }
};

// Segments of a batch: their lengths, and which segment each continues.
struct Cut {
  std::vector<int64_t> lengths, prefixes;
};

// A batch's tokens, and the gradient of its hidden states [tokens][hidden].
struct Batch {
  Cut cut;
  std::vector<int64_t> ids;
  std::vector<float> flow;

  // Random ones.
  static Batch random(const Shape &shape, const Cut &cut);
};

// An adapter on one of a layer's projections: q, k, v, output, gate, up, down.
struct Adapter {
  int64_t layer, projection, rank;
  double scale;
  std::vector<float> a, b, a_gradient, b_gradient;
};

// float32 or bfloat16 elements, as a model of that type reads and writes them.
class Elements {
 public:
  Elements(int32_t dtype, const std::vector<float> &values) : dtype(dtype), count(values.size()) {
    bytes.resize(std::max<size_t>(1, count) * (dtype == HIR_BFLOAT16 ? 2 : 4));
    for (size_t i = 0; i < count; i++) memcpy(at(i), from(values[i]).data(), size());
  }

  hir_address where() const { return count ? reinterpret_cast<hir_address>(bytes.data()) : 0; }

  std::vector<float> floats() const {
    std::vector<float> values(count);
    for (size_t i = 0; i < count; i++) {
      uint32_t word = 0;
      memcpy(reinterpret_cast<char *>(&word) + 4 - size(), bytes.data() + i * size(), size());
      memcpy(&values[i], &word, 4);
    }
    return values;
  }

 private:
  size_t size() const { return dtype == HIR_BFLOAT16 ? 2 : 4; }
  char *at(size_t i) { return bytes.data() + i * size(); }

  // Rounds to the nearest, ties to even.
  std::vector<char> from(float value) const {
    uint32_t word;
    memcpy(&word, &value, 4);
    if (dtype == HIR_BFLOAT16) word = (word + 0x7fff + ((word >> 16) & 1)) >> 16;
    const char *first = reinterpret_cast<const char *>(&word);
    return {first, first + size()};
  }

  int32_t dtype;
  size_t count;
  std::vector<char> bytes;
};

// Weights in the order of hir_model_weights, with an empty vector where the family has none. A bfloat16 model has
// weights that bfloat16 can represent.
struct Model {
  const Shape s;
  std::mt19937 random{5};
  std::vector<std::vector<float>> weights;
  std::vector<Elements> stored;
  std::vector<float> cosines, sines;
  int64_t positions;
  bool frozen = false;
  std::vector<Adapter> adapters;  // on frozen weights

  Model(const Shape &shape, int64_t positions);

  std::vector<int64_t> addresses() const;

  // Where a projection is: its weight, its first row there, its rows and columns.
  struct Place {
    size_t weight;
    int64_t row, rows, columns;
  };
  Place place(int64_t layer, int64_t projection) const;

  void adapt(int64_t layer, int64_t projection, int64_t rank, double scale);

  // The same model with its adapters merged into the weights.
  Model merged() const;

  // Sets the weights, dense or frozen.
  void give(int64_t model, int backend) const;

  // Makes a handle with weights and tables; in the emulator `threads` chooses the order of threads.
  int64_t make(int backend, int threads = 1) const;

  // Tolerance of a result, relative to its own size and that of its tensor.
  double slack() const { return s.dtype == HIR_BFLOAT16 ? 0.06 : 1e-4; }

 private:
  void add(int64_t count, double mean, double spread);
};

// Results of two passes: hidden states, keys and values, and the sum of both gradients.
struct Result {
  std::vector<float> hidden, keys_values;
  std::vector<std::vector<float>> gradients;
};

Result run(const Model &m, int backend, int threads, const Batch &batch, int32_t keep);

}  // namespace model_test
