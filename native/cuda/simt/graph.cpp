// The emulator's graphs (lists of launches) and products (always our own kernel).
#include "graph.h"

#include <string.h>

#include "products.h"

namespace hir::simt {

Graph::~Graph() { delete static_cast<Recording *>(content); }

int32_t Graph::begin(const Place &, Place *) {
  content = recording = new Recording;
  return 0;
}

int32_t Graph::end() {
  recording = nullptr;
  return 0;
}

int32_t Graph::start(const Place &) {
  for (const auto &launch : *static_cast<Recording *>(content)) {
    if (int32_t code = launch()) return code;
  }
  return 0;
}

bool Products::Key::operator<(const Key &other) const { return memcmp(this, &other, sizeof *this) < 0; }

Products::Products(const Place &place) : place(place) {}
Products::~Products() {}

template <class T>
void Products::operator()(Call &call, const LinearArguments<T> &a) {
  if (a.rows <= OWN_ROWS) {
    linear(call, a);
    return;
  }
  // As with cuBLASLt, where nothing is fused.
  LinearArguments<T> product = a;
  product.norm = nullptr;
  product.activated = nullptr;
  normalize(call, a);
  linear(call, product);
  gate(call, a);
}

template <class T, class Out>
void Products::operator()(Call &call, const ProductArguments<T, Out> &a) {
  product(call, a);
}

template void Products::operator()(Call &, const LinearArguments<float> &);
template void Products::operator()(Call &, const LinearArguments<bf16> &);
template void Products::operator()(Call &, const ProductArguments<float, float> &);
template void Products::operator()(Call &, const ProductArguments<bf16, float> &);
template void Products::operator()(Call &, const ProductArguments<bf16, bf16> &);

}  // namespace hir::simt
