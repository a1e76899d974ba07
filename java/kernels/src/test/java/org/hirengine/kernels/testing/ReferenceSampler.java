package org.hirengine.kernels.testing;

import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;
import org.hirengine.kernels.Kernels.Filters;

/**
 * The distribution that sampling draws from, by sorting in doubles: temperature, top-k (tokens tied
 * with the k-th stay), top-p (a token stays if the mass ranked before it is below p; lower ids
 * first on a tie), min-p.
 */
final class ReferenceSampler {

  private ReferenceSampler() {}

  static double[] probabilities(double[] logits, Filters filters) {
    double[] p = softmax(logits, filters.temperature());
    // 0.0 - x instead of -x, so that zeros of both signs are equal.
    int[] ranked =
        IntStream.range(0, p.length)
            .boxed()
            .sorted(Comparator.comparingDouble((Integer i) -> 0.0 - logits[i]))
            .mapToInt(i -> i)
            .toArray();
    if (filters.topK() > 0 && filters.topK() < p.length) {
      double kth = logits[ranked[filters.topK() - 1]];
      for (int i = 0; i < p.length; i++) {
        p[i] = logits[i] < kth ? 0 : p[i];
      }
      normalise(p);
    }
    if (filters.topP() < 1) {
      double before = 0;
      for (int i = 0; i < ranked.length; i++) {
        double mass = p[ranked[i]];
        if (i > 0 && before >= filters.topP()) {
          p[ranked[i]] = 0;
        }
        before += mass;
      }
      normalise(p);
    }
    double least = filters.minP() * Arrays.stream(p).max().orElseThrow();
    for (int i = 0; i < p.length; i++) {
      p[i] = p[i] < least ? 0 : p[i];
    }
    normalise(p);
    return p;
  }

  private static double[] softmax(double[] logits, double temperature) {
    double max = Arrays.stream(logits).max().orElseThrow();
    double[] p = Arrays.stream(logits).map(x -> Math.exp((x - max) / temperature)).toArray();
    normalise(p);
    return p;
  }

  private static void normalise(double[] p) {
    double sum = Arrays.stream(p).sum();
    for (int i = 0; i < p.length; i++) {
      p[i] /= sum;
    }
  }
}
