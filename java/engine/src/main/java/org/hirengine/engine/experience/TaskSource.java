package org.hirengine.engine.experience;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.hirengine.engine.tokens.PromptEncoder;
import org.hirengine.replay.DataException;
import org.hirengine.replay.Instruction;

/**
 * Draws tasks from instructions. A prompt over the limit is skipped and counted, never truncated.
 */
public final class TaskSource {

  private final List<Instruction> instructions;
  private final PromptEncoder encoder;
  private final int limit;
  private final DataOrder order;
  private long tooLong;

  /**
   * @param limit maximum prompt tokens
   */
  public TaskSource(
      List<Instruction> instructions, PromptEncoder encoder, int limit, DataOrder order) {
    this.instructions = instructions;
    this.encoder = encoder;
    this.limit = limit;
    this.order = order;
  }

  /** Draws made so far, including skipped ones. */
  public long position() {
    return order.position();
  }

  /** Prompts skipped so far because they exceed the limit. */
  public long tooLong() {
    return tooLong;
  }

  public void restore(long position, long savedTooLong) {
    order.restore(position);
    tooLong = savedTooLong;
  }

  /**
   * The next {@code count} tasks that fit.
   *
   * @throws DataException when no instruction of a whole pass fits
   */
  public List<Task> next(int count) {
    List<Task> tasks = new ArrayList<>(count);
    int misses = 0;
    while (tasks.size() < count) {
      int draw = Math.floorMod(order.position(), Integer.MAX_VALUE);
      Optional<Task> task = task(draw, instructions.get(order.next()));
      if (task.isPresent()) {
        tasks.add(task.get());
        misses = 0;
      } else {
        tooLong++;
        if (++misses >= instructions.size()) {
          throw new DataException(
              "training data",
              0,
              null,
              "holds no prompt of at most " + limit + " tokens",
              "raise limits.prompt");
        }
      }
    }
    return tasks;
  }

  /** The task of one instruction, or empty when its prompt exceeds the limit. */
  public Optional<Task> task(int draw, Instruction instruction) {
    PromptEncoder.Prompt prompt = encoder.prompt(instruction);
    return prompt.ids().length > limit
        ? Optional.empty()
        : Optional.of(new Task(draw, instruction, prompt.text(), prompt.ids()));
  }
}
