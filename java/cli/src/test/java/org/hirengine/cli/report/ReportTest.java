package org.hirengine.cli.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashSet;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.hirengine.cli.HirConsole;
import org.hirengine.engine.runs.RolloutDump;
import org.hirengine.replay.JsonLines;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The report of a run, as a file and in a browser. */
class ReportTest {

  private static final int STEPS = 50;

  @TempDir static Path shared;
  private static Path run;

  @TempDir Path temp;

  @BeforeAll
  static void writeRun() {
    run = shared.resolve("run <b>1");
    SampleRun.write(run, STEPS);
  }

  private String page(String... options) throws IOException {
    Path page = temp.resolve("report.html");
    List<Object> words = new ArrayList<>(List.of("report", run, "--out", page));
    words.addAll(List.of(options));
    HirConsole.run(words.toArray()).succeeds();
    return Files.readString(page);
  }

  private static String between(String text, String start, String end) {
    int from = text.indexOf(start) + start.length();
    assertTrue(from >= start.length(), start);
    return text.substring(from, text.indexOf(end, from));
  }

  private static JsonNode data(String page) throws IOException {
    return JsonLines.MAPPER.readTree(between(page, "id=\"data\">", "</script>"));
  }

  @Test
  void theDataIsTheRuns() throws IOException {
    JsonNode data = data(page("--rows", "100000"));
    assertEquals(STEPS, data.get("step").size());
    assertEquals(STEPS, data.at("/shownSteps").size());
    assertEquals("hir", data.at("/summary/algorithm").asText());
    assertEquals("nan", data.at("/metrics/grad_norm/values/8").asText());
    assertTrue(data.at("/metrics/eval.ila/values/0").isNull());
    assertEquals(6, data.get("satisfied").size());
    int rows = 0;
    for (int step : RolloutDump.steps(run.resolve("rollouts"))) {
      rows += RolloutDump.read(RolloutDump.file(run.resolve("rollouts"), step)).size();
    }
    assertEquals(rows, data.get("rollouts").size());
    JsonNode first = data.at("/rollouts/0");
    String hostile = SampleRun.HOSTILE.replace('\uD800', '\uFFFD');
    assertEquals(hostile, first.get("response").textValue());
    assertEquals(
        hostile,
        data.get("instructions")
            .get(first.get("instruction").intValue())
            .get("question")
            .textValue());
  }

  @Test
  void fewRowsAreWholeStepsFromTheFirstToTheLast() throws IOException {
    JsonNode shown = data(page("--rows", "300")).get("shownSteps");
    assertTrue(shown.size() >= 5 && shown.size() <= 15, shown::toString);
    assertEquals(1, shown.get(0).intValue());
    assertEquals(STEPS, shown.get(shown.size() - 1).intValue());
    assertEquals(2, data(page("--rows", "1")).get("shownSteps").size());
    assertEquals(0, data(page("--rows", "0")).get("rollouts").size());
  }

  @Test
  void noTextOfTheRunIsMarkupAndNothingComesFromElsewhere() throws Exception {
    String page = page();
    assertFalse(between(page, "id=\"data\">", "</script>").matches("(?s).*[<>&].*"));
    assertFalse(page.contains("<script>document.title"), "the hostile text");
    String policy = between(page, "Content-Security-Policy\" content=\"", "\"");
    assertTrue(policy.startsWith("default-src 'none';"), policy);
    assertTrue(
        policy.contains("script-src '" + hash(between(page, "<script>", "</script>")) + "'"));
    assertTrue(policy.contains("style-src '" + hash(between(page, "<style>", "</style>")) + "'"));
    String own = page.replace("http://www.w3.org/2000/svg", "");
    assertFalse(own.contains("://"), "an address");
    assertFalse(own.contains("@import"), "a style from elsewhere");
  }

  private static String hash(String text) throws Exception {
    byte[] digest =
        MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
    return "sha256-" + Base64.getEncoder().encodeToString(digest);
  }

  @Test
  void aBrowserShowsIt() throws Exception {
    Chromium browser = Chromium.find(temp);
    String page = page();
    String address = temp.resolve("report.html").toUri().toString();
    String document = browser.document(address);
    assertSound(document);
    assertEquals(18, count("<article class=\"card chart\">", document));
    assertTrue(document.contains("held-out, sound answers <b>"), "beside held-out ILA");
    assertTheMarksOfAnAxisDiffer(document);
    assertEquals(6, count("<th class=\"type\" scope=\"row\">", document));
    assertEquals(50, count("<tr class=\"row\"", document));
    assertTrue(document.contains("1 not finite"), "the gradient norm of step 9");
    assertTrue(document.contains("Alarm: entropy, in 5 of 50 steps (from step 46 to 50)"));
    assertTrue(document.contains("<small class=\"up\">from 0.8%</small>"), "held-out ILA");
    JsonNode last = data(page).at("/metrics/kl/values/49");
    Matcher shown = Pattern.compile("sampled <b>(0\\.\\d+)</b>").matcher(document);
    assertTrue(shown.find());
    assertEquals(last.doubleValue(), Double.parseDouble(shown.group(1)), 5e-4);
  }

  private static void assertTheMarksOfAnAxisDiffer(String document) {
    for (String chart : document.split("<article ", -1)) {
      List<String> marks =
          Pattern.compile("text-anchor=\"end\">([^<]+)<")
              .matcher(chart)
              .results()
              .map(mark -> mark.group(1))
              .toList();
      assertEquals(marks.size(), new HashSet<>(marks).size(), marks::toString);
    }
  }

  @Test
  void aBrowserFiltersRowsAndOpensThem() throws Exception {
    Chromium browser = Chromium.find(temp);
    JsonNode data = data(page("--rows", "100000"));
    int replays = 0;
    JsonNode hostile = null;
    for (JsonNode row : data.get("rollouts")) {
      if (row.get("step").intValue() == 1 && row.has("of")) {
        replays++;
        hostile = row.get("of").intValue() == 0 ? row : hostile;
      }
    }
    assertTrue(replays > 0);
    String view = hostile == null ? "1.0" : "1." + hostile.get("index").intValue();
    String document =
        browser.document(
            temp.resolve("report.html").toUri() + "#rollouts?step=1&kind=replay&open=" + view);
    assertSound(document);
    assertEquals(replays, count("<tr class=\"row( open)?\"", document));
    assertTrue(document.contains(replays + " rows, page 1 of 1"));
    if (hostile != null) {
      String detail = between(document, "id=\"row-" + view + "\"", "</table>");
      assertTrue(detail.contains("Rewritten for this response"), "both instructions");
      int gone = count("<span class=\"tag gone\">", detail);
      assertEquals(hostile.get("dropped").intValue(), gone - hostile.get("relabelled").intValue());
      assertTrue(detail.contains("&lt;/script&gt;&lt;script&gt;document.title"), "as text");
    }
  }

  @Test
  void aBrowserShowsWhatRealModelsWrite() throws Exception {
    Chromium browser = Chromium.find(temp);
    JsonNode data = data(page("--rows", "100000"));
    List<String> open = new ArrayList<>();
    for (String text : SampleRun.REAL) {
      for (JsonNode row : data.get("rollouts")) {
        if (row.get("response").asText().equals(text) && open.size() < 3) {
          open.add("2." + row.get("index").intValue());
          break;
        }
      }
    }
    assertEquals(3, open.size());
    String address =
        temp.resolve("report.html").toUri()
            + "#rollouts?step=2&kind=original&open="
            + String.join(",", open);
    String document = browser.document(address);
    assertSound(document);
    String longRow = between(document, "id=\"row-" + open.get(0) + "\"", "</table>");
    assertEquals(1, count("<pre class=\"response text folded\"", document), "the long one");
    assertTrue(longRow.contains("show all " + SampleRun.REAL.get(0).length() / 1000 + ","));
    assertTrue(longRow.contains("**Bold** and `code`:\n\n| a | b |"), "Markdown as it is written");
    assertTrue(document.contains("<pre class=\"response text\" dir=\"auto\">\u05e9"));
    assertTrue(document.contains("yyy\ud83d\ude00</button>"), "an emoji is not cut in half");
    assertFalse(between(document, "<div id=\"table\">", "id=\"configuration\"").contains("\ufffd"));
    for (int width : new int[] {390, 1400}) {
      assertEquals(0, browser.sidewaysScroll(address, width), "on a screen of " + width);
    }
  }

  /** Draws everything, and markup in texts has no effect. */
  private void assertSound(String document) {
    assertTrue(document.contains("data-state=\"ready\""), "the script came to its end");
    assertTrue(document.contains("<div id=\"fault\" role=\"alert\" hidden=\"\">"), "no fault");
    assertTrue(document.contains("<title>run &lt;b&gt;1 · HiR run</title>"), "its own title");
    assertEquals(0, count("<img", document));
    assertEquals(2, count("<script", document));
  }

  private static int count(String pattern, String text) {
    return (int) Pattern.compile(pattern).matcher(text).results().count();
  }

  @Test
  void anInterruptedRunIsShownAsFarAsItGot() throws IOException {
    Path going = temp.resolve("going/seed-2");
    SampleRun.write(going, 3);
    Files.delete(going.resolve("summary.json"));
    Files.writeString(
        going.resolve("metrics.jsonl"), "{\"step\":4,\"il", StandardOpenOption.APPEND);
    HirConsole.run("report", going).succeeds();
    JsonNode data = data(Files.readString(going.resolve("report.html")));
    assertTrue(data.get("summary").isNull());
    assertEquals("going/seed-2", data.get("folder").asText());
    assertEquals(3, data.get("step").size());
  }

  @Test
  void printsWhatItWrote() throws IOException {
    Path out = temp.resolve("page.html");
    HirConsole console = HirConsole.run("report", run, "--out", out, "--json", "--rows", "0");
    JsonNode report = JsonLines.MAPPER.readTree(console.succeeds().out());
    assertEquals(out.toString(), report.get("report").asText());
    assertEquals(STEPS, report.get("steps").intValue());
    assertEquals(0, report.get("rollouts").intValue());
    assertTrue(Files.exists(out));
    assertFalse(Files.exists(run.resolve("report.html")));
  }

  @Test
  void wrongUseIsOneLine() {
    HirConsole.run("report", temp).failsWith(1, "has no metrics.jsonl");
    HirConsole.run("report", temp.resolve("absent")).failsWith(1, "is not a run folder");
    HirConsole.run("report", run, "--rows", "-1").failsWith(2, "--rows");
    HirConsole.run("report", run, "--out", temp.resolve("a/b.html")).failsWith(1, "a/b.html");
  }
}
