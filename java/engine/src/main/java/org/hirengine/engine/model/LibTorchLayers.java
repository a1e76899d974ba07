package org.hirengine.engine.model;

import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.hirengine.engine.runtime.Tensors;

/**
 * The layers of a policy by LibTorch's operators, over tokens at given positions. How tokens see
 * each other is the caller's: packed sequences ({@link LibTorchPass}), or cached keys and values.
 *
 * <p>Results are owned by the enclosing scope.
 */
public final class LibTorchLayers implements AutoCloseable {

  /** How the tokens of one layer see each other. */
  @FunctionalInterface
  public interface Attention {

    /**
     * Mixes values.
     *
     * @param queryKeys [T, (heads + kvHeads) * headDim], normed and rotated: queries, then keys
     * @param values [T, kvHeads * headDim]
     * @return [T, heads * headDim]
     */
    Tensor attend(Tensor queryKeys, Tensor values);
  }

  private final Policy policy;
  private final ModelConfig config;
  private final Tensor cosines;
  private final Tensor sines;

  /**
   * @param positions int64[T] on the policy's device
   * @param longest more than the largest position
   */
  public LibTorchLayers(Policy policy, Tensor positions, int longest) {
    this.policy = policy;
    this.config = policy.config();
    RotaryTable rotary = policy.rotary(longest);
    cosines = rows(rotary.cosines(), positions);
    sines = rows(rotary.sines(), positions);
  }

  /** In the compute type, whatever the table's: [T, 1, headDim / 2]. */
  private Tensor rows(Tensor table, Tensor positions) {
    return Tensors.own(
        table.index_select(0, positions).unsqueeze(1).to(Tensors.dtype(policy.embedding())));
  }

  /** Layer {@code index}: [T, d] to [T, d]. */
  public Tensor layer(int index, Tensor x, Attention attention) {
    LayerWeights w = policy.layer(index);
    Tensor mixed = attend(w, norm(x, w.inputNorm()), attention);
    Tensor afterAttention = x.add(torch.linear(mixed, w.output()));
    TensorVector gateUp =
        torch
            .linear(norm(afterAttention, w.postNorm()), w.gateUp())
            .split(config.intermediateSize(), 1);
    Tensor activated = torch.silu(gateUp.get(0)).mul(gateUp.get(1));
    return afterAttention.add(torch.linear(activated, w.down()));
  }

  /** The norm after the last layer. */
  public Tensor finalNorm(Tensor x) {
    return norm(x, policy.finalNorm());
  }

  private Tensor attend(LayerWeights w, Tensor x, Attention attention) {
    Tensor qkv =
        w.qkvBias() == null ? torch.linear(x, w.qkv()) : torch.linear(x, w.qkv(), w.qkvBias());
    long value = (long) config.kvHeads() * config.headDim();
    TensorVector parts = qkv.split_with_sizes(new long[] {config.qkvSize() - value, value}, 1);
    Tensor queryKey =
        parts.get(0).view(x.size(0), config.heads() + config.kvHeads(), config.headDim());
    if (w.queryNorm() != null && w.keyNorm() != null) {
      TensorVector heads =
          queryKey.split_with_sizes(new long[] {config.heads(), config.kvHeads()}, 1);
      queryKey =
          torch.cat(
              new TensorVector(norm(heads.get(0), w.queryNorm()), norm(heads.get(1), w.keyNorm())),
              1);
    }
    return attention.attend(rotate(queryKey).view(x.size(0), -1), parts.get(1));
  }

  /** Rotary embedding, halves paired as in transformers: [T, heads, headDim]. */
  private Tensor rotate(Tensor x) {
    TensorVector halves = x.split(config.headDim() / 2, 2);
    Tensor low = halves.get(0);
    Tensor high = halves.get(1);
    Tensor first = torch.addcmul(low.mul(cosines), high, sines, new Scalar(-1.0));
    Tensor second = torch.addcmul(high.mul(cosines), low, sines, new Scalar(1.0));
    return torch.cat(new TensorVector(first, second), 2);
  }

  private Tensor norm(Tensor x, Tensor weight) {
    return torch.rms_norm(
        x,
        new long[] {weight.size(0)},
        new TensorOptional(weight),
        new DoubleOptional(config.rmsNormEps()));
  }

  @Override
  public void close() {
    cosines.close();
    sines.close();
  }
}
