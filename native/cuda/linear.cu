// Products of a decode step's few rows, with the norm before and the gate after them (decode_kernels.h).
//
// In bfloat16 they run on tensor cores, which leave all time to reading the weights: 16 rows and 8 outputs a
// multiplication, 16 inputs deep. A block's warps share the inputs of 8 or 16 outputs and add up their sums in order:
// which inputs a warp takes depends on their number alone, and so do the bits of a row's result. A lane needs 16
// contiguous bytes of a weight's row for two multiplications, since a sum may run over the inputs in any order that is
// the same for rows and weights: it copies them to a place of its own in shared memory, some steps ahead of their use.
#include "decode_kernels.h"

#include <algorithm>

#include "pass_kernels.h"
#include "row.h"

namespace hir::HIR_DEVICE {

namespace {

// --- The norm and the gate

// Inputs whose squares a warp adds up at a time, UNIT neighbouring ones a lane.
constexpr int UNIT = 8, CHUNK = WARP * UNIT;

HIR_SHARED inline int chunks_of(int64_t inputs) { return (static_cast<int>(inputs) + CHUNK - 1) / CHUNK; }

HIR_GPU void load(const float *from, float (&x)[UNIT]) {
  float half[4];
#pragma unroll
  for (int i = 0; i < UNIT; i++) {
    if (i % 4 == 0) unpack(reinterpret_cast<const Bits16 *>(from)[i / 4], half);
    x[i] = half[i % 4];
  }
}

HIR_GPU void load(const bf16 *from, float (&x)[UNIT]) { unpack(*reinterpret_cast<const Bits16 *>(from), x); }

HIR_GPU void store(const float (&x)[UNIT], bf16 *to) { *reinterpret_cast<Bits16 *>(to) = pack(x); }

HIR_GPU void store(const float (&x)[UNIT], float *to) {
#pragma unroll
  for (int i = 0; i < UNIT; i += 4) {
    const float half[4] = {x[i], x[i + 1], x[i + 2], x[i + 3]};
    reinterpret_cast<Bits16 *>(to)[i / 4] = pack(half);
  }
}

HIR_GPU float inverse_rms(float squares, int inputs, float epsilon) {
  return 1.0f / sqrtf(squares / static_cast<float>(inputs) + epsilon);
}

// The norm of rows of whole units, by the whole block: one warp adds up a chunk, and the sums of chunks are added in
// order, so the bits do not depend on how many rows and warps there are. `parts` is shared memory for the chunks of all
// rows; `weight` may be read after `ready()` and a barrier; to(row) is where a row begins, which has zeros behind the
// inputs up to `end`. A warp reads TOGETHER chunks at once, and keeps its last ones between the sum and the scale.
template <int TOGETHER, class T, class Ready, class To>
HIR_GPU void normalize_rows(const float *x, int rows, int inputs, float epsilon, const T *weight, int end, float *parts,
                            Ready ready, To to) {
  const int chunks = chunks_of(inputs), all = rows * chunks;
  const auto read = [&](int i, float (&values)[UNIT]) {
    const int at = i % chunks * CHUNK + lane() * UNIT;
#pragma unroll
    for (float &value : values) value = 0;
    if (i < all && at < inputs) load(x + static_cast<int64_t>(i / chunks) * inputs + at, values);
  };
  const auto add = [&](int i, const float (&values)[UNIT]) {
    float squares[2] = {};
#pragma unroll
    for (int j = 0; j < UNIT; j++) squares[j % 2] = fmaf(values[j], values[j], squares[j % 2]);
    const float sum = warp_reduce(squares[0] + squares[1], Sum());
    if (lane() == 0 && i < all) parts[i] = sum;
  };
  const auto write = [&](int i, float (&values)[UNIT]) {
    const int row = i / chunks, at = i % chunks * CHUNK + lane() * UNIT;
    if (i >= all || at >= end) return;
    float sum = 0;
    for (int chunk = 0; chunk < chunks; chunk++) sum += parts[row * chunks + chunk];
    const float scale = inverse_rms(sum, inputs, epsilon);
    float weights[UNIT] = {};
    if (at < inputs) load(weight + at, weights);
#pragma unroll
    for (int j = 0; j < UNIT; j++) values[j] = values[j] * scale * weights[j];
    store(values, to(row) + at);
  };
  float values[TOGETHER][UNIT];
  const int stride = TOGETHER * warps();
  int first = warp();
  for (;; first += stride) {
#pragma unroll
    for (int k = 0; k < TOGETHER; k++) read(first + k * warps(), values[k]);
#pragma unroll
    for (int k = 0; k < TOGETHER; k++) add(first + k * warps(), values[k]);
    if (first + stride >= all) break;
  }
  ready();
  barrier();
  // Backwards, as the last chunks are still here.
  for (;;) {
#pragma unroll
    for (int k = 0; k < TOGETHER; k++) write(first + k * warps(), values[k]);
    first -= stride;
    if (first < 0) break;
#pragma unroll
    for (int k = 0; k < TOGETHER; k++) read(first + k * warps(), values[k]);
  }
}

HIR_GPU float activate(float gate, float up) { return gate / (1.0f + exp2_fast(static_cast<float>(-LOG2E) * gate)) * up; }

template <class V>
HIR_GPU bool on_vectors(const V *data, int64_t pitch) {
  return pitch * static_cast<int64_t>(sizeof(V)) % VECTOR_BYTES == 0 &&
         reinterpret_cast<uintptr_t>(data) % VECTOR_BYTES == 0;
}

constexpr int NORM_THREADS = 128;

// One block per row.
template <class T>
HIR_KERNEL(NORM_THREADS, 1)
normalize_kernel(LinearArguments<T> a) {
  start_next();
  wait_for_previous();
  const float *const x = a.residual + block() * a.inputs;
  T *const out = a.x + block() * a.inputs;
  float *const parts = shared<float>();
  const int inputs = static_cast<int>(a.inputs);
  if (inputs % UNIT == 0 && on_vectors(a.residual, inputs) && on_vectors(a.x, inputs) && on_vectors(a.norm, inputs)) {
    normalize_rows<4>(x, 1, inputs, a.epsilon, a.norm, inputs, parts, [] {}, [&](int) { return out; });
    return;
  }
  float squares = 0;
  for (int i = thread(); i < inputs; i += threads()) squares = fmaf(x[i], x[i], squares);
  const float scale = inverse_rms(block_reduce(squares, 0.0f, Sum(), parts), inputs, a.epsilon);
  for (int i = thread(); i < inputs; i += threads()) put(out + i, x[i] * scale * to_float(a.norm[i]));
}

constexpr int THREADS = 256;

// Elements of the gate that a thread takes.
constexpr int GATED = 4;

template <class T>
HIR_KERNEL(THREADS, 1)
gate_kernel(LinearArguments<T> a) {
  start_next();
  wait_for_previous();
  const int64_t columns = a.outputs / 2, across = (columns + THREADS * GATED - 1) / (THREADS * GATED);
  const int64_t row = block() / across, first = (block() % across * THREADS + thread()) * GATED;
  const float *const gates = a.out + row * a.out_stride + first, *const ups = gates + columns;
  T *const to = a.activated + row * columns + first;
  if (first + GATED <= columns && columns % GATED == 0 && on_vectors(a.out, a.out_stride)) {
    float g[GATED], u[GATED];
    unpack(*reinterpret_cast<const Bits16 *>(gates), g);
    unpack(*reinterpret_cast<const Bits16 *>(ups), u);
#pragma unroll
    for (int i = 0; i < GATED; i++) put(to + i, activate(g[i], u[i]));
  } else {
    for (int i = 0; i < GATED && first + i < columns; i++) put(to + i, activate(gates[i], ups[i]));
  }
}

// --- On tensor cores

constexpr int BLOCK = 512, SHARES = BLOCK / WARP;  // warps that share the inputs
constexpr int TILE = 8;                            // outputs of a multiplication
constexpr int STEP = 32;                           // inputs that a warp takes at a time, one vector a lane

// Steps that a warp copies ahead of their use.
constexpr int DEEP = 6, SHALLOW = 2;

HIR_SHARED inline int round_up(int count, int unit) { return (count + unit - 1) / unit * unit; }

// Elements between normalized rows in shared memory: neighbouring rows half of all banks apart, so that a warp's reads,
// 64 bytes of each of 8 rows, do not collide.
HIR_SHARED inline int normed_pitch(int inputs) { return round_up(inputs, 64) + 32; }

size_t tensor_shared(const LinearArguments<bf16> &a, int rows, int tiles, int depth, bool with_norm) {
  const int inputs = static_cast<int>(a.inputs);
  size_t bytes = static_cast<size_t>(depth * tiles * BLOCK * VECTOR_BYTES);
  bytes += sizeof(float) * static_cast<size_t>(2 * SHARES * rows * tiles * TILE);
  if (with_norm) {
    bytes += sizeof(float) * static_cast<size_t>(rows * chunks_of(inputs));
    bytes += sizeof(bf16) * static_cast<size_t>(rows * normed_pitch(inputs) + inputs);
  }
  return bytes;
}

// A block takes ROWS rows, and from its own first on every so manieth group of TILES tiles of outputs. With a gate, a
// group is a tile of gates and the tile of their ups. NORMED: the rows are the norm of the residual, made here.
template <int ROWS, int TILES, bool NORMED, int DEPTH>
HIR_KERNEL(BLOCK, 2)
tensor_kernel(LinearArguments<bf16> a) {
  const int inputs = static_cast<int>(a.inputs), vectors = inputs / LANES<bf16>;
  const int steps = (inputs + STEP - 1) / STEP, share = (steps + SHARES - 1) / SHARES, first = warp() * share;
  const int count = first >= steps ? 0 : first + share <= steps ? share : steps - first;
  const int quad = lane() / 4, in_quad = lane() % 4;  // a lane's row (and row + 8) or output, and its vector in a step

  const int row_tiles = (static_cast<int>(a.rows) + ROWS - 1) / ROWS, row = static_cast<int>(block()) % row_tiles * ROWS;
  const int left = static_cast<int>(a.rows) - row, rows = left < ROWS ? left : ROWS;
  const bool gated = TILES == 2 && a.activated;
  const int columns = static_cast<int>(gated ? a.outputs / 2 : a.outputs), width = gated ? TILE : TILES * TILE;
  const int groups = (columns + width - 1) / width;
  const int begin = static_cast<int>(block()) / row_tiles, stride = static_cast<int>(blocks()) / row_tiles;

  Bits16 *const ring = shared<Bits16>();
  float *const sums = reinterpret_cast<float *>(ring + DEPTH * TILES * BLOCK);
  constexpr int SUMS = ROWS * TILES * TILE;  // of a warp
  float *const parts = sums + 2 * SHARES * SUMS;  // of the norm
  bf16 *const weights = reinterpret_cast<bf16 *>(parts + ROWS * chunks_of(inputs)), *const x = weights + inputs;
  const int pitch = normed_pitch(inputs);

  if (NORMED) {
    for (int v = thread(); v < vectors; v += BLOCK) {
      copy_async(reinterpret_cast<Bits16 *>(weights) + v, reinterpret_cast<const Bits16 *>(a.norm) + v, true);
    }
    commit_copies();
  }

  int next_group = begin, next_step = 0;
  const auto request = [&](int place) {
    if (next_group < groups && count > 0) {
      const int vector = (first + next_step) * 4 + in_quad;
#pragma unroll
      for (int tile = 0; tile < TILES; tile++) {
        const int column = next_group * width + (gated ? 0 : tile * TILE) + quad;
        const bool there = column < columns && vector < vectors;
        const int output = gated ? column + tile * columns : column;
        const int64_t from = there ? static_cast<int64_t>(output) * inputs + vector * LANES<bf16> : 0;
        copy_async(ring + (place * TILES + tile) * BLOCK + thread(), reinterpret_cast<const Bits16 *>(a.w + from), there);
      }
      if (++next_step == count) {
        next_step = 0;
        next_group += stride;
      }
    }
    commit_copies();
  };
  for (int i = 0; i < DEPTH; i++) request(i);

  start_next();
  wait_for_previous();
  if (NORMED) {
    normalize_rows<3>(
        a.residual + static_cast<int64_t>(row) * inputs, rows, inputs, a.epsilon, weights, steps * STEP, parts,
        [] { wait_for_copies<DEPTH>(); }, [&](int r) { return x + r * pitch; });
    barrier();
  }

  // The rows' vectors of so many steps are read at once.
  constexpr int TOGETHER = NORMED || TILES == 2 ? 2 : ROWS == 8 ? 4 : 2, HALVES = ROWS / 8;
  const bf16 *const lane_row = NORMED ? x + quad * pitch : a.x + static_cast<int64_t>(row + quad) * inputs;
  const Bits16 *const row_start = reinterpret_cast<const Bits16 *>(lane_row) + first * (STEP / LANES<bf16>)+in_quad;
  const int half_pitch = (NORMED ? pitch : inputs) / LANES<bf16> * 8;
  int place = 0, parity = 0;
  for (int group = begin; group < groups; group += stride) {
    float acc[TILES][4] = {};
    for (int from = 0; from < count; from += TOGETHER) {
      Bits16 row_vectors[TOGETHER][HALVES];
#pragma unroll
      for (int i = 0; i < TOGETHER; i++) {
        const int vector = (first + from + i) * 4 + in_quad;
#pragma unroll
        for (int half = 0; half < HALVES; half++) {
          const bool there = quad + 8 * half < rows && vector < (from + i < count ? vectors : 0);
          const Bits16 *const at = row_start + (from + i) * (STEP / LANES<bf16>)+half * half_pitch;
          row_vectors[i][half] = there ? *at : bits16(0, 0, 0, 0);
        }
      }
#pragma unroll
      for (int i = 0; i < TOGETHER; i++) {
        if (from + i >= count) break;  // so for all lanes
        wait_for_copies<DEPTH - 1>();
        Bits16 w[TILES];
#pragma unroll
        for (int tile = 0; tile < TILES; tile++) w[tile] = ring[(place * TILES + tile) * BLOCK + thread()];
        const Bits16 low = row_vectors[i][0], high = HALVES == 2 ? row_vectors[i][HALVES - 1] : bits16(0, 0, 0, 0);
#pragma unroll
        for (int tile = 0; tile < TILES; tile++) {
          multiply_16x8x16(acc[tile], low.x, high.x, low.y, high.y, w[tile].x, w[tile].y);
          multiply_16x8x16(acc[tile], low.z, high.z, low.w, high.w, w[tile].z, w[tile].w);
        }
        request(place);
        if (++place == DEPTH) place = 0;
      }
    }

    // Each thread finishes at most one output of one row.
    const int mine = thread() / width, column_in_group = thread() % width, column = group * width + column_in_group;
    const bool finishes = mine < rows && column < columns;
    const auto out = [&] { return a.out + (row + mine) * a.out_stride + column; };
    const float before = finishes && a.accumulate ? *out() : 0.0f;

    // The sums of the last group but one have been read: there was a barrier since.
    float *const here = sums + parity * SHARES * SUMS;
    parity ^= 1;
#pragma unroll
    for (int tile = 0; tile < TILES; tile++) {
#pragma unroll
      for (int i = 0; i < 2 * HALVES; i++) {
        here[warp() * SUMS + ((quad + i / 2 * 8) * TILES + tile) * TILE + 2 * in_quad + i % 2] = acc[tile][i];
      }
    }
    barrier();
    if (!finishes) continue;
    const auto total = [&](int at) {
      float sum = 0;
#pragma unroll
      for (int w = 0; w < SHARES; w++) sum += here[w * SUMS + mine * TILES * TILE + at];
      return sum;
    };
    if (gated) {
      put(a.activated + static_cast<int64_t>(row + mine) * columns + column,
          activate(total(column_in_group), total(TILE + column_in_group)));
    } else {
      *out() = before + total(column_in_group);
    }
  }
}

template <int ROWS, int TILES, bool NORMED, int DEPTH>
bool launch_tensor(Call &call, const LinearArguments<bf16> &a) {
  const int64_t row_tiles = (a.rows + ROWS - 1) / ROWS, width = a.activated ? TILE : TILES * TILE;
  const int64_t groups = ((a.activated ? a.outputs / 2 : a.outputs) + width - 1) / width;
  // A block per processor, if there is work for all: its copies ahead are as many as a processor needs.
  const int64_t each = std::min(groups, std::max<int64_t>(1, call.processors() / row_tiles));
  const size_t bytes = tensor_shared(a, ROWS, TILES, DEPTH, NORMED);
  if (bytes > call.most_shared()) return false;
  call.launch(tensor_kernel<ROWS, TILES, NORMED, DEPTH>, row_tiles * each, BLOCK, bytes, a);
  return true;
}

// The most outputs that one of so many processors gets, if they are dealt out in groups of `width`.
int64_t most_outputs(int64_t outputs, int64_t width, int64_t processors) {
  const int64_t groups = (outputs + width - 1) / width;
  return (groups + processors - 1) / processors * width;
}

// The most rows and copies that shared memory has room for; false if for none.
template <int TILES, bool NORMED>
bool fit_tensor(Call &call, const LinearArguments<bf16> &a, bool many) {
  return (many && launch_tensor<16, TILES, NORMED, DEEP>(call, a)) || launch_tensor<8, TILES, NORMED, DEEP>(call, a) ||
         launch_tensor<8, TILES, NORMED, SHALLOW>(call, a);
}

template <bool NORMED>
bool choose_tensor(Call &call, const LinearArguments<bf16> &a) {
  const int64_t processors = call.processors();
  const bool two = a.activated || most_outputs(a.outputs, 2 * TILE, processors) <= most_outputs(a.outputs, TILE, processors);
  const bool many = a.rows > 8;
  return (two && fit_tensor<2, NORMED>(call, a, many)) || (!a.activated && fit_tensor<1, NORMED>(call, a, many));
}

// --- In float, and where rows are not whole vectors

// Rows served by one read of a weight.
constexpr int LINEAR_ROWS = 8;

// One warp per output: reads its weights once for LINEAR_ROWS rows.
template <class T>
HIR_KERNEL(THREADS, 1)
linear_kernel(LinearArguments<T> a) {
  start_next();
  wait_for_previous();
  const int64_t tiles = (a.outputs + warps() - 1) / warps();
  const int64_t output = block() % tiles * warps() + warp(), first = block() / tiles * LINEAR_ROWS;
  if (output >= a.outputs) return;
  const T *w = a.w + output * a.inputs;
  const int rows = static_cast<int>(a.rows - first < LINEAR_ROWS ? a.rows - first : LINEAR_ROWS);
  float sum[LINEAR_ROWS] = {};
  if (on_vectors(a.w, a.inputs)) {
    const int64_t vectors = a.inputs / LANES<T>;
    for (int64_t v = lane(); v < vectors; v += WARP) {
      float weights[LANES<T>];
      unpack(reinterpret_cast<const Bits16 *>(w)[v], weights);
#pragma unroll
      for (int r = 0; r < LINEAR_ROWS; r++) {
        if (r >= rows) continue;
        float x[LANES<T>];
        unpack(reinterpret_cast<const Bits16 *>(a.x + (first + r) * a.inputs)[v], x);
#pragma unroll
        for (int i = 0; i < LANES<T>; i++) sum[r] = fmaf(weights[i], x[i], sum[r]);
      }
    }
  } else {
    for (int64_t i = lane(); i < a.inputs; i += WARP) {
      const float weight = to_float(w[i]);
#pragma unroll
      for (int r = 0; r < LINEAR_ROWS; r++) {
        if (r < rows) sum[r] = fmaf(weight, to_float(a.x[(first + r) * a.inputs + i]), sum[r]);
      }
    }
  }
#pragma unroll
  for (int r = 0; r < LINEAR_ROWS; r++) {
    if (r >= rows) continue;  // so for all lanes
    const float total = warp_reduce(sum[r], Sum());
    if (lane() == 0) {
      float *out = a.out + (first + r) * a.out_stride + output;
      *out = a.accumulate ? *out + total : total;
    }
  }
}

template <class V>
bool aligned(const V *data) {
  return reinterpret_cast<uintptr_t>(data) % VECTOR_BYTES == 0;
}

bool on_tensor_cores(Call &, const LinearArguments<float> &, bool) { return false; }

bool on_tensor_cores(Call &call, const LinearArguments<bf16> &a, bool with_norm) {
  if (a.inputs % LANES<bf16> != 0 || !aligned(a.w)) return false;
  if (!with_norm) return aligned(a.x) && choose_tensor<false>(call, a);
  return aligned(a.residual) && aligned(a.norm) && choose_tensor<true>(call, a);
}

}  // namespace

template <class T>
void normalize(Call &call, const LinearArguments<T> &a) {
  const size_t bytes = sizeof(float) * static_cast<size_t>(std::max(WARP, chunks_of(a.inputs)));
  if (a.norm) call.launch(normalize_kernel<T>, a.rows, NORM_THREADS, bytes, a);
}

template <class T>
void gate(Call &call, const LinearArguments<T> &a) {
  const int64_t columns = a.outputs / 2;
  if (a.activated)
    call.launch(gate_kernel<T>, a.rows * ((columns + THREADS * GATED - 1) / (THREADS * GATED)), THREADS, 0, a);
}

// The bits do not depend on what is fused.
template <class T>
void linear(Call &call, const LinearArguments<T> &a) {
  LinearArguments<T> product = a;
  if (a.norm) {
    if (on_tensor_cores(call, a, true)) return;
    normalize(call, a);
    product.norm = nullptr;
  }
  if (on_tensor_cores(call, product, false)) return;
  product.activated = nullptr;
  if (!on_tensor_cores(call, product, false)) {
    constexpr int64_t WARPS = THREADS / WARP;
    const int64_t row_tiles = (a.rows + LINEAR_ROWS - 1) / LINEAR_ROWS;
    call.launch(linear_kernel<T>, (a.outputs + WARPS - 1) / WARPS * row_tiles, THREADS, 0, product);
  }
  gate(call, a);
}

#define HIR_INSTANTIATE(T) \
  template void linear(Call &, const LinearArguments<T> &); \
  template void normalize(Call &, const LinearArguments<T> &); \
  template void gate(Call &, const LinearArguments<T> &);
HIR_INSTANTIATE(float)
HIR_INSTANTIATE(bf16)
#undef HIR_INSTANTIATE

}  // namespace hir::HIR_DEVICE
