package org.hirengine.cli;

import org.hirengine.engine.train.StopHook;

/**
 * Ctrl-C and SIGTERM as a command with a model takes them: the native call under way comes to its
 * end, rows are put away, and only then does the process end.
 */
final class StopSignal implements AutoCloseable {

  private volatile boolean raised;
  private final StopHook hook = new StopHook(() -> raised = true);

  /** Ends a command that is to stop; nothing is left to be said. */
  static final class Stopped extends RuntimeException {

    private static final long serialVersionUID = 1L;

    Stopped() {
      super("stopped");
    }
  }

  /**
   * @throws Stopped when the process is ending
   */
  void check() {
    if (raised) {
      throw new Stopped();
    }
  }

  @Override
  public void close() {
    hook.close();
  }
}
