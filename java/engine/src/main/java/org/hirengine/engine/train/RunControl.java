package org.hirengine.engine.train;

import java.util.concurrent.locks.ReentrantLock;

/**
 * Access to a run from several threads: one thread at a time works, any thread may request a stop
 * or close. An interrupt of the working thread is a request to stop, and stays set.
 */
final class RunControl {

  private final String what;
  private final Runnable free;

  /** Held while stepping, saving or closing. */
  private final ReentrantLock busy = new ReentrantLock();

  private volatile boolean stopRequested;
  private boolean closed;

  /**
   * @param what the run's name in messages
   * @param free frees everything that the run holds; called once
   */
  RunControl(String what, Runnable free) {
    this.what = what;
    this.free = free;
  }

  /** Work that excludes all other threads. */
  interface Work<T, E extends Exception> {

    T run() throws E;
  }

  void requestStop() {
    stopRequested = true;
  }

  /** Whether a stop was requested, by {@link #requestStop} or an interrupt of this thread. */
  boolean stopping() {
    return stopRequested || Thread.currentThread().isInterrupted();
  }

  /**
   * Runs exclusive work.
   *
   * @throws IllegalStateException when the run is closed
   */
  <T, E extends Exception> T alone(Work<T, E> work) throws E {
    busy.lock();
    try {
      if (closed) {
        throw new IllegalStateException("the " + what + " is closed");
      }
      return work.run();
    } finally {
      busy.unlock();
    }
  }

  /**
   * Runs exclusive work to the end. On Ctrl-C and SIGTERM, requests a stop and frees everything
   * before the process ends.
   */
  <T, E extends Exception> T toTheEnd(Work<T, E> work) throws E {
    busy.lock();
    try (StopHook hook = new StopHook(this::requestStop)) {
      try {
        return alone(work);
      } finally {
        if (hook.fired()) {
          freeOnce();
        }
      }
    } finally {
      busy.unlock();
    }
  }

  /**
   * Frees everything. If another thread is working, requests a stop and waits for it. A second call
   * does nothing.
   *
   * @throws IllegalStateException when a listener calls it, since its step is still running
   */
  void close() {
    if (busy.isHeldByCurrentThread()) {
      throw new IllegalStateException(
          "a listener cannot close the " + what + " that calls it; requestStop ends it");
    }
    requestStop();
    busy.lock();
    try {
      freeOnce();
    } finally {
      busy.unlock();
    }
  }

  private void freeOnce() {
    if (!closed) {
      closed = true;
      free.run();
    }
  }
}
