package org.hirengine.engine.experience;

/**
 * Distance |d log-prob| between decoding and scoring over the tokens of one response, in nats.
 *
 * @param sum over the tokens
 * @param max of one token
 */
public record Mismatch(double sum, double max) {

  static Mismatch of(float[] decoded, float[] scored) {
    double sum = 0;
    double max = 0;
    for (int i = 0; i < scored.length; i++) {
      double distance = Math.abs((double) scored[i] - decoded[i]);
      sum += distance;
      max = Math.max(max, distance);
    }
    return new Mismatch(sum, max);
  }
}
