// Checks attention: every variant against sums in double, forward and backward, with and without a window; that a query
// gets the same bits alone and among others, from pages anywhere and from blocks in a row.
#include "attention/attention.h"

#include <stdlib.h>

#include <algorithm>

#include "../check.h"

namespace {

using hir::Attention;
using hir::AttentionBackward;
using hir::AttentionForward;
using hir::KEYS;
using hir::Part;
using hir::Sight;

// Queries, keys or values of a head.
Rows random_rows(int32_t dtype, int64_t rows, int64_t dim, float spread = 1) {
  return Rows::normal(dtype, rows, dim, 3, spread);
}

// Blocks of a sequence's keys and values, each in separate memory, of two heads of which the second is used.
struct Blocks {
  Blocks(const Attention &a, Rows &keys, Rows &values, int64_t tokens) : offset(4 * a.part_bytes()) {
    for (int64_t t = 0; t < tokens; t += KEYS) {
      char *const block = static_cast<char *>(aligned_alloc(64, 2 * offset));
      memset(block, 0x7b, 2 * offset);
      const int64_t count = std::min(KEYS, tokens - t);
      const auto pack = [&](Part part, Rows &rows) {
        a.pack(part, rows.row(t), rows.stride, count, block + offset + static_cast<int64_t>(part) * a.part_bytes());
      };
      pack(Part::KEYS_ACROSS, keys);
      pack(Part::VALUES_DOWN, values);
      pack(Part::KEYS_DOWN, keys);
      pack(Part::VALUES_ACROSS, values);
      blocks.push_back(block);
    }
  }
  ~Blocks() {
    for (const char *block : blocks) free(const_cast<char *>(block));
  }
  Blocks(const Blocks &) = delete;

  int64_t offset;
  std::vector<const char *> blocks;
};

struct Result {
  Rows out;
  std::vector<float> sums;
};

// Queries [from, to) of a sequence in one call. Blocks that none of them sees are NaN.
void run(const Attention &a, const Matmul &m, Rows &queries, const Blocks &keys, int64_t window, int64_t from, int64_t to,
         Result *result) {
  const std::vector<char> unread(2 * keys.offset, static_cast<char>(0xff));
  std::vector<const char *> places = keys.blocks;
  for (int64_t b = 0; b < static_cast<int64_t>(places.size()); b++) {
    if ((b + 1) * KEYS <= Sight::of(window, from).from || b * KEYS >= to) places[b] = unread.data();
  }
  std::vector<Sight> sights;
  std::vector<const char *const *> blocks;
  std::vector<void *> out;
  std::vector<float *> sums;
  for (int64_t r = from; r < to; r++) {
    sights.push_back(Sight::of(window, r));
    blocks.push_back(places.data());
    out.push_back(result->out.row(r));
    sums.push_back(&result->sums[r]);
  }
  const AttentionForward call = {{to - from, queries.row(from), queries.stride, sights.data(), blocks.data(),
                                  static_cast<int64_t>(keys.blocks.size()), keys.offset},
                                 out.data(),
                                 sums.data()};
  expect(a.forward(call), m, "memory");
}

void check_sequence(const Matmul &m, int64_t tokens, int64_t dim, int64_t window) {
  Attention a;
  expect(Attention::of(m, dim, &a) == HIR_OK, m, "attention");
  const int32_t type = m.dtype();
  Rows queries = random_rows(type, tokens, dim, 2 * a.query_scale()), keys = random_rows(type, tokens, dim);
  Rows values = random_rows(type, tokens, dim), flow = random_rows(type, tokens, dim);
  const Blocks blocks(a, keys, values, tokens);
  Result whole = {Rows(type, tokens, dim, 3), std::vector<float>(tokens)};
  for (int64_t from = 0; from < tokens; from += 40) {
    run(a, m, queries, blocks, window, from, std::min(tokens, from + 40), &whole);
  }

  std::vector<std::vector<double>> weights(tokens);
  for (int64_t r = 0; r < tokens; r++) {
    std::vector<double> &w = weights[r];
    double sum = 0;
    const int64_t oldest = window > 0 ? std::max<int64_t>(0, r - window + 1) : 0;
    for (int64_t t = 0; t <= r; t++) {
      double score = t < oldest ? -INFINITY : 0;
      for (int64_t i = 0; i < dim; i++) score += queries(r, i) * keys(t, i);
      w.push_back(exp2(score));
      sum += w.back();
    }
    expect(fabs(whole.sums[r] - log2(sum)) <= 2e-5, m, "logarithm of the sum", tokens, r);
    for (double &x : w) x /= sum;
    for (int64_t i = 0; i < dim; i++) {
      double want = 0, size = 0;
      for (int64_t t = 0; t <= r; t++) {
        want += w[t] * values(t, i);
        size += fabs(w[t] * values(t, i));
      }
      expect(fabs(whole.out(r, i) - want) <= (type == HIR_FLOAT32 ? 1e-5 : 1.0 / 128) * (size + 1e-3), m, "attention",
             tokens, r);
    }
  }

  // Each query alone, and in calls divided differently.
  Result alone = {Rows(type, tokens, dim, 3), std::vector<float>(tokens)};
  for (int64_t r = 0; r < tokens; r++) run(a, m, queries, blocks, window, r, r + 1, &alone);
  expect(whole.out.gaps_untouched(), m, "attention stays within its rows", tokens, dim);
  expect(alone.out.same(whole.out) && alone.sums == whole.sums, m, "a query alone", tokens, dim);
  Result other = {Rows(type, tokens, dim, 3), std::vector<float>(tokens)};
  for (int64_t from = 0; from < tokens; from += 96) {
    run(a, m, queries, blocks, window, from, std::min(tokens, from + 96), &other);
  }
  expect(other.out.same(whole.out) && other.sums == whole.sums, m, "queries cut otherwise", tokens, dim);
  if (window >= tokens) {
    Result full = {Rows(type, tokens, dim, 3), std::vector<float>(tokens)};
    for (int64_t from = 0; from < tokens; from += 40)
      run(a, m, queries, blocks, 0, from, std::min(tokens, from + 40), &full);
    expect(full.out.same(whole.out) && full.sums == whole.sums, m, "a window of all tokens", tokens, dim);
  }

  // Backward.
  const int64_t pitch = (dim + 31) / 32 * 32, room = (tokens + KEYS - 1) / KEYS * KEYS;
  std::vector<float> query_gradients(tokens * pitch), key_gradients(room * pitch), value_gradients(room * pitch),
      along(tokens);
  std::vector<Sight> sights(tokens);
  std::vector<const char *const *> places(tokens, blocks.blocks.data());
  for (int64_t r = 0; r < tokens; r++) {
    sights[r] = Sight::of(window, r);
    double sum = 0;
    for (int64_t i = 0; i < dim; i++) sum += whole.out(r, i) * flow(r, i);
    along[r] = static_cast<float>(sum);
  }
  for (int64_t from = 0; from < tokens; from += 50) {
    const int64_t count = std::min<int64_t>(50, tokens - from);
    const AttentionBackward call = {
        {count, queries.row(from), queries.stride, sights.data() + from, places.data(), 0, blocks.offset},
        flow.row(from),
        whole.sums.data() + from,
        along.data() + from,
        query_gradients.data() + from * pitch,
        key_gradients.data(),
        value_gradients.data(),
        pitch};
    expect(a.backward(call), m, "memory");
  }
  // In double, from the same out . flow.
  std::vector<double> dq(tokens * dim), dk(tokens * dim), dv(tokens * dim), size_q(tokens * dim), size_k(tokens * dim),
      size_v(tokens * dim);
  for (int64_t r = 0; r < tokens; r++) {
    for (int64_t t = 0; t <= r; t++) {
      double dp = 0, terms = fabs(along[r]);
      for (int64_t i = 0; i < dim; i++) {
        dp += flow(r, i) * values(t, i);
        terms += fabs(flow(r, i) * values(t, i));
      }
      const double change = weights[r][t] * (dp - along[r]), scale = weights[r][t] * terms;
      for (int64_t i = 0; i < dim; i++) {
        const double key = keys(t, i) / sqrt(static_cast<double>(dim));
        dq[r * dim + i] += change * key;
        size_q[r * dim + i] += scale * fabs(key);
        dk[t * dim + i] += change * queries(r, i);
        size_k[t * dim + i] += scale * fabs(queries(r, i));
        dv[t * dim + i] += weights[r][t] * flow(r, i);
        size_v[t * dim + i] += weights[r][t] * fabs(flow(r, i));
      }
    }
  }
  const double part = type == HIR_FLOAT32 ? 5e-6 : 1.0 / 200;
  for (int64_t r = 0; r < tokens; r++) {
    for (int64_t i = 0; i < dim; i++) {
      const int64_t at = r * dim + i, got = r * pitch + i;
      expect(fabs(query_gradients[got] - dq[at]) <= part * (size_q[at] + 1e-3), m, "queries' gradient", tokens, r);
      expect(fabs(key_gradients[got] - dk[at]) <= part * (size_k[at] + 1e-3), m, "keys' gradient", tokens, r);
      expect(fabs(value_gradients[got] - dv[at]) <= part * (size_v[at] + 1e-3), m, "values' gradient", tokens, r);
    }
  }
}

// Rows that continue one prompt, each with its own pages after whole blocks of the prompt, as in a decoder, filled slot
// by slot; two queries per row. Gives the same bits as each row's sequence alone.
void check_pages(const Matmul &m, int64_t prompt, int64_t dim, int64_t window) {
  Attention a;
  Attention::of(m, dim, &a);
  const int32_t type = m.dtype();
  const int64_t rows = 5, longest = prompt + 45, part = a.part_bytes();
  std::vector<Rows> keys(rows, random_rows(type, longest, dim)), values(rows, random_rows(type, longest, dim));
  for (int64_t row = 1; row < rows; row++) {
    for (int64_t t = prompt; t < longest; t++) {
      for (int64_t i = 0; i < dim; i++) {
        keys[row].set(t, i, static_cast<float>(keys[0](t, i) * (row + 1) / 3));
        values[row].set(t, i, static_cast<float>(values[0](t, i) - row));
      }
    }
  }
  Rows queries = random_rows(type, 2 * rows, dim, 2 * a.query_scale());
  const int64_t shared = prompt / KEYS;
  std::vector<std::vector<const char *>> places(rows);
  std::vector<char *> pages;
  const auto page = [&](int64_t row, int64_t block, int64_t tokens) {
    char *const memory = static_cast<char *>(aligned_alloc(64, 2 * part));
    memset(memory, 0, 2 * part);
    for (int64_t t = block * KEYS; t < std::min(tokens, (block + 1) * KEYS); t++) {
      a.put(Part::KEYS_ACROSS, keys[row].row(t), t % KEYS, memory);
      a.put(Part::VALUES_DOWN, values[row].row(t), t % KEYS, memory + part);
    }
    pages.push_back(memory);
    return memory;
  };
  std::vector<Sight> sights;
  std::vector<const char *const *> blocks;
  for (int64_t b = 0; b < shared; b++) places[0].push_back(page(0, b, prompt));
  for (int64_t row = 1; row < rows; row++) places[row] = places[0];
  for (int64_t row = 0; row < rows; row++) {
    const int64_t tokens = prompt + 1 + 11 * row;
    for (int64_t b = shared; b * KEYS < tokens; b++) places[row].push_back(page(row, b, tokens));
    for (int i = 0; i < 2; i++) {
      sights.push_back(Sight::of(window, tokens - 1));
      blocks.push_back(places[row].data());
    }
  }
  Rows out(type, 2 * rows, dim, 3), alone(type, 2 * rows, dim, 3);
  std::vector<void *> to;
  for (int64_t r = 0; r < 2 * rows; r++) to.push_back(out.row(r));
  expect(
      a.forward({{2 * rows, queries.row(0), queries.stride, sights.data(), blocks.data(), shared, 0}, to.data(), nullptr}),
      m, "memory");
  for (int64_t r = 0; r < 2 * rows; r++) {
    const Blocks own(a, keys[r / 2], values[r / 2], sights[r].to);
    const char *const *each = own.blocks.data();
    void *const one = alone.row(r);
    a.forward({{1, queries.row(r), queries.stride, &sights[r], &each, 0, own.offset}, &one, nullptr});
  }
  // The reference rounds its sums at interruptions.
  expect(out.same(alone) || m.variant() == Variant::REFERENCE, m, "pages of several rows", prompt, dim);
  for (char *memory : pages) free(memory);
}

void check(const Matmul &m) {
  for (int64_t tokens : {1, 31, 33, 100, 700}) check_sequence(m, tokens, 64, 0);
  for (int64_t dim : {2, 31, 40, 128}) check_sequence(m, 70, dim, 0);
  for (int64_t prompt : {0, 5, 32, 100, 530}) check_pages(m, prompt, 64, 0);
  check_pages(m, 70, 34, 0);
  // Windows within a vector, a block and a strip, and across strips; as long as the sequence, and longer.
  for (int64_t window : {1, 3, 32, 45, 530}) check_sequence(m, 700, 64, window);
  for (int64_t window : {99, 100, 101, 5000}) check_sequence(m, 100, 40, window);
  for (int64_t window : {1, 20, 64, 100, 540}) check_pages(m, 530, 64, window);
  for (int64_t prompt : {5, 70, 100}) check_pages(m, prompt, 34, 24);
}

}  // namespace

int main() { return check_variants("attention", check); }
