package org.hirengine.engine.experience;

import org.hirengine.replay.Rewrite;
import org.jspecify.annotations.Nullable;

/**
 * A failed response under an instruction that it satisfies.
 *
 * @param original index of its original among the step's trajectories
 * @param rewrite x' and how it came about
 * @param text prompt of x', chat template applied
 * @param promptIds the text's tokens
 * @param oldLogprobs per token: the original's, or scored under x'
 * @param refLogprobs likewise; null where there is no reference policy
 * @param score what it was ranked by; null where replays are not ranked
 */
public record Replay(
    int original,
    Rewrite.Rewritten rewrite,
    String text,
    int[] promptIds,
    float[] oldLogprobs,
    float @Nullable [] refLogprobs,
    @Nullable Double score) {}
