package org.hirengine.engine.hub;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** Processes and threads that fetch the same model at once. */
class HubProcessesTest extends AbstractHubTest {

  /**
   * The server sends the beginning of a file at once, and the rest on a signal.
   *
   * @return counted down once the beginning is sent
   */
  private CountDownLatch stalled(String hash, byte[] content, CountDownLatch go) {
    CountDownLatch asked = new CountDownLatch(1);
    server.fault(
        "GET",
        hash,
        exchange -> {
          exchange.sendResponseHeaders(200, content.length);
          exchange.getResponseBody().write(content, 0, 1000);
          exchange.getResponseBody().flush();
          asked.countDown();
          await(go);
          exchange.getResponseBody().write(content, 1000, content.length - 1000);
          return true;
        });
    return asked;
  }

  @Test
  void oneProcessFetchesForAll() throws Exception {
    byte[] weights = small(server.model(NAME));
    String hash = FakeHub.sha("SHA-256", weights);
    CountDownLatch go = new CountDownLatch(1);
    CountDownLatch asked = stalled(hash, weights, go);
    Process first = probe();
    await(asked);
    Process second = probe();
    // The first process gets the rest only after the second has reported that it waits.
    try (BufferedReader told = second.errorReader()) {
      assertTrue(told.readLine().startsWith("waiting for another process"));
      go.countDown();
      assertEquals(0, second.waitFor(), () -> told.lines().collect(Collectors.joining("\n")));
    }
    assertEquals(0, first.waitFor());
    assertEquals(1, server.count("GET", hash));
    assertFetched(weights);
  }

  @Test
  void endsWithItsProcess() throws Exception {
    byte[] weights = small(server.model(NAME));
    String hash = FakeHub.sha("SHA-256", weights);
    CountDownLatch asked =
        stalled(hash, weights, new CountDownLatch(1)); // until the server is closed
    Process probe = probe();
    await(asked);
    Path partial = blobs().resolve(hash + ".hir.incomplete");
    while (!Files.exists(partial) || Files.size(partial) < 1000) {
      Thread.sleep(5);
    }
    probe.destroy();
    assertTrue(probe.waitFor(60, TimeUnit.SECONDS), "still waiting for the rest");
    assertEquals(1000, Files.size(partial));
    assertFetched(weights);
  }

  @Test
  void threadsOfOneProcessTakeTurns() throws Exception {
    byte[] weights = small(server.model(NAME));
    hub();
    List<Thread> threads = new ArrayList<>();
    List<Throwable> faults = new CopyOnWriteArrayList<>();
    for (int i = 0; i < 4; i++) {
      Thread thread =
          new Thread(
              () ->
                  new Hub(new HubSettings(environment, home), HubListener.NONE)
                      .find(Location.of(MODEL)));
      thread.setUncaughtExceptionHandler((t, e) -> faults.add(e));
      threads.add(thread);
      thread.start();
    }
    for (Thread thread : threads) {
      thread.join();
    }
    assertEquals(List.of(), faults);
    assertEquals(1, server.count("GET", FakeHub.sha("SHA-256", weights)));
    assertFetched(weights);
  }

  private static void await(CountDownLatch latch) {
    try {
      assertTrue(latch.await(60, TimeUnit.SECONDS));
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  private Process probe() throws IOException {
    ProcessBuilder builder =
        new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-cp",
            System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
            FetchProbe.class.getName(),
            NAME);
    builder.environment().put("HF_ENDPOINT", server.endpoint());
    builder.environment().put("HF_HUB_CACHE", cache().toString());
    return builder.start();
  }
}
