package org.hirengine.engine.model;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.BoolOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorArrayRefOptional;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.hirengine.engine.runtime.GradMode;
import org.hirengine.engine.runtime.Tensors;
import org.jspecify.annotations.Nullable;

/**
 * {@link ForwardPass} by LibTorch's operators and autograd: any device, any type.
 *
 * <p>The decoder is split into groups of layers whose input is a leaf of autograd's graph: one
 * group if activations are kept, one per layer if they are recomputed. The embedding is outside the
 * graph, so its gradient is added row by row where a token occurs, instead of as a [V, d] tensor.
 */
final class LibTorchPass implements ForwardPass {

  private final Policy policy;
  private final ModelConfig config;
  private final Tensor ids;
  private final LibTorchLayers layers;

  /** By the layers' windows. */
  private final Map<Integer, AttentionPlan> attention = new HashMap<>();

  private final Activations activations;
  private final @Nullable Tensor keyValues;
  private final List<Tensor> inputs = new ArrayList<>();
  private final Tensor hidden;
  private @Nullable Tensor kept;

  LibTorchPass(
      Policy policy, PackedBatch batch, Activations activations, @Nullable Tensor keyValues) {
    this.policy = policy;
    this.config = policy.config();
    this.activations = activations;
    this.keyValues = keyValues;
    try (GradMode off = GradMode.disabled();
        PointerScope scope = new PointerScope()) {
      ids = Tensors.own(Tensors.to(policy.device(), Tensors.ofInts(batch.ids())));
      Tensor positions = Tensors.to(policy.device(), Tensors.ofInts(batch.positions()));
      layers = new LibTorchLayers(policy, positions, batch.longest());
      for (int window : config.windows()) {
        attention.computeIfAbsent(
            window, w -> new AttentionPlan(config, batch, w, policy.device()));
      }
      Tensor x = Tensors.own(policy.embedding().index_select(0, ids));
      hidden = activations == Activations.KEEP ? keep(x) : walk(x);
    }
  }

  private Tensor keep(Tensor x) {
    x.set_requires_grad(true);
    inputs.add(x);
    try (GradMode on = GradMode.enabled()) {
      kept = stretch(0, config.layers(), x);
    }
    return Tensors.own(kept.detach());
  }

  private Tensor walk(Tensor embedded) {
    Tensor x = embedded;
    for (int i = 0; i < config.layers(); i++) {
      Tensor next = stretch(i, i + 1, x);
      if (activations == Activations.RECOMPUTE) {
        inputs.add(x);
      } else {
        x.close();
      }
      x = next;
    }
    return x;
  }

  /**
   * Layers {@code from} to {@code to} - 1, and the final norm after the last; the caller owns it.
   */
  private Tensor stretch(int from, int to, Tensor input) {
    Tensor x = Tensors.own(new Tensor(input));
    for (int i = from; i < to; i++) {
      try (PointerScope scope = new PointerScope()) {
        Tensor next = Tensors.own(layer(i, x));
        x.close();
        x = next;
      }
    }
    if (to == config.layers()) {
      try (PointerScope scope = new PointerScope()) {
        Tensor normed = Tensors.own(layers.finalNorm(x));
        x.close();
        x = normed;
      }
    }
    return x;
  }

  private Tensor layer(int index, Tensor x) {
    return layers.layer(
        index,
        x,
        (queryKeys, values) -> {
          if (keyValues != null) {
            Tensor target = keyValues.select(0, index);
            long width = values.size(1);
            target.narrow(1, 0, width).copy_(queryKeys.narrow(1, queryKeys.size(1) - width, width));
            target.narrow(1, width, width).copy_(values);
          }
          return attention.get(config.windows().get(index)).attend(queryKeys, values);
        });
  }

  @Override
  public Tensor hidden() {
    return hidden;
  }

  @Override
  public void backward(Tensor gradient) {
    if (activations == Activations.NONE || inputs.isEmpty()) {
      throw new IllegalStateException(
          "no activations to go back through: none were kept, or backward ran before");
    }
    try (PointerScope scope = new PointerScope()) {
      Tensor flowing = gradient.to(Tensors.dtype(hidden));
      if (kept != null) {
        flowing = backward(kept, inputs.get(0), flowing);
        kept.close();
        kept = null;
      } else {
        for (int i = config.layers() - 1; i >= 0; i--) {
          Tensor input = inputs.get(i);
          input.set_requires_grad(true);
          Tensor output;
          try (GradMode on = GradMode.enabled()) {
            output = stretch(i, i + 1, input);
          }
          flowing = backward(output, input, flowing);
          output.close();
        }
      }
      try (GradMode off = GradMode.disabled()) {
        Tensor embedding = policy.embeddingGradient();
        if (embedding != null) {
          embedding.index_add_(0, ids, flowing.to(ScalarType.Float));
        }
      }
      policy.collectGradients();
    }
    inputs.forEach(Tensor::close);
    inputs.clear();
  }

  private static Tensor backward(Tensor output, Tensor input, Tensor gradient) {
    output.backward(gradient, new BoolOptional(), false, new TensorArrayRefOptional());
    // grad() is a view without an owner: a separate handle keeps it alive.
    return new Tensor(input.grad());
  }

  @Override
  public void close() {
    inputs.forEach(Tensor::close);
    inputs.clear();
    if (kept != null) {
      kept.close();
      kept = null;
    }
    hidden.close();
    ids.close();
    layers.close();
    attention.values().forEach(AttentionPlan::close);
  }
}
