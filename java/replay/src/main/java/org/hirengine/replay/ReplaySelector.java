package org.hirengine.replay;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;

/**
 * Chooses which partly successful responses of a step are replayed (paper, section on trajectory
 * selection; reference: {@code fit()} of its trainer).
 *
 * <p>Candidates are the responses with 0 &lt; CLA &lt; 1. Each gets score = lambda_s * CLA + H,
 * with lambda_s = lambda0 * (1 + eta)^s and H the mean token entropy in nats; the highest scores
 * win, ties go to the lower row. Early steps favour diversity, later ones integrity. Everything is
 * computed in double precision and lambda_s is capped at {@value #MAX_LAMBDA}, because in single
 * precision the entropy is lost from about step 300 on.
 *
 * @param lambda0 the weight of CLA before the first step, at least 0
 * @param eta growth of that weight per step, above -1
 * @param scope whether candidates compete across the batch or within their prompt
 * @param selection what the score is made of
 */
public record ReplaySelector(double lambda0, double eta, Scope scope, Selection selection) {

  /** The largest weight of CLA: beyond it even double precision would lose the entropy. */
  public static final double MAX_LAMBDA = 1e9;

  /** The reference's settings. */
  public static final ReplaySelector REFERENCE =
      new ReplaySelector(2.0, 0.05, Scope.BATCH, Selection.BOTH);

  /** Who competes with whom. */
  public enum Scope {
    /** All candidates of the batch for all places. */
    BATCH,
    /**
     * Places are shared evenly: every prompt's best first, then every prompt's second best and so
     * on; if a round does not fit, its highest scores are taken. Places that a prompt cannot fill
     * go to the others.
     */
    PROMPT
  }

  /** What a candidate's score consists of. */
  public enum Selection {
    /** lambda_s * CLA + H. */
    BOTH,
    /** H alone. */
    ENTROPY,
    /** CLA alone. */
    INTEGRITY,
    /** A uniform draw. */
    RANDOM
  }

  public ReplaySelector {
    if (!(lambda0 >= 0 && lambda0 < Double.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException("lambda0 must be a number of at least 0: " + lambda0);
    }
    if (!(eta > -1 && eta < Double.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException("eta must be a number above -1: " + eta);
    }
  }

  /** lambda_s, the weight of CLA in step {@code step} (counted from 1). */
  public double lambda(long step) {
    // 0 * (1 + eta)^step would be NaN once the power overflows
    return lambda0 == 0 ? 0 : Math.min(lambda0 * Math.pow(1 + eta, step), MAX_LAMBDA);
  }

  /**
   * True for a response that may be replayed: some, but not all constraints satisfied.
   *
   * @param cla the response's constraint-level accuracy; NaN where a constraint got no verdict,
   *     which is never a candidate
   */
  public static boolean isCandidate(double cla) {
    return cla > 0 && cla < 1;
  }

  /**
   * The rows to replay, in ascending order: none when {@code places} is 0, all candidates when
   * there are too few.
   *
   * @param cla CLA of every row, NaN where a constraint got no verdict
   * @param meanEntropy mean token entropy of every row in nats
   * @param prompt the prompt that each row answers, any numbering
   * @param places R, how many replays fit
   * @param step the training step, from 1
   * @param random used by {@link Selection#RANDOM} only
   * @throws IllegalArgumentException when the arrays differ in length or a candidate's entropy is
   *     not a number
   */
  public int[] select(
      double[] cla,
      double[] meanEntropy,
      int[] prompt,
      int places,
      long step,
      RandomGenerator random) {
    if (cla.length != meanEntropy.length || cla.length != prompt.length) {
      throw new IllegalArgumentException(
          "rows differ: %d CLAs, %d entropies, %d prompts"
              .formatted(cla.length, meanEntropy.length, prompt.length));
    }
    if (places < 0) {
      throw new IllegalArgumentException("places must be at least 0: " + places);
    }
    double lambda = lambda(step);
    List<Candidate> candidates = new ArrayList<>();
    for (int row = 0; row < cla.length; row++) {
      if (isCandidate(cla[row])) {
        if (!Double.isFinite(meanEntropy[row])) {
          throw new IllegalArgumentException(
              "row " + row + " has no finite mean entropy: " + meanEntropy[row]);
        }
        double score =
            switch (selection) {
              case BOTH -> lambda * cla[row] + meanEntropy[row];
              case ENTROPY -> meanEntropy[row];
              case INTEGRITY -> cla[row];
              case RANDOM -> random.nextDouble();
            };
        candidates.add(new Candidate(row, prompt[row], score, 0));
      }
    }
    candidates.sort(Candidate.BEST_FIRST);
    if (scope == Scope.PROMPT) {
      candidates = inRounds(candidates);
    }
    return candidates.stream().limit(places).mapToInt(Candidate::row).sorted().toArray();
  }

  /**
   * At most {@code max} of {@code rows}, drawn at random without replacement, in ascending order.
   */
  public static int[] atMost(int[] rows, int max, RandomGenerator random) {
    if (rows.length <= max) {
      return IntStream.of(rows).sorted().toArray();
    }
    int[] shuffled = rows.clone();
    for (int i = 0; i < max; i++) {
      int j = random.nextInt(i, shuffled.length);
      int row = shuffled[j];
      shuffled[j] = shuffled[i];
      shuffled[i] = row;
    }
    return IntStream.of(shuffled).limit(max).sorted().toArray();
  }

  /** Orders candidates by their rank within their prompt, then by score. */
  private static List<Candidate> inRounds(List<Candidate> bestFirst) {
    Map<Integer, Integer> seen = new HashMap<>();
    return bestFirst.stream()
        .map(c -> new Candidate(c.row, c.prompt, c.score, seen.merge(c.prompt, 1, Integer::sum)))
        .sorted(Comparator.comparingInt(Candidate::round).thenComparing(Candidate.BEST_FIRST))
        .toList();
  }

  private record Candidate(int row, int prompt, double score, int round) {

    static final Comparator<Candidate> BEST_FIRST =
        Comparator.comparingDouble(Candidate::score).reversed().thenComparingInt(Candidate::row);
  }
}
