package org.hirengine.engine.train;

import java.util.concurrent.CountDownLatch;

/**
 * Delays the end of the process until a run has stopped.
 *
 * <p>On Ctrl-C and SIGTERM the JVM runs its shutdown hooks and then LibTorch's static destructors,
 * while a native thread may still be working. This hook asks the run to stop and waits until it has
 * saved and freed what it holds.
 */
public final class StopHook implements AutoCloseable {

  private final CountDownLatch ended = new CountDownLatch(1);
  private final Thread hook;
  private volatile boolean fired;

  /**
   * @param requestStop makes the run stop soon; called at most once, from another thread
   */
  public StopHook(Runnable requestStop) {
    hook =
        new Thread(
            () -> {
              fired = true;
              requestStop.run();
              try {
                ended.await();
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
            },
            "hir-stop");
    Runtime.getRuntime().addShutdownHook(hook);
  }

  /**
   * Whether the process is ending: then whatever is native must be freed before the hook is closed.
   */
  public boolean fired() {
    return fired;
  }

  /** Reports that the run has stopped. */
  @Override
  public void close() {
    ended.countDown();
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException shuttingDown) {
      // Then the hook is running, and now ends.
    }
  }
}
