#include "checks.h"

namespace model_test {

void check_refusals(int backend) {
  const Model m({1, 8, 8, 2, 1, 4, 10, false, false, HIR_FLOAT32}, 6);
  hir_model_shape shape = {1, 8, 8, 2, 1, 4, 10, EPSILON, HIR_FLOAT32};
  int64_t model = 0, pass = 0;
  const int64_t plain = m.make(HIR_BASELINE);
  expect(hir_model_logits(plain, address(m.cosines), 1, address(m.cosines), 10) == HIR_UNSUPPORTED, "no baseline", backend,
         0);
  hir_model_free(plain);
  shape.heads = 3;
  shape.kv_heads = 2;
  expect(hir_model_create(backend, 0, 0, &shape, &model) == HIR_INVALID, "heads", backend, 0);
  shape.heads = 2;
  shape.kv_heads = 1;
  shape.dtype = 7;
  expect(hir_model_create(backend, 0, 0, &shape, &model) == HIR_INVALID, "element type", backend, 0);
  shape.dtype = HIR_FLOAT32;
  hir_model_create(backend, 0, 0, &shape, &model);
  std::vector<float> hidden(80);
  const auto forward = [&](std::vector<int64_t> ids, std::vector<int64_t> lengths, std::vector<int64_t> prefixes) {
    return hir_model_forward(model, ids.data(), ids.size(), lengths.data(), prefixes.data(), lengths.size(),
                             HIR_KEEP_EVERYTHING, address(hidden), 0, &pass);
  };
  expect(forward({1}, {1}, {-1}) == HIR_INVALID, "no weights yet", backend, 0);
  hir_model_weights(model, m.addresses().data());
  hir_model_rotary(model, address(m.cosines), address(m.sines), 6);
  expect(forward({1, 2}, {1, 1}, {-1, 0}) == HIR_OK, "a good one", backend, 0);
  expect(forward({1, 10}, {2}, {-1}) == HIR_INVALID, "a token too high", backend, 0);
  expect(forward({-1}, {1}, {-1}) == HIR_INVALID, "a token too low", backend, 0);
  expect(forward({1, 2}, {1}, {-1}) == HIR_INVALID, "tokens left over", backend, 0);
  expect(forward({1}, {2}, {-1}) == HIR_INVALID, "tokens missing", backend, 0);
  expect(forward({1, 2}, {2, 0}, {-1, -1}) == HIR_INVALID, "an empty segment", backend, 0);
  expect(forward({1, 2}, {1, 1}, {-1, 1}) == HIR_INVALID, "continues itself", backend, 0);
  expect(forward({1, 2, 3}, {1, 1, 1}, {-1, 0, 1}) == HIR_INVALID, "continues a continuation", backend, 0);
  expect(forward({1, 2, 3, 4, 5, 6, 7}, {4, 3}, {-1, 0}) == HIR_INVALID, "beyond the rotary tables", backend, 0);
  expect(hir_model_backward(model, pass, address(hidden), m.addresses().data()) == HIR_INVALID, "backward of what failed",
         backend, 0);
  expect(forward({}, {}, {}) == HIR_OK, "nothing", backend, 0);
  const int64_t below = -1, window = 1;
  expect(hir_model_windows(model, &below) == HIR_INVALID, "a window below 0", backend, 0);
  expect(forward({1, 2}, {1, 1}, {-1, 0}) == HIR_OK, "a good one", backend, 0);
  expect(hir_model_windows(model, &window) == HIR_OK, "a window of one token", backend, 0);
  expect(hir_model_backward(model, pass, address(hidden), m.addresses().data()) == HIR_INVALID,
         "backward of a pass with other windows", backend, 0);
  hir_model_free(model);
}

}  // namespace model_test
