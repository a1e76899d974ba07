// The decoder of CPU backends: pages in memory, and a step's bookkeeping. The arithmetic is in decode.cpp.
#include "cpu_model.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "bf16.h"

namespace hir {

namespace {

// Pages in slabs, which are allocated and freed whole.
class MemoryPages : public PageStore {
 public:
  explicit MemoryPages(int64_t bytes) : bytes((bytes + 63) / 64 * 64) {}

  void *allocate() override {
    if (left == 0) {
      const int64_t count = bytes < SLAB ? SLAB / bytes : 1;
      slabs.emplace_back(new Arena);
      next = static_cast<char *>(slabs.back()->reserve(count * bytes));
      if (!next) {
        slabs.pop_back();
        fail(HIR_NO_MEMORY, "decoder: out of memory");
        return nullptr;
      }
      left = count;
    }
    void *const page = next;
    next += bytes;
    left--;
    made++;
    return page;
  }

  bool copy(void *to, const void *from) override {
    memcpy(to, from, bytes);
    return true;
  }

  // Frees all slabs. No page may be in use.
  void drop() {
    slabs.clear();
    left = made = 0;
  }

  int64_t page() const { return bytes; }

  int64_t made = 0;

 private:
  static constexpr int64_t SLAB = 4 << 20;

  const int64_t bytes;
  std::vector<std::unique_ptr<Arena>> slabs;
  char *next = nullptr;
  int64_t left = 0;
};

class CpuDecoder final : private MemoryPages, public AnyDecoder {
 public:
  explicit CpuDecoder(CpuModel &model)
      : MemoryPages(model.kernels.page_bytes(model.model)), AnyDecoder(this), model(model), kernels(model.kernels),
        s(model.shape) {}

  ~CpuDecoder() override { rows.keep(0); }

  void release(int64_t small) override {
    rows.keep(0);
    const int64_t drawing = static_cast<int64_t>(logits.capacity() * sizeof(float));
    if (rows.free() != made || made * page() + scratch.bytes() + drawing <= small) return;
    scratch.drop();
    std::vector<float>().swap(logits);
    rows.take_pages();
    drop();
  }

  int32_t prompt(int64_t keys, int64_t values, int64_t layer_stride, int64_t token_stride, int64_t length, int32_t dtype,
                 Prompt **out) override;
  int32_t step(int64_t tokens, int64_t count, int64_t logits, int64_t row_stride) override;
  int32_t draw(const int64_t *tokens, int64_t count, const Sampling &sampling, int64_t vocabulary) override;

 private:
  template <class From, class To>
  void store(const Prompt &prompt, const From *keys, const From *values, int64_t layer_stride, int64_t token_stride);

  CpuModel &model;
  const Backend &kernels;
  const ModelShape &s;
  std::vector<int64_t> order;
  std::vector<DecoderRow> step_rows;
  Arena scratch;
  // For draw: tokens to append, logits, and the tokens of the last draw.
  std::vector<int64_t> appended, drawn;
  std::vector<float> logits;
};

template <class From, class To>
void CpuDecoder::store(const Prompt &prompt, const From *keys, const From *values, int64_t layer_stride,
                       int64_t token_stride) {
  std::vector<To> pair(2 * s.head_dim);
  for (int64_t t = 0; t < prompt.length; t++) {
    for (int64_t layer = 0; layer < s.layers; layer++) {
      for (int64_t head = 0; head < s.kv_heads; head++) {
        const int64_t start = layer * layer_stride + t * token_stride + head * s.head_dim;
        for (int64_t d = 0; d < s.head_dim; d++) {
          from_float(to_float(keys[start + d]), &pair[d]);
          from_float(to_float(values[start + d]), &pair[s.head_dim + d]);
        }
        kernels.page_put(model.model, prompt.pages[t / PAGE], t % PAGE, layer, head, pair.data(), pair.data() + s.head_dim);
      }
    }
  }
}

int32_t CpuDecoder::prompt(int64_t keys, int64_t values, int64_t layer_stride, int64_t token_stride, int64_t length,
                           int32_t dtype, Prompt **out) {
  *out = rows.make_prompt(length);
  if (!*out) return HIR_NO_MEMORY;
  const bool from_low = dtype == HIR_BFLOAT16, to_low = s.dtype == HIR_BFLOAT16;
  const auto run = [&](auto from, auto to) {
    using From = decltype(from);
    store<From, decltype(to)>(**out, at<const From>(keys), at<const From>(values), layer_stride, token_stride);
  };
  if (from_low) {
    to_low ? run(bf16(), bf16()) : run(bf16(), 0.0f);
  } else {
    to_low ? run(0.0f, bf16()) : run(0.0f, 0.0f);
  }
  return HIR_OK;
}

int32_t CpuDecoder::draw(const int64_t *tokens, int64_t count, const Sampling &sampling, int64_t vocabulary) {
  if (int32_t code = check_appended(tokens, count, s.vocab)) return code;
  appended.resize(count);
  for (int64_t i = 0; i < count; i++) appended[i] = tokens[i] < 0 ? drawn[rows[i].drawn] : tokens[i];
  logits.resize(count * s.vocab);
  const int64_t where = reinterpret_cast<int64_t>(logits.data());
  if (int32_t code = step(reinterpret_cast<int64_t>(appended.data()), count, where, s.vocab)) return code;
  const int64_t tokens_at = reinterpret_cast<int64_t>(sampling.tokens), all = s.vocab;
  const int64_t logprobs_at = reinterpret_cast<int64_t>(sampling.logprobs);
  const int64_t entropies_at = reinterpret_cast<int64_t>(sampling.entropies);
  int32_t code =
      hir_sample(model.backend, 0, 0, where, count, std::min(vocabulary, all), all, HIR_FLOAT32, sampling.temperature,
                 sampling.top_k, sampling.top_p, sampling.min_p, static_cast<int64_t>(sampling.key),
                 reinterpret_cast<int64_t>(sampling.counters), tokens_at, logprobs_at, entropies_at);
  if (code == HIR_OK && vocabulary < all) {
    // Among all ids, by the kernel that scores, so that log-probs agree with scoring.
    code = hir_token_logprob(model.backend, 0, 0, where, count, all, all, HIR_FLOAT32, tokens_at,
                             sampling.temperature == 0 ? 1 : sampling.temperature, logprobs_at, entropies_at);
  }
  if (code != HIR_OK) return code;
  drawn.assign(sampling.tokens, sampling.tokens + count);
  rows.mark_drawn();
  return HIR_OK;
}

int32_t CpuDecoder::step(int64_t addresses, int64_t count, int64_t logits, int64_t stride) {
  if (int32_t code = model.ready()) return code;
  const int64_t *const tokens = at<const int64_t>(addresses);
  for (int64_t i = 0; i < count; i++) {
    if (tokens[i] >= 0 && tokens[i] < s.vocab) continue;
    return fail(HIR_INVALID, "decoder: token %lld of row %lld is outside the vocabulary [0, %lld)",
                static_cast<long long>(tokens[i]), static_cast<long long>(i), static_cast<long long>(s.vocab));
  }
  if (int32_t code = rows.prepare(count, model.positions)) return code;
  if (count == 0) return HIR_OK;
  int64_t longest = 0;
  order.resize(count);
  for (int64_t i = 0; i < count; i++) {
    longest = std::max(longest, rows[i].position() + 1);
    order[i] = i;
  }
  // Put rows of one prompt side by side.
  std::sort(order.begin(), order.end(), [this](int64_t a, int64_t b) {
    return rows[a].prompt != rows[b].prompt ? rows[a].prompt < rows[b].prompt : a < b;
  });
  step_rows.resize(count);
  for (int64_t i = 0; i < count; i++) {
    const Row &row = rows[order[i]];
    step_rows[i] = {tokens[order[i]],    row.prompt ? row.prompt->pages.data() : nullptr,
                    row.shared_length(), row.pages.data(),
                    row.length,          order[i]};
  }
  const int32_t threads = omp_get_max_threads();
  void *const memory = scratch.reserve(kernels.decode_bytes(s, count, threads, longest));
  if (!memory) return fail(HIR_NO_MEMORY, "decoder: out of memory");
  if (!kernels.decode({&model.model, step_rows.data(), count, threads, longest, memory, at<float>(logits), stride})) {
    return fail(HIR_NO_MEMORY, "decoder: out of memory");
  }
  rows.advance();
  return HIR_OK;
}

}  // namespace

int32_t CpuModel::make_decoder(AnyDecoder **decoder) {
  *decoder = new CpuDecoder(*this);
  return HIR_OK;
}

}  // namespace hir
