package org.hirengine.engine.algo;

/**
 * How per-token losses become one number, expressed as the weight of each token so that the loss is
 * a weighted sum in every mode (verl {@code agg_loss}). Weights come from the totals of the whole
 * mini-batch, so the sum over its micro-batches does not depend on how it was split.
 */
public enum LossAggregation {
  /** Mean over all tokens. */
  TOKEN_MEAN,
  /** Sum over a row's tokens, mean over rows. */
  SEQ_MEAN_TOKEN_SUM,
  /** Mean over a row's tokens, mean over rows. */
  SEQ_MEAN_TOKEN_MEAN,
  /** Sum over all tokens, divided by a constant length (Dr. GRPO). */
  SEQ_MEAN_TOKEN_SUM_NORM;

  /**
   * The totals of a mini-batch.
   *
   * @param tokens trained tokens
   * @param rows rows with at least one trained token
   * @param scale the constant of {@link #SEQ_MEAN_TOKEN_SUM_NORM}, usually the response limit
   */
  public record Totals(double tokens, double rows, double scale) {

    public static Totals of(int[] lengths, double scale) {
      long tokens = 0;
      int rows = 0;
      for (int length : lengths) {
        tokens += length;
        rows += length > 0 ? 1 : 0;
      }
      return new Totals(tokens, rows, scale);
    }
  }

  /** The weight of each token of a row of {@code length} trained tokens (at least 1). */
  public double weight(int length, Totals totals) {
    return switch (this) {
      case TOKEN_MEAN -> 1 / totals.tokens;
      case SEQ_MEAN_TOKEN_SUM -> 1 / totals.rows;
      case SEQ_MEAN_TOKEN_MEAN -> 1 / (length * totals.rows);
      case SEQ_MEAN_TOKEN_SUM_NORM -> 1 / totals.scale;
    };
  }
}
