package org.hirengine.engine.train;

import java.util.Arrays;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Delays the end of the process until a run has stopped.
 *
 * <p>On Ctrl-C and SIGTERM the JVM runs its shutdown hooks and then LibTorch's static destructors,
 * while a native thread may still be working. This hook asks the run to stop and waits until it has
 * saved and freed what it holds.
 */
public final class StopHook implements AutoCloseable {

  private static final long LOOK_MILLIS = 100;
  private static final String EXIT = Runtime.class.getName();
  private static final String ENGINE = "org.hirengine.engine.";

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
                while (!ended.await(LOOK_MILLIS, TimeUnit.MILLISECONDS) && !endedFromWithin()) {
                  // waits for either
                }
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
            },
            "hir-stop");
    Runtime.getRuntime().addShutdownHook(hook);
  }

  /**
   * Whether code within a run, such as a listener, ended the process: that thread waits for this
   * hook, and the run for that thread.
   */
  private static boolean endedFromWithin() {
    return Thread.getAllStackTraces().values().stream()
        .anyMatch(
            stack ->
                Arrays.stream(stack).anyMatch(frame -> frame.getClassName().equals(EXIT))
                    && Arrays.stream(stack)
                        .anyMatch(frame -> frame.getClassName().startsWith(ENGINE)));
  }

  /** Whether the process is ending: native memory must then be freed before the hook is closed. */
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
      // The hook is already running, and ends now.
    }
  }
}
