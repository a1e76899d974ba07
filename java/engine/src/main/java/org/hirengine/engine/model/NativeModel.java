package org.hirengine.engine.model;

import java.util.Arrays;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.hirengine.engine.runtime.DeviceMemory;
import org.hirengine.engine.runtime.NativeRuntime;
import org.hirengine.engine.runtime.Tensors;
import org.hirengine.kernels.DecodeKernel;
import org.hirengine.kernels.ModelKernel;
import org.hirengine.kernels.ModelKernel.Keep;
import org.hirengine.kernels.ModelMemory;
import org.hirengine.kernels.ModelShape;
import org.hirengine.kernels.ModelWork;
import org.hirengine.kernels.WeightAddresses;
import org.jspecify.annotations.Nullable;

/**
 * A policy's weights packed for the kernels, for both passes and decoders, and the passes over
 * them. Packed again whenever the policy's weights change.
 */
public final class NativeModel implements AutoCloseable {

  /** What the kernel currently holds, for all policies that share it. */
  private static final class Packed {
    private @Nullable Policy policy;
    private long version;
    private long positions;
  }

  /**
   * Bytes of scratch memory that are kept between the phases of a step: to find so few anew costs a
   * small model more than they are worth.
   */
  public static final long KEPT = 128L << 20;

  private final Policy policy;
  private final ModelKernel kernel;
  private final Packed packed;
  private final boolean owner;

  private NativeModel(Policy policy, ModelKernel kernel, Packed packed, boolean owner) {
    this.policy = policy;
    this.kernel = kernel;
    this.packed = packed;
    this.owner = owner;
  }

  NativeModel(Policy policy, ModelKernel kernel) {
    this(policy, kernel, new Packed(), true);
  }

  /**
   * The same kernel for another policy of the same shape; it is packed again whenever the other
   * policy runs.
   */
  NativeModel sharedBy(Policy other) {
    return new NativeModel(other, kernel, packed, false);
  }

  /** Bytes of a decoder's page. */
  public long pageBytes() {
    ModelShape shape = policy.shape();
    return NativeRuntime.kernels(policy.device().kind())
        .modelMemory(shape, new ModelWork(0, 0, 0, Keep.NOTHING, 0, 0, 0))
        .map(ModelMemory::page)
        .orElseGet(
            () ->
                2L
                    * shape.layers()
                    * shape.kvHeads()
                    * shape.headDim()
                    * shape.dtype().bytes
                    * ModelMemory.PAGE_TOKENS);
  }

  /** Gives back large scratch memory of passes. */
  void release() {
    kernel.release(KEPT);
  }

  boolean runsPasses() {
    return kernel.runsPasses();
  }

  /** A decoder over these weights; the caller closes it, before the policy. */
  public DecodeKernel decoder() {
    return kernel.decoder();
  }

  /**
   * Updates weights and rotary tables; rows decoded with older ones end first.
   *
   * @param length most tokens of a sequence
   */
  public void refresh(int length) {
    refresh();
    if (length <= packed.positions) {
      return;
    }
    try (PointerScope scope = new PointerScope()) {
      RotaryTable rotary = policy.rotary(length);
      Tensor cosines = rotary.cosines().to(ScalarType.Float);
      Tensor sines = rotary.sines().to(ScalarType.Float);
      packed.positions = cosines.size(0);
      kernel.setRotary(Tensors.address(cosines), Tensors.address(sines), packed.positions);
    }
  }

  /**
   * Runs a batch.
   *
   * @param keyValues [layers, T, 2 * kvHeads * headDim], written: rotated keys before values
   */
  ForwardPass forward(
      PackedBatch batch, ForwardPass.Activations activations, @Nullable Tensor keyValues) {
    refresh(batch.longest());
    Tensor hidden =
        Tensors.own(
            Tensors.empty(
                policy.device(),
                Tensors.type(policy.computeType()),
                batch.tokens(),
                policy.config().hiddenSize()));
    try {
      long written = Tensors.address(hidden);
      long cache = keyValues == null ? 0 : Tensors.address(keyValues);
      long[] pass = new long[1];
      DeviceMemory.withRoom(
          policy.device(),
          () ->
              pass[0] =
                  kernel.forward(
                      wide(batch.ids()),
                      wide(batch.lengths()),
                      wide(batch.prefixes()),
                      activations.keep,
                      written,
                      cache));
      return new Pass(hidden, pass[0]);
    } catch (RuntimeException e) {
      hidden.close();
      throw e;
    }
  }

  /** Logits of hidden rows: [n, d] of the compute type into fp32[n, V], both contiguous. */
  void logits(Tensor hiddenRows, Tensor logits) {
    refresh();
    kernel.logits(Tensors.address(hiddenRows), hiddenRows.size(0), Tensors.address(logits));
  }

  boolean scoresHidden() {
    return kernel.scoresHidden();
  }

  /** Log-probs and entropies, fp32[n], of int64[n] targets from hidden rows [n, d]. */
  void logprobs(
      Tensor hiddenRows, Tensor targets, double temperature, Tensor logprobs, Tensor entropies) {
    refresh();
    kernel.logprobs(
        Tensors.address(hiddenRows),
        hiddenRows.size(0),
        Tensors.address(targets),
        temperature,
        Tensors.address(logprobs),
        Tensors.address(entropies));
  }

  /**
   * Backward of {@link #logits}: writes fp32[n, d] and adds to the head's gradient, unless it is
   * frozen.
   */
  void headBackward(
      Tensor logitGradient,
      Tensor hiddenRows,
      Tensor hiddenGradient,
      @Nullable Tensor headGradient) {
    long flow = Tensors.address(logitGradient);
    long hidden = Tensors.address(hiddenRows);
    long rows = hiddenRows.size(0);
    long written = Tensors.address(hiddenGradient);
    long head = headGradient == null ? 0 : Tensors.address(headGradient);
    DeviceMemory.withRoom(
        policy.device(), () -> kernel.logitsBackward(flow, hidden, rows, written, head));
  }

  @SuppressWarnings("ReferenceEquality") // identifies this policy among those that share the kernel
  private void refresh() {
    if (policy == packed.policy && policy.version() == packed.version) {
      return;
    }
    packed.policy = null;
    FrozenBase base = policy.frozenBase();
    if (base == null) {
      kernel.setWeights(policy.weightAddresses());
    } else {
      kernel.setFrozen(policy.weightAddresses(), base.matrices(policy.config(), policy.lora()));
    }
    packed.policy = policy;
    packed.version = policy.version();
  }

  private static long[] wide(int[] values) {
    return Arrays.stream(values).asLongStream().toArray();
  }

  @Override
  public void close() {
    if (owner) {
      kernel.close();
    }
  }

  private final class Pass implements ForwardPass {

    private final Tensor hidden;
    private final long pass;

    Pass(Tensor hidden, long pass) {
      this.hidden = hidden;
      this.pass = pass;
    }

    @Override
    public Tensor hidden() {
      return hidden;
    }

    @Override
    public void backward(Tensor gradient) {
      WeightAddresses gradients = policy.gradientAddresses();
      try (Tensor wide = gradient.to(ScalarType.Float);
          Tensor contiguous = wide.contiguous()) {
        kernel.backward(pass, Tensors.address(contiguous), gradients);
      }
    }

    @Override
    public void close() {
      hidden.close();
    }
  }
}
