// A packed batch through the transformer, and back: see transformer.h.
//
// Threads share out blocks of rows, which go through all of a layer but its attention, and (group, head) pairs in the
// attention. A token's hidden state depends neither on the rest of the batch nor on the number of threads, bit for bit:
// every sum runs over a sequence's own positions in order.
#include "forward.h"
#include "hir_kernels.h"
#include "kernels.h"

namespace {

using hir::Gradients;
using hir::Head;
using hir::LayerGradients;
using hir::Packed;
using hir::Pass;

// Rows of a weight whose gradient is one piece of work.
constexpr int64_t OUTER_ROWS = 128;

class Backward {
 public:
  Backward(const hir::Pass &pass, const Memory &memory, const Gradients &gradients)
      : forward(pass, memory), model(*pass.model), batch(*pass.batch), s(model.shape), memory(memory),
        st(memory.strides), gradients(gradients), flow(memory.flow), next_flow(memory.next_flow) {}

  void run(const float *hidden_gradient) {
    final_norm(hidden_gradient);
    for (int64_t i = s.layers - 1; i >= 0; i--) {
      const Activations a = memory.layer(i, true);
      if (memory.keep == hir::INPUTS) forward.again(i, a);
      layer(i, a);
      float *const done = flow;
      flow = next_flow;
      next_flow = done;
    }
    embedding();
  }

 private:
  float *norm_sum(int64_t which, int64_t block) const {
    return memory.norm_sums + (which * memory.blocks + block) * st.x;
  }

  // Gradient through a norm of rows [from, to): out = onto + what comes back, and the sum of its weight's.
  void norm_back(int64_t which, const float *x, const float *weight, const float *gradient, int64_t stride,
                 const float *onto, int64_t from, int64_t to, float *out) {
    float *const sum = norm_sum(which, from / ROWS);
    memset(sum, 0, sizeof(float) * s.hidden);
    for (int64_t row = from; row < to; row++) {
      rms_norm_backward(x + row * st.x, weight, gradient + (row - from) * stride, onto ? onto + row * st.x : nullptr,
                        s.hidden, s.norm_epsilon, out + row * st.x, sum);
    }
  }

  void add_norm_sums(int64_t which, float *gradient) const {
    for (int64_t block = 0; block < memory.blocks; block++) sum_up(gradient, norm_sum(which, block), s.hidden);
  }

  static void sum_up(float *sum, const float *x, int64_t n) {
    for (int64_t i = 0; i < n; i++) sum[i] += x[i];
  }

  void final_norm(const float *hidden_gradient) {
    forward.for_blocks([&](int64_t from, int64_t to) {
      norm_back(0, memory.last(), model.final_norm, hidden_gradient + from * s.hidden, s.hidden, nullptr, from, to, flow);
    });
#pragma omp single
    add_norm_sums(0, gradients.final_norm);
  }

  void layer(int64_t index, const Activations &a) {
    const TransformerLayer &w = model.layers[index];
    const Own &own = forward.own;
    forward.for_blocks([&](int64_t from, int64_t to) { feed_forward(w, a, from, to); });
    forward.for_heads([&](const Group &group, int64_t head, int64_t unit) {
      Attention(model, w, memory, a, own, group, head)
          .backward(memory.mixed_flow, memory.qkv_flow, memory.head_norm_sums + unit * 2 * st.head);
    });
    forward.for_blocks([&](int64_t from, int64_t to) {
      into_scratch(memory.qkv_flow + from * st.qkv, st.qkv, w.qkv.back, from, to);
      norm_back(0, a.x, w.input_norm, own.normed, st.x, memory.mid_flow, from, to, next_flow);
      forward.norm_rows(a.x, w.input_norm, from, to, memory.normed_input + from * st.x);
    });
    weights(a, gradients.layers[index]);
  }

  // From the gradient of the layer's output, those of gates and ups, of x behind attention and of attention's output.
  void feed_forward(const TransformerLayer &w, const Activations &a, int64_t from, int64_t to) {
    const Own &own = forward.own;
    Forward::product(flow + from * st.x, st.x, w.down.back, NR, from, to,
                     [&](int64_t row, int64_t column, Vec low, Vec high) {
                       gates_back(a, row, column, low);
                       if (column + WIDTH < s.intermediate) gates_back(a, row, column + WIDTH, high);
                     });
    into_scratch(memory.gate_up_flow + from * st.gate_up, st.gate_up, w.gate_up.back, from, to);
    norm_back(1, a.mid, w.post_norm, own.normed, st.x, flow, from, to, memory.mid_flow);
    forward.norm_rows(a.mid, w.post_norm, from, to, memory.normed_mid + from * st.x);
    Forward::product(memory.mid_flow + from * st.x, st.x, w.output.back, NR, from, to,
                     [&](int64_t row, int64_t column, Vec low, Vec high) {
                       float *const out = memory.mixed_flow + row * st.query + column;
                       store(out, low);
                       store(out + WIDTH, high);
                     });
  }

  // A vector of gates and ups, for the gradient of silu(gate) * up.
  void gates_back(const Activations &a, int64_t row, int64_t column, Vec gradient) {
    const int64_t n = s.intermediate - column;
    const float *const kept = a.gate_up + row * st.gate_up + column;
    const Vec gate = load_some(kept, n, 0), up = load_some(kept + s.intermediate, n, 0);
    const Vec share = sigmoid(gate), active = mul(gate, share);
    // d silu = share (1 + gate (1 - share))
    const Vec slope = add(sub(share, mul(active, share)), active);
    float *const out = memory.gate_up_flow + row * st.gate_up + column;
    store_some(out, n, mul(mul(gradient, up), slope));
    store_some(out + s.intermediate, n, mul(gradient, active));
    store_some(memory.activated + row * st.intermediate + column, n, mul(active, up));
  }

  // own.normed = gradient times W
  void into_scratch(const float *gradient, int64_t stride, const Packed &back, int64_t from, int64_t to) {
    Forward::product(gradient, stride, back, NR, from, to, [&](int64_t row, int64_t column, Vec low, Vec high) {
      float *const out = forward.own.normed + (row - from) * st.x + column;
      store(out, low);
      store(out + WIDTH, high);
    });
  }

  // All of the layer's weights.
  void weights(const Activations &a, const LayerGradients &g) {
    const int64_t q = s.query_size(), k = s.qkv_size(), gu = 2 * s.intermediate;
    outer(memory.gate_up_flow, st.gate_up, gu, memory.normed_mid, st.x, s.hidden, g.gate_up);
    outer(flow, st.x, s.hidden, memory.activated, st.intermediate, s.intermediate, g.down);
    outer(memory.qkv_flow, st.qkv, k, memory.normed_input, st.x, s.hidden, g.qkv);
    outer(memory.mid_flow, st.x, s.hidden, a.mixed, st.query, q, g.output);
#pragma omp single
    {
      add_norm_sums(0, g.input_norm);
      add_norm_sums(1, g.post_norm);
      for (int64_t unit = 0; unit < batch.group_count * s.kv_heads; unit++) {
        const float *const sums = memory.head_norm_sums + unit * 2 * st.head;
        if (g.query_norm) sum_up(g.query_norm, sums, s.head_dim);
        if (g.key_norm) sum_up(g.key_norm, sums + st.head, s.head_dim);
      }
      if (g.qkv_bias) {
        for (int64_t row = 0; row < memory.tokens; row++) sum_up(g.qkv_bias, memory.qkv_flow + row * st.qkv, k);
      }
    }
  }

  void outer(const float *y, int64_t y_stride, int64_t out, const float *x, int64_t x_stride, int64_t in, float *c) {
#pragma omp for schedule(dynamic) nowait
    for (int64_t from = 0; from < out; from += OUTER_ROWS) {
      add_outer(y, y_stride, x, x_stride, memory.tokens, in, from, from + OUTER_ROWS < out ? from + OUTER_ROWS : out, c,
                forward.own.outer);
    }
  }

  // Threads share the columns out, so that rows of one token are added in order.
  void embedding() {
    const int thread = omp_get_thread_num(), threads = omp_get_num_threads();
    const int64_t from = s.hidden * thread / threads, to = s.hidden * (thread + 1) / threads;
    for (int64_t row = 0; row < memory.tokens; row++) {
      sum_up(gradients.embedding + batch.ids[row] * s.hidden + from, flow + row * st.x + from, to - from);
    }
  }

  Forward forward;
  const Transformer &model;
  const Batch &batch;
  const DecoderShape &s;
  const Memory &memory;
  const Strides &st;
  const Gradients &gradients;
  float *flow, *next_flow;
};

// The head is packed as it is used, a stretch that stays in the second-level cache at a time: a copy of its own would
// be the largest of all weights. STRETCH are its floats.
constexpr int64_t STRETCH = 64 * 1024;
constexpr int64_t BACK_ROWS = 256, BACK_COLUMNS = 2 * NR, BACK_DEPTH = STRETCH / BACK_COLUMNS;

// Columns of logits in a stretch, whole panels.
static int64_t head_columns(int64_t hidden) { return STRETCH / hidden / NR * NR + NR; }

// A thread's scratch.
static int64_t head_part(int64_t hidden) {
  const int64_t forth = head_columns(hidden) * hidden;
  return forth > STRETCH + OUTER_SCRATCH ? forth : STRETCH + OUTER_SCRATCH;
}

// Columns [column, column + BACK_COLUMNS) of the hidden states' gradient: that of the logits times the head.
static void hidden_back(const Head &head, const float *gradient, int64_t row_stride, int64_t rows, int64_t column,
                        float *hidden_gradient, float *panels) {
  const int64_t width = head.hidden, end = column + BACK_COLUMNS < width ? column + BACK_COLUMNS : width;
  for (int64_t start = 0; start < head.vocab; start += BACK_DEPTH) {
    const int64_t depth = head.vocab - start < BACK_DEPTH ? head.vocab - start : BACK_DEPTH;
    for (int64_t c = column; c < end; c += NR) {
      pack_columns(head.weights + start * width + c, width, depth, width - c, panels + (c - column) * depth);
    }
    gemm(gradient + start, row_stride, 0, rows, panels, depth, 0, (end - column + NR - 1) / NR,
         [&](int64_t row, int64_t panel, Vec low, Vec high) {
           const int64_t c = column + panel * NR;
           float *const out = hidden_gradient + row * width + c;
           if (start == 0) {
             store_columns(out, width - c, low, high);
           } else {
             add_columns(out, width - c, low, high);
           }
         });
  }
}

}  // namespace

namespace hir::HIR_ISA {

int64_t pass_size(const DecoderShape &shape, const Batch &batch, int32_t threads) {
  return Memory(shape, batch, threads, nullptr).size();
}

void forward(const Pass &pass, float *hidden) {
  const Memory memory(pass.model->shape, *pass.batch, pass.threads, pass.memory);
#pragma omp parallel num_threads(pass.threads)
  Forward(pass, memory).run(hidden);
}

void backward(const Pass &pass, const float *hidden_gradient, const Gradients &gradients) {
  const Memory memory(pass.model->shape, *pass.batch, pass.threads, pass.memory);
#pragma omp parallel num_threads(pass.threads)
  Backward(pass, memory, gradients).run(hidden_gradient);
}

// W [out, in] for y W: a panel holds NR columns of W.
void pack_back(const float *weights, Packed *packed) {
  const int64_t in = packed->out, out = packed->in;
  float *const data = static_cast<float *>(packed->data);
#pragma omp parallel for schedule(static) if (in * out > 65536)
  for (int64_t column = 0; column < in; column += NR) {
    pack_columns(weights + column, in, out, in - column, data + column * out);
  }
}

int64_t head_scratch(int64_t hidden, int32_t threads) { return threads * head_part(hidden); }

void logits(const Head &head, const float *hidden, int64_t rows, float *out, int64_t row_stride) {
  const int64_t columns = head_columns(head.hidden);
#pragma omp parallel for schedule(dynamic)
  for (int64_t from = 0; from < head.vocab; from += columns) {
    float *const panels = head.scratch + omp_get_thread_num() * head_part(head.hidden);
    const int64_t count = head.vocab - from < columns ? head.vocab - from : columns;
    pack_rows(head.weights + from * head.hidden, count, head.hidden, panels);
    gemm(hidden, head.hidden, 0, rows, panels, head.hidden, 0, (count + NR - 1) / NR,
         [&](int64_t row, int64_t panel, Vec low, Vec high) {
           const int64_t column = from + panel * NR;
           store_columns(out + row * row_stride + column, head.vocab - column, low, high);
         });
  }
}

void logits_back(const Head &head, const float *gradient, int64_t row_stride, const float *hidden, int64_t rows,
                 float *hidden_gradient, float *head_gradient) {
  const int64_t width = head.hidden;
  const int64_t row_blocks = (rows + BACK_ROWS - 1) / BACK_ROWS, column_blocks = (width + BACK_COLUMNS - 1) / BACK_COLUMNS;
#pragma omp parallel
  {
    float *const scratch = head.scratch + omp_get_thread_num() * head_part(width);
#pragma omp for schedule(dynamic) nowait
    for (int64_t unit = 0; unit < row_blocks * column_blocks; unit++) {
      const int64_t from = unit / column_blocks * BACK_ROWS, column = unit % column_blocks * BACK_COLUMNS;
      hidden_back(head, gradient + from * row_stride, row_stride, rows - from < BACK_ROWS ? rows - from : BACK_ROWS,
                  column, hidden_gradient + from * width, scratch);
    }
#pragma omp for schedule(dynamic)
    for (int64_t from = 0; from < head.vocab; from += OUTER_ROWS) {
      add_outer(gradient, row_stride, hidden, width, rows, width, from,
                from + OUTER_ROWS < head.vocab ? from + OUTER_ROWS : head.vocab, head_gradient, scratch);
    }
  }
}

}  // namespace hir::HIR_ISA
