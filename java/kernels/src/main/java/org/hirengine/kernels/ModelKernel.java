package org.hirengine.kernels;

import java.util.List;

/**
 * A model with one set of packed weights: forward and backward passes over packed sequences, one
 * native call each, and decoders that share the weights.
 *
 * <p>A token's hidden state and logits depend only on its own sequence, bit for bit: not on the
 * rest of the batch, the number of threads, or whether the token is decoded or part of a packed
 * sequence. Not thread-safe. Every method throws {@link KernelException} if an argument is out of
 * range or memory runs out.
 */
public interface ModelKernel extends AutoCloseable {

  /**
   * Whether {@link #forward}, {@link #backward}, {@link #logits} and {@link #logitsBackward} run
   * here; if not, this model only decodes.
   */
  boolean runsPasses();

  /**
   * Creates a decoder over these weights and rotary tables. The caller closes it before the model.
   */
  DecodeKernel decoder();

  /** What a forward pass keeps for its backward pass. */
  enum Keep {
    NOTHING(0),
    EVERYTHING(1),
    /** Each layer's input; the backward pass computes the rest again. */
    INPUTS(2);

    /** The value in {@code native/include/hir_kernels.h}. */
    public final int code;

    Keep(int code) {
      this.code = code;
    }
  }

  /**
   * Sets the weights: packs copies of the matrices. Call it first, and again after every change of
   * the weights. They must outlive the model, because the embedding is read in place.
   */
  void setWeights(WeightAddresses weights);

  /**
   * Sets frozen weights, with adapters on them, in place of {@link #setWeights}. Packs each sum of
   * a matrix and its adapter, see {@code hir_model_frozen}. Call it again after a change of the
   * adapters, or with other adapters. Matrices must neither move nor change while the model lives.
   *
   * @param vectors norms and biases, of the model's type; its matrices are ignored
   * @param matrices embedding, head, then for each layer q, k, v, output, gate, up, down
   */
  void setFrozen(WeightAddresses vectors, List<FrozenMatrix> matrices);

  /**
   * Copies the rotary tables. Their positions limit the length of a sequence.
   *
   * @param cosines float[positions][headDim / 2]
   * @param sines float[positions][headDim / 2]
   */
  void setRotary(long cosines, long sines, long positions);

  /**
   * Runs concatenated segments of tokens. A segment may continue an earlier one that itself
   * continues none: its tokens attend to all of that segment and to earlier tokens of their own,
   * and their positions continue from it.
   *
   * @param ids int64[tokens], each in [0, vocab)
   * @param lengths tokens of each segment, at least 1
   * @param prefixes index of the segment that each one continues, or -1
   * @param hidden [tokens][hidden] of the model's type, written: the states after the final norm
   * @param keysValues [layers][tokens][2 * kvHeads * headDim] of the model's type, written: rotated
   *     keys, then values; optional
   * @return the pass, for {@link #backward}; the next forward pass overwrites what it kept
   */
  long forward(
      long[] ids, long[] lengths, long[] prefixes, Keep keep, long hidden, long keysValues);

  /**
   * Adds the float32 gradients of all weights but the head's; those of adapters are added where
   * their {@link FrozenMatrix} says. Call it at most once per pass.
   *
   * @param pass what {@link #forward} returned
   * @param hiddenGradient float[tokens][hidden]
   * @param gradients where to add, 0 where a weight is absent or frozen; the head's is ignored
   */
  void backward(long pass, long hiddenGradient, WeightAddresses gradients);

  /**
   * Applies the head.
   *
   * @param hidden [rows][hidden] of the model's type
   * @param logits float[rows][vocab], written
   */
  void logits(long hidden, long rows, long logits);

  /** Whether {@link #logprobs} runs here; if not, score {@link #logits}. */
  boolean scoresHidden();

  /**
   * Computes log-probs and entropies straight from hidden states, without logits in memory: the
   * same bits as {@link Kernels#tokenLogprob} of {@link #logits}.
   *
   * @param hidden [rows][hidden] of the model's type
   * @param targets int64[rows]
   * @param temperature logits are divided by it before the softmax
   * @param logprobs float[rows], written
   * @param entropies float[rows], written; optional
   */
  void logprobs(
      long hidden, long rows, long targets, double temperature, long logprobs, long entropies);

  /**
   * The backward pass of {@link #logits}.
   *
   * @param logitsGradient float[rows][vocab]
   * @param hidden [rows][hidden] of the model's type
   * @param hiddenGradient float[rows][hidden], written
   * @param headGradient float[vocab][hidden], added to; 0 for a frozen head
   */
  void logitsBackward(
      long logitsGradient, long hidden, long rows, long hiddenGradient, long headGradient);

  /**
   * Frees the scratch memory of passes if it is more than {@code small} bytes. What the last pass
   * kept is lost.
   */
  void release(long small);

  @Override
  void close();
}
