package org.hirengine.engine.hub;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Answers other than a file: waits, errors, refusals and redirects. */
class HubAnswersTest extends AbstractHubTest {

  @Test
  void waitsAsTheServerAsks() throws IOException {
    byte[] weights = small(server.model(NAME));
    server.fault("GET", "/revision/main", FakeHub.status(429, "Retry-After", "7"));
    server.fault("HEAD", "config.json", FakeHub.status(503));
    server.fault("HEAD", "config.json", FakeHub.status(500));
    server.fault("GET", FakeHub.sha("SHA-256", weights), FakeHub.status(429, "Retry-After", "9"));
    assertFetched(weights);
    assertEquals(
        List.of(
            Duration.ofSeconds(7),
            Duration.ofMillis(1),
            Duration.ofMillis(2),
            Duration.ofSeconds(9)),
        waits);
  }

  @Test
  void leavesLongWaitsToTheUser() {
    small(server.model(NAME));
    server.fault("GET", "/revision/main", FakeHub.status(429, "Retry-After", "3600"));
    assertSays(fails(NAME), "wait 3600 seconds", "HF_TOKEN");
    assertEquals(List.of(), waits);
    server.fault(
        "GET",
        "/revision/main",
        FakeHub.status(429, "Retry-After", "Fri, 31 Dec 2100 23:59:59 GMT"));
    assertSays(fails(NAME), "the Hub asks to wait", "try again then");
  }

  @Test
  void triesServerErrorsABoundedNumberOfTimes() {
    small(server.model(NAME));
    for (int i = 0; i < 10; i++) {
      server.fault("GET", "/revision/main", FakeHub.status(502));
    }
    assertSays(fails(NAME), "5 tries: status 502", "try again later");
    assertEquals(5, server.requests.size());
  }

  @Test
  void saysWhatARefusalMeans() {
    assertSays(fails("No/Body"), "No/Body is neither here nor a public", "HF_TOKEN");
    small(server.model("Gated/One"));
    server.model("Gated/One").gated = true;
    server.model("Gated/One").needsToken = "hf_other";
    assertSays(fails("Gated/One"), "is gated", "accept");
    small(server.model(NAME));
    assertSays(fails(NAME + "@v7"), "has no revision v7", "a branch, a tag or a commit");

    environment.put("HF_TOKEN", "hf_secret");
    HubException gated = fails("Gated/One");
    assertSays(gated, "is gated", "open " + server.endpoint() + "/Gated/One");
    assertSays(fails("No/Body"), "that the token may read", "permissions");
    server.fault(
        "GET",
        "/revision/main",
        FakeHub.status(
            401, "X-Error-Message", "Invalid credentials in Authorization header: hf_secret"));
    assertSays(fails(NAME), "refuses the token", "https://huggingface.co/settings/tokens");
    server.fault(
        "GET", "/revision/main", FakeHub.status(403, "X-Error-Message", "hf_secret may not"));
    assertSays(fails(NAME), "(token) may not", "permission");
    server.fault(
        "GET",
        "/revision/main",
        FakeHub.status(403, "X-Error-Message", "Access to this resource is disabled."));
    assertSays(fails(NAME), "disabled", "another");
    environment.put("HF_TOKEN", "hf_secret with spaces");
    assertSays(fails(NAME), "characters that no token has", "copy it again");
  }

  @Test
  void aServerThatIsNoHubIsToldApart() {
    small(server.model(NAME));
    server.fault(
        "GET",
        "/revision/main",
        exchange -> {
          byte[] page = bytes("<html>Sign in</html>");
          exchange.sendResponseHeaders(200, page.length);
          exchange.getResponseBody().write(page);
          return true;
        });
    assertSays(fails(NAME), "does not answer as the Hub does", "sign-in page");
  }

  /** Names from the server become paths; these would lead out of the cache. */
  @Test
  void refusesUnsafeNamesFromTheServer() throws IOException {
    byte[] evil = bytes("{\"sha\": \"../../../../tmp/evil\", \"siblings\": []}");
    small(server.model(NAME));
    server.fault(
        "GET",
        "/revision/main",
        exchange -> {
          exchange.sendResponseHeaders(200, evil.length);
          exchange.getResponseBody().write(evil);
          return true;
        });
    assertSays(fails(NAME), "does not answer as the Hub does", "HF_ENDPOINT");
    for (String etag : List.of("../../evil", "a/b", "..", ".hidden", "")) {
      server.fault(
          "HEAD",
          "config.json",
          FakeHub.status(200, "ETag", '"' + etag + '"', "X-Repo-Commit", "0".repeat(40)));
      assertSays(fails(NAME), "does not answer as the Hub does", "HF_ENDPOINT");
    }
    server
        .model("Evil/Templates")
        .commit(
            "main",
            Map.of(
                "config.json", bytes("{}"),
                "model.safetensors", bytes("w"),
                "additional_chat_templates/..\\..\\x.jinja", bytes("x")));
    assertSays(fails("Evil/Templates"), "unsafe name", "another");
    for (String shard : List.of("../../../evil.safetensors", "/tmp/evil.safetensors", "evil.bin")) {
      server
          .model("Evil/Index")
          .commit(
              "main",
              Map.of(
                  "config.json",
                  bytes("{}"),
                  "model.safetensors.index.json",
                  bytes("{\"weight_map\": {\"a\": \"" + shard + "\"}}")));
      assertSays(fails("Evil/Index"), "weight_map", "another revision");
    }
    assertTrue(below(home).stream().noneMatch(name -> name.contains("evil")));
  }

  @Test
  void followsNoEndlessRedirect() {
    small(server.model(NAME));
    for (int i = 0; i < 100; i++) {
      server.fault(
          "GET",
          "/revision/main",
          FakeHub.status(302, "Location", "/api/models/" + NAME + "/revision/main"));
    }
    assertSays(fails(NAME), "redirects", "try again");
    assertTrue(server.requests.size() <= 100);
  }

  @Test
  void refusesARedirectToAnotherKindOfAddress() {
    small(server.model(NAME));
    for (String target : List.of("file:///etc/passwd", "ftp://x/y", "http:", "ht tp://x")) {
      server.fault("GET", "/revision/main", FakeHub.status(302, "Location", target));
      assertSays(fails(NAME), "not safe to follow", "HF_ENDPOINT");
    }
  }

  @Test
  void goesThroughJavasProxy() throws IOException {
    byte[] config = bytes("{}");
    server.model(NAME).commit("main", Map.of("config.json", config, "model.safetensors", config));
    environment.put("HF_ENDPOINT", "http://hub.invalid");
    URI proxy = URI.create(server.endpoint());
    System.setProperty("http.proxyHost", proxy.getHost());
    System.setProperty("http.proxyPort", Integer.toString(proxy.getPort()));
    try {
      Path folder = hub().find(Location.of(MODEL)).path();
      assertArrayEquals(config, Files.readAllBytes(folder.resolve("config.json")));
    } finally {
      System.clearProperty("http.proxyHost");
      System.clearProperty("http.proxyPort");
    }
  }
}
