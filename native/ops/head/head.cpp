#include "head/head.h"

#include <algorithm>

#include "head/stats.h"
#include "hir_kernels.h"
#include "matmul/kernel.h"
#include "scratch.h"

namespace hir {
namespace {

// Rows whose logits of a block are in memory at the same time: 1.5 MiB. A multiple of every variant's tile.
constexpr int64_t ROWS = 96;
constexpr int64_t ODD_BYTES = 64;

thread_local Scratch logits_scratch, left_scratch;

int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }
int64_t round_up(int64_t n, int64_t to) { return ceil_div(n, to) * to; }

const HeadStats &stats_of(Variant variant) {
  switch (variant) {
    case Variant::REFERENCE: return baseline::head_stats;
    case Variant::AVX2: return avx2::head_stats;
    default: return avx512::head_stats;
  }
}

// Statistics [rows][blocks], then the targets' logits [rows].
struct Shared {
  BlockStats *stats;
  float *targets;
  int64_t bytes;

  Shared(const HeadLogprobs &call, void *memory) : stats(static_cast<BlockStats *>(memory)) {
    const int64_t count = call.rows * ceil_div(call.vocab, BLOCK) * static_cast<int64_t>(sizeof(BlockStats));
    targets = memory ? reinterpret_cast<float *>(static_cast<char *>(memory) + count) : nullptr;
    bytes = round_up(count + call.rows * static_cast<int64_t>(sizeof(float)), 64);
  }
};

}  // namespace

int64_t head_bytes(const HeadLogprobs &call) { return Shared(call, nullptr).bytes; }

bool head_logprobs(const Matmul &matmul, const Team &team, const HeadLogprobs &call) {
  const MatmulKernel &set = matmul.pieces();
  const HeadStats &stats = stats_of(matmul.variant());
  const Shared shared(call, call.scratch);
  const int64_t blocks = ceil_div(call.vocab, BLOCK), groups = ceil_div(call.rows, ROWS),
                steps = ceil_div(call.hidden, STEP);
  const bool packs = set.always_packs || call.hidden % STEP != 0;
  bool failed = false;
  set.enter();
  // One block of the weights for all rows, then the next: it stays in the last-level cache.
  team.share_without_waiting(blocks * groups, [&](int64_t unit) {
    const int64_t block = unit / groups, row = unit % groups * ROWS, rows = std::min(ROWS, call.rows - row);
    const int64_t column = block * BLOCK, columns = std::min(BLOCK, call.vocab - column);
    const int64_t pitch = BLOCK + 16;  // no multiple of a page
    float *const logits = reinterpret_cast<float *>(logits_scratch.get(ROWS * pitch * static_cast<int64_t>(sizeof(float))));
    const int64_t row_bytes = steps * set.left_bytes + ODD_BYTES;
    char *const left = packs ? left_scratch.get(round_up(rows, set.tile_rows) * row_bytes) : nullptr;
    if (!logits || (packs && !left)) {
      failed = true;
      return;
    }
    Sink sink;
    sink.dtype = HIR_FLOAT32;
    sink.y = logits;
    sink.y_stride = pitch;
    Job job = {};
    job.a = static_cast<const char *>(call.x) + row * call.x_stride * set.size;
    job.row_bytes = call.x_stride * set.size;
    if (packs) {
      set.pack_left(job.a, call.x_stride, rows, call.hidden, steps, row_bytes, left);
      job.a = left;
      job.row_bytes = row_bytes;
    }
    job.rows = rows;
    job.b = static_cast<const char *>(call.packed);
    job.panel_bytes = steps * STEP * PANEL * set.size;
    job.offset = column / PANEL * job.panel_bytes;
    job.to = ceil_div(columns, PANEL);
    job.steps = steps;
    job.first = job.last = true;
    job.columns = columns;
    job.sink = &sink;
    set.run(job);
    for (int64_t r = 0; r < rows; r++) {
      shared.stats[(row + r) * blocks + block] = stats.block(logits + r * pitch, columns, call.temperature);
      const int64_t target = call.targets[row + r] - column;
      if (target >= 0 && target < columns) shared.targets[row + r] = logits[r * pitch + target];
    }
  });
  set.leave();
  team.wait();
  team.share(groups, [&](int64_t group) {
    for (int64_t row = group * ROWS; row < std::min((group + 1) * ROWS, call.rows); row++) {
      stats.row(shared.stats + row * blocks, blocks, shared.targets[row], call.temperature, call.logprobs + row,
                call.entropies ? call.entropies + row : nullptr);
    }
  });
  return !failed;
}

}  // namespace hir
