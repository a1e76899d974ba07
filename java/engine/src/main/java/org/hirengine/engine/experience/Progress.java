package org.hirengine.engine.experience;

/** Receives the progress of a part of the step. */
public interface Progress {

  /**
   * Called often, also on the native thread.
   *
   * @param part {@code rollout} or {@code log-probs}
   * @param done responses done so far
   * @param of responses in all
   */
  void advanced(String part, long done, long of);
}
