// AMX's tiles: eight registers of 16 rows of 64 bytes, and the product of bfloat16 on them.
//
// Not the compiler's intrinsics: GCC 12's loads lack the memory clobber, so that a store that fills a packed buffer may move
// behind the tile load that reads it, and its ldtilecfg names 8 of the configuration's 64 bytes.
//
// With HIR_EMULATE_TILES, the same in plain C, for tests on machines without AMX.
#pragma once

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bf16.h"

namespace {

#if defined(HIR_EMULATE_TILES)

struct Tiles {
  bool configured;
  char tile[8][16][64];
};
thread_local Tiles tiles;

static inline void configure_tiles() {
  if (tiles.configured) abort();  // someone has not released them
  memset(&tiles, 0x7b, sizeof tiles);
  tiles.configured = true;
}
static inline void release_tiles() { tiles.configured = false; }
static inline char *emulated_tile(int t, int row) {
  if (!tiles.configured) abort();  // SIGILL
  return tiles.tile[t][row];
}
static inline void load_tile(int t, const void *p, int64_t pitch) {
  for (int r = 0; r < 16; r++) memcpy(emulated_tile(t, r), static_cast<const char *>(p) + r * pitch, 64);
}
static inline void store_tile(int t, void *p, int64_t pitch) {
  for (int r = 0; r < 16; r++) memcpy(static_cast<char *>(p) + r * pitch, emulated_tile(t, r), 64);
}
static inline void clear_tile(int t) {
  for (int r = 0; r < 16; r++) memset(emulated_tile(t, r), 0, 64);
}
// Denormal inputs and results count as 0; even and odd elements are summed separately (Intel's manual, TDPBF16PS).
static inline float flush_denormal(float x) { return __builtin_fabsf(x) < 0x1p-126f ? 0 : x; }
static inline void dot_tile(int c, int a, int b) {
  for (int m = 0; m < 16; m++) {
    float sums[16][2] = {};
    for (int k = 0; k < 16; k++) {
      for (int n = 0; n < 16; n++) {
        for (int i = 0; i < 2; i++) {
          hir::bf16 x, y;
          memcpy(&x, emulated_tile(a, m) + 2 * (2 * k + i), 2);
          memcpy(&y, emulated_tile(b, k) + 2 * (2 * n + i), 2);
          sums[n][i] =
              flush_denormal(__builtin_fmaf(flush_denormal(hir::to_float(x)), flush_denormal(hir::to_float(y)), sums[n][i]));
        }
      }
    }
    for (int n = 0; n < 16; n++) {
      float sum;
      memcpy(&sum, emulated_tile(c, m) + 4 * n, 4);
      sum = flush_denormal(flush_denormal(sum) + flush_denormal(sums[n][0] + sums[n][1]));
      memcpy(emulated_tile(c, m) + 4 * n, &sum, 4);
    }
  }
}
#define TILE_LOAD(t, p, pitch) load_tile(t, p, pitch)
#define TILE_STREAM(t, p, pitch) load_tile(t, p, pitch)
#define TILE_STORE(t, p, pitch) store_tile(t, p, pitch)
#define TILE_CLEAR(t) clear_tile(t)
#define TILE_DOT(c, a, b) dot_tile(c, a, b)

#else

// The configuration belongs to a thread. Full tiles only: packing fills edges with zeros.
static inline void configure_tiles() {
  struct alignas(64) {
    uint8_t palette, start_row, reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
  } config = {};
  config.palette = 1;
  for (int i = 0; i < 8; i++) {
    config.row_bytes[i] = 64;
    config.rows[i] = 16;
  }
  asm volatile("ldtilecfg %0" ::"m"(config) : "memory");
}
// Otherwise every later switch of the thread would save 8 KiB of tiles, and the core may keep to a lower clock.
static inline void release_tiles() { asm volatile("tilerelease" ::: "memory"); }

#define TILE_LOAD(t, p, pitch) asm volatile("tileloadd (%0,%1,1), %%tmm" #t::"r"(p), "r"(int64_t(pitch)) : "memory")
// The hint keeps data that a tile uses once out of the first-level cache.
#define TILE_STREAM(t, p, pitch) asm volatile("tileloaddt1 (%0,%1,1), %%tmm" #t::"r"(p), "r"(int64_t(pitch)) : "memory")
#define TILE_STORE(t, p, pitch) asm volatile("tilestored %%tmm" #t ", (%0,%1,1)" ::"r"(p), "r"(int64_t(pitch)) : "memory")
#define TILE_CLEAR(t) asm volatile("tilezero %%tmm" #t::: "memory")
#define TILE_DOT(c, a, b) asm volatile("tdpbf16ps %%tmm" #b ", %%tmm" #a ", %%tmm" #c::: "memory")

#endif

}  // namespace
