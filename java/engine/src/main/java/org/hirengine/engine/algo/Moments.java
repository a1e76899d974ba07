package org.hirengine.engine.algo;

/**
 * Count, mean and unbiased variance of numbers.
 *
 * @param variance divided by {@code count - 1}; NaN for fewer than two numbers
 */
public record Moments(long count, double mean, double variance) {

  /** Added to the variance before the root when whitening (verl {@code masked_whiten}). */
  static final double WHITEN_EPSILON = 1e-8;

  public static Moments of(double[] values) {
    return of(new double[][] {values});
  }

  /** Over all tokens of all rows; two passes, so that a large offset costs no precision. */
  public static Moments of(double[][] rows) {
    long count = 0;
    double sum = 0;
    for (double[] row : rows) {
      count += row.length;
      for (double x : row) {
        sum += x;
      }
    }
    double mean = sum / count;
    double squares = 0;
    double rest = 0;
    for (double[] row : rows) {
      for (double x : row) {
        squares += (x - mean) * (x - mean);
        rest += x - mean;
      }
    }
    // The second term corrects the rounding of the mean; without rounding it is zero.
    double variance = count < 2 ? Double.NaN : (squares - rest * rest / count) / (count - 1);
    return new Moments(count, mean, Math.max(variance, 0));
  }

  public double standardDeviation() {
    return Math.sqrt(variance);
  }

  /**
   * Whitens all tokens of a batch: {@code (x - mean) / sqrt(variance + 1e-8)}, the mean added back
   * unless {@code shiftMean} (verl {@code masked_whiten}).
   *
   * @throws IllegalArgumentException for fewer than two tokens, whose variance is undefined
   */
  public static double[][] whiten(double[][] rows, boolean shiftMean) {
    Moments moments = of(rows);
    if (moments.count < 2) {
      throw new IllegalArgumentException(
          "whitening needs at least two response tokens, the batch has " + moments.count);
    }
    double scale = 1 / Math.sqrt(moments.variance + WHITEN_EPSILON);
    double[][] whitened = new double[rows.length][];
    for (int i = 0; i < rows.length; i++) {
      whitened[i] = new double[rows[i].length];
      for (int t = 0; t < rows[i].length; t++) {
        whitened[i][t] = (rows[i][t] - moments.mean) * scale + (shiftMean ? 0 : moments.mean);
      }
    }
    return whitened;
  }
}
