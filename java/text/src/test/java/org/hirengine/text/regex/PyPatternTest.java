package org.hirengine.text.regex;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.hirengine.text.CodePoints;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PyPatternTest {

  private static final ObjectMapper JSON = new ObjectMapper();

  /** python-re.jsonl has the results of CPython 3.11's re on crafted and random patterns. */
  @Test
  void matchesWhatPythonMatches() throws IOException {
    List<String> differences = new ArrayList<>();
    int cases = 0;
    try (BufferedReader reader =
        new BufferedReader(
            new InputStreamReader(
                PyPatternTest.class.getResourceAsStream("python-re.jsonl"),
                StandardCharsets.UTF_8))) {
      for (String line; (line = reader.readLine()) != null; cases++) {
        ObjectNode expected = (ObjectNode) JSON.readTree(line);
        ObjectNode found = run(expected);
        if (!found.equals(expected)) {
          differences.add("expected " + expected + "\n   found " + found);
        }
      }
    }
    assertTrue(cases > 1000, cases + " cases");
    assertEquals(List.of(), differences);
  }

  private static ObjectNode run(ObjectNode given) {
    ObjectNode result = JSON.createObjectNode();
    result.set("pattern", given.get("pattern"));
    result.set("ignoreCase", given.get("ignoreCase"));
    result.set("text", given.get("text"));
    PyPattern pattern;
    try {
      pattern =
          PyPattern.compile(
              given.get("pattern").asText(),
              given.get("ignoreCase").asBoolean() ? PyPattern.IGNORECASE : 0);
    } catch (PyPatternException e) {
      return result.put("error", true);
    }
    CodePoints text = CodePoints.of(given.get("text").asText());
    ArrayNode matches = result.putArray("matches");
    for (PyPattern.Match match : pattern.findAll(text)) {
      ArrayNode groups = matches.addArray();
      for (int group = 0; group <= match.groupCount(); group++) {
        groups.addArray().add(match.start(group)).add(match.end(group));
      }
    }
    result.set("full", span(pattern.fullMatch(text)));
    result.set("match", span(pattern.match(text)));
    ArrayNode pieces = result.putArray("split");
    pattern.split(text).forEach(pieces::add);
    return result;
  }

  private static JsonNode span(PyPattern.Match match) {
    return match == null
        ? JSON.nullNode()
        : JSON.createArrayNode().add(match.start(0)).add(match.end(0));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "(a+)+$",
        "(a|aa)+$",
        "(a|a)*$",
        "(.*)*x",
        "(\\w+\\s?)+:",
        "(?=(a+)+$)a",
        "a*a*a*a*a*a*c"
      })
  void catastrophicPatternsSpendTheirBudgetAtTheSameStep(String source) {
    CodePoints text = CodePoints.of("a".repeat(5000) + "b");
    PyPattern pattern = PyPattern.compile(source);
    String first = assertThrows(BudgetSpentException.class, () -> pattern.find(text)).getMessage();
    String again = assertThrows(BudgetSpentException.class, () -> pattern.find(text)).getMessage();
    assertEquals(first, again);
  }

  @Test
  void longTextsNeitherOverflowASmallStackNorSpendTheBudget() throws InterruptedException {
    String text = "ab\n".repeat(400_000);
    AtomicReference<Object> result = new AtomicReference<>();
    Thread small =
        new Thread(
            null,
            () -> {
              try {
                CodePoints points = CodePoints.of(text);
                result.set(
                    PyPattern.compile("(?:ab|\\s)*").count(points)
                        + " "
                        + PyPattern.compile("(?s)a.*?b$").count(points)
                        + " "
                        + PyPattern.compile("(a)(b)\\s").count(points));
              } catch (RuntimeException | StackOverflowError e) {
                result.set(e);
              }
            },
            "small stack",
            128 * 1024);
    small.start();
    small.join();
    // Python 3.11: len(re.findall(...)) of each.
    assertEquals("2 1 400000", result.get());
  }

  @Test
  void deepNestingIsRefusedNotOverflowed() {
    String deep = "(".repeat(100_000) + "a" + ")".repeat(100_000);
    assertThrows(PyPatternException.class, () -> PyPattern.compile(deep));
    String lookarounds = "(?=".repeat(90) + "a" + ")".repeat(90);
    assertTrue(PyPattern.compile(lookarounds).find(CodePoints.of("ba")));
  }

  @Test
  void charactersThatIgnoringCaseTakesForOneAreUnicodes() {
    // Lower-case letters that share an upper case, as listed by Python 3.11.
    String expected =
        "69 131|73 17F|B5 3BC|345 3B9 1FBE|390 1FD3|3B0 1FE3|3B2 3D0|3B5 3F5|3B8 3D1|3BA 3F0|3C0"
            + " 3D6|3C1 3F1|3C2 3C3|3C6 3D5|432 1C80|434 1C81|43E 1C82|441 1C83|442 1C84 1C85|44A"
            + " 1C86|463 1C87|1C88 A64B|1E61 1E9B|FB05 FB06";
    int entries = 0;
    for (String group : expected.split("\\|", -1)) {
      String[] members = group.split(" ", -1);
      for (String member : members) {
        int[] others = SameUpper.TABLE.get(Integer.parseInt(member, 16));
        assertEquals(members.length - 1, others == null ? 0 : others.length, member);
        entries++;
      }
    }
    assertEquals(entries, SameUpper.TABLE.size());
  }
}
