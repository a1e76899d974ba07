package org.hirengine.cli;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.hirengine.engine.train.StopHook;

/**
 * The processes of {@code hir train --nproc N}: starts them with the environment variables that
 * torchrun sets, watches them, and ends them together. It takes no part in training and loads
 * nothing native.
 */
final class LocalRanks {

  /** Names the launcher's process, so that ranks do not outlive it. */
  static final String LAUNCHER = "HIR_LAUNCHER_PID";

  /** What Gloo prints to standard output, where results belong. */
  private static final String GLOO = "[Gloo] ";

  /** How long the other ranks may take to report why a rank ended. */
  private static final Duration GRACE = Duration.ofSeconds(20);

  private static final int SIGNALLED = 128;

  private final List<Process> processes = new ArrayList<>();
  private final List<Thread> pumps = new ArrayList<>();
  private final PrintWriter out;
  private final PrintWriter err;

  private LocalRanks(PrintWriter out, PrintWriter err) {
    this.out = out;
    this.err = err;
  }

  /**
   * Runs the command in {@code count} processes.
   *
   * @param arguments of {@code hir}, for each of them
   * @return the exit code: 0 when all have ended well
   */
  static int run(int count, List<String> arguments, PrintWriter out, PrintWriter err)
      throws IOException {
    LocalRanks ranks = new LocalRanks(out, err);
    try (StopHook hook = new StopHook(ranks::stop)) {
      ranks.start(count, arguments);
      return ranks.watch();
    } finally {
      ranks.processes.forEach(Process::destroyForcibly);
      ranks.drain();
    }
  }

  private void start(int count, List<String> arguments) throws IOException {
    List<String> command = command(arguments);
    int port = freePort();
    for (int rank = 0; rank < count; rank++) {
      ProcessBuilder builder = new ProcessBuilder(command);
      Map<String, String> environment = builder.environment();
      environment.put("RANK", Integer.toString(rank));
      environment.put("WORLD_SIZE", Integer.toString(count));
      environment.put("LOCAL_RANK", Integer.toString(rank));
      environment.put("LOCAL_WORLD_SIZE", Integer.toString(count));
      environment.put("MASTER_ADDR", "127.0.0.1");
      environment.put("MASTER_PORT", Integer.toString(port));
      environment.put(LAUNCHER, Long.toString(ProcessHandle.current().pid()));
      environment.putIfAbsent("TORCH_CPP_LOG_LEVEL", "FATAL"); // ranks report failures in one line
      builder.redirectInput(ProcessBuilder.Redirect.from(new java.io.File("/dev/null")));
      builder.redirectError(ProcessBuilder.Redirect.INHERIT);
      Process process = builder.start();
      processes.add(process);
      pump(process, rank == 0 ? out : err);
    }
  }

  /** This very program: the same Java, options and class path. */
  private static List<String> command(List<String> arguments) {
    List<String> command = new ArrayList<>();
    command.add(ProcessHandle.current().info().command().orElse("java"));
    command.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
    command.add("-cp");
    command.add(System.getProperty("java.class.path"));
    command.add(Hir.class.getName());
    command.addAll(arguments);
    return command;
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  private void pump(Process process, PrintWriter target) {
    Thread pump =
        new Thread(
            () -> {
              try (BufferedReader lines =
                  new BufferedReader(
                      new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
                for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                  if (!line.startsWith(GLOO)) {
                    target.println(line);
                    target.flush();
                  }
                }
              } catch (IOException e) {
                // The rank has ended in the middle of a line.
              }
            },
            "hir-rank-output");
    pump.setDaemon(true);
    pump.start();
    pumps.add(pump);
  }

  private void drain() {
    for (Thread pump : pumps) {
      try {
        pump.join(TimeUnit.SECONDS.toMillis(5));
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return;
      }
    }
  }

  /** Ctrl-C reaches the ranks too, SIGTERM does not; they save and end. */
  private void stop() {
    processes.forEach(Process::destroy);
  }

  private int watch() {
    CompletableFuture<?>[] ends =
        processes.stream().map(Process::onExit).toArray(CompletableFuture<?>[]::new);
    await(CompletableFuture.anyOf(ends), Duration.ofDays(36500));
    boolean good = processes.stream().allMatch(p -> p.isAlive() || p.exitValue() == 0);
    int first = firstEnded();
    // Ranks that end well wait for each other, and for what the first one writes.
    boolean all = await(CompletableFuture.allOf(ends), good ? Duration.ofHours(1) : GRACE);
    boolean told = processes.stream().anyMatch(p -> !p.isAlive() && isOwnFailure(p.exitValue()));
    if (all && processes.stream().allMatch(p -> p.exitValue() == 0)) {
      return 0;
    }
    if (!told) {
      int code = processes.get(first).exitValue();
      Failures.print(
          err,
          "rank "
              + first
              + " of "
              + processes.size()
              + (code > SIGNALLED
                  ? " was killed by signal " + (code - SIGNALLED)
                  : " ended early, with exit code " + code),
          "continue from the last checkpoint with --resume");
    }
    return 1;
  }

  /** A rank that found a failure has already reported it. */
  private static boolean isOwnFailure(int code) {
    return code > 0 && code < SIGNALLED;
  }

  private int firstEnded() {
    for (int rank = 0; rank < processes.size(); rank++) {
      if (!processes.get(rank).isAlive() && processes.get(rank).exitValue() != 0) {
        return rank;
      }
    }
    for (int rank = 0; rank < processes.size(); rank++) {
      if (!processes.get(rank).isAlive()) {
        return rank;
      }
    }
    return 0;
  }

  private static boolean await(CompletableFuture<?> end, Duration limit) {
    try {
      end.get(limit.toMillis(), TimeUnit.MILLISECONDS);
      return true;
    } catch (TimeoutException e) {
      return false;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    } catch (ExecutionException e) {
      throw new IllegalStateException(e); // the end of a process does not fail
    }
  }
}
