// Matrix products with float sums, for decode steps (few rows: our own kernel, since reading the weights takes all the
// time) and packed passes: by cuBLASLt if it is found, else by our own plain kernel.
#pragma once

#include <map>

#include "decode_kernels.h"

namespace hir::HIR_DEVICE {

// Element (i, l) is data[i row + l column]; one of the strides is 1.
template <class T>
struct Operand {
  const T *data;
  int64_t row, column;
};

// out[i][j] = (onto: onto[i][j] +) the sum over l of a(i, l) b(j, l). `onto` has out's pitch and may be out.
template <class T, class Out>
struct ProductArguments {
  int64_t rows, columns, depth;
  Operand<T> a, b;
  const float *onto;
  Out *out;
  int64_t out_pitch;
};

// The plain kernel (ops/matmul/product.cu): one thread per element, summed in order.
template <class T, class Out>
void product(Call &call, const ProductArguments<T, Out> &a);

// Up to this many rows a product of a decode step is our own kernel's.
constexpr int64_t OWN_ROWS = 16;

class Products {
 public:
  // Finds cuBLASLt; without it, or with HIR_BATCH_INVARIANT set, every product is our own kernel's, whose rows do not
  // depend on the batch.
  explicit Products(const Place &place);
  ~Products();
  Products(const Products &) = delete;
  Products &operator=(const Products &) = delete;

  template <class T>
  void operator()(Call &call, const LinearArguments<T> &a);
  template <class T, class Out>
  void operator()(Call &call, const ProductArguments<T, Out> &a);

 private:
  // What cuBLASLt needs to choose an algorithm, and its choice; none if it has none.
  struct Key {
    int64_t rows, columns, depth, a_pitch, b_pitch, out_pitch;
    int32_t alignments, kind;
    bool operator<(const Key &other) const;
  };
  struct Choice {
    uint64_t algorithm[8];
    bool found;
  };

  template <class T, class Out>
  bool multiply(Call &call, const ProductArguments<T, Out> &a);

  const Place place;
  void *handle = nullptr;
  void *workspace = nullptr;
  std::map<Key, Choice> choices;
};

}  // namespace hir::HIR_DEVICE
