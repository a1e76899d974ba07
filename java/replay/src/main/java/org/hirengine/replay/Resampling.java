package org.hirengine.replay;

/**
 * How a step fills its n * B rows: if too few responses can be replayed, more are sampled instead.
 *
 * @param extraPerPrompt responses per prompt to sample on top of the first {@code sampled}
 * @param places R, how many replays then fit
 */
public record Resampling(int extraPerPrompt, int places) {

  /**
   * The reference's rule, for any group size.
   *
   * @param group n, the rows per prompt that a step trains on
   * @param sampled responses per prompt sampled first, at most {@code group}
   * @param prompts B, the prompts of the step
   * @param candidates |V|, how many of the sampled responses can be replayed
   */
  public static Resampling plan(int group, int sampled, int prompts, int candidates) {
    if (sampled < 1 || sampled > group || prompts < 1 || candidates < 0) {
      throw new IllegalArgumentException(
          "need 1 <= sampled <= group, prompts >= 1 and candidates >= 0; got sampled %d, group %d, prompts %d, candidates %d"
              .formatted(sampled, group, prompts, candidates));
    }
    int places = Math.multiplyExact(group - sampled, prompts);
    int missing = places - candidates;
    if (missing <= 0) {
      return new Resampling(0, places);
    }
    int extra = (missing + prompts - 1) / prompts;
    return new Resampling(extra, (group - sampled - extra) * prompts);
  }
}
