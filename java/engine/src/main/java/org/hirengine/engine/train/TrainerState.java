package org.hirengine.engine.train;

import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import org.hirengine.engine.runs.HeldOut;
import org.jspecify.annotations.Nullable;

/**
 * All state of a run outside its tensors. Random numbers have no state: they are a function of
 * seed, purpose, step and position.
 *
 * @param format of the checkpoint; readers refuse others
 * @param step steps taken
 * @param updates optimizer updates made
 * @param rollouts responses sampled for training
 * @param generatedTokens their tokens
 * @param dataPosition draws from the training data
 * @param tooLong draws skipped because their prompt exceeds the limit
 * @param skippedInARow consecutive updates, up to the last, that were not finite
 * @param klBeta weight of the KL penalty in the next step
 * @param seconds wall time, including that before a resume
 * @param before the evaluation before the first step; null where there was none
 * @param now local date and time that the chat template sees; null in checkpoints older than this
 *     field
 * @param reference SHA-256 of the reference policy's weights; null where there is none
 */
@JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
public record TrainerState(
    int format,
    int step,
    long updates,
    long rollouts,
    long generatedTokens,
    long dataPosition,
    long tooLong,
    int skippedInARow,
    double klBeta,
    double seconds,
    @Nullable HeldOut before,
    @Nullable String now,
    @Nullable String reference) {

  static final int FORMAT = 1;
}
