// The products of bfloat16 on AMX: tiles of 32 x 32, four accumulators of 16 x 16.
//
// The left side is packed: [32 rows][step][2 halves of 16 rows][16 rows][32 elements].
#include <string.h>

#include "finish.h"
#include "pack.h"
#include "tiles.h"

namespace {

using hir::Job;

constexpr int64_t TILE = 32;           // rows
constexpr int64_t TILE_BYTES = 1024;   // of a register
constexpr int64_t STEP_BYTES = 2 * TILE_BYTES;
// The first 32 KiB of a panel go through the first-level cache and stay there from one tile to the next; the rest and
// all of the left side stream past it. Keeping all of a long panel would thrash; keeping none is bound by the
// second-level cache.
constexpr int64_t HELD_STEPS = 16;

static inline Vec lanes(const bf16 *a, const bf16 *b, const bf16 *c, const bf16 *d) {
  // Broadcasts under a mask need no shuffle port, unlike insertions.
  __m512i v = _mm512_castsi128_si512(_mm_loadu_si128(reinterpret_cast<const __m128i *>(a)));
  v = _mm512_mask_broadcast_i32x4(v, 0x00f0, _mm_loadu_si128(reinterpret_cast<const __m128i *>(b)));
  v = _mm512_mask_broadcast_i32x4(v, 0x0f00, _mm_loadu_si128(reinterpret_cast<const __m128i *>(c)));
  v = _mm512_mask_broadcast_i32x4(v, 0xf000, _mm_loadu_si128(reinterpret_cast<const __m128i *>(d)));
  return _mm512_castsi512_ps(v);
}

static inline __m512i words(Vec x) { return _mm512_castps_si512(x); }

// 32 elements, of which the first `n` exist.
static inline __m512i load_row(const bf16 *p, int64_t n) {
  if (n >= STEP) return _mm512_loadu_si512(p);
  return n > 0 ? _mm512_maskz_loadu_epi16((1u << n) - 1, p) : _mm512_setzero_si512();
}

static void pack_left(const void *x, int64_t stride, int64_t rows, int64_t k, int64_t steps, int64_t, char *a) {
  // Eight rows at a time: 32 rows at a pitch of 2 KiB would evict each other's lines before they are used.
  for (int64_t m = 0; m < rows; m += TILE, a += steps * STEP_BYTES) {
    for (int64_t r = 0; r < TILE; r += 8) {
      const bf16 *const from = static_cast<const bf16 *>(x) + (m + r) * stride;
      char *to = a + r * 64;
      for (int64_t s = 0; s < steps; s++, to += STEP_BYTES) {
#pragma GCC unroll 8
        for (int64_t i = 0; i < 8; i++) {
          const int64_t n = m + r + i < rows ? k - s * STEP : 0;
          _mm512_storeu_si512(to + i * 64, load_row(from + i * stride + s * STEP, n));
        }
      }
    }
  }
}

// 32 rows of dy x 16 of its columns become 16 rows of 32 elements. A lane of 16 bytes holds 8 columns of one row; lanes
// 0 to 3 are rows i, i + 8, i + 16, i + 24, so that an 8 x 8 transpose within lanes gives a row of a tile: 48 shuffles.
static inline void transpose_tile(const bf16 *x, char *out) {
  for (int h = 0; h < 2; h++) {
    __m512i r[8], a[8], b[8];
#pragma GCC unroll 8
    for (int i = 0; i < 8; i++) {
      const bf16 *p = x + i * 32 + h * 8;
      r[i] = words(lanes(p, p + 8 * 32, p + 16 * 32, p + 24 * 32));
    }
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) {
      a[2 * i] = _mm512_unpacklo_epi16(r[2 * i], r[2 * i + 1]);
      a[2 * i + 1] = _mm512_unpackhi_epi16(r[2 * i], r[2 * i + 1]);
    }
#pragma GCC unroll 2
    for (int i = 0; i < 2; i++) {
      b[4 * i] = _mm512_unpacklo_epi32(a[4 * i], a[4 * i + 2]);
      b[4 * i + 1] = _mm512_unpackhi_epi32(a[4 * i], a[4 * i + 2]);
      b[4 * i + 2] = _mm512_unpacklo_epi32(a[4 * i + 1], a[4 * i + 3]);
      b[4 * i + 3] = _mm512_unpackhi_epi32(a[4 * i + 1], a[4 * i + 3]);
    }
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) {
      _mm512_storeu_si512(out + (h * 8 + 2 * i) * 64, _mm512_unpacklo_epi64(b[i], b[4 + i]));
      _mm512_storeu_si512(out + (h * 8 + 2 * i + 1) * 64, _mm512_unpackhi_epi64(b[i], b[4 + i]));
    }
  }
}

// Whole lines are prefetched first: at a pitch of 2 KiB they would not stay in the cache until they are used.
static void pack_left_across(const void *dy, int64_t stride, int64_t rows, int64_t k, int64_t steps, char *a) {
  alignas(64) bf16 near[32 * 32];
  for (int64_t m = 0; m < rows; m += TILE) {
    for (int64_t s = 0; s < steps; s++, a += STEP_BYTES) {
      const bf16 *const from = static_cast<const bf16 *>(dy) + s * STEP * stride + m;
#pragma GCC unroll 8
      for (int64_t i = 0; i < 32; i++) {
        _mm512_store_si512(near + i * 32, load_row(from + i * stride, s * STEP + i < k ? rows - m : 0));
      }
      transpose_tile(near, a);
      transpose_tile(near + 16, a + TILE_BYTES);
    }
  }
}

// A finished tile. It stays in the first-level cache while the next one is summed: its rows are converted and written
// between the steps of that sum, since the tile unit would otherwise be idle meanwhile.
struct Waiting {
  const float *sums;
  int64_t row, rows, panel, done;

  template <bool GRADIENT>
  void finish_rows(const Job &job, int64_t count) {
    for (; count > 0 && done < rows; count--, done++) {
      if (GRADIENT) {
        store_gradient(*job.gradient, row + done, 1, panel, sums + done * PANEL);
      } else {
        finish<bf16>(*job.sink, sums + done * PANEL, row + done, 1, panel, job.columns);
      }
    }
  }
};

// SMALL: at most 16 rows.
template <bool GRADIENT, bool SMALL>
static void walk(const Job &job) {
  alignas(64) float sums[2][TILE * PANEL];
  Waiting waiting = {};
  const int64_t tiles = (job.rows + TILE - 1) / TILE;
  const int64_t each = job.steps > 0 ? (TILE + job.steps - 1) / job.steps : 0;
  const int64_t lines = (STEP_BYTES / 64 + tiles - 1) / tiles;  // of the next panel, to ask for in a step
  float *carry = job.carry;
  int turn = 0;
  for (int64_t p = job.from; p < job.to; p++) {
    const hir::Right here = job.panel(p, sizeof(bf16)), next = job.panel(p + 1 < job.to ? p + 1 : p, sizeof(bf16));
    for (int64_t t = 0; t < tiles; t++) {
      const char *a = job.a + t * job.steps * STEP_BYTES;
      const int64_t rows = job.rows - t * TILE < TILE ? job.rows - t * TILE : TILE;
      float *const at = carry ? carry : sums[turn ^= 1];
      if (carry) carry += TILE * PANEL;
      const bool onto = GRADIENT || (job.first && job.sink->kind == Sink::CONTINUE);
      if (onto) {
        if (GRADIENT) {
          load_gradient(*job.gradient, job.row + t * TILE, rows, p, at);
        } else {
          for (int64_t r = 0; r < rows; r++) start_from(*job.sink, job.row + t * TILE + r, p, job.columns, at + r * PANEL);
        }
        memset(at + rows * PANEL, 0, sizeof(float) * (TILE - rows) * PANEL);
      }
      if (onto || !job.first) {
        TILE_LOAD(0, at, 128);
        TILE_LOAD(1, at + 16, 128);
        if (!SMALL) {
          TILE_LOAD(2, at + 16 * PANEL, 128);
          TILE_LOAD(3, at + 16 * PANEL + 16, 128);
        }
      } else {
        TILE_CLEAR(0);
        TILE_CLEAR(1);
        if (!SMALL) {
          TILE_CLEAR(2);
          TILE_CLEAR(3);
        }
      }
      for (int64_t s = 0; s < job.steps; s++, a += STEP_BYTES) {
        const char *const b = here.step(s), *const ask = next.step(s) + t * lines * 64;
        TILE_STREAM(4, a, 64);
        if (s < HELD_STEPS) {
          TILE_LOAD(6, b, 128);
          TILE_DOT(0, 4, 6);
          TILE_LOAD(7, b + 64, 128);
        } else {
          TILE_STREAM(6, b, 128);
          TILE_DOT(0, 4, 6);
          TILE_STREAM(7, b + 64, 128);
        }
        TILE_DOT(1, 4, 7);
        if (!SMALL) {
          TILE_STREAM(5, a + TILE_BYTES, 64);
          TILE_DOT(2, 5, 6);
          TILE_DOT(3, 5, 7);
        }
        waiting.finish_rows<GRADIENT>(job, each);
        for (int64_t i = 0; i < lines; i++) __builtin_prefetch(ask + i * 64, 0, 2);
      }
      waiting.finish_rows<GRADIENT>(job, TILE);
      TILE_STORE(0, at, 128);
      TILE_STORE(1, at + 16, 128);
      if (!SMALL) {
        TILE_STORE(2, at + 16 * PANEL, 128);
        TILE_STORE(3, at + 16 * PANEL + 16, 128);
      }
      if (job.last) waiting = {at, job.row + t * TILE, rows, p, 0};
    }
  }
  waiting.finish_rows<GRADIENT>(job, TILE);
}

static void run(const Job &job) {
  if (job.rows <= 16) {
    walk<false, true>(job);
  } else {
    walk<false, false>(job);
  }
}

// Not of zeros, for which the clock is a sixth higher.
static double ceiling() {
  constexpr int TURNS = 20000;
  alignas(64) uint16_t data[4 * TILE_BYTES / 2];
  uint32_t seed = 1;
  for (uint16_t &x : data) {
    seed = seed * 1664525 + 1013904223;
    x = static_cast<uint16_t>(0x3f00 + (seed >> 16 & 0x80ff));
  }
  configure_tiles();
  TILE_LOAD(4, data, 64);
  TILE_LOAD(5, data + 512, 64);
  TILE_LOAD(6, data + 1024, 64);
  TILE_LOAD(7, data + 1536, 64);
  double best = 0;
  for (int turn = 0; turn < 20; turn++) {
    TILE_CLEAR(0);
    TILE_CLEAR(1);
    TILE_CLEAR(2);
    TILE_CLEAR(3);
    const double start = seconds();
    for (int t = 0; t < TURNS; t++) {
      TILE_DOT(0, 4, 6);
      TILE_DOT(1, 4, 7);
      TILE_DOT(2, 5, 6);
      TILE_DOT(3, 5, 7);
    }
    const double rate = 4 * 16384.0 * TURNS / (seconds() - start) * 1e-9;
    best = rate > best ? rate : best;
  }
  release_tiles();
  return best;
}

}  // namespace

namespace hir::HIR_ISA {

extern const MatmulKernel matmul_kernels[2] = {
    {},
    {TILE, 2, STEP_BYTES / TILE, true, STEP_BYTES / TILE, configure_tiles, release_tiles, pack_left, pack_left_across,
     pack_across<bf16>, pack_down<bf16>, turn<bf16>, run, walk<true, false>, ceiling}};

}  // namespace hir::HIR_ISA
