package org.hirengine.engine.experience;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;

/**
 * A rank's share of a step's tasks, and behind it the shares of the others: a rank that has places
 * free takes over what they have not begun.
 */
final class Share {

  private final List<Task> tasks;
  private final int[] numbers;
  private final int own;
  private final IntPredicate claims;
  private final List<Integer> claimed = new ArrayList<>();

  /**
   * @param step all tasks of the step
   * @param order their indices, in the order in which this rank takes them
   * @param own so many, the first ones, are this rank's
   * @param claims whether this rank is the first to begin the step's task of that index
   */
  Share(List<Task> step, int[] order, int own, IntPredicate claims) {
    tasks = Arrays.stream(order).mapToObj(step::get).toList();
    numbers = order;
    this.own = own;
    this.claims = claims;
  }

  /** All tasks, for a rank by itself. */
  static Share all(List<Task> step) {
    return new Share(step, IntStream.range(0, step.size()).toArray(), step.size(), task -> true);
  }

  /** In the order in which this rank takes them. */
  List<Task> tasks() {
    return tasks;
  }

  int own() {
    return own;
  }

  /** Begins a task of {@link #tasks}, unless another rank has. */
  boolean claim(int task) {
    boolean mine = claims.test(numbers[task]);
    if (mine) {
      claimed.add(task);
    }
    return mine;
  }

  /** Indices in {@link #tasks} of what this rank has begun, in the order in which it did. */
  List<Integer> claimed() {
    return claimed;
  }

  /** {@link #claimed} as indices of the step's tasks. */
  List<Integer> claimedOfStep() {
    return claimed.stream().map(task -> numbers[task]).toList();
  }
}
