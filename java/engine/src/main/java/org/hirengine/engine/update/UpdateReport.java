package org.hirengine.engine.update;

/**
 * The results of one update, or of all updates of a step.
 *
 * @param originals the loss's sums over originals
 * @param replays the same over replays
 * @param norms gradient norms before clipping, added over the updates made
 * @param made how many updates changed the policy
 * @param skipped how many were left out
 * @param problem which number was not finite; empty if all were
 */
public record UpdateReport(
    LossSums originals, LossSums replays, double norms, int made, int skipped, String problem) {

  /** No update. */
  public static final UpdateReport NONE =
      new UpdateReport(LossSums.ZERO, LossSums.ZERO, 0, 0, 0, "");

  /** Adds a micro-batch's sums. */
  UpdateReport plus(LossSums moreOriginals, LossSums moreReplays) {
    return new UpdateReport(
        originals.plus(moreOriginals), replays.plus(moreReplays), norms, made, skipped, problem);
  }

  /** With an optimizer step made of these sums. */
  UpdateReport stepped(double norm) {
    return new UpdateReport(originals, replays, norms + norm, made + 1, skipped, problem);
  }

  /**
   * With skipped updates.
   *
   * @param why which number was not finite; empty if there was no reward signal
   */
  public UpdateReport leftOut(int updates, String why) {
    return new UpdateReport(originals, replays, norms, made, updates, why);
  }

  /** Adds another update; for a skipped one, only counts it. */
  UpdateReport plus(UpdateReport next) {
    return next.made == 0
        ? leftOut(skipped + next.skipped, next.problem)
        : new UpdateReport(
            originals.plus(next.originals),
            replays.plus(next.replays),
            norms + next.norms,
            made + next.made,
            skipped + next.skipped,
            next.problem);
  }

  /** Whether an update was skipped because a number was not finite. */
  public boolean failed() {
    return !problem.isEmpty();
  }

  /** Originals and replays together. */
  LossSums all() {
    return originals.plus(replays);
  }

  /** Loss as aggregated, mean over the updates made; NaN where none was. */
  public double loss() {
    return made == 0 ? Double.NaN : all().loss() / made;
  }

  /** Gradient norm before clipping, mean over the updates made; NaN where none was. */
  public double gradientNorm() {
    return made == 0 ? Double.NaN : norms / made;
  }
}
