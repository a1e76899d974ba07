// A packed batch through the model, and back: see model.h.
#include <omp.h>

#include "attention.h"
#include "kernels.h"
#include "layer.h"

namespace {

using hir::Gradients;
using hir::HeadRows;
using hir::Pass;

// Runs in all threads of a parallel region.
template <class T>
class Run {
 public:
  Run(const Pass &pass, const Memory<T> &memory, bool *failed)
      : model(*pass.model), batch(*pass.batch), s(model.shape), memory(memory), pitches(memory.pitches),
        own(memory.own(omp_get_thread_num())), heads(model), team(Team::region()), failed(failed),
        layer(model, team, batch.tokens, memory.normed, memory.activated, failed) {}

  void forward(T *hidden) const {
    embed();
    for (int64_t i = 0; i < s.layers; i++) forward(i, memory.layer(i, false), true);
    layer.norm(memory.last(), model.final_norm, hidden, s.hidden);
  }

  void backward(const float *hidden_gradient, const Gradients &gradients) const {
    final_norm_back(hidden_gradient);
    if (team.rank == 0) layer.add_norm_sums(memory, 0, gradients.table.final_norm);
    team.wait();
    for (int64_t i = s.layers - 1; i >= 0; i--) {
      const Activations<T> a = memory.layer(i, true);
      if (memory.keep == hir::INPUTS) forward(i, a, false);
      layer_backward(layer, model.layers[i], a, gradients.layers[i], memory,
                     [&] { attend_back(i, a, gradients.layers[i]); });
    }
    embedding_back(gradients.table.embedding);
  }

 private:
  void forward(int64_t index, const Activations<T> &a, bool whole) const {
    layer_forward(
        layer, model.layers[index], a,
        [&] {
          for_heads([&](const Group &group, int64_t head, int64_t) {
            check(PackedAttention<T>(heads, model.layers[index], pitches, a, own, group, head).forward());
          });
        },
        whole);
  }

  void attend_back(int64_t index, const Activations<T> &a, const LayerTable<float *> &g) const {
    const int64_t units = batch.group_count * s.kv_heads;
    for_heads([&](const Group &group, int64_t head, int64_t unit) {
      check(PackedAttention<T>(heads, model.layers[index], pitches, a, own, group, head)
                .backward(memory.mixed_flow, memory.qkv_flow, memory.head_norm_sums + unit * 2 * own.head));
    });
    if (team.rank != 0) return;  // every thread waits before the sums are written again
    for (int64_t unit = 0; unit < units; unit++) {
      const float *const sums = memory.head_norm_sums + unit * 2 * own.head;
      if (g.query_norm) Layer<T>::sum_up(g.query_norm, sums, s.head_dim);
      if (g.key_norm) Layer<T>::sum_up(g.key_norm, sums + own.head, s.head_dim);
    }
  }

  // work(group, key-value head, number)
  template <class Work>
  void for_heads(const Work &work) const {
    team.share(batch.group_count * s.kv_heads,
               [&](int64_t unit) { work(batch.groups[unit / s.kv_heads], unit % s.kv_heads, unit); });
  }

  void check(bool done) const {
    if (!done) __atomic_store_n(failed, true, __ATOMIC_RELAXED);
  }

  void embed() const {
    float *const x = memory.layer(0, false).x;
    layer.for_rows([&](int64_t row) { layer.embed(batch.ids[row], row, x + row * pitches.x); });
  }

  void final_norm_back(const float *hidden_gradient) const {
    // To the pitch of the others.
    layer.for_rows([&](int64_t row) {
      memcpy(memory.normed_flow + row * pitches.x, hidden_gradient + row * s.hidden, sizeof(float) * s.hidden);
    });
    layer.norm_back(memory, 0, memory.last(), model.final_norm, memory.normed_flow, nullptr, memory.flow, memory.low_flow);
  }

  // Threads take columns each, so that rows of one token are added in order.
  void embedding_back(float *gradient) const {
    if (!gradient) return;
    const int64_t from = s.hidden * team.rank / team.size, to = s.hidden * (team.rank + 1) / team.size;
    for (int64_t row = 0; row < batch.tokens; row++) {
      Layer<T>::sum_up(gradient + batch.ids[row] * s.hidden + from, memory.flow + row * pitches.x + from, to - from);
    }
  }

  const hir::Model &model;
  const Batch &batch;
  const ModelShape &s;
  const Memory<T> &memory;
  const Pitches<T> &pitches;
  const AttentionMemory<T> own;
  const Heads heads;
  const Team team;
  bool *const failed;
  const Layer<T> layer;
};

template <class T>
bool run_forward(const Pass &pass, void *hidden) {
  const Memory<T> memory(*pass.model, *pass.batch, pass.threads, pass.memory);
  bool failed = false;
#pragma omp parallel num_threads(pass.threads)
  Run<T>(pass, memory, &failed).forward(static_cast<T *>(hidden));
  return !failed;
}

template <class T>
bool run_backward(const Pass &pass, const float *hidden_gradient, const Gradients &gradients) {
  const Memory<T> memory(*pass.model, *pass.batch, pass.threads, pass.memory);
  bool failed = false;
#pragma omp parallel num_threads(pass.threads)
  Run<T>(pass, memory, &failed).backward(hidden_gradient, gradients);
  return !failed;
}

// Entries of the vocabulary that the head's backward takes at a time, in whole panels: only their packed weights and
// gradients are in scratch memory, so the head needs no second copy.
constexpr int64_t STRETCH = 2048;

// The head's entries from `from` on, and where they begin among its packed ones.
struct Stretch {
  hir::Weight weight;
  const char *packed;

  Stretch(const hir::Model &model, int64_t from) : weight(model.head.weight) {
    hir::Weight before = weight;
    before.n = from;
    packed = static_cast<const char *>(model.head.packed) + model.matmul.packed_bytes_forward(before);
    weight.n = weight.n - from < STRETCH ? weight.n - from : STRETCH;
  }
};

template <class T>
int64_t gradient_pitch(const HeadRows &rows) {
  return pitch<T>(STRETCH < rows.model->shape.vocab ? STRETCH : rows.model->shape.vocab);
}

template <class T>
struct HeadMemory {
  char *packed;
  T *gradient;  // bfloat16 alone: float is read where it is
  int64_t size;

  explicit HeadMemory(const HeadRows &rows) {
    Carver carver(rows.scratch);
    carver.take(rows.model->matmul.packed_bytes_backward(Stretch(*rows.model, 0).weight), &packed);
    gradient = nullptr;
    if (sizeof(T) < sizeof(float)) carver.take(rows.count * gradient_pitch<T>(rows), &gradient);
    size = carver.used;
  }
};

template <class T>
bool head_backward(const HeadRows &rows, float *hidden_gradient, float *head_gradient) {
  const hir::Model &model = *rows.model;
  const int64_t width = model.shape.hidden, count = rows.count;
  const HeadMemory<T> memory(rows);
  bool failed = false;
#pragma omp parallel
  {
    const Team team = Team::region();
    for (int64_t from = 0; from < model.shape.vocab; from += STRETCH) {
      const Stretch stretch(model, from);
      const hir::Weight &w = stretch.weight;
      model.matmul.pack_backward(team, w, stretch.packed, memory.packed);
      const void *gradient = rows.logits + from;
      int64_t stride = rows.stride;
      if constexpr (sizeof(T) < sizeof(float)) {
        stride = gradient_pitch<T>(rows);
        gradient = memory.gradient;
        team.share(count, [&](int64_t row) {
          convert(rows.logits + row * rows.stride + from, w.n, memory.gradient + row * stride);
        });
      }
      Sink sink;
      sink.kind = from == 0 ? Sink::STORE : Sink::CONTINUE;
      sink.dtype = HIR_FLOAT32;
      sink.y = hidden_gradient;
      sink.y_stride = width;
      const bool done =
          model.matmul.multiply(team, {count, width, w.n, gradient, stride, memory.packed, sink}) &&
          (!head_gradient || model.matmul.accumulate(team, {count, w.n, width, gradient, stride, rows.hidden, width,
                                                            head_gradient + from * width, width, hir::Order::PLAIN}));
      if (!done) __atomic_store_n(&failed, true, __ATOMIC_RELAXED);
    }
  }
  return !failed;
}

}  // namespace

namespace hir::HIR_ISA {

int64_t pass_bytes(const Model &model, const Batch &batch, int32_t threads) {
  return model.shape.dtype == HIR_BFLOAT16 ? Memory<bf16>(model, batch, threads, nullptr).size()
                                           : Memory<float>(model, batch, threads, nullptr).size();
}

bool forward(const Pass &pass, void *hidden) {
  return pass.model->shape.dtype == HIR_BFLOAT16 ? run_forward<bf16>(pass, hidden) : run_forward<float>(pass, hidden);
}

bool backward(const Pass &pass, const float *hidden_gradient, const Gradients &gradients) {
  return pass.model->shape.dtype == HIR_BFLOAT16 ? run_backward<bf16>(pass, hidden_gradient, gradients)
                                                 : run_backward<float>(pass, hidden_gradient, gradients);
}

int64_t head_bytes(const HeadRows &rows) {
  return rows.model->shape.dtype == HIR_BFLOAT16 ? HeadMemory<bf16>(rows).size : HeadMemory<float>(rows).size;
}

bool logits_back(const HeadRows &rows, float *hidden_gradient, float *head_gradient) {
  return rows.model->shape.dtype == HIR_BFLOAT16 ? head_backward<bf16>(rows, hidden_gradient, head_gradient)
                                                 : head_backward<float>(rows, hidden_gradient, head_gradient);
}

}  // namespace hir::HIR_ISA
