package org.hirengine.kernels.testing;

import java.util.Arrays;

/** softmax(x / temperature) of one row in doubles. */
final class Softmax {
  final double[] logProbs;
  final double entropy;

  Softmax(float[] values, int from, int cols, double temperature) {
    double[] scaled = new double[cols];
    for (int j = 0; j < cols; j++) {
      scaled[j] = values[from + j] / temperature;
    }
    double max = Arrays.stream(scaled).max().orElseThrow();
    // Smallest terms first, which keeps the sum of a long row exact.
    double[] terms = Arrays.stream(scaled).map(x -> Math.exp(x - max)).sorted().toArray();
    double logSum = max + Math.log(Arrays.stream(terms).sum());
    logProbs = Arrays.stream(scaled).map(x -> x - logSum).toArray();
    entropy =
        Arrays.stream(logProbs)
            .filter(l -> l > Double.NEGATIVE_INFINITY)
            .map(l -> -Math.exp(l) * l)
            .sum();
  }

  double[] probabilities() {
    return Arrays.stream(logProbs).map(Math::exp).toArray();
  }
}
