package org.hirengine.engine.hub;

/**
 * Interrupts a download when the process is to end. Otherwise Ctrl-C would wait for the last byte
 * if something delays the exit until this thread is done.
 */
final class ProcessEnd implements AutoCloseable {

  private final Thread hook;

  /** Guards the calling thread from here on. */
  ProcessEnd() {
    Thread guarded = Thread.currentThread();
    hook = new Thread(guarded::interrupt, "hir-download-end");
    try {
      Runtime.getRuntime().addShutdownHook(hook);
    } catch (IllegalStateException endsAlready) {
      throw Patience.interrupted();
    }
  }

  @Override
  public void close() {
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException endsAlready) {
      // the hook has already run
    }
  }
}
