package org.hirengine.kernels;

import java.util.Optional;

/**
 * The engine's kernels on one device kind: a few large calls, each over whole batches. Addresses
 * are native pointers on the given device; where one is documented as optional, 0 leaves it out.
 * float* and double* buffers are contiguous.
 *
 * <p>Every implementation passes the same tests. A NaN among the inputs is reported as {@link
 * KernelException}, never swallowed, and so are +inf and a row without a finite logit; other -inf
 * logits are legal (a masked token has probability 0 and adds 0 to the entropy). After an exception
 * written buffers are undefined. Results do not depend on the number of threads. On a GPU, errors
 * in the data are reported late, see {@link #synchronize}.
 */
public interface Kernels {

  /** Short name, such as {@code avx512} or {@code libtorch}; what the override property selects. */
  String name();

  /**
   * Waits for the work queued on the device's stream and throws if its kernels found errors in
   * their data. Does nothing on the CPU, where a call is done when it returns. On a GPU, calls only
   * queue work; those that return a number also wait, and throw the same.
   */
  default void synchronize(Device device) {}

  /**
   * Log-prob of each row's target and entropy (nats) of each row under softmax(logits /
   * temperature), one pass.
   *
   * @param targets int64[rows], each in [0, cols)
   * @param logprobs float[rows], written
   * @param entropies float[rows], written; optional
   */
  void tokenLogprob(
      Device device, Rows logits, long targets, double temperature, long logprobs, long entropies);

  /**
   * Clipped surrogate loss (ALGORITHM 2.9, PPO with dual clip) and, in place of the logits, d loss
   * / d logits.
   *
   * @param logits read, then overwritten by the gradient
   * @param targets int64[rows]
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
   * Draws one token a row: temperature, then top-k, top-p, min-p, then inverse-CDF over the
   * surviving tokens in vocabulary order by a Philox4x32-10 uniform (53 bits of the first two
   * output words). temperature 0 is argmax (lowest id on a tie). top-k keeps every tie of the k-th
   * logit; where top-p cuts through tied tokens those of lower id stay.
   *
   * @param key Philox key, the run's seed
   * @param counters uint32[rows][4], one Philox counter a row
   * @param tokens int64[rows], written
   * @param logprobs float[rows], written: log-prob of the token under the tempered, UNFILTERED
   *     distribution (temperature 0: of temperature 1), the one that scoring computes
   */
  void sample(
      Device device,
      Rows logits,
      Filters filters,
      long key,
      long counters,
      long tokens,
      long logprobs);

  /**
   * Sum of squares in double of {@code count} elements, the same for any number of threads; the
   * global gradient norm is the root of the sum over buffers. This is the guard of an update: a NaN
   * or infinite element makes the result non-finite instead of raising.
   */
  double sumOfSquares(Device device, long address, long count, DType dtype);

  /**
   * One decoupled-weight-decay Adam step on one flat buffer, as torch.optim.AdamW; gradients are
   * scaled by {@code gradScale} (the clip factor) first. A NaN is reported only after parameters
   * have been modified: check the gradient norm first.
   *
   * @param params float[count], fp32 masters, updated
   * @param grads count elements of {@code gradDtype}
   * @param m float[count] first moment, updated
   * @param v float[count] second moment, updated
   * @param lowPrecision bfloat16[count], written with the rounded masters; optional
   * @param step from 1
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
   * The same step over narrow state: masters may be split and moments stored in fewer bits. Same
   * bits for any number of threads. A NaN, or a master that no finite weight holds, is reported
   * only after parameters have been modified.
   *
   * @param step from 1
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
   * Splits masters into weights and what rounding took from them; {@link #join} gives them back bit
   * for bit.
   *
   * @param masters float[count]
   * @param weights bfloat16[count], written: the nearest, a tie to the smaller magnitude
   * @param residues uint16[count], written
   */
  default void split(Device device, long masters, long count, long weights, long residues) {
    throw narrowUnsupported();
  }

  /**
   * Makes masters of what {@link #split} made of them.
   *
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
   * Bytes that a model of this shape would allocate for some work, on the calling thread's OpenMP
   * threads; empty where these kernels run no passes.
   */
  default Optional<ModelMemory> modelMemory(ModelShape shape, ModelWork work) {
    return Optional.empty();
  }

  /**
   * Measured peak of matrix products in {@code dtype}, in GFLOP/s: multiply-adds with operands in
   * registers, on the calling thread's OpenMP threads. 0 where unknown.
   */
  default double productCeiling(DType dtype) {
    return 0;
  }

  /**
   * Which variant of the matrix products runs in {@code dtype}, such as {@code avx512_bf16}; empty
   * where unknown.
   */
  default Optional<String> productVariant(DType dtype) {
    return Optional.empty();
  }

  /** Whether {@link #model} can return a model. */
  default boolean runModels() {
    return false;
  }

  /**
   * Creates a model of this shape; the caller closes it. Empty where these kernels have none; the
   * model then runs on LibTorch's operators.
   */
  default Optional<ModelKernel> model(Device device, ModelShape shape) {
    return Optional.empty();
  }

  /**
   * Per-token inputs of {@link #policyLoss}.
   *
   * @param oldLogprobs float[rows]; 0 means the current log-prob itself (ratio exactly 1:
   *     on-policy, and cross-entropy)
   * @param refLogprobs float[rows]; needed only where the KL loss is on, else 0
   * @param advantages float[rows]
   * @param weights float[rows], the aggregation weight of each token: 1/n for token-mean, 0 for a
   *     masked token. Nothing else of a masked token is read (its target, inputs and logits may be
   *     garbage); its gradient row, log-prob and entropy are written as exactly 0
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
   * @param temperature logits are divided by it before the softmax, so the gradient is too
   * @param clipLow lower clip range, 0.2
   * @param clipHigh upper clip range, 0.2
   * @param clipDual dual-clip constant c &gt; 1; infinite switches it off
   * @param entropyBonus weight of the entropy bonus, 0 for none
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
   * Sums over the rows, each token times its weight unless said otherwise, in double.
   *
   * @param loss policy loss + KL loss - entropy bonus: what is differentiated
   * @param policyLoss the clipped surrogate alone
   * @param klLoss KL estimate between policy and reference (before its weight)
   * @param entropy entropy
   * @param approxKl old - new log-prob
   * @param clipped clip fraction (upper or lower range)
   * @param clippedDual dual-clip fraction
   */
  record PolicyLossSums(
      double loss,
      double policyLoss,
      double klLoss,
      double entropy,
      double approxKl,
      double clipped,
      double clippedDual) {}

  /** Sampling filters; topK 0, topP 1 and minP 0 are off. */
  record Filters(double temperature, int topK, double topP, double minP) {}

  record AdamW(
      double learningRate, double beta1, double beta2, double epsilon, double weightDecay) {}

  /**
   * Buffers of a step over narrow state, of {@code count} elements each.
   *
   * @param params float, updated; 0 where masters are split
   * @param weights bfloat16, written; optional beside {@code params}; of split masters read too
   * @param residues uint16, of split masters, updated; else 0
   * @param m first moment, of {@code moments}, updated; zeroed bytes are zeros
   * @param v second moment, as {@code m}
   * @param mScales float[(count + 255) / 256] of {@link MomentType#INT8}, updated; else 0
   * @param vScales as {@code mScales}
   * @param first names the buffer for the random numbers: where it begins among all parameters
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
