package org.hirengine.kernels;

import java.util.Optional;

/**
 * The engine's kernels for one kind of device: a few large calls, each over a whole batch. An
 * address is a native pointer into the memory of the given device; 0 omits an optional one. Buffers
 * are contiguous.
 *
 * <p>Every implementation passes the same tests. NaN, +inf and a row without a finite logit raise a
 * {@link KernelException}. Other logits of -inf are legal: such a token is masked, has probability
 * 0 and adds nothing to the entropy. After an exception the contents of output buffers are
 * undefined. Results do not depend on the number of threads. A GPU reports errors in the data late,
 * see {@link #synchronize}.
 */
public interface Kernels {

  /**
   * Short name, such as {@code avx512} or {@code libtorch}: a value of {@link
   * KernelRegistry#PROPERTY}.
   */
  String name();

  /**
   * Waits for the work queued on the device's stream, and throws if its kernels found errors in
   * their data. Does nothing on the CPU, where a call is complete when it returns. On a GPU, calls
   * only queue work; those that return a number also wait, and throw for the same reasons.
   */
  default void synchronize(Device device) {}

  /**
   * Computes the log-prob of each row's target and the entropy of each row, in nats, under
   * softmax(logits / temperature), in one pass.
   *
   * @param targets int64[rows], each in [0, cols)
   * @param logprobs float[rows], written
   * @param entropies float[rows], written; optional
   */
  void tokenLogprob(
      Device device, Rows logits, long targets, double temperature, long logprobs, long entropies);

  /**
   * Computes the clipped surrogate loss (ALGORITHM 2.9, PPO with dual clip) and overwrites the
   * logits with its gradient, d loss / d logits.
   *
   * @param logits read, then overwritten by the gradient
   * @param targets int64[rows], each in [0, cols)
   * @param tokens per-token inputs
   * @param config clip ratios, KL and entropy terms
   * @param logprobs float[rows], written; optional
   * @param entropies float[rows], written; optional
   */
  PolicyLossSums policyLoss(
      Device device,
      Rows logits,
      long targets,
      TokenInputs tokens,
      PolicyLossConfig config,
      long logprobs,
      long entropies);

  /**
   * Draws one token per row: applies temperature, top-k, top-p and min-p in this order, then
   * inverts the CDF over the surviving tokens in vocabulary order at a Philox4x32-10 uniform (53
   * bits of the first two output words). Temperature 0 is argmax; the lowest id wins a tie. Top-k
   * keeps every token tied with the k-th logit; where top-p cuts through tied tokens, those of
   * lower id stay.
   *
   * @param key Philox key, the run's seed
   * @param counters uint32[rows][4], one Philox counter per row
   * @param tokens int64[rows], written
   * @param logprobs float[rows], written: log-prob of the token under the tempered but unfiltered
   *     distribution (at temperature 0: that of temperature 1), the same that {@link #tokenLogprob}
   *     computes
   * @param entropies float[rows], written: entropy of that distribution, in nats; 0 for none
   */
  void sample(
      Device device,
      Rows logits,
      Filters filters,
      long key,
      long counters,
      long tokens,
      long logprobs,
      long entropies);

  /**
   * Returns the sum of squares of {@code count} elements, in double. The global gradient norm is
   * the root of the sum over all buffers. A NaN or infinite element makes the result non-finite
   * instead of raising an exception, so an update can check its gradient with it.
   */
  double sumOfSquares(Device device, long address, long count, DType dtype);

  /**
   * Takes one step of torch.optim.AdamW on a flat buffer, with gradients multiplied by {@code
   * gradScale} (the clip factor) first. A NaN is reported only after parameters have been changed,
   * so check the gradient norm before.
   *
   * @param params float[count], fp32 masters, updated
   * @param grads count elements of {@code gradDtype}
   * @param m float[count] first moment, updated
   * @param v float[count] second moment, updated
   * @param lowPrecision bfloat16[count], written with the rounded masters; optional
   * @param step counted from 1
   */
  void adamw(
      Device device,
      long params,
      long grads,
      DType gradDtype,
      long m,
      long v,
      long lowPrecision,
      long count,
      AdamW config,
      double gradScale,
      long step);

  /**
   * Takes the same step over narrow state: masters may be split, and moments stored in fewer bits.
   * A NaN, or a master too large for a finite bfloat16, is reported only after parameters have been
   * changed.
   *
   * @param step counted from 1
   * @throws KernelException UNSUPPORTED where {@link #narrowOptimizer} is false
   */
  default void adamw(
      Device device, AdamWBuffers buffers, AdamW config, double gradScale, long step) {
    throw narrowUnsupported();
  }

  /** Whether {@link #adamw(Device, AdamWBuffers, AdamW, double, long)} runs here. */
  default boolean narrowOptimizer() {
    return false;
  }

  /**
   * Splits fp32 masters into bfloat16 weights and 16-bit residues, from which {@link #join}
   * restores them bit for bit.
   *
   * @param masters float[count]
   * @param weights bfloat16[count], written: the nearest to each master, the smaller magnitude on a
   *     tie
   * @param residues uint16[count], written
   */
  default void split(Device device, long masters, long count, long weights, long residues) {
    throw narrowUnsupported();
  }

  /**
   * Restores masters from weights and residues; the inverse of {@link #split}.
   *
   * @param weights bfloat16[count]
   * @param residues uint16[count]
   * @param masters float[count], written
   */
  default void join(Device device, long weights, long residues, long count, long masters) {
    throw narrowUnsupported();
  }

  private KernelException narrowUnsupported() {
    return new KernelException(
        KernelException.Reason.UNSUPPORTED,
        "the kernels '"
            + name()
            + "' have no optimizer over narrow state; set optim.masters and optim.moments to"
            + " float32");
  }

  /**
   * Returns the bytes that a model of this shape would allocate for the given work on the OpenMP
   * threads of the calling thread; empty where these kernels run no passes.
   */
  default Optional<ModelMemory> modelMemory(ModelShape shape, ModelWork work) {
    return Optional.empty();
  }

  /**
   * Measures the peak rate of matrix products in {@code dtype}, in GFLOP/s: multiply-adds with
   * operands in registers, on the OpenMP threads of the calling thread. Returns 0 where it is
   * unknown.
   */
  default double productCeiling(DType dtype) {
    return 0;
  }

  /**
   * Names the variant of the matrix products that runs in {@code dtype}, such as {@code
   * avx512_bf16}; empty where it is unknown.
   */
  default Optional<String> productVariant(DType dtype) {
    return Optional.empty();
  }

  /** Whether {@link #model} can return a model. */
  default boolean runModels() {
    return false;
  }

  /**
   * Creates a model of this shape, which the caller closes. Empty where these kernels have none:
   * the model then runs on LibTorch's operators.
   */
  default Optional<ModelKernel> model(Device device, ModelShape shape) {
    return Optional.empty();
  }

  /**
   * Per-token inputs of {@link #policyLoss}.
   *
   * @param oldLogprobs float[rows]; 0 stands for the current log-probs themselves (a ratio of
   *     exactly 1), which is on-policy training, or cross-entropy
   * @param refLogprobs float[rows]; 0 without a KL loss
   * @param advantages float[rows]
   * @param weights float[rows], the weight of each token in the aggregated loss: 1/n for
   *     token-mean, 0 for a masked token. Nothing else of a masked token is read, so its target,
   *     inputs and logits may be garbage; its gradient, log-prob and entropy are written as exactly
   *     0
   */
  record TokenInputs(long oldLogprobs, long refLogprobs, long advantages, long weights) {}

  /** Estimators of the KL loss between the policy and the reference (verl's names k1, k2, k3). */
  enum KlLoss {
    NONE(0),
    K1(1),
    K2(2),
    K3(3);

    /** The value in {@code native/include/hir_kernels.h}. */
    public final int code;

    KlLoss(int code) {
      this.code = code;
    }
  }

  /**
   * Constants of {@link #policyLoss}.
   *
   * @param temperature positive; logits are divided by it before the softmax, and so is the
   *     gradient
   * @param clipLow a ratio is clipped below at 1 - clipLow; 0.2 is common
   * @param clipHigh a ratio is clipped above at 1 + clipHigh; 0.2 is common
   * @param clipDual dual-clip constant c &gt; 1; infinite switches it off
   * @param entropyBonus weight of the entropy bonus; 0 for none
   * @param klLoss estimator of the KL loss
   * @param klWeight weight of the KL loss
   */
  record PolicyLossConfig(
      double temperature,
      double clipLow,
      double clipHigh,
      double clipDual,
      double entropyBonus,
      KlLoss klLoss,
      double klWeight) {}

  /**
   * Sums over rows, in double; each token counts with its weight.
   *
   * @param loss policy loss + klWeight * KL loss - entropyBonus * entropy: what is differentiated
   * @param policyLoss the clipped surrogate alone
   * @param klLoss estimated KL divergence of policy and reference, before klWeight
   * @param entropy entropy, in nats
   * @param approxKl old minus new log-prob
   * @param clipped tokens whose ratio is clipped, above or below
   * @param clippedDual tokens at which the dual clip binds
   */
  record PolicyLossSums(
      double loss,
      double policyLoss,
      double klLoss,
      double entropy,
      double approxKl,
      double clipped,
      double clippedDual) {}

  /**
   * Temperature and filters of {@link #sample}.
   *
   * @param temperature 0 for argmax
   * @param topK 0 for off
   * @param topP in (0, 1]; 1 for off
   * @param minP in [0, 1]; 0 for off
   */
  record Filters(double temperature, int topK, double topP, double minP) {}

  /** Hyperparameters of torch.optim.AdamW. */
  record AdamW(
      double learningRate, double beta1, double beta2, double epsilon, double weightDecay) {}

  /**
   * Buffers of a step over narrow state, of {@code count} elements each.
   *
   * @param params float masters, updated; 0 where masters are split
   * @param weights bfloat16, written with the rounded masters and optional; half of split masters,
   *     updated
   * @param residues uint16, the other half of split masters, updated; 0 beside {@code params}
   * @param grads gradients, of {@code gradDtype}
   * @param m first moment, of type {@code moments}, updated; all bytes 0 at the start
   * @param v second moment, like {@code m}
   * @param mScales float[(count + 255) / 256], updated; for {@link MomentType#INT8} only, else 0
   * @param vScales like {@code mScales}
   * @param first index of the buffer's first element among all parameters; keys the random numbers
   */
  record AdamWBuffers(
      long params,
      long weights,
      long residues,
      long grads,
      DType gradDtype,
      MomentType moments,
      long m,
      long v,
      long mScales,
      long vScales,
      long count,
      long first) {}
}
