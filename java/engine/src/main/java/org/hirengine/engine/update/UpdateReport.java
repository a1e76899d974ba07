package org.hirengine.engine.update;

/**
 * The updates of one step together.
 *
 * @param sums of all updates that were made
 * @param gradientNorm mean over them, before clipping; NaN where none was made
 * @param made how many
 * @param skipped how many were left out
 * @param problem why the last one was left out; empty where none was
 */
public record UpdateReport(
    PolicyGradient.Result sums, double gradientNorm, int made, int skipped, String problem) {

  public static UpdateReport skipped(int updates, String why) {
    return new UpdateReport(PolicyGradient.Result.NONE, Double.NaN, 0, updates, why);
  }

  /** Loss as aggregated, mean over the updates. */
  public double loss() {
    return made == 0 ? Double.NaN : sums.all().loss() / made;
  }
}
