// RMS norms of rows, forward and backward, and sums over rows.
#include "pass_kernels.h"
#include "row.h"

namespace hir::HIR_DEVICE {

namespace {

constexpr int THREADS = 256;
// A row of a norm is kept in registers: each thread has that many vectors of 4 columns, threads() apart.
constexpr int HELD = 4, MOST_THREADS = 1024;

HIR_GPU void load(const float *from, float (&x)[4]) { unpack(load16(from), x); }

HIR_GPU void load(const bf16 *from, float (&x)[4]) {
  const Bits8 bits = *reinterpret_cast<const Bits8 *>(from);
  x[0] = as_float(bits.x << 16);
  x[1] = as_float(bits.x & 0xffff0000u);
  x[2] = as_float(bits.y << 16);
  x[3] = as_float(bits.y & 0xffff0000u);
}

HIR_GPU void save(float *to, const float (&x)[4]) { store16(to, pack(x)); }
HIR_GPU void save(bf16 *to, const float (&x)[4]) { store8(to, {pack_bf16(x[0], x[1]), pack_bf16(x[2], x[3])}); }

// The columns of this thread's vector k, whole up to the row's last one; `count` is 0 behind it.
struct Columns {
  int64_t at;
  int count;

  HIR_GPU Columns(int64_t columns, int k) : at(4 * (thread() + static_cast<int64_t>(k) * threads())) {
    const int64_t left = columns - at;
    count = left <= 0 ? 0 : left < 4 ? static_cast<int>(left) : 4;
  }
};

// Four neighbours, 0 behind the row's end. VECTORS: they lie on a vector's boundary and are all there.
template <bool VECTORS, class V>
HIR_GPU void load_columns(const V *row, const Columns &c, float (&x)[4]) {
#pragma unroll
  for (int i = 0; i < 4; i++) x[i] = 0;
  if constexpr (VECTORS) {
    if (c.count > 0) load(row + c.at, x);
  } else {
#pragma unroll
    for (int i = 0; i < 4; i++) {
      if (i < c.count) x[i] = to_float(row[c.at + i]);
    }
  }
}

template <bool VECTORS, class V>
HIR_GPU void save_columns(V *row, const Columns &c, const float (&x)[4]) {
  if constexpr (VECTORS) {
    if (c.count > 0) save(row + c.at, x);
  } else {
#pragma unroll
    for (int i = 0; i < 4; i++) {
      if (i < c.count) put(row + c.at + i, x[i]);
    }
  }
}

template <class T, bool VECTORS>
HIR_KERNEL(MOST_THREADS, 1)
norm_kernel(NormArguments<T> a) {
  const float *const row = a.x + block() * a.x_pitch;
  float x[HELD][4], weights[HELD][4], squares = 0;
#pragma unroll
  for (int k = 0; k < HELD; k++) load_columns<VECTORS>(row, Columns(a.columns, k), x[k]);
#pragma unroll
  for (int k = 0; k < HELD; k++) load_columns<VECTORS>(a.weight, Columns(a.columns, k), weights[k]);
#pragma unroll
  for (int k = 0; k < HELD; k++) {
#pragma unroll
    for (int i = 0; i < 4; i++) squares = fmaf(x[k][i], x[k][i], squares);
  }
  squares = block_reduce(squares, 0.0f, Sum(), shared<float>());
  const float scale = 1.0f / sqrtf(squares / static_cast<float>(a.columns) + a.epsilon);
#pragma unroll
  for (int k = 0; k < HELD; k++) {
#pragma unroll
    for (int i = 0; i < 4; i++) x[k][i] = x[k][i] * scale * weights[k][i];
    save_columns<VECTORS>(a.out + block() * a.out_pitch, Columns(a.columns, k), x[k]);
  }
}

// Rows that do not fit.
template <class T>
HIR_KERNEL(THREADS, 1)
wide_norm_kernel(NormArguments<T> a) {
  const float *const x = a.x + block() * a.x_pitch;
  T *const out = a.out + block() * a.out_pitch;
  float squares = 0;
  for (int64_t c = thread(); c < a.columns; c += threads()) squares = fmaf(x[c], x[c], squares);
  squares = block_reduce(squares, 0.0f, Sum(), shared<float>());
  const float scale = 1.0f / sqrtf(squares / static_cast<float>(a.columns) + a.epsilon);
  for (int64_t c = thread(); c < a.columns; c += threads()) put(out + c, x[c] * scale * to_float(a.weight[c]));
}

// A block takes the rows of a part one after the other; each thread keeps its own columns' sums.
template <class T, bool VECTORS>
HIR_KERNEL(MOST_THREADS / 2, 1)
norm_back_kernel(NormBackArguments<T> a) {
  float *const places = shared<float>();
  const int64_t each = norm_part_rows(a.rows), first = block() * each, end = first + each < a.rows ? first + each : a.rows;
  float sums[HELD][4] = {};
  for (int64_t row = first; row < end; row++) {
    float x[HELD][4], flow[HELD][4], squares = 0, along = 0;
#pragma unroll
    for (int k = 0; k < HELD; k++) {
      const Columns c(a.columns, k);
      load_columns<VECTORS>(a.x + row * a.x_pitch, c, x[k]);
      load_columns<VECTORS>(a.gradient + row * a.gradient_pitch, c, flow[k]);
    }
#pragma unroll
    for (int k = 0; k < HELD; k++) {
      float weights[4];
      load_columns<VECTORS>(a.weight, Columns(a.columns, k), weights);
#pragma unroll
      for (int i = 0; i < 4; i++) {
        squares = fmaf(x[k][i], x[k][i], squares);
        along = fmaf(flow[k][i] * weights[i], x[k][i], along);
      }
    }
    squares = block_reduce(squares, 0.0f, Sum(), places);
    along = block_reduce(along, 0.0f, Sum(), places);
    const float n = static_cast<float>(a.columns), scale = 1.0f / sqrtf(squares / n + a.epsilon);
    const float back = along * scale * scale * scale / n;
    float onto[HELD][4];
#pragma unroll
    for (int k = 0; k < HELD; k++) {
      Columns c(a.columns, k);
      if (!a.onto) c.count = 0;
      load_columns<VECTORS>(a.onto + row * a.x_pitch, c, onto[k]);
    }
#pragma unroll
    for (int k = 0; k < HELD; k++) {
      const Columns c(a.columns, k);
      float weights[4];
      load_columns<VECTORS>(a.weight, c, weights);
#pragma unroll
      for (int i = 0; i < 4; i++) {
        sums[k][i] = fmaf(flow[k][i], x[k][i] * scale, sums[k][i]);
        flow[k][i] = onto[k][i] + (flow[k][i] * weights[i] * scale - x[k][i] * back);
      }
      save_columns<VECTORS>(a.out + row * a.x_pitch, c, flow[k]);
      save_columns<VECTORS>(a.low + row * a.low_pitch, c, flow[k]);
    }
  }
#pragma unroll
  for (int k = 0; k < HELD; k++) save_columns<VECTORS>(a.parts + block() * a.columns, Columns(a.columns, k), sums[k]);
}

// Rows that do not fit: each thread has its own columns' sums in shared memory.
template <class T>
HIR_KERNEL(THREADS, 1)
wide_norm_back_kernel(NormBackArguments<T> a) {
  float *const places = shared<float>(), *const sums = places + WARP;
  for (int64_t c = thread(); c < a.columns; c += threads()) sums[c] = 0;
  const int64_t each = norm_part_rows(a.rows), first = block() * each, end = first + each < a.rows ? first + each : a.rows;
  for (int64_t row = first; row < end; row++) {
    const float *const x = a.x + row * a.x_pitch, *const gradient = a.gradient + row * a.gradient_pitch;
    float squares = 0, along = 0;
    for (int64_t c = thread(); c < a.columns; c += threads()) {
      squares = fmaf(x[c], x[c], squares);
      along = fmaf(gradient[c] * to_float(a.weight[c]), x[c], along);
    }
    squares = block_reduce(squares, 0.0f, Sum(), places);
    along = block_reduce(along, 0.0f, Sum(), places);
    const float n = static_cast<float>(a.columns), scale = 1.0f / sqrtf(squares / n + a.epsilon);
    const float back = along * scale * scale * scale / n;
    for (int64_t c = thread(); c < a.columns; c += threads()) {
      sums[c] = fmaf(gradient[c], x[c] * scale, sums[c]);
      const float flow = gradient[c] * to_float(a.weight[c]) * scale - x[c] * back;
      const float value = a.onto ? a.onto[row * a.x_pitch + c] + flow : flow;
      a.out[row * a.x_pitch + c] = value;
      put(a.low + row * a.low_pitch + c, value);
    }
  }
  for (int64_t c = thread(); c < a.columns; c += threads()) a.parts[block() * a.columns + c] = sums[c];
}

// A block takes 32 columns; each of its warps adds up every warps()-th part of them, and the warps' sums follow in order.
constexpr int PART_THREADS = 1024;

struct AddPartsJobs {
  AddPartsArguments jobs[MOST_PARTS];
  int64_t first_block[MOST_PARTS + 1];
  int count;
};

HIR_KERNEL(PART_THREADS, 1)
add_parts_kernel(AddPartsJobs a) {
  constexpr int IN_FLIGHT = 8;
  int which = 0;
  while (which + 1 < a.count && block() >= a.first_block[which + 1]) which++;
  const AddPartsArguments &job = a.jobs[which];
  const int64_t c = (block() - a.first_block[which]) * WARP + lane();
  float sum = 0;
  if (c < job.columns) {
    const float *const parts = job.parts + c;
    int64_t i = warp();
    for (; i + (IN_FLIGHT - 1) * warps() < job.count; i += IN_FLIGHT * warps()) {
      float x[IN_FLIGHT];
#pragma unroll
      for (int k = 0; k < IN_FLIGHT; k++) x[k] = parts[(i + k * warps()) * job.stride];
#pragma unroll
      for (int k = 0; k < IN_FLIGHT; k++) sum += x[k];
    }
    for (; i < job.count; i += warps()) sum += parts[i * job.stride];
  }
  float *const sums = shared<float>();
  sums[thread()] = sum;
  barrier();
  if (warp() > 0 || c >= job.columns) return;
  sum = 0;
  for (int w = 0; w < warps(); w++) sum += sums[w * WARP + lane()];
  job.to[c] += sum;
}

inline int64_t tiles(int64_t columns) { return (columns + THREADS - 1) / THREADS; }

template <class T>
HIR_KERNEL(THREADS, 1)
column_sum_kernel(ColumnSumArguments<T> a) {
  const int64_t across = (a.columns + threads() - 1) / threads(), part = block() / across;
  const int64_t c = block() % across * threads() + thread();
  if (c >= a.columns) return;
  const int64_t first = part * COLUMN_ROWS, end = first + COLUMN_ROWS < a.rows ? first + COLUMN_ROWS : a.rows;
  float sum = 0;
  for (int64_t row = first; row < end; row++) sum += to_float(a.x[row * a.x_pitch + c]);
  a.parts[part * a.columns + c] = sum;
}

// A block takes CHUNK columns of a row; each thread a few vectors of 4.
constexpr int CHUNK_VECTORS = 4;
constexpr int64_t CHUNK = 4 * CHUNK_VECTORS * THREADS;

template <class T>
struct Chunks {
  ConvertArguments<T> a;
  int64_t each;  // chunks of a row
};

template <class T, bool VECTORS>
HIR_KERNEL(THREADS, 1)
convert_kernel(Chunks<T> chunks) {
  const ConvertArguments<T> &a = chunks.a;
  const int64_t row = block() / chunks.each, first = (block() - row * chunks.each) * CHUNK;
  const float *const from = a.x + row * a.x_pitch + first;
  T *const to = a.out + row * a.out_pitch + first;
  float x[CHUNK_VECTORS][4];
#pragma unroll
  for (int k = 0; k < CHUNK_VECTORS; k++) load_columns<VECTORS>(from, Columns(a.columns - first, k), x[k]);
#pragma unroll
  for (int k = 0; k < CHUNK_VECTORS; k++) save_columns<VECTORS>(to, Columns(a.columns - first, k), x[k]);
}

// Whether rows of these pitches are made of whole vectors of 4 that begin on 16 bytes (8 of bfloat16).
template <class T>
bool vectors(int64_t columns, std::initializer_list<int64_t> pitches, std::initializer_list<const float *> wide,
             std::initializer_list<const T *> narrow) {
  bool good = columns % 4 == 0;
  for (int64_t pitch : pitches) good = good && pitch % 4 == 0;
  for (const float *each : wide) good = good && reinterpret_cast<uintptr_t>(each) % (4 * sizeof(float)) == 0;
  for (const T *each : narrow) good = good && reinterpret_cast<uintptr_t>(each) % (4 * sizeof(T)) == 0;
  return good;
}

// Threads that hold a row; more than there can be if it does not fit.
inline int64_t holders(int64_t columns) { return (columns + 4 * HELD * WARP - 1) / (4 * HELD * WARP) * WARP; }

}  // namespace

template <class T>
void norm_rows(Call &call, int64_t rows, const NormArguments<T> &a) {
  const size_t places = sizeof(float) * WARP;
  const int64_t threads = holders(a.columns);
  if (threads > MOST_THREADS) return call.launch(wide_norm_kernel<T>, rows, THREADS, places, a);
  const bool whole = vectors<T>(a.columns, {a.x_pitch, a.out_pitch}, {a.x}, {a.weight, a.out});
  call.launch(whole ? norm_kernel<T, true> : norm_kernel<T, false>, rows, static_cast<int>(threads), places, a);
}

template <class T>
void norm_rows_back(Call &call, const NormBackArguments<T> &a) {
  const size_t places = sizeof(float) * WARP;
  const int64_t blocks = norm_parts(a.rows), threads = holders(a.columns);
  if (threads > MOST_THREADS / 2) {
    const size_t sums = sizeof(float) * static_cast<size_t>(a.columns);
    return call.launch(wide_norm_back_kernel<T>, blocks, THREADS, places + sums, a);
  }
  const bool whole = vectors<T>(a.columns, {a.x_pitch, a.gradient_pitch, a.low_pitch},
                                {a.x, a.gradient, a.onto, a.out, a.parts}, {a.weight, a.low});
  call.launch(whole ? norm_back_kernel<T, true> : norm_back_kernel<T, false>, blocks, static_cast<int>(threads), places, a);
}

void add_parts(Call &call, std::initializer_list<AddPartsArguments> jobs) {
  AddPartsJobs all = {};
  for (const AddPartsArguments &job : jobs) {
    if (!job.to) continue;
    all.jobs[all.count] = job;
    all.first_block[all.count + 1] = all.first_block[all.count] + (job.columns + WARP - 1) / WARP;
    all.count++;
  }
  call.launch(add_parts_kernel, all.first_block[all.count], PART_THREADS, sizeof(float) * PART_THREADS, all);
}

template <class T>
void sum_columns(Call &call, const ColumnSumArguments<T> &a) {
  call.launch(column_sum_kernel<T>, column_parts(a.rows) * tiles(a.columns), THREADS, 0, a);
}

template <class T>
void convert_rows(Call &call, int64_t rows, const ConvertArguments<T> &a) {
  const bool whole = vectors<T>(a.columns, {a.x_pitch, a.out_pitch}, {a.x}, {a.out});
  const int64_t each = (a.columns + CHUNK - 1) / CHUNK;
  call.launch(whole ? convert_kernel<T, true> : convert_kernel<T, false>, rows * each, THREADS, 0, Chunks<T>{a, each});
}

#define HIR_INSTANTIATE(T) \
  template void norm_rows(Call &, int64_t, const NormArguments<T> &); \
  template void norm_rows_back(Call &, const NormBackArguments<T> &); \
  template void sum_columns(Call &, const ColumnSumArguments<T> &); \
  template void convert_rows(Call &, int64_t, const ConvertArguments<T> &);
HIR_INSTANTIATE(float)
HIR_INSTANTIATE(bf16)
#undef HIR_INSTANTIATE

}  // namespace hir::HIR_DEVICE
