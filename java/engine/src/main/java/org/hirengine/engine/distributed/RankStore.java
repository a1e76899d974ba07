package org.hirengine.engine.distributed;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.bytedeco.javacpp.chrono.Milliseconds;
import org.bytedeco.pytorch.ByteVector;
import org.bytedeco.pytorch.PrefixStore;
import org.bytedeco.pytorch.Store;
import org.bytedeco.pytorch.StringVector;
import org.bytedeco.pytorch.TCPStore;
import org.bytedeco.pytorch.TCPStoreOptions;
import org.jspecify.annotations.Nullable;

/**
 * A connection to the group's TCPStore: short texts by key, seen by all ranks. Calls on one
 * connection wait for each other, so callers that must not wait have their own.
 */
final class RankStore implements AutoCloseable {

  private static final long POLL_MILLIS = 20;

  private final TCPStore tcp;
  private final PrefixStore keys;

  private RankStore(TCPStore tcp, PrefixStore keys) {
    this.tcp = tcp;
    this.keys = keys;
  }

  /** Connects for the first time; listens before that if the launch requires it. */
  static RankStore join(Launch launch, Duration timeout) {
    // Checked first, because LibTorch would print a page about either fault.
    if (launch.listens()) {
      refuseTakenPort(launch);
    } else {
      awaitListener(launch, timeout);
    }
    return connect(launch, launch.listens(), timeout);
  }

  /** Another connection, once {@link #join} has made the first. */
  static RankStore again(Launch launch, Duration timeout) {
    return connect(launch, false, timeout);
  }

  private static RankStore connect(Launch launch, boolean listen, Duration timeout) {
    try (TCPStoreOptions options = new TCPStoreOptions();
        Milliseconds limit = new Milliseconds(timeout.toMillis())) {
      options.port((short) launch.port()).isServer(listen).waitWorkers(false).timeout(limit);
      TCPStore tcp = new TCPStore(launch.address(), options);
      // torch.distributed's prefix in torchrun's store, then our own: another program of the same
      // launch may use the store too.
      return new RankStore(
          tcp, new PrefixStore("/worker/attempt_" + launch.attempt() + "/hir", tcp));
    } catch (RuntimeException e) {
      throw listen ? cannotListen(launch, e) : unreachable(launch, timeout, e);
    }
  }

  private static void refuseTakenPort(Launch launch) {
    try (ServerSocket socket = new ServerSocket()) {
      socket.setReuseAddress(true); // the port of a run that has just ended can be reused
      socket.bind(new InetSocketAddress(launch.port()));
    } catch (IOException e) {
      throw cannotListen(launch, e);
    }
  }

  private static void awaitListener(Launch launch, Duration timeout) {
    long deadline = System.nanoTime() + timeout.toNanos();
    while (true) {
      try (Socket socket = new Socket()) {
        long left = (deadline - System.nanoTime()) / 1_000_000;
        socket.connect(
            new InetSocketAddress(launch.address(), launch.port()), (int) Math.max(1, left));
        return;
      } catch (IOException e) {
        if (System.nanoTime() >= deadline) {
          throw unreachable(launch, timeout, e);
        }
      }
      try {
        Thread.sleep(POLL_MILLIS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw unreachable(launch, timeout, e);
      }
    }
  }

  private static DistributedException cannotListen(Launch launch, Exception cause) {
    DistributedException e =
        new DistributedException(
            "%s cannot listen at port %d: %s"
                .formatted(launch.name(), launch.port(), firstLine(cause.getMessage())),
            "choose another MASTER_PORT, or end the program that holds this one");
    e.initCause(cause);
    return e;
  }

  private static DistributedException unreachable(
      Launch launch, Duration timeout, Exception cause) {
    DistributedException e =
        new DistributedException(
            "%s found no store at %s:%d within %d s"
                .formatted(launch.name(), launch.address(), launch.port(), timeout.toSeconds()),
            launch.agentStore()
                ? "check that torchrun is running and that MASTER_ADDR can be reached from here"
                : "check that rank 0 was started, and that MASTER_ADDR and MASTER_PORT are the same"
                    + " for all ranks and can be reached from here");
    e.initCause(cause);
    return e;
  }

  /** LibTorch's messages continue with a stack trace. */
  static String firstLine(@Nullable String message) {
    String text = message == null ? "" : message.lines().findFirst().orElse("");
    return text.replaceFirst("^\\[[^]]*\\]\\s*", "");
  }

  /** For a process group, which keeps its own reference. */
  Store torch() {
    return keys;
  }

  void set(String key, String value) {
    try (ByteVector bytes = bytes(value)) {
      keys.set(key, bytes);
    }
  }

  /** The value of a key; null if it is not set. */
  @Nullable String get(String key) {
    try (StringVector asked = new StringVector(key)) {
      if (!keys.check(asked)) {
        return null;
      }
    }
    try (ByteVector value = keys.get(key)) {
      return new String(value.get(), StandardCharsets.UTF_8);
    }
  }

  /** Sets a key unless it is set; returns its value. */
  String setFirst(String key, String value) {
    try (ByteVector nothing = new ByteVector();
        ByteVector wanted = bytes(value);
        ByteVector now = keys.compareSet(key, nothing, wanted)) {
      return new String(now.get(), StandardCharsets.UTF_8);
    }
  }

  /** Counts up a key that begins at 0; how often that was done by now. */
  long count(String key) {
    return keys.add(key, 1);
  }

  void delete(String key) {
    keys.deleteKey(key);
  }

  private static ByteVector bytes(String value) {
    return new ByteVector(value.getBytes(StandardCharsets.UTF_8));
  }

  @Override
  public void close() {
    keys.close();
    tcp.close();
  }
}
