// A model on a GPU: weights in the caller's memory, rotary tables, packed passes (model.cu) and decoders (decoder.cu).
#pragma once

#include <memory>
#include <vector>

#include "call.h"
#include "model/any_model.h"
#include "products.h"

namespace hir::HIR_DEVICE {

template <class T>
T *at(int64_t address) {
  return reinterpret_cast<T *>(address);
}

// Device memory that grows; its contents are lost then.
template <class V>
struct Buffer {
  V *data = nullptr;
  int64_t size = 0;

  // True when it has moved.
  bool reserve(Call &call, const Place &place, int64_t count) {
    if (count <= size || call.failed()) return false;
    Call::release(place, data);
    data = static_cast<V *>(call.allocate(sizeof(V) * static_cast<size_t>(count)));
    size = data ? count : 0;
    return true;
  }
};

// What a packed pass keeps for its backward, with its scratch memory (model.cu).
template <class T>
class Pass;

template <class T>
class DeviceModel final : public AnyModel {
 public:
  DeviceModel(const Place &place, const ModelShape &shape);
  ~DeviceModel() override;

  int32_t weights(const int64_t *addresses) override;
  int32_t rotary(int64_t cos, int64_t sin, int64_t count) override;
  int32_t windows(const int64_t *tokens) override;
  int32_t make_decoder(AnyDecoder **decoder) override;
  int32_t forward(const int64_t *tokens, int64_t count, const int64_t *lengths, const int64_t *prefixes,
                  int64_t segment_count, int32_t keep, int64_t hidden, int64_t keys_values, int64_t *pass) override;
  int32_t backward(int64_t pass, int64_t hidden_gradient, const int64_t *addresses) override;
  int32_t logits(int64_t hidden, int64_t rows, int64_t out, int64_t row_stride) override;
  int32_t logits_backward(int64_t gradient, int64_t row_stride, int64_t hidden, int64_t rows, int64_t hidden_gradient,
                          int64_t head_gradient) override;

  // HIR_OK when there are weights.
  int32_t ready() const;

  const Place place;
  WeightTable<const T *> table = {};
  std::vector<LayerTable<const T *>> layers;
  std::vector<int64_t> layer_windows;  // tokens that one sees, itself included; 0 for all before it
  Buffer<float> cosines, sines;
  int64_t positions = 0;
  int64_t moves = 0;  // counts changes of where weights and tables lie, and of windows
  Products multiply;

 private:
  std::vector<int64_t> known;
  std::unique_ptr<Pass<T>> pass;
  int64_t passes = 0;
  Buffer<T> head_gradients;
};

}  // namespace hir::HIR_DEVICE
