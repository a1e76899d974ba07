package org.hirengine.engine.experience;

import java.util.ArrayList;
import java.util.List;
import java.util.function.IntPredicate;

/**
 * A rank's share of a step's tasks, and behind it the shares of the others: a rank that has places
 * free takes over what they have not begun.
 */
final class Share {

  private final List<Task> tasks;
  private final int own;
  private final IntPredicate claims;
  private final List<Integer> claimed = new ArrayList<>();

  /**
   * @param own so many tasks, the first ones, are this rank's
   * @param claims whether this rank is the first to begin the task of that index
   */
  Share(List<Task> tasks, int own, IntPredicate claims) {
    this.tasks = tasks;
    this.own = own;
    this.claims = claims;
  }

  /** All tasks, for a rank by itself. */
  static Share all(List<Task> tasks) {
    return new Share(tasks, tasks.size(), task -> true);
  }

  List<Task> tasks() {
    return tasks;
  }

  int own() {
    return own;
  }

  /** Begins a task, unless another rank has. */
  boolean claim(int task) {
    boolean mine = claims.test(task);
    if (mine) {
      claimed.add(task);
    }
    return mine;
  }

  /** Indices of the tasks that this rank has begun, in the order in which it did. */
  List<Integer> claimed() {
    return claimed;
  }
}
