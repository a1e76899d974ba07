package org.hirengine.kernels;

import java.util.List;

/**
 * A model's packed weights, with the passes that use them: forward and backward over packed
 * sequences, one native call each, and decoders that share the weights.
 *
 * <p>A token's hidden state and logits depend on its sequence alone, bit for bit: not on the rest
 * of the batch, nor on the number of threads, nor on whether it is decoded or part of a packed
 * sequence. Not for use by several threads at once. Every method throws {@link KernelException}
 * when an argument is out of range or memory runs out.
 */
public interface ModelKernel extends AutoCloseable {

  /**
   * Whether {@link #forward}, {@link #backward}, {@link #logits} and {@link #logitsBackward} run
   * here; otherwise this model can only decode.
   */
  boolean runsPasses();

  /** A decoder over these weights and rotary tables; the caller closes it, before the model. */
  DecodeKernel decoder();

  /** What a forward keeps for its backward. */
  enum Keep {
    NOTHING(0),
    EVERYTHING(1),
    /** Each layer's input; the backward computes the rest again. */
    INPUTS(2);

    /** The value in {@code native/include/hir_kernels.h}. */
    public final int code;

    Keep(int code) {
      this.code = code;
    }
  }

  /**
   * Packs copies of the matrices. Call it first, and again after every change of the weights. The
   * weights must outlive the model: the embedding is read in place.
   */
  void weights(WeightAddresses weights);

  /**
   * The other way to give weights, where {@link #runsPasses()}: matrices that do not change, with
   * adapters on them. Packs the sums, as {@code hir_model_frozen} says; call it again when adapters
   * have changed, or with others. Matrices must stay as and where they are while the model lives.
   *
   * @param vectors norms and biases of the model's type; addresses of matrices are not looked at
   * @param matrices embedding, head, then for each layer q, k, v, output, gate, up, down
   */
  void frozen(WeightAddresses vectors, List<FrozenMatrix> matrices);

  /**
   * Copies the rotary tables; a sequence can have as many tokens as they have positions.
   *
   * @param cosines float[positions][headDim / 2]
   * @param sines float[positions][headDim / 2]
   */
  void rotary(long cosines, long sines, long positions);

  /**
   * Runs segments of tokens, concatenated. A segment may continue an earlier one, which itself
   * continues none: its tokens attend to all of that segment and to earlier tokens of their own,
   * and their positions continue from it.
   *
   * @param prefixes what each segment continues, or -1
   * @param hidden [tokens][hidden] of the model's type, written: after the final norm
   * @param keysValues [layers][tokens][2 * kvHeads * headDim] of the model's type, written: rotated
   *     keys, then values; optional
   * @return the pass, for {@link #backward}; the next forward overwrites what it kept
   */
  long forward(
      long[] ids, long[] lengths, long[] prefixes, Keep keep, long hidden, long keysValues);

  /**
   * Adds the float32 gradients of all weights except the head's, and of adapters where their {@link
   * FrozenMatrix} says. Call it once for each pass.
   *
   * @param hiddenGradient float[tokens][hidden]
   * @param gradients where they are added, 0 where there is no such weight or it is frozen; the
   *     head's is ignored
   */
  void backward(long pass, long hiddenGradient, WeightAddresses gradients);

  /**
   * The head.
   *
   * @param hidden [rows][hidden] of the model's type
   * @param logits float[rows][vocab], written
   */
  void logits(long hidden, long rows, long logits);

  /** Whether {@link #logprobs} runs here; otherwise score {@link #logits}. */
  boolean scoresHidden();

  /**
   * Log-probs and entropies of tokens from hidden states: those that {@link Kernels#tokenLogprob}
   * makes of {@link #logits}, bit for bit, without logits in memory.
   *
   * @param hidden [rows][hidden] of the model's type
   * @param targets int64[rows]
   * @param temperature logits are divided by it before the softmax
   * @param logprobs float[rows], written
   * @param entropies float[rows], written
   */
  void logprobs(
      long hidden, long rows, long targets, double temperature, long logprobs, long entropies);

  /**
   * Backward of {@link #logits}.
   *
   * @param logitsGradient float[rows][vocab]
   * @param hidden [rows][hidden] of the model's type
   * @param hiddenGradient float[rows][hidden], written
   * @param headGradient float[vocab][hidden], added to; 0 for a frozen head
   */
  void logitsBackward(
      long logitsGradient, long hidden, long rows, long hiddenGradient, long headGradient);

  /**
   * Gives back the memory that passes have grown, unless it is at most {@code small} bytes; what
   * the last one kept is lost.
   */
  void release(long small);

  @Override
  void close();
}
