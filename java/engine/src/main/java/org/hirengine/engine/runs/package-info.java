/**
 * The run folder: what a training run leaves behind, how it is written so that a crash or a resume
 * never leaves it inconsistent, and how it is read.
 *
 * <p>{@link org.hirengine.engine.runs.RunFolder} owns the folder and its lock, {@link
 * org.hirengine.engine.runs.RunLog} writes each step into it: {@code metrics.jsonl}, TensorBoard
 * events, {@code rollouts/step-N.jsonl}. {@link org.hirengine.engine.runs.Metric} is the one place
 * where the fields of {@code metrics.jsonl} are named and described. Nothing here touches native
 * code.
 */
@NullMarked
package org.hirengine.engine.runs;

import org.jspecify.annotations.NullMarked;
