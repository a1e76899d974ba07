package org.hirengine.engine.rollout;

/**
 * A prompt's tokens.
 *
 * @param id key of the rows' random streams; the prompt's position in its data set
 */
public record Prompt(int id, int[] tokens) {}
