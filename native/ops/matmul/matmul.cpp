// Chooses a variant, and cuts products into jobs: blocks of rows whose left side stays in the second-level cache, or
// ranges of panels where there are few rows. Threads take jobs from a counter, since one of them is often slowed.
#include "matmul.h"

#include <cpuid.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

#include "error.h"
#include "hir_kernels.h"
#include "kernel.h"
#include "scratch.h"

namespace hir {
namespace {

constexpr int64_t LEFT_BYTES = 384 << 10;      // of a block's left side, in a second-level cache of a megabyte
constexpr int64_t MOST_STEPS = 64;             // a longer sum goes in stretches of at most
constexpr int64_t STRETCH_STEPS = 48;          // this many, so that a block keeps enough rows
constexpr int64_t GRADIENT_STEPS = 24;         // rows of a weight's gradient's stretch: 768
constexpr int64_t GRADIENT_LEFT_BYTES = 256 << 10;
constexpr int64_t ODD_BYTES = 64;              // between packed rows, so that they fall on different lines of the cache

int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

thread_local Scratch left_scratch, carry_scratch, right_scratch;

// Part `i` of `parts` of `total`.
int64_t part(int64_t total, int64_t parts, int64_t i) { return total * i / parts; }

// How rows, in tiles, and panels are cut into jobs. Blocks of rows are as large as the cache allows but enough for all
// threads; with fewer of them than threads, panels are cut as well.
struct Cut {
  int64_t down, across;

  Cut(int64_t tiles, int64_t panels, int64_t most_tiles, int32_t threads) {
    down = ceil_div(tiles, std::max<int64_t>(1, most_tiles));
    across = 1;
    if (threads == 1) return;
    // Several jobs a thread, so that a thread that is held up hands work over.
    if (down >= 3 * threads) return;
    across = std::min(panels, ceil_div(4 * threads, down));
  }
};

// Tiles must be asked for, once a process: without the kernel's leave the first of their instructions is an illegal one.
[[maybe_unused]] const char *missing_tiles() {
  static const char *const missing = []() -> const char * {
    unsigned a = 0, b = 0, c = 0, d = 0;
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || !(d >> 22 & 1) || !(d >> 24 & 1)) return "AMX";
    constexpr int REQUEST_PERMISSION = 0x1023, TILE_DATA = 18;
    return syscall(SYS_arch_prctl, REQUEST_PERMISSION, TILE_DATA) == 0 ? nullptr : "AMX that the kernel would allow to use";
  }();
  return missing;
}

const char *missing_feature(Variant variant) {
  __builtin_cpu_init();
  switch (variant) {
    case Variant::REFERENCE: return nullptr;
    case Variant::AVX2:
      if (!__builtin_cpu_supports("avx2")) return "AVX2";
      if (!__builtin_cpu_supports("fma")) return "FMA";
      if (!__builtin_cpu_supports("bmi2")) return "BMI2";
      return nullptr;
    case Variant::AVX512:
      if (const char *missing = missing_feature(Variant::AVX2)) return missing;
      if (!__builtin_cpu_supports("avx512f")) return "AVX-512F";
      if (!__builtin_cpu_supports("avx512bw")) return "AVX-512BW";
      if (!__builtin_cpu_supports("avx512dq")) return "AVX-512DQ";
      if (!__builtin_cpu_supports("avx512vl")) return "AVX-512VL";
      return nullptr;
    case Variant::AVX512_BF16:
      if (const char *missing = missing_feature(Variant::AVX512)) return missing;
      if (!__builtin_cpu_supports("avx512bf16")) return "AVX512-BF16";
      return nullptr;
    case Variant::AMX:
      if (const char *missing = missing_feature(Variant::AVX512_BF16)) return missing;
#if defined(HIR_EMULATE_TILES)
      return nullptr;
#else
      return missing_tiles();
#endif
  }
  return "such instruction set";
}

const MatmulKernel *kernels_of(Variant variant) {
  switch (variant) {
    case Variant::REFERENCE: return baseline::matmul_kernels;
    case Variant::AVX2: return avx2::matmul_kernels;
    case Variant::AVX512: return avx512::matmul_kernels;
    case Variant::AVX512_BF16: return avx512_bf16::matmul_kernels;
#if defined(HIR_EMULATE_TILES)
    case Variant::AMX: return amx_emulated::matmul_kernels;
#else
    case Variant::AMX: return amx::matmul_kernels;
#endif
    default: return nullptr;
  }
}

// Panels of a product of n columns: of GATE one holds 16 of gate and 16 of up.
int64_t panels_of(const Product &p) {
  return ceil_div(p.sink.kind == Sink::GATE ? width(Order::GATE_UP, 2 * p.n) : p.n, PANEL);
}

}  // namespace

const char *name(Variant variant) {
  switch (variant) {
    case Variant::REFERENCE: return "reference";
    case Variant::AVX2: return "avx2";
    case Variant::AVX512: return "avx512";
    case Variant::AVX512_BF16: return "avx512_bf16";
    case Variant::AMX: return "amx";
  }
  return "unknown";
}

const char *Matmul::name() const { return hir::name(which); }

int32_t Matmul::of(Variant variant, int32_t dtype, Matmul *out) {
  if (dtype != HIR_FLOAT32 && dtype != HIR_BFLOAT16) return fail(HIR_INVALID, "matmul: unknown dtype %d", dtype);
  if (const char *missing = missing_feature(variant)) {
    return fail(HIR_UNSUPPORTED, "matmul %s: this CPU has no %s", hir::name(variant), missing);
  }
  const MatmulKernel *kernel = kernels_of(variant);
  if (!kernel || !kernel[dtype].run) {
    return fail(HIR_UNSUPPORTED, "matmul %s: not for %s", hir::name(variant), dtype == HIR_FLOAT32 ? "float32" : "bfloat16");
  }
  out->which = variant;
  out->type = dtype;
  out->kernel = kernel + dtype;
  return HIR_OK;
}

int32_t Matmul::choose(int32_t backend, int32_t dtype, Matmul *out) {
  switch (backend) {
    case HIR_BASELINE: return of(Variant::REFERENCE, dtype, out);
    case HIR_AVX2: return of(Variant::AVX2, dtype, out);
    case HIR_AVX512: break;
    default: return fail(HIR_UNSUPPORTED, "matmul: backend %d is not a CPU's", backend);
  }
  if (dtype == HIR_BFLOAT16) {
    if (of(Variant::AMX, dtype, out) == HIR_OK) return HIR_OK;
    // Twice as fast as conversions on some processors, half as fast on others.
    Matmul dots, conversions;
    if (of(Variant::AVX512_BF16, dtype, &dots) == HIR_OK && of(Variant::AVX512, dtype, &conversions) == HIR_OK) {
      static const bool faster = dots.ceiling() > conversions.ceiling();
      if (faster) {
        *out = dots;
        return HIR_OK;
      }
    }
  }
  return of(Variant::AVX512, dtype, out);
}

double Matmul::ceiling() const { return kernel->ceiling(); }

int64_t Matmul::packed_bytes_forward(const Weight &w) const {
  return ceil_div(width(w.order, w.n), PANEL) * ceil_div(w.k, STEP) * STEP * PANEL * kernel->size;
}
int64_t Matmul::packed_bytes_backward(const Weight &w) const {
  return ceil_div(w.k, PANEL) * ceil_div(width(w.order, w.n), STEP) * STEP * PANEL * kernel->size;
}

// One step: 32 rows of W, 16 of gate and the same 16 of up, with `length` of their elements from `from` on, side by side.
namespace {
void gather_group(const Weight &w, int64_t group, int64_t from, int64_t length, int64_t size, char *both) {
  const int64_t half = w.n / 2;
  for (int64_t r = 0; r < 2 * GATE_GROUP; r++) {
    const int64_t within = group * GATE_GROUP + r % GATE_GROUP;
    char *const to = both + r * STEP * size;
    if (within < half) {
      const int64_t row = r < GATE_GROUP ? within : half + within;
      memcpy(to, static_cast<const char *>(w.data) + (row * w.stride + from) * size, length * size);
      memset(to + length * size, 0, (STEP - length) * size);
    } else {
      memset(to, 0, STEP * size);
    }
  }
}
}  // namespace

void Matmul::pack_forward(const Team &team, const Weight &w, void *packed) const {
  const MatmulKernel &k = *kernel;
  const int64_t steps = ceil_div(w.k, STEP), step_bytes = STEP * PANEL * k.size;
  team.share(ceil_div(width(w.order, w.n), PANEL), [&](int64_t p) {
    char *to = static_cast<char *>(packed) + p * steps * step_bytes;
    for (int64_t s = 0; s < steps; s++, to += step_bytes) {
      if (w.order == Order::GATE_UP) {
        alignas(64) char both[STEP * PANEL * 4];
        gather_group(w, p, s * STEP, std::min(STEP, w.k - s * STEP), k.size, both);
        k.pack_across(both, STEP, PANEL, STEP, to);
      } else {
        const char *from = static_cast<const char *>(w.data) + (p * PANEL * w.stride + s * STEP) * k.size;
        k.pack_across(from, w.stride, w.n - p * PANEL, w.k - s * STEP, to);
      }
    }
  });
}

void Matmul::pack_panel(const Weight &w, int64_t panel, const void *rows, void *packed) const {
  const MatmulKernel &k = *kernel;
  const int64_t steps = ceil_div(w.k, STEP), step_bytes = STEP * PANEL * k.size;
  char *to = static_cast<char *>(packed) + panel * steps * step_bytes;
  for (int64_t s = 0; s < steps; s++, to += step_bytes) {
    k.pack_across(static_cast<const char *>(rows) + s * STEP * k.size, w.k, PANEL, w.k - s * STEP, to);
  }
}

void Matmul::pack_backward(const Team &team, const Weight &w, const void *forward, void *packed) const {
  const MatmulKernel &k = *kernel;
  const int64_t step_bytes = STEP * PANEL * k.size;
  // Steps of the one are panels of the other; what fills them up is zero in both.
  const int64_t steps = ceil_div(width(w.order, w.n), STEP), panels = ceil_div(w.k, PANEL);
  team.share(panels, [&](int64_t p) {
    char *to = static_cast<char *>(packed) + p * steps * step_bytes;
    const char *from = static_cast<const char *>(forward) + p * step_bytes;
    for (int64_t s = 0; s < steps; s++, to += step_bytes, from += panels * step_bytes) k.turn(from, to);
  });
}

bool Matmul::multiply(const Team &team, const Product &product) const {
  const MatmulKernel &set = *kernel;
  const int64_t panels = panels_of(product), steps = ceil_div(product.k, STEP),
                tiles = ceil_div(product.rows, set.tile_rows);
  const int64_t stretch = steps > MOST_STEPS ? ceil_div(steps, ceil_div(steps, STRETCH_STEPS)) : steps;
  // The left side as it is, where its rows are whole steps and do not all fall on the same lines of the first-level cache.
  const int64_t row_bytes = product.x_stride * set.size;
  const bool packs = set.always_packs || product.k % STEP != 0 || (row_bytes % 2048 == 0 && product.rows > 1);
  const int64_t most_rows = std::max(set.tile_rows, LEFT_BYTES / std::max<int64_t>(1, stretch * set.left_bytes));
  const Cut cut(tiles, panels, std::max<int64_t>(1, most_rows / set.tile_rows), team.size);
  bool failed = false;
  set.enter();
  team.share_without_waiting(cut.down * cut.across, [&](int64_t unit) {
    const int64_t block = unit / cut.across, range = unit % cut.across;
    Job job = {};
    job.row = part(tiles, cut.down, block) * set.tile_rows;
    job.rows = std::min(part(tiles, cut.down, block + 1) * set.tile_rows, product.rows) - job.row;
    job.from = part(panels, cut.across, range);
    job.to = part(panels, cut.across, range + 1);
    job.panel_bytes = steps * STEP * PANEL * set.size;
    job.columns = product.n;
    job.sink = &product.sink;
    if (job.rows <= 0 || job.from >= job.to) return;
    const int64_t block_tiles = ceil_div(job.rows, set.tile_rows);
    char *const left =
        packs ? left_scratch.get(block_tiles * set.tile_rows * (stretch * set.left_bytes + ODD_BYTES)) : nullptr;
    if (stretch < steps) {
      const int64_t floats = block_tiles * set.tile_rows * (job.to - job.from) * PANEL;
      job.carry = reinterpret_cast<float *>(carry_scratch.get(floats * static_cast<int64_t>(sizeof(float))));
    }
    if ((packs && !left) || (stretch < steps && !job.carry)) {
      failed = true;
      return;
    }
    // An empty sum still has a result.
    for (int64_t s = 0; s < std::max<int64_t>(1, steps); s += std::max<int64_t>(1, stretch)) {
      job.steps = std::min(stretch, steps - s);
      job.first = s == 0;
      job.last = s + job.steps == steps;
      job.b = static_cast<const char *>(product.packed) + s * STEP * PANEL * set.size;
      const char *const x = static_cast<const char *>(product.x) + job.row * row_bytes + s * STEP * set.size;
      if (packs) {
        job.a = left;
        job.row_bytes = job.steps * set.left_bytes + ODD_BYTES;
        set.pack_left(x, product.x_stride, job.rows, product.k - s * STEP, job.steps, job.row_bytes, left);
      } else {
        job.a = x;
        job.row_bytes = row_bytes;
      }
      set.run(job);
    }
  });
  set.leave();
  team.wait();
  return !failed;
}

int64_t Matmul::scratch_bytes(int64_t k) const {
  const MatmulKernel &set = *kernel;
  return 2 * ceil_div(k, PANEL) * GRADIENT_STEPS * STEP * PANEL * set.size + GRADIENT_LEFT_BYTES + LEFT_BYTES;
}

bool Matmul::accumulate(const Team &team, const Gradient &g) const {
  const MatmulKernel &set = *kernel;
  const int64_t n = width(g.order, g.n), panels = ceil_div(g.k, PANEL), tiles = ceil_div(n, set.tile_rows);
  const int64_t steps = ceil_div(g.rows, STEP), stretches = ceil_div(steps, GRADIENT_STEPS);
  const int64_t stretch = stretches > 0 ? ceil_div(steps, stretches) : 0;
  const int64_t step_bytes = STEP * PANEL * set.size;
  const int64_t most_rows =
      std::max(set.tile_rows, GRADIENT_LEFT_BYTES / std::max<int64_t>(1, stretch * set.gradient_bytes));
  const Cut cut(tiles, panels, std::max<int64_t>(1, most_rows / set.tile_rows), team.size);
  // X's panels are everybody's, so all pack them together, into one of two buffers: one may still be read.
  char *right = nullptr;
  if (team.size == 1) {
    right = right_scratch.get(2 * panels * stretch * step_bytes);
  } else {
#pragma omp single copyprivate(right)
    right = right_scratch.get(2 * panels * stretch * step_bytes);
  }
  if (!right && g.rows > 0) return false;
  bool failed = false;
  set.enter();
  for (int64_t c = 0; c < stretches; c++) {
    const int64_t first = c * stretch, now = std::min(stretch, steps - first);
    char *const packed = right + (c & 1) * panels * stretch * step_bytes;
    team.share(now, [&](int64_t s) {
      const int64_t row = (first + s) * STEP;
      for (int64_t p = 0; p < panels; p++) {
        set.pack_down(static_cast<const char *>(g.x) + (row * g.x_stride + p * PANEL) * set.size, g.x_stride,
                      g.k - p * PANEL, g.rows - row, packed + (p * now + s) * step_bytes);
      }
    });
    team.share_without_waiting(cut.down * cut.across, [&](int64_t unit) {
      const int64_t block = unit / cut.across, range = unit % cut.across;
      Job job = {};
      job.row = part(tiles, cut.down, block) * set.tile_rows;
      job.rows = std::min(part(tiles, cut.down, block + 1) * set.tile_rows, n) - job.row;
      job.from = part(panels, cut.across, range);
      job.to = part(panels, cut.across, range + 1);
      if (job.rows <= 0 || job.from >= job.to) return;
      char *const left = left_scratch.get(ceil_div(job.rows, set.tile_rows) * set.tile_rows * now * set.gradient_bytes + 64);
      if (!left) {
        failed = true;
        return;
      }
      job.a = left;
      job.b = packed;
      job.panel_bytes = now * step_bytes;
      job.steps = now;
      job.columns = g.k;
      job.gradient = &g;
      job.first = job.last = true;
      const char *const dy = static_cast<const char *>(g.dy) + (first * STEP * g.dy_stride + job.row) * set.size;
      set.pack_left_across(dy, g.dy_stride, job.rows, g.rows - first * STEP, now, left);
      set.run_gradient(job);
    });
  }
  set.leave();
  team.wait();
  return !failed;
}

}  // namespace hir
