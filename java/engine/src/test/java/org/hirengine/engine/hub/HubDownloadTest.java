package org.hirengine.engine.hub;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Downloads that break off, stall, or deliver the wrong content. */
class HubDownloadTest extends AbstractHubTest {

  /** Sends the beginning of a file, then cuts the connection. */
  private static FakeHub.Fault cut(byte[] content, int length) {
    return exchange -> {
      String range = exchange.getRequestHeaders().getFirst("Range");
      int from = range == null ? 0 : Integer.parseInt(range.replaceAll("\\D", ""));
      if (from > 0) {
        exchange
            .getResponseHeaders()
            .set(
                "Content-Range",
                "bytes " + from + "-" + (content.length - 1) + "/" + content.length);
      }
      exchange.sendResponseHeaders(from > 0 ? 206 : 200, content.length - from);
      exchange.getResponseBody().write(content, from, length);
      exchange.getResponseBody().flush();
      exchange.close();
      return true;
    };
  }

  @Test
  void goesOnWhereAConnectionWasCut() throws IOException {
    byte[] weights = small(server.model(NAME));
    String hash = FakeHub.sha("SHA-256", weights);
    for (int i = 0; i < 8; i++) { // more failures than allowed tries, but each makes progress
      server.fault("GET", hash, cut(weights, 20_000));
    }

    assertFetched(weights);

    List<String> ranges =
        server.requests.stream()
            .filter(FakeHub.Request::elsewhere)
            .map(request -> String.valueOf(request.range()))
            .toList();
    assertEquals(9, ranges.size());
    assertEquals("null", ranges.get(0));
    assertEquals("bytes=20000-", ranges.get(1));
    assertEquals("bytes=160000-", ranges.get(8));
  }

  @Test
  void goesOnInAnotherProcessAfterGivingUp() throws IOException {
    byte[] weights = small(server.model(NAME));
    String hash = FakeHub.sha("SHA-256", weights);
    server.fault("GET", hash, cut(weights, 50_000));
    for (int i = 1; i < Patience.TRIES; i++) {
      server.fault("GET", hash, cut(weights, 0));
    }
    assertSays(fails(NAME), "gave up after 5 tries", "what has arrived is kept");
    assertFalse(Files.exists(cache().resolve("models--Owner--Model-0.5B/refs/main")));
    assertEquals(
        50_000, Files.size(blobs().resolve(hash + ".hir.incomplete")), "what arrived is kept");
    server.requests.clear();

    assertFetched(weights);

    FakeHub.Request last = server.requests.get(server.requests.size() - 1);
    assertEquals("bytes=50000-", last.range());
    assertEquals(1, server.requests.stream().filter(FakeHub.Request::elsewhere).count());
  }

  @Test
  void smallFilesGoOnUnderTheirEtag() throws IOException {
    byte[] config = bytes("{\"model_type\": \"" + "x".repeat(800) + "\"}");
    server
        .model(NAME)
        .commit("main", Map.of("config.json", config, "model.safetensors", bytes("w")));
    server.fault("GET", "config.json", cut(config, 300));

    Path folder = hub().find(Location.of(MODEL)).path();

    assertArrayEquals(config, Files.readAllBytes(folder.resolve("config.json")));
    assertTrue(
        server.requests.stream()
            .anyMatch(
                request ->
                    "bytes=300-".equals(request.range())
                        && ('"' + FakeHub.gitHash(config) + '"').equals(request.ifRange())));
  }

  /** Leftovers of an earlier process, which are not always part of the content. */
  @Test
  void recoversFromAPartThatIsNone() throws IOException {
    byte[] weights = small(server.model(NAME));
    String hash = FakeHub.sha("SHA-256", weights);
    Files.createDirectories(blobs());
    for (byte[] left : List.of(random(30_000, 9), random(300_000, 9), random(200_000, 9))) {
      try (Stream<Path> all = Files.walk(cache())) {
        all.filter(file -> !Files.isDirectory(file)).forEach(file -> file.toFile().delete());
      }
      Files.write(blobs().resolve(hash + ".hir.incomplete"), left);
      assertFetched(weights);
    }
  }

  @Test
  void takesTheWholeFromAServerWithoutRanges() throws IOException {
    byte[] weights = small(server.model(NAME));
    String hash = FakeHub.sha("SHA-256", weights);
    server.fault("GET", hash, cut(weights, 70_000));
    server.fault(
        "GET",
        hash,
        exchange -> {
          exchange.sendResponseHeaders(200, weights.length);
          exchange.getResponseBody().write(weights);
          return true;
        });
    assertFetched(weights);
    assertEquals(2, server.requests.stream().filter(FakeHub.Request::elsewhere).count());
  }

  @Test
  void refusesAPartThatWasNotAskedFor() throws IOException {
    byte[] weights = small(server.model(NAME));
    String hash = FakeHub.sha("SHA-256", weights);
    server.fault("GET", hash, cut(weights, 70_000));
    server.fault(
        "GET",
        hash,
        exchange -> {
          exchange.getResponseHeaders().set("Content-Range", "bytes 10-19/" + weights.length);
          exchange.sendResponseHeaders(206, 10);
          exchange.getResponseBody().write(weights, 10, 10);
          return true;
        });
    assertFetched(weights);
  }

  @Test
  void refusesAnotherContentThanTheHashSays() throws IOException {
    byte[] weights = small(server.model(NAME));
    byte[] other = weights.clone();
    other[150_000] ^= 1;
    String hash = FakeHub.sha("SHA-256", weights);
    server.fault(
        "GET",
        hash,
        exchange -> {
          exchange.sendResponseHeaders(200, other.length);
          exchange.getResponseBody().write(other);
          return true;
        });
    assertSays(fails(NAME), "another content than its hash says", "try again");
    assertTrue(below(blobs()).stream().noneMatch(name -> name.startsWith(hash)));
    assertFetched(weights);
  }

  @Test
  void refusesSmallFilesOfAnotherContent() {
    small(server.model(NAME));
    server.fault(
        "GET",
        "config.json",
        exchange -> {
          exchange.sendResponseHeaders(200, 2);
          exchange.getResponseBody().write(bytes("[]"));
          return true;
        });
    assertSays(fails(NAME), "config.json arrived with another content", "try again");
  }

  @Test
  void refusesWrongLengths() throws IOException {
    byte[] weights = small(server.model(NAME));
    String hash = FakeHub.sha("SHA-256", weights);
    for (int i = 0; i <= Patience.TRIES; i++) {
      server.fault(
          "GET",
          hash,
          exchange -> { // less, but as if it were complete
            exchange.sendResponseHeaders(200, 1000);
            exchange.getResponseBody().write(weights, 0, 1000);
            return true;
          });
    }
    assertSays(fails(NAME), "after 1000 of 200000 bytes", "try again later");
    for (int i = 0; i < Patience.TRIES * 3; i++) {
      server.fault(
          "GET",
          hash,
          exchange -> { // more, without end
            exchange.sendResponseHeaders(200, 0);
            byte[] much = new byte[1 << 16];
            for (int part = 0; part < 1000; part++) {
              exchange.getResponseBody().write(much);
            }
            return true;
          });
    }
    assertSays(fails(NAME), "more came than the 200000 bytes", "try again later");
    assertTrue(
        Files.size(blobs().resolve(hash + ".hir.incomplete")) <= 200_000,
        "no more is written than was announced");
  }

  @Test
  void asksAgainWhereASignedAddressExpired() throws IOException {
    byte[] weights = small(server.model(NAME));
    server.fault("GET", FakeHub.sha("SHA-256", weights), FakeHub.status(403));
    assertFetched(weights);
    assertEquals(2, server.count("HEAD", "model.safetensors"));
  }

  @Test
  void givesUpOnABodyThatStopsComing() throws IOException {
    byte[] weights = small(server.model(NAME));
    server.fault(
        "GET",
        FakeHub.sha("SHA-256", weights),
        exchange -> {
          exchange.sendResponseHeaders(200, weights.length);
          exchange.getResponseBody().write(weights, 0, 60_000);
          exchange.getResponseBody().flush();
          try {
            Thread.sleep(60_000); // until the server is closed
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
          }
          return true;
        });
    assertFetched(weights);
    assertEquals(
        "bytes=60000-", server.requests.get(server.requests.size() - 1).range(), "and goes on");
  }

  @Test
  void aContentIsHashedAsGitAndLfsDo() throws IOException {
    Path file = Files.write(home.resolve("x"), bytes("hello\n"));
    // git hash-object, sha256sum
    assertTrue(ContentHash.matches(file, "ce013625030ba8dba906f756967f9e9ca394464a"));
    assertTrue(
        ContentHash.matches(
            file, "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"));
    assertFalse(ContentHash.matches(file, "0".repeat(40)));
    assertFalse(ContentHash.matches(file, "0".repeat(64)));
    assertTrue(ContentHash.matches(file, "some-mirror-1"));
  }
}
