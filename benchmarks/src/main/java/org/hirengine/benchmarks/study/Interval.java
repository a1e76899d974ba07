package org.hirengine.benchmarks.study;

import java.util.Locale;

/**
 * A mean over seeds with its 95% interval (Student's t).
 *
 * @param half half of the interval's width; 0 for one value, which has none
 */
record Interval(double mean, double half, int n) {

  /** 0.975 quantiles of Student's t for 1 to 30 degrees of freedom; beyond, the normal's. */
  private static final double[] T = {
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160,
    2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056,
    2.052, 2.048, 2.045, 2.042
  };

  static Interval of(double... values) {
    int n = values.length;
    double mean = 0;
    for (double v : values) {
      mean += v / n;
    }
    if (n < 2) {
      return new Interval(mean, 0, n);
    }
    double squares = 0;
    for (double v : values) {
      squares += (v - mean) * (v - mean);
    }
    double t = n - 2 < T.length ? T[n - 2] : 1.960;
    return new Interval(mean, t * Math.sqrt(squares / (n - 1) / n), n);
  }

  /** In percent. */
  String percent() {
    if (n == 0) {
      return "-";
    }
    return n < 2
        ? String.format(Locale.ROOT, "%.1f", 100 * mean)
        : String.format(Locale.ROOT, "%.1f ± %.1f", 100 * mean, 100 * half);
  }
}
