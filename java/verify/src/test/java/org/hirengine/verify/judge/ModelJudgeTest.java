package org.hirengine.verify.judge;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.hirengine.verify.ConstraintSpec;
import org.hirengine.verify.JudgeList;
import org.hirengine.verify.Response;
import org.hirengine.verify.Verdict;
import org.hirengine.verify.Verdict.Outcome;
import org.hirengine.verify.Verifiers;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The judge with a small server whose answers are scripted. */
class ModelJudgeTest {

  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir Path folder;

  private HttpServer server;
  private final Queue<String> answers = new ConcurrentLinkedQueue<>();
  private final List<JsonNode> requests = new java.util.concurrent.CopyOnWriteArrayList<>();
  private final List<String> keys = new java.util.concurrent.CopyOnWriteArrayList<>();
  private final AtomicInteger atOnce = new AtomicInteger();
  private final AtomicInteger mostAtOnce = new AtomicInteger();
  private volatile int pause;

  @BeforeEach
  void start() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext("/v1/chat/completions", this::answer);
    server.setExecutor(Executors.newCachedThreadPool());
    server.start();
  }

  @AfterEach
  void stop() {
    server.stop(0);
  }

  /** An answer is a status or the model's words. */
  private void answer(HttpExchange exchange) throws IOException {
    mostAtOnce.accumulateAndGet(atOnce.incrementAndGet(), Math::max);
    requests.add(JSON.readTree(exchange.getRequestBody()));
    keys.add(String.valueOf(exchange.getRequestHeaders().getFirst("Authorization")));
    try {
      Thread.sleep(pause);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    String answer = answers.isEmpty() ? "YES" : answers.poll();
    boolean status = answer.matches("\\d{3}");
    String body =
        status
            ? "{}"
            : JSON.createObjectNode()
                .set(
                    "choices",
                    JSON.createArrayNode()
                        .add(
                            JSON.createObjectNode()
                                .set("message", JSON.createObjectNode().put("content", answer))))
                .toString();
    byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
    atOnce.decrementAndGet();
    exchange.sendResponseHeaders(status ? Integer.parseInt(answer) : 200, bytes.length);
    exchange.getResponseBody().write(bytes);
    exchange.close();
  }

  private ModelJudge.Builder judge() {
    return ModelJudge.builder("http://localhost:" + server.getAddress().getPort() + "/v1/", "tiny")
        .timeout(Duration.ofSeconds(5))
        .retries(3, Duration.ofMillis(5));
  }

  @Test
  void verdictsJoinTheJudgeList() throws IOException {
    Verifiers verifiers = Verifiers.builder().judge(judge().key("k3y").build()).build();
    List<ConstraintSpec> specs =
        List.of(
            new ConstraintSpec("ifeval", "punctuation:no_comma", Map.of()),
            new ConstraintSpec(
                "judge", "judge:criterion", Map.of("criterion", "Be kind.", "question", "Greet.")));
    answers.add("No.");
    JudgeList judges = verifiers.judge(specs, Response.of("Go {criterion} away"));
    assertEquals(0.5, judges.cla());
    assertEquals(Outcome.VIOLATED, judges.verdicts().get(1).outcome());
    String prompt = requests.get(0).at("/messages/0/content").asText();
    assertTrue(prompt.contains("Greet.") && prompt.contains("Be kind."), prompt);
    assertTrue(prompt.contains("Go {criterion} away"), prompt);
    assertEquals("tiny", requests.get(0).get("model").asText());
    assertEquals(List.of("Bearer k3y"), keys);
  }

  @Test
  void whatIsUnclearHasNoVerdict() {
    ModelJudge judge = judge().build();
    for (String answer : List.of("", "maybe", "YES and NO", "The answer is YES", "NO, but")) {
      answers.add(answer);
      assertEquals(Outcome.NO_VERDICT, judge.judge("", "c", "r").outcome(), answer);
    }
    for (String answer : List.of("yes", " YES.\n", "**Yes**")) {
      answers.add(answer);
      assertEquals(Outcome.SATISFIED, judge.judge("", "c", "r").outcome(), answer);
    }
  }

  @Test
  void passingFaultsAreTriedAgainLastingOnesAreNoVerdict() {
    answers.addAll(List.of("429", "503", "NO"));
    assertEquals(Outcome.VIOLATED, judge().build().judge("", "c", "r").outcome());
    assertEquals(3, requests.size());
    answers.addAll(List.of("500", "500", "500", "500"));
    Verdict lasting = judge().build().judge("", "c", "r");
    assertEquals(Outcome.NO_VERDICT, lasting.outcome());
    assertTrue(lasting.reason().contains("500 after 4 attempts"), lasting.reason());
    answers.add("401");
    Verdict refused = judge().key("s3cret").build().judge("", "c", "r");
    assertEquals(8, requests.size(), "a refusal is not tried again");
    assertFalse(refused.reason().contains("s3cret"));
    pause = 2000;
    Verdict late =
        judge()
            .timeout(Duration.ofMillis(50))
            .retries(0, Duration.ZERO)
            .build()
            .judge("", "c", "r");
    assertEquals(Outcome.NO_VERDICT, late.outcome());
  }

  /** 20, 40, 80 and 160 ms: a server in trouble is asked ever more rarely. */
  @Test
  void eachWaitIsTwiceTheOneBefore() {
    answers.addAll(List.of("503", "503", "503", "503", "NO"));
    long began = System.nanoTime();
    assertTrue(judge().retries(4, Duration.ofMillis(20)).build().judge("", "c", "r").decided());
    long ms = (System.nanoTime() - began) / 1_000_000;
    assertTrue(ms >= 295, "waited " + ms + " ms");
  }

  @Test
  void failuresAreCountedAndNamed() {
    ModelJudge judge = judge().retries(0, Duration.ZERO).build();
    answers.addAll(List.of("YES", "500", "maybe", "NO"));
    for (int i = 0; i < 4; i++) {
      judge.judge("", "c", "r");
    }
    ModelJudge.Tally tally = judge.tally();
    assertEquals(3, tally.answered());
    assertEquals(1, tally.unclear());
    assertEquals(1, tally.failed());
    String address = "http://localhost:" + server.getAddress().getPort() + "/v1/chat/completions";
    assertEquals(
        "the judge at " + address + " could not be asked 1 of 4 times: status 500",
        judge.failures());
    assertEquals("", judge().build().failures());
    assertEquals(
        "http://host:1/v1/chat/completions",
        ModelJudge.builder("http://user:secret@host:1/v1", "m").build().address());
  }

  /**
   * A server that refuses a key after accepting it may accept it again; one that never accepted it
   * will not.
   */
  @Test
  void aRefusedKeyIsNotTriedForEver() {
    for (String status : List.of("401", "403")) {
      ModelJudge judge = judge().build();
      answers.addAll(List.of(status, "YES"));
      for (int i = 0; i < 5; i++) {
        Verdict refused = judge.judge("", "c", "r" + i);
        assertTrue(refused.reason().contains("status " + status), refused.reason());
      }
      assertEquals(1, requests.size());
      assertEquals(5, judge.tally().failed());
      assertTrue(judge.tally().remedy().contains("HIR_JUDGE_KEY"));
      answers.clear();
      requests.clear();
    }
    ModelJudge judge = judge().build();
    answers.addAll(List.of("YES", "401", "NO"));
    assertEquals(Outcome.SATISFIED, judge.judge("", "c", "r").outcome());
    assertEquals(Outcome.NO_VERDICT, judge.judge("", "c", "r").outcome());
    assertEquals(Outcome.VIOLATED, judge.judge("", "c", "r").outcome());
  }

  /** The wait for a judge to start happens once, not for every response. */
  @Test
  void whoNeverAnsweredIsNotWaitedForAgain() throws IOException {
    ModelJudge failing = judge().build();
    for (int i = 0; i < 4; i++) {
      answers.add("503");
    }
    failing.judge("", "c", "r");
    assertEquals(4, requests.size());
    answers.addAll(List.of("503", "503"));
    failing.judge("", "c", "r");
    failing.judge("", "c", "r");
    assertEquals(6, requests.size());
    assertEquals(Outcome.SATISFIED, failing.judge("", "c", "r").outcome(), "it is up");
    answers.addAll(List.of("503", "503", "NO"));
    assertEquals(Outcome.VIOLATED, failing.judge("", "c", "r").outcome(), "tried again as before");

    int port;
    try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      port = free.getLocalPort();
    }
    ModelJudge nobody =
        ModelJudge.builder("http://127.0.0.1:" + port + "/v1", "m")
            .retries(1, Duration.ofMillis(1))
            .build();
    assertEquals(
        "the judge at http://127.0.0.1:%d/v1/chat/completions cannot be asked: connection refused"
                .formatted(port)
            + " after 2 attempts",
        nobody.judge("", "c", "r").reason());
  }

  @Test
  void thinkingAloudIsReadOnDemand() {
    answers.addAll(List.of("<think>NO or YES?</think>\\n\\nYES.", "<think>NO</think> NO"));
    assertEquals(
        Outcome.NO_VERDICT, judge().build().judge("", "c", "r").outcome(), "unclear by default");
    assertEquals(
        Outcome.VIOLATED, judge().stripThinking(true).build().judge("", "c", "r").outcome());
    answers.add("<think>YES");
    assertEquals(
        Outcome.NO_VERDICT, judge().stripThinking(true).build().judge("", "c", "r").outcome());
  }

  @Test
  void decidedVerdictsAreKeptOthersAreNot() {
    answers.addAll(List.of("unclear", "NO"));
    assertFalse(judge().cache(folder).build().judge("q", "c", "r").decided());
    assertEquals(Outcome.VIOLATED, judge().cache(folder).build().judge("q", "c", "r").outcome());
    assertEquals(Outcome.VIOLATED, judge().cache(folder).build().judge("q", "c", "r").outcome());
    assertEquals(2, requests.size(), "the second NO is from the cache");
    assertEquals(Outcome.SATISFIED, judge().cache(folder).build().judge("q", "c", "R").outcome());
  }

  /** What one judge decided about a prompt says nothing about another prompt or another judge. */
  @Test
  void cachedVerdictsAreOfOneModelAndOnePrompt() throws IOException {
    String url = "http://localhost:" + server.getAddress().getPort() + "/v1";
    answers.addAll(List.of("NO", "YES", "YES", "NO"));
    ModelJudge.Builder tiny = ModelJudge.builder(url, "tiny").cache(folder);
    Verdict first = tiny.template("s {criterion}{response}").build().judge("", "c", "r");
    assertEquals(Verdict.of(false, "judged by tiny"), first);
    assertEquals(
        Verdict.of(false, "judged by tiny before"),
        tiny.template("s {criterion}{response}").build().judge("", "cr", ""),
        "the same prompt");
    ModelJudge.Builder other = ModelJudge.builder(url, "tinys").cache(folder);
    assertTrue(other.template("s {criterion}{response}").build().judge("", "c", "r").satisfied());
    assertTrue(
        other.template(" {criterion}{response}").build().judge("", "c", "r").satisfied(),
        "where the model ends, the prompt begins");
    assertEquals(3, requests.size());

    // A machine that failed may leave a file without its verdict.
    Path broken;
    try (Stream<Path> files = Files.walk(folder)) {
      broken =
          files
              .filter(Files::isRegularFile)
              .filter(file -> file.getFileName().toString().equals(hash("tiny\0s cr")))
              .findFirst()
              .orElseThrow();
    }
    for (String half : List.of("", "Y", "YES\n")) {
      Files.writeString(broken, half);
      answers.clear();
      answers.add("NO");
      assertEquals(
          "judged by tiny",
          tiny.template("s {criterion}{response}").build().judge("", "c", "r").reason(),
          half);
      assertEquals("NO", Files.readString(broken));
    }
  }

  private static String hash(String text) {
    try {
      return HexFormat.of()
          .formatHex(
              MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8)));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void aVerdictThatCannotBeKeptIsStillOne() throws IOException {
    Path file = Files.writeString(folder.resolve("file"), "");
    Verdict verdict = judge().cache(file).build().judge("", "c", "r");
    assertTrue(verdict.satisfied());
    assertTrue(verdict.reason().contains("not kept"), verdict.reason());
  }

  @Test
  void anInterruptGivesNoVerdictAndStaysSet() {
    for (int parallel : new int[] {1, 8}) {
      Thread.currentThread().interrupt();
      Verdict verdict = judge().parallel(parallel).build().judge("", "c", "r");
      assertTrue(Thread.interrupted(), "the interrupt");
      assertEquals(Verdict.none("the judge was interrupted"), verdict);
    }
    assertEquals(0, requests.size());
  }

  @Test
  void requestsUnderWayAreBounded() throws Exception {
    pause = 50;
    ModelJudge judge = judge().parallel(2).build();
    ExecutorService threads = Executors.newFixedThreadPool(6);
    try {
      List<Callable<Verdict>> calls =
          IntStream.range(0, 12)
              .<Callable<Verdict>>mapToObj(i -> () -> judge.judge("", "c", "r" + i))
              .toList();
      for (Future<Verdict> each : threads.invokeAll(calls)) {
        assertTrue(each.get().satisfied());
      }
    } finally {
      threads.shutdown();
    }
    assertEquals(2, mostAtOnce.get(), "at once");
  }

  @Test
  void optionsSetWhatTheEnvironmentDoesNot() throws IOException {
    Map<String, String> environment =
        Map.of(
            "HIR_JUDGE_URL", "http://localhost:" + server.getAddress().getPort() + "/v1",
            "HIR_JUDGE_MODEL", "tiny",
            "HIR_JUDGE_KEY", "k3y");
    Path template = Files.writeString(folder.resolve("prompt.txt"), "{criterion}: {response}");
    JudgeOptions options = new JudgeOptions(folder.resolve("cache"), template, 3, 20, 0, false);
    answers.add("NO");
    for (int i = 0; i < 2; i++) {
      ModelJudge judge = options.judge(environment).orElseThrow();
      assertEquals(Outcome.VIOLATED, judge.judge("q", "kind", "Go").outcome());
    }
    assertEquals(1, requests.size(), "the second verdict is from the cache");
    assertEquals("kind: Go", requests.get(0).at("/messages/0/content").asText());
    assertEquals(List.of("Bearer k3y"), keys);
    answers.add("500");
    ModelJudge judge = options.judge(environment).orElseThrow();
    assertEquals(Outcome.NO_VERDICT, judge.judge("q", "kind", "Stay").outcome());
    assertEquals(2, requests.size(), "no retries were asked for");
    pause = 2000;
    ModelJudge hasty =
        new JudgeOptions(null, null, 3, 0.05, 0, false).judge(environment).orElseThrow();
    assertEquals(Outcome.NO_VERDICT, hasty.judge("q", "kind", "Come").outcome());
  }

  @Test
  void optionsWithoutAJudgeAreRefused() throws IOException {
    assertTrue(JudgeOptions.DEFAULT.judge(Map.of()).isEmpty());
    JudgeOptions cached = new JudgeOptions(folder, null, 1, 1, 0, false);
    String nobody =
        assertThrows(IllegalArgumentException.class, () -> cached.judge(Map.of())).getMessage();
    assertTrue(nobody.contains("HIR_JUDGE_URL"), nobody);
    Map<String, String> environment = Map.of("HIR_JUDGE_URL", "http://x", "HIR_JUDGE_MODEL", "m");
    Path template = Files.writeString(folder.resolve("prompt.txt"), "{response}?");
    JudgeOptions incomplete = new JudgeOptions(null, template, 1, 1, 0, false);
    String lacking =
        assertThrows(IllegalArgumentException.class, () -> incomplete.judge(environment))
            .getMessage();
    assertTrue(lacking.contains("prompt.txt") && lacking.contains("{criterion}"), lacking);
    JudgeOptions absent = new JudgeOptions(null, folder.resolve("none"), 1, 1, 0, false);
    assertThrows(NoSuchFileException.class, () -> absent.judge(environment));
    assertThrows(
        IllegalArgumentException.class, () -> new JudgeOptions(null, null, 0, 1, 0, false));
    assertThrows(
        IllegalArgumentException.class, () -> new JudgeOptions(null, null, 1, 0, 0, false));
  }

  @Test
  void templatesAndEnvironmentAreChecked() {
    assertThrows(IllegalArgumentException.class, () -> judge().template("{response} only"));
    answers.add("YES");
    judge().template("Is {response} {criterion}?").build().judge("q", "red", "blood");
    assertEquals("Is blood red?", requests.get(0).at("/messages/0/content").asText());
    assertTrue(ModelJudge.fromEnvironment(Map.of("HIR_JUDGE_URL", "http://x/v1")).isEmpty());
    assertTrue(
        ModelJudge.fromEnvironment(Map.of("HIR_JUDGE_URL", "http://x/v1", "HIR_JUDGE_MODEL", "m"))
            .isPresent());
  }

  /** Each would otherwise be an exception, and so a failed verdict, for every response. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "localhost:8000/v1",
        "ftp://host/v1",
        "http:///v1",
        "http://",
        "//h/v1",
        "http://a b"
      })
  void anAddressThatCannotBeAskedIsRefused(String url) {
    Map<String, String> environment = Map.of("HIR_JUDGE_URL", url, "HIR_JUDGE_MODEL", "m");
    String message =
        assertThrows(IllegalArgumentException.class, () -> JudgeOptions.DEFAULT.judge(environment))
            .getMessage();
    assertTrue(message.contains("HIR_JUDGE_URL") && message.contains("'" + url + "'"), message);
  }

  @Test
  void aRefusedAddressDoesNotShowItsPassword() {
    String message =
        assertThrows(
                IllegalArgumentException.class,
                () -> ModelJudge.builder("https//user:s3cret@host/v1", "m"))
            .getMessage();
    assertTrue(message.contains("HIR_JUDGE_URL") && !message.contains("s3cret"), message);
  }

  /** Keys are read from files, which end in a line break; what no header can carry is refused. */
  @Test
  void keysAreSentWithoutWhiteSpaceAndNeverShown() throws IOException {
    String url = " http://localhost:" + server.getAddress().getPort() + "/v1\n";
    for (String key : List.of("k3y\n", " k3y\r\n", "\tk3y")) {
      Map<String, String> environment =
          Map.of("HIR_JUDGE_URL", url, "HIR_JUDGE_MODEL", "tiny", "HIR_JUDGE_KEY", key);
      ModelJudge judge = JudgeOptions.DEFAULT.judge(environment).orElseThrow();
      assertTrue(judge.judge("", "c", "r").satisfied());
    }
    assertEquals(List.of("Bearer k3y", "Bearer k3y", "Bearer k3y"), keys);
    for (String key : List.of("s3\ncret", "s3\u0000cret", "s3cr\u00E9t", "s3 cret")) {
      String message =
          assertThrows(IllegalArgumentException.class, () -> judge().key(key)).getMessage();
      assertTrue(message.contains("HIR_JUDGE_KEY") && !message.contains("s3"), message);
    }
  }
}
