package org.hirengine.engine.experience;

import org.hirengine.replay.Instruction;

/**
 * An instruction with its encoded prompt.
 *
 * @param draw number of the draw from the data, which keys its rows' random streams
 * @param text after the chat template
 * @param promptIds the text's tokens; shared by all rows of the prompt
 */
public record Task(int draw, Instruction instruction, String text, int[] promptIds) {}
