package org.hirengine.engine.model;

import java.util.List;
import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.hirengine.engine.runtime.Tensors;
import org.jspecify.annotations.Nullable;

/**
 * The layers of a policy as LibTorch operators, over tokens at given positions. The caller defines
 * which tokens attend to which: packed sequences ({@link LibTorchPass}), or cached keys and values.
 *
 * <p>Results are owned by the enclosing scope.
 */
public final class LibTorchLayers implements AutoCloseable {

  /** Attention among the tokens of one layer. */
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

  /**
   * Which keys a layer's queries see.
   *
   * @param keys int64[K], their positions
   * @param queries int64[..., 1], their positions
   * @param window how many tokens one sees, itself included; 0 for all before it
   * @return bool[..., K]
   */
  public static Tensor seen(Tensor keys, Tensor queries, int window) {
    Tensor before = keys.le(queries);
    return window == 0
        ? before
        : before.logical_and(keys.gt(queries.sub(new Scalar((long) window))));
  }

  /** In the compute type, not the table's: [T, 1, headDim / 2]. */
  private Tensor rows(Tensor table, Tensor positions) {
    return Tensors.own(
        table.index_select(0, positions).unsqueeze(1).to(Tensors.dtype(policy.embedding())));
  }

  /** Layer {@code index}: [T, d] to [T, d]. */
  public Tensor layer(int index, Tensor x, Attention attention) {
    LayerWeights w = policy.layer(index);
    List<String> names = ParameterLayout.projections(index);
    Tensor mixed = attend(w, names.subList(0, 3), norm(x, w.inputNorm()), attention);
    Tensor afterAttention = x.add(project(mixed, w.output(), null, names.subList(3, 4)));
    TensorVector gateUp =
        project(norm(afterAttention, w.postNorm()), w.gateUp(), null, names.subList(4, 6))
            .split(config.intermediateSize(), 1);
    Tensor activated = torch.silu(gateUp.get(0)).mul(gateUp.get(1));
    return afterAttention.add(project(activated, w.down(), null, names.subList(6, 7)));
  }

  /**
   * x W^T + bias for the fused weight of some projections. W includes what adapters add; a term
   * that is zero gives their gradients: dB = scale dY^T (x A^T), dA = scale (dY B)^T x.
   */
  private Tensor project(Tensor x, Tensor weight, @Nullable Tensor bias, List<String> names) {
    Tensor y = bias == null ? torch.linear(x, weight) : torch.linear(x, weight, bias);
    Lora lora = policy.lora();
    if (lora == null
        || !x.requires_grad()
        || names.stream().allMatch(name -> lora.part(name) == null)) {
      return y;
    }
    Tensor input = x.detach();
    TensorVector sides = new TensorVector();
    for (String name : names) {
      Lora.Part part = lora.part(name);
      if (part == null) {
        sides.push_back(x.new_zeros(x.size(0), policy.rows(name)));
      } else {
        Tensor thin = torch.linear(input, part.a().to(Tensors.dtype(x)));
        Tensor wide = torch.linear(thin, part.b().to(Tensors.dtype(x)));
        sides.push_back(wide.mul(new Scalar(part.target().scale())));
      }
    }
    Tensor side = torch.cat(sides, 1);
    return y.add(side.sub(side.detach()));
  }

  /** The norm after the last layer. */
  public Tensor finalNorm(Tensor x) {
    return norm(x, policy.finalNorm());
  }

  private Tensor attend(LayerWeights w, List<String> names, Tensor x, Attention attention) {
    Tensor qkv = project(x, w.qkv(), w.qkvBias(), names);
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
