package org.hirengine.engine.train;

import java.util.concurrent.locks.ReentrantLock;

/**
 * Who may do what to a run, and when: one thread at a time works, any thread may request a stop or
 * close. An interrupt of the working thread is a request to stop, and stays set.
 */
final class RunControl {

  private final String what;
  private final Runnable free;

  /** Held while stepping, saving or closing. */
  private final ReentrantLock busy = new ReentrantLock();

  private volatile boolean stopRequested;
  private boolean closed;

  /**
   * @param what the run as messages name it
   * @param free frees all that the run holds; called once
   */
  RunControl(String what, Runnable free) {
    this.what = what;
    this.free = free;
  }

  /** What a thread does while no other may. */
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
   * Works alone.
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
   * Works alone until the end. On Ctrl-C and SIGTERM it requests a stop, and frees everything
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
   * Frees everything. If another thread is working, requests a stop and waits for it. Does nothing
   * the second time.
   *
   * @throws IllegalStateException when a listener calls it: its step is under way
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
