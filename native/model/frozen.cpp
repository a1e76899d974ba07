// One row of a frozen matrix, decoded, with its adapter's part added. Plain loops, compiled per instruction set; values are
// those of ggml's reference, bit for bit (java/engine's Blocks decodes the same in Java, and a test compares them).
#include "frozen.h"

#include <string.h>

#include "bf16.h"
#include "kernels.h"

namespace {

using hir::bf16;
using hir::Frozen;

constexpr int64_t CHUNK = 256;  // a multiple of all blocks

template <class T>
T read(const uint8_t *p) {
  T value;
  memcpy(&value, p, sizeof value);
  return value;
}

float half(const uint8_t *p) {
  const uint32_t bits = read<uint16_t>(p), magnitude = bits & 0x7fff;
  uint32_t word = magnitude >= 0x7c00 ? 0x7f800000 | magnitude << 13 : (magnitude << 13) + (112u << 23);
  float value;
  memcpy(&value, &word, sizeof value);
  if (magnitude < 0x400) value = static_cast<float>(magnitude) * 0x1p-24f;
  return bits & 0x8000 ? -value : value;
}

// The 6-bit scale and minimum of a sub-block of Q4_K.
int scale_of(const uint8_t *p, int block) {
  return block < 4 ? p[block] & 63 : (p[block + 4] & 15) | (p[block - 4] >> 6) << 4;
}
int minimum_of(const uint8_t *p, int block) {
  return block < 4 ? p[block + 4] & 63 : p[block + 4] >> 4 | (p[block] >> 6) << 4;
}

// `count` values, whole blocks.
void decode(int32_t type, const uint8_t *p, int64_t count, float *to) {
  switch (type) {
    case HIR_FLOAT32: memcpy(to, p, sizeof(float) * count); break;
    case HIR_BFLOAT16:
      for (int64_t i = 0; i < count; i++) to[i] = hir::to_float(read<bf16>(p + 2 * i));
      break;
    case HIR_FLOAT16:
      for (int64_t i = 0; i < count; i++) to[i] = half(p + 2 * i);
      break;
    case HIR_Q4_0:
      for (int64_t at = 0; at < count; at += 32, p += 18) {
        const float d = half(p);
        for (int i = 0; i < 16; i++) {
          to[at + i] = d * static_cast<float>((p[2 + i] & 15) - 8);
          to[at + 16 + i] = d * static_cast<float>((p[2 + i] >> 4) - 8);
        }
      }
      break;
    case HIR_Q8_0:
      for (int64_t at = 0; at < count; at += 32, p += 34) {
        const float d = half(p);
        for (int i = 0; i < 32; i++) to[at + i] = d * static_cast<float>(static_cast<int8_t>(p[2 + i]));
      }
      break;
    case HIR_Q4_K:
      for (int64_t at = 0; at < count; at += 256, p += 144) {
        for (int block = 0; block < 8; block++) {
          const float d = half(p) * static_cast<float>(scale_of(p + 4, block));
          const float minimum = half(p + 2) * static_cast<float>(minimum_of(p + 4, block));
          const uint8_t *const nibbles = p + 16 + block / 2 * 32;
          const int shift = block % 2 * 4;
          for (int i = 0; i < 32; i++) to[at + block * 32 + i] = d * static_cast<float>(nibbles[i] >> shift & 15) - minimum;
        }
      }
      break;
    case HIR_Q6_K:
      for (int64_t at = 0; at < count; at += 256, p += 210) {
        const float d = half(p + 208);
        for (int block = 0; block < 16; block++) {
          const int part = block / 8, line = block % 8;
          const float scaled = d * static_cast<float>(static_cast<int8_t>(p[192 + block]));
          const uint8_t *const low = p + part * 64 + line % 4 * 16, *const high = p + 128 + part * 32 + line % 2 * 16;
          for (int i = 0; i < 16; i++) {
            const int value = (low[i] >> line / 4 * 4 & 15) | (high[i] >> line / 2 * 2 & 3) << 4;
            to[at + block * 16 + i] = scaled * static_cast<float>(value - 32);
          }
        }
      }
      break;
  }
}

// 16 random bits, always the same for an element.
inline uint32_t dither(uint32_t row, uint32_t column) {
  uint32_t h = row * 0x9e3779b1u + column;
  h = (h ^ h >> 16) * 0x7feb352du;
  h = (h ^ h >> 15) * 0x846ca68bu;
  return h >> 16;
}

void store(const float *values, int64_t, int64_t from, int64_t count, bool, float *out) {
  memcpy(out + from, values, sizeof(float) * count);
}

// Dithered rounding, so that small adapters count: if D in W + D is far below half a unit of W's last place, rounding
// to the nearest would give W everywhere, and an adapter would have no effect until it is large. Each element has a
// fixed threshold of its own instead, so that the sum over elements is right, values that bfloat16 represents are kept,
// and an unchanged weight always rounds the same way.
void store(const float *values, int64_t row, int64_t from, int64_t count, bool merged, bf16 *out) {
  if (!merged) {
    for (int64_t i = 0; i < count; i++) hir::from_float(values[i], &out[from + i]);
    return;
  }
  for (int64_t i = 0; i < count; i++) {
    uint32_t word;
    memcpy(&word, &values[i], sizeof word);
    const uint32_t raised = word + dither(static_cast<uint32_t>(row), static_cast<uint32_t>(from + i));
    const bool finite = (word & 0x7f800000) != 0x7f800000, overflown = (raised & 0x7f800000) == 0x7f800000;
    const uint32_t nan = values[i] != values[i] ? 0x00400000 : 0;
    out[from + i].bits = static_cast<uint16_t>((finite && !overflown ? raised : word | nan) >> 16);
  }
}

template <class T>
void row_of(const Frozen &f, int64_t row, T *out) {
  const hir_matrix &m = f.matrix;
  const hir::BlockSize block = hir::block_size(m.type);
  const int64_t rank = m.rank, half = m.head / 2;
  // In GGUF files of llama the two halves of a head's rows are interleaved.
  const int64_t stored = half == 0 ? row : row / m.head * m.head + row % half * 2 + row % m.head / half;
  const uint8_t *const data = reinterpret_cast<const uint8_t *>(m.data) + stored * (f.columns / block.values * block.bytes);
  float values[CHUNK], sums[CHUNK];
  for (int64_t from = 0; from < f.columns; from += CHUNK) {
    const int64_t count = f.columns - from < CHUNK ? f.columns - from : CHUNK;
    decode(m.type, data + from / block.values * block.bytes, count, values);
    if (rank > 0) {
      // The base is what it is without an adapter: of the model's type.
      if (sizeof(T) < sizeof(float)) {
        for (int64_t i = 0; i < count; i++) {
          bf16 low;
          hir::from_float(values[i], &low);
          values[i] = hir::to_float(low);
        }
      }
      for (int64_t i = 0; i < count; i++) sums[i] = 0;
      for (int64_t j = 0; j < rank; j++) {
        const float factor = f.b()[row * rank + j];
        const float *const a = f.a() + j * f.columns + from;
        for (int64_t i = 0; i < count; i++) sums[i] = __builtin_fmaf(factor, a[i], sums[i]);
      }
      const float scale = static_cast<float>(m.scale);
      for (int64_t i = 0; i < count; i++) values[i] = __builtin_fmaf(scale, sums[i], values[i]);
    }
    store(values, row, from, count, rank > 0, out);
  }
}

}  // namespace

namespace hir::HIR_ISA {

void frozen_row(const Frozen &f, int64_t row, int32_t dtype, void *out) {
  if (dtype == HIR_BFLOAT16) {
    row_of(f, row, static_cast<bf16 *>(out));
  } else {
    row_of(f, row, static_cast<float *>(out));
  }
}

}  // namespace hir::HIR_ISA
