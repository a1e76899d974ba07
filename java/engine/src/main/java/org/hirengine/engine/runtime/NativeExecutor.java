package org.hirengine.engine.runtime;

import java.io.IOException;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.LinkedBlockingQueue;
import org.bytedeco.openblas.global.openblas_nolapack;
import org.bytedeco.pytorch.global.torch;

/**
 * The one thread of a trainer that calls LibTorch and the kernels.
 *
 * <p>Torch's thread count, its gradient mode and libgomp's pool of workers belong to the calling
 * thread: a second caller would start a second pool and run with other settings. A task submitted
 * from the thread itself runs at once.
 */
public final class NativeExecutor implements AutoCloseable {

  private final LinkedBlockingQueue<FutureTask<?>> tasks = new LinkedBlockingQueue<>();
  private final FutureTask<?> stop = new FutureTask<>(() -> {}, null);
  private final Thread thread;
  private final int threads;
  private boolean closed;

  /**
   * Loads the natives and starts the thread.
   *
   * @param threads how many cores LibTorch, the kernels and (for the whole process) OpenBLAS may
   *     use
   */
  public NativeExecutor(int threads) {
    if (threads < 1) {
      throw new IllegalArgumentException("threads must be at least 1, not " + threads);
    }
    NativeRuntime.load(threads);
    this.threads = threads;
    thread = new Thread(this::work, "hir-native");
    thread.setDaemon(true);
    thread.start();
    run(
        () -> {
          torch.set_num_threads(threads);
          openblas_nolapack.blas_set_num_threads(threads);
        });
  }

  /** Uses as many threads as the machine has processors. */
  public NativeExecutor() {
    this(Runtime.getRuntime().availableProcessors());
  }

  public int threads() {
    return threads;
  }

  /** Runs {@code task} on the native thread and waits for its result; its exception is rethrown. */
  public <T> T call(Callable<T> task) {
    FutureTask<T> future = new FutureTask<>(task);
    if (Thread.currentThread() == thread) {
      future.run();
    } else {
      submit(future);
    }
    return await(future);
  }

  /** {@link #call} of a task that reads or writes files: its {@link IOException} is rethrown. */
  public <T> T callIo(Callable<T> task) throws IOException {
    try {
      return call(task);
    } catch (CompletionException e) {
      if (e.getCause() instanceof IOException failure) {
        throw failure;
      }
      throw e;
    }
  }

  /** {@link #call} without a result. */
  public void run(Runnable task) {
    call(
        () -> {
          task.run();
          return Boolean.TRUE;
        });
  }

  private synchronized void submit(FutureTask<?> task) {
    if (closed) {
      throw new IllegalStateException("the native executor is closed");
    }
    tasks.add(task);
  }

  private static <T> T await(FutureTask<T> future) {
    boolean interrupted = false;
    try {
      while (true) {
        try {
          return future.get();
        } catch (InterruptedException e) {
          // The task keeps running, and returning now would free tensors that it uses.
          interrupted = true;
        } catch (ExecutionException e) {
          Throwable cause = e.getCause();
          if (cause instanceof RuntimeException unchecked) {
            throw DeviceException.explain(unchecked);
          }
          if (cause instanceof Error error) {
            throw error;
          }
          throw new CompletionException(cause);
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private void work() {
    try {
      for (FutureTask<?> task = tasks.take(); task != stop; task = tasks.take()) {
        task.run();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Waits for earlier tasks, then ends the thread. A second call does nothing. */
  @Override
  public void close() {
    if (Thread.currentThread() == thread) {
      throw new IllegalStateException("a task on the native executor cannot close it");
    }
    synchronized (this) {
      if (!closed) {
        closed = true;
        tasks.add(stop);
      }
    }
    boolean interrupted = false;
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
