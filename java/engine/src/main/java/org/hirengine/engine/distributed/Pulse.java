package org.hirengine.engine.distributed;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * Signs of life. Every second a rank writes a count and what it is doing, and reads whether another
 * has failed. When an exchange breaks, the remaining ranks find out here which rank is to blame:
 * Gloo only knows addresses.
 */
final class Pulse implements AutoCloseable {

  private static final long PERIOD_MILLIS = 1000;

  /** How long the store may take to answer before it counts as lost. */
  private static final long ANSWER_SECONDS = 8;

  private static final int LOOKS = 6;

  /** How long the rank that holds the store stays for others that do not say they have read it. */
  private static final long STAY_MILLIS = 3 * PERIOD_MILLIS;

  private static final long POLL_MILLIS = 20;

  private static final String FAILED = "failed";
  private static final String CONTINUE = "continue from the last checkpoint with --resume";

  private final Launch launch;
  private final Duration timeout;
  private final RankStore store;
  private final Thread thread;
  private volatile String place = "joining";
  private volatile long exchanges;
  private volatile @Nullable String failure;
  private volatile List<Integer> silent = List.of();
  private volatile boolean ending;

  /**
   * @param store a separate connection, closed with this object
   */
  Pulse(Launch launch, RankStore store, Duration timeout) {
    this.launch = launch;
    this.store = store;
    this.timeout = timeout;
    thread = new Thread(this::beat, "hir-pulse");
    thread.setDaemon(true);
    thread.start();
  }

  private void beat() {
    try {
      for (long beats = 0; !ending; beats++) {
        store.set(key(launch.rank()), beats + " " + exchanges + " " + place);
        if (failure == null) {
          String told = store.get(FAILED);
          if (told != null) {
            failure = textOf(told);
            confirm();
          }
        }
        Thread.sleep(PERIOD_MILLIS);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (RuntimeException e) {
      // The store is lost; the next exchange fails and reports it.
    }
  }

  private static String key(int rank) {
    return "pulse/" + rank;
  }

  private static String read(int rank) {
    return "read/" + rank;
  }

  /** Reports that an exchange begins. */
  void exchange(String what) {
    checkOthers();
    exchanges++;
    place = what;
  }

  /** Throws the failure that another rank has reported. */
  void checkOthers() {
    String told = failure;
    if (told != null) {
      throw new DistributedException(told, CONTINUE, true);
    }
  }

  /**
   * Which rank is to blame for a broken exchange. The rank that holds the store stays until the
   * others have read it.
   */
  DistributedException explain(RuntimeException cause) {
    DistributedException e;
    try {
      String told = answered(() -> told(diagnosis()));
      stay();
      e = new DistributedException(textOf(told), CONTINUE, !isMine(told));
    } catch (TimeoutException | ExecutionException lost) {
      e = withoutStore();
    }
    e.initCause(cause);
    return e;
  }

  private DistributedException withoutStore() {
    String told = failure;
    if (told != null) {
      return new DistributedException(told, CONTINUE, true);
    }
    String place = launch.address() + ":" + launch.port();
    return launch.agentStore()
        ? new DistributedException(
            launch.name() + " lost torchrun's store at " + place + ": torchrun has ended or hangs",
            CONTINUE,
            launch.rank() != 0)
        : new DistributedException(
            launch.name(0) + ", which holds the store at " + place + ", has ended or hangs",
            CONTINUE,
            launch.rank() != 1);
  }

  /** A call to the store may wait forever if the process that holds it was stopped. */
  private static <T> T answered(Callable<T> question) throws TimeoutException, ExecutionException {
    FutureTask<T> task = new FutureTask<>(question);
    Thread asking = new Thread(task, "hir-store");
    asking.setDaemon(true);
    asking.start();
    boolean interrupted = false;
    try {
      while (true) {
        try {
          return task.get(ANSWER_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /** The group's failure as reported by the first rank that noticed it, with that rank's number. */
  private String told(String reason) {
    String told = store.setFirst(FAILED, launch.rank() + " " + reason);
    confirm();
    return told;
  }

  /** Says that this rank has read the failure. */
  private void confirm() {
    try {
      store.set(read(launch.rank()), "");
    } catch (RuntimeException e) {
      // The store is lost, so nobody waits for this.
    }
  }

  /**
   * Keeps the store until the others have read the failure. Those that gave no sign of life are not
   * waited for, and none for longer than {@link #STAY_MILLIS}.
   */
  private void stay() {
    if (!launch.listens()) {
      return;
    }
    long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(STAY_MILLIS);
    try {
      for (int rank = 0; rank < launch.size(); rank++) {
        while (!silent.contains(rank)
            && store.get(read(rank)) == null
            && System.nanoTime() < deadline) {
          Thread.sleep(POLL_MILLIS);
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private boolean isMine(String told) {
    return told.startsWith(launch.rank() + " ");
  }

  private static String textOf(String told) {
    return told.substring(told.indexOf(' ') + 1);
  }

  /** This rank's own finding; empty if another has already reported. */
  private String diagnosis() throws InterruptedException {
    List<@Nullable String> before = pulses();
    for (int i = 0; i < LOOKS; i++) {
      if (store.get(FAILED) != null) {
        return "";
      }
      Thread.sleep(3 * PERIOD_MILLIS / LOOKS);
    }
    List<@Nullable String> after = pulses();
    List<Integer> quiet = new ArrayList<>();
    List<Integer> late = new ArrayList<>();
    for (int rank = 0; rank < launch.size(); rank++) {
      String last = after.get(rank);
      if (rank == launch.rank()) {
        continue;
      }
      if (last == null || last.equals(before.get(rank))) {
        quiet.add(rank);
      } else if (Long.parseLong(last.split(" ", 3)[1]) < exchanges) {
        late.add(rank);
      }
    }
    silent = List.copyOf(quiet);
    if (!quiet.isEmpty()) {
      return launch.names(quiet)
          + " ended or hangs: no sign of life while "
          + launch.name()
          + " waited for '"
          + place
          + "'";
    }
    if (!late.isEmpty()) {
      String last = after.get(late.get(0));
      return launch.names(late)
          + " did not come to '"
          + place
          + "' within "
          + timeout.toSeconds()
          + " s (distributed.timeout), and is at '"
          + (last == null ? "" : last.split(" ", 3)[2])
          + "'";
    }
    return launch.name() + " lost its connection to the others at '" + place + "'";
  }

  private List<@Nullable String> pulses() {
    List<@Nullable String> pulses = new ArrayList<>();
    for (int rank = 0; rank < launch.size(); rank++) {
      pulses.add(store.get(key(rank)));
    }
    return pulses;
  }

  /**
   * Tells the others that this rank fails. The rank that holds the store stays until they have read
   * it.
   *
   * @return whether it is the first
   */
  boolean fail(String reason) {
    try {
      String told = answered(() -> told(launch.name() + " failed: " + RankStore.firstLine(reason)));
      stay();
      return isMine(told);
    } catch (TimeoutException | ExecutionException e) {
      return true; // the others will find out by themselves
    }
  }

  /** Whether some rank is known to have failed. */
  boolean failed() {
    return failure != null;
  }

  /** Stops the signs of life; from here on the others may leave. */
  void end() {
    ending = true;
  }

  @Override
  public void close() {
    end();
    thread.interrupt();
    boolean interrupted = false;
    try {
      thread.join(TimeUnit.SECONDS.toMillis(ANSWER_SECONDS));
    } catch (InterruptedException e) {
      interrupted = true;
    }
    if (!thread.isAlive()) { // otherwise it would wait in the store, which must outlive it
      store.close();
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
