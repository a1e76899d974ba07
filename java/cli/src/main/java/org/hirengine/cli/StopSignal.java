package org.hirengine.cli;

import org.hirengine.engine.train.StopHook;

/**
 * Ctrl-C and SIGTERM for commands that run a model: the current native call ends, rows are saved,
 * and only then does the process end.
 */
final class StopSignal implements AutoCloseable {

  private volatile boolean raised;
  private final StopHook hook = new StopHook(() -> raised = true);

  /** Ends a command that was told to stop, without a message. */
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
