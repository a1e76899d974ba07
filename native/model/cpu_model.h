// A model of a CPU backend: its weights, packed once a version for all that runs on them, and its packed passes.
#pragma once

#include <vector>

#include "any_model.h"
#include "arena.h"
#include "kernels.h"
#include "model.h"

namespace hir {

template <class T>
T *at(int64_t address) {
  return reinterpret_cast<T *>(address);
}

class CpuModel final : public AnyModel {
 public:
  // A HIR_ code.
  static int32_t make(const Backend &kernels, int32_t backend, const ModelShape &shape, AnyModel **model);

  // What a model of this shape would allocate.
  static int32_t memory(const Backend &kernels, int32_t backend, const ModelShape &shape, const hir_model_work &work,
                        hir_model_sizes *sizes);

  ~CpuModel() override;
  void release(int64_t small) override;
  int32_t weights(const int64_t *addresses) override;
  int32_t frozen(const int64_t *addresses, const hir_matrix *matrices, int64_t count) override;
  int32_t rotary(int64_t cosines, int64_t sines, int64_t positions) override;
  int32_t windows(const int64_t *tokens) override;
  int32_t make_decoder(AnyDecoder **decoder) override;
  int32_t forward(const int64_t *tokens, int64_t count, const int64_t *lengths, const int64_t *prefixes,
                  int64_t segment_count, int32_t keep, int64_t hidden, int64_t keys_values, int64_t *pass) override;
  int32_t backward(int64_t pass, int64_t hidden_gradient, const int64_t *addresses) override;
  int32_t logits(int64_t hidden, int64_t rows, int64_t out, int64_t row_stride) override;
  int32_t logprobs(int64_t hidden, int64_t rows, int64_t targets, double temperature, int64_t out,
                   int64_t entropies) override;
  int32_t logits_backward(int64_t gradient, int64_t row_stride, int64_t hidden, int64_t rows, int64_t hidden_gradient,
                          int64_t head_gradient) override;

  // HIR_OK when there are weights.
  int32_t ready() const;

  const Backend &kernels;
  int32_t backend = HIR_BASELINE;
  Model model = {};
  int64_t positions = 0;

 private:
  CpuModel(const Backend &kernels, const ModelShape &shape);
  // What a matrix has been packed from, and its adapters for a backward.
  struct Packing {
    int64_t sources[3];  // of parts without an adapter: they need no packing again
    LowRank adapter;
  };

  bool pack(const void *weights, int64_t n, int64_t k, Order order, Linear *linear);
  bool pack(const Frozen *parts, int64_t count, Order order, Linear *linear, Packing *packing);
  bool adapt(const Frozen *parts, int64_t count, Linear *linear, LowRank *adapter) const;
  void take_vectors(const int64_t *addresses);
  bool reserve(int64_t bytes, void **memory);
  const float *floats(const void *values, int64_t count, size_t *used);
  int32_t cut(const int64_t *tokens, int64_t count, const int64_t *lengths, const int64_t *prefixes, int64_t segment_count);
  Pass pass_over(void *memory) const { return {&model, &batch, threads, memory}; }

  std::vector<LayerWeights> layers;
  std::vector<Packing> packings;   // of the head, then of each layer's matrices
  std::vector<void *> memories;    // of packed matrices
  std::vector<float> vectors;      // norms and biases
  std::vector<float> rotations;
  void *plain_embedding = nullptr;  // of the baseline
  bool held = false;
  // Of the last forward.
  Batch batch = {};
  std::vector<int64_t> ids;
  std::vector<Segment> segments;
  std::vector<Group> groups;
  std::vector<LayerTable<float *>> gradients;
  int32_t threads = 0;
  int64_t passes = 0;
  Arena arena, head_arena;
};

}  // namespace hir
