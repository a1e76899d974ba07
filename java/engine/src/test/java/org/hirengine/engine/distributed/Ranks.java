package org.hirengine.engine.distributed;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.hirengine.kernels.Device;

/** Ranks as threads of one process: each has its own group, store connection and trainer. */
public final class Ranks {

  private Ranks() {}

  /** What one rank does. */
  public interface Rank<T> {
    T run(ProcessGroup group) throws Exception;
  }

  /** A port that nobody listens at. */
  public static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  /** The environment of a rank on this machine. */
  public static Map<String, String> environment(int rank, int size, int port) {
    return Map.of(
        "RANK", "" + rank,
        "WORLD_SIZE", "" + size,
        "LOCAL_RANK", "" + rank,
        "LOCAL_WORLD_SIZE", "" + size,
        "MASTER_ADDR", "127.0.0.1",
        "MASTER_PORT", "" + port);
  }

  public static ProcessGroup join(Map<String, String> environment) {
    return ProcessGroup.join(
        environment, new GroupOptions(Duration.ofSeconds(120), Device.Kind.CPU, 1));
  }

  /** Runs all ranks to their end; the first failure is thrown. */
  public static <T> List<T> run(int size, Rank<T> rank) throws Exception {
    return run(size, freePort(), Map.of(), rank);
  }

  /**
   * As {@link #run(int, Rank)}.
   *
   * @param launcher what the launcher sets besides each rank's place
   */
  static <T> List<T> run(int size, int port, Map<String, String> launcher, Rank<T> rank)
      throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(size);
    try {
      List<Future<T>> futures = new ArrayList<>();
      for (int i = 0; i < size; i++) {
        Map<String, String> environment = new HashMap<>(environment(i, size, port));
        environment.putAll(launcher);
        Callable<T> work =
            () -> {
              try (ProcessGroup group = join(environment)) {
                return rank.run(group);
              }
            };
        futures.add(threads.submit(work));
      }
      List<T> results = new ArrayList<>();
      for (Future<T> future : futures) {
        results.add(future.get());
      }
      return results;
    } catch (ExecutionException e) {
      if (e.getCause() instanceof Exception cause) {
        throw cause;
      }
      throw e;
    } finally {
      threads.shutdownNow();
    }
  }
}
