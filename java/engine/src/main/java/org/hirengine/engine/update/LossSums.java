package org.hirengine.engine.update;

import java.nio.ByteBuffer;
import org.hirengine.kernels.Kernels.PolicyLossSums;

/**
 * The loss kernel's sums over tokens, each times its weight, with the sum of the weights.
 *
 * @param weight sum of the tokens' weights
 * @param logprob of the policy before the update
 */
public record LossSums(
    double weight,
    double loss,
    double logprob,
    double entropy,
    double approxKl,
    double clipped,
    double clippedDual,
    double klLoss) {

  static final LossSums ZERO = new LossSums(0, 0, 0, 0, 0, 0, 0, 0);

  /** Bytes that {@link #write} takes. */
  static final int BYTES = 8 * Double.BYTES;

  /** From the kernel's sums over tokens with these total weights and log-probs. */
  static LossSums of(double weight, double logprob, PolicyLossSums sums) {
    return new LossSums(
        weight,
        sums.loss(),
        logprob,
        sums.entropy(),
        sums.approxKl(),
        sums.clipped(),
        sums.clippedDual(),
        sums.klLoss());
  }

  LossSums plus(LossSums other) {
    return new LossSums(
        weight + other.weight,
        loss + other.loss,
        logprob + other.logprob,
        entropy + other.entropy,
        approxKl + other.approxKl,
        clipped + other.clipped,
        clippedDual + other.clippedDual,
        klLoss + other.klLoss);
  }

  /** Writes the sums for another rank, bit for bit. */
  void write(ByteBuffer out) {
    out.putDouble(weight).putDouble(loss).putDouble(logprob).putDouble(entropy);
    out.putDouble(approxKl).putDouble(clipped).putDouble(clippedDual).putDouble(klLoss);
  }

  static LossSums read(ByteBuffer in) {
    return new LossSums(
        in.getDouble(),
        in.getDouble(),
        in.getDouble(),
        in.getDouble(),
        in.getDouble(),
        in.getDouble(),
        in.getDouble(),
        in.getDouble());
  }

  /** A sum as a weighted mean; 0 if nothing was summed. */
  public double mean(double sum) {
    return weight > 0 ? sum / weight : 0;
  }
}
