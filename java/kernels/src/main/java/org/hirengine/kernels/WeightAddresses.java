package org.hirengine.kernels;

import java.util.Collections;
import java.util.List;

/**
 * Addresses of a model's weights, each contiguous and of the model's element type, or of their
 * float32 gradients.
 *
 * @param embedding [vocab, hidden]
 * @param finalNorm [hidden]
 * @param head [vocab, hidden]; the embedding's address if they are tied
 */
public record WeightAddresses(long embedding, long finalNorm, long head, List<Layer> layers) {

  /**
   * One layer.
   *
   * @param inputNorm [hidden]
   * @param qkv [(heads + 2 kvHeads) * headDim, hidden]: queries, keys, values
   * @param qkvBias [(heads + 2 kvHeads) * headDim]; 0 for none
   * @param queryNorm [headDim]; 0 for none
   * @param keyNorm [headDim]; 0 for none
   * @param output [hidden, heads * headDim]
   * @param postNorm [hidden]
   * @param gateUp [2 * intermediate, hidden]: gates before ups
   * @param down [hidden, intermediate]
   */
  public record Layer(
      long inputNorm,
      long qkv,
      long qkvBias,
      long queryNorm,
      long keyNorm,
      long output,
      long postNorm,
      long gateUp,
      long down) {}

  /** No addresses at all, for gradients that nobody needs. */
  public static WeightAddresses none(long layers) {
    Layer layer = new Layer(0, 0, 0, 0, 0, 0, 0, 0, 0);
    return new WeightAddresses(0, 0, 0, Collections.nCopies(Math.toIntExact(layers), layer));
  }

  /** Returns the addresses in the order of {@code hir_model_weights}. */
  long[] addresses(int expectedLayers) {
    if (layers.size() != expectedLayers) {
      throw new KernelException(
          "weights of " + layers.size() + " layers for a model of " + expectedLayers);
    }
    long[] addresses = new long[3 + 9 * layers.size()];
    int n = 0;
    addresses[n++] = embedding;
    addresses[n++] = finalNorm;
    addresses[n++] = head;
    for (Layer layer : layers) {
      addresses[n++] = layer.inputNorm();
      addresses[n++] = layer.qkv();
      addresses[n++] = layer.qkvBias();
      addresses[n++] = layer.queryNorm();
      addresses[n++] = layer.keyNorm();
      addresses[n++] = layer.output();
      addresses[n++] = layer.postNorm();
      addresses[n++] = layer.gateUp();
      addresses[n++] = layer.down();
    }
    return addresses;
  }
}
