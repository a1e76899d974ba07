package org.hirengine.cli;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * Runs tasks in parallel and passes their results on in the order of the tasks, each as soon as all
 * earlier ones are done. One thread at a time submits; it also receives.
 */
final class InOrder<R> implements AutoCloseable {

  /** Tasks running or waiting, per thread. */
  private static final int WINDOW = 32;

  private final ExecutorService pool;
  private final Receiver<R> receiver;
  private final int window;
  private final Queue<Future<R>> tasks = new ArrayDeque<>();

  /** Takes results. */
  interface Receiver<R> {

    void accept(R result) throws IOException;

    /** All finished results have been taken; the next one may take long. */
    default void caughtUp() throws IOException {}
  }

  InOrder(int threads, Receiver<R> receiver) {
    this.receiver = receiver;
    window = WINDOW * threads;
    pool =
        Executors.newFixedThreadPool(
            threads,
            task -> {
              Thread thread = new Thread(task, "hir-work");
              thread.setDaemon(true);
              return thread;
            });
  }

  /** Takes a task; if too many are under way, first waits for the oldest. */
  void submit(Callable<R> task) throws IOException {
    if (tasks.size() >= window) {
      if (!tasks.element().isDone()) {
        receiver.caughtUp();
      }
      receiveOne();
    }
    tasks.add(pool.submit(task));
    while (!tasks.isEmpty() && tasks.element().isDone()) {
      receiveOne();
    }
  }

  /** Waits for all tasks. */
  void finish() throws IOException {
    while (!tasks.isEmpty()) {
      if (!tasks.element().isDone()) {
        receiver.caughtUp();
      }
      receiveOne();
    }
    receiver.caughtUp();
  }

  private void receiveOne() throws IOException {
    R result;
    try {
      result = tasks.remove().get();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StopSignal.Stopped();
    } catch (ExecutionException e) {
      if (e.getCause() instanceof Error error) {
        throw error;
      }
      throw e.getCause() instanceof RuntimeException unchecked
          ? unchecked
          : new IllegalStateException(e.getCause());
    }
    receiver.accept(result);
  }

  @Override
  public void close() {
    pool.shutdownNow();
  }
}
