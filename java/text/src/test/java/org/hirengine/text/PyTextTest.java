package org.hirengine.text;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.IntPredicate;
import org.hirengine.text.jinja.JinjaTemplate;
import org.junit.jupiter.api.Test;

class PyTextTest {

  private static final ObjectMapper JSON = new ObjectMapper();

  /** python-str.jsonl has the results of CPython 3.11's str methods on crafted and random texts. */
  @Test
  void methodsDoWhatPythonsDo() throws IOException {
    List<String> differences = new ArrayList<>();
    int cases = 0;
    try (BufferedReader reader =
        new BufferedReader(
            new InputStreamReader(
                PyTextTest.class.getResourceAsStream("python-str.jsonl"),
                StandardCharsets.UTF_8))) {
      for (String line; (line = reader.readLine()) != null; cases++) {
        JsonNode expected = JSON.readTree(line);
        ObjectNode found = found(expected.get("text").asText());
        expected
            .properties()
            .forEach(
                field -> {
                  JsonNode ours = found.get(field.getKey());
                  if (!field.getValue().equals(ours)) {
                    differences.add(expected.get("text") + " " + field + ", but found " + ours);
                  }
                });
      }
    }
    assertTrue(cases > 300, cases + " cases");
    assertEquals(List.of(), differences);
  }

  /**
   * python-case.jsonl has the results of CPython 3.11 for all characters with unusual case
   * mappings, and for random texts of them. Templates call the same methods.
   */
  @Test
  void caseIsPythons() throws IOException {
    List<String> differences = new ArrayList<>();
    int cases = 0;
    try (BufferedReader reader =
        new BufferedReader(
            new InputStreamReader(
                PyTextTest.class.getResourceAsStream("python-case.jsonl"),
                StandardCharsets.UTF_8))) {
      for (String line; (line = reader.readLine()) != null; cases++) {
        JsonNode expected = JSON.readTree(line);
        String text = expected.get("text").asText();
        ObjectNode found = cases(text);
        JsonNode rendered = JSON.readTree(CASES.render(Map.of("s", text), Clock.systemUTC()));
        for (Map.Entry<String, JsonNode> field : expected.properties()) {
          String name = field.getKey();
          if (!field.getValue().equals(found.get(name))) {
            differences.add(expected.get("text") + " " + field + ", but found " + found.get(name));
          }
          if (rendered.has(name) && !field.getValue().equals(rendered.get(name))) {
            differences.add(
                expected.get("text") + " " + field + ", rendered as " + rendered.get(name));
          }
        }
      }
    }
    assertTrue(cases > 800, cases + " cases");
    assertEquals(List.of(), differences);
  }

  private static final JinjaTemplate CASES =
      JinjaTemplate.parse(
          """
          {{ {"lower": s.lower(), "upper": s.upper(), "title": s.title(),
              "capitalize": s.capitalize(), "swapcase": s.swapcase(), "isupper": s.isupper(),
              "islower": s.islower(), "istitle": s.istitle(), "isalpha": s.isalpha(),
              "isalnum": s.isalnum(), "isdecimal": s.isdecimal(), "isdigit": s.isdigit(),
              "isspace": s.isspace(), "keepends": s.splitlines(True)} | tojson }}\
          """,
          "cases");

  private static ObjectNode cases(String s) {
    ObjectNode found = JSON.createObjectNode();
    found.put("text", s);
    found.put("lower", PyText.lower(s));
    found.put("upper", PyText.upper(s));
    found.put("title", PyText.title(s));
    found.put("capitalize", PyText.capitalize(s));
    found.put("swapcase", PyText.swapCase(s));
    found.put("isupper", PyText.isUpper(s));
    found.put("islower", PyText.isLower(s));
    found.put("istitle", PyText.isTitle(s));
    found.put("isalpha", all(s, PyChars::isAlpha));
    found.put("isalnum", all(s, PyChars::isAlnum));
    found.put("isdecimal", all(s, PyChars::isDecimal));
    found.put("isdigit", PyText.isDigit(s));
    found.put("isspace", all(s, PyChars::isSpace));
    found.put("isprintable", s.codePoints().allMatch(PyChars::isPrintable));
    found.set("keepends", JSON.valueToTree(PyText.splitLines(s, true)));
    return found;
  }

  private static boolean all(String s, IntPredicate test) {
    return !s.isEmpty() && s.codePoints().allMatch(test);
  }

  private static ObjectNode found(String s) {
    ObjectNode found = JSON.createObjectNode();
    found.put("text", s);
    found.put("length", PyText.length(s));
    found.put("strip", PyText.strip(s));
    found.put("lstrip", PyText.stripLeading(s));
    found.put("rstrip", PyText.stripTrailing(s));
    found.set("split", JSON.valueToTree(PyText.split(s)));
    found.set("lines", JSON.valueToTree(PyText.splitLines(s)));
    found.put("lower", PyText.lower(s));
    found.put("upper", PyText.upper(s));
    found.put("isupper", PyText.isUpper(s));
    found.put("islower", PyText.isLower(s));
    found.put("isdigit", PyText.isDigit(s));
    found.set("words", JSON.valueToTree(PyText.words(s)));
    found.put("plain", PyText.removePunctuation(s));
    found.put("reverse", PyText.reverse(s));
    found.put("slice", PyText.slice(s, 1, -2));
    found.put("stripped", PyText.strip(s, "\"!a"));
    return found;
  }

  /** Count and checksum over U+0000 to U+07FF, computed by CPython 3.11. */
  @Test
  void characterClassesHaveThePythonsMembers() {
    assertEquals("12 3411708462", members(PyChars::isSpace));
    assertEquals("1479 456272588", members(PyChars::isWord));
    assertEquals("468 2976632476", members(PyChars::isUpper));
    assertEquals("591 2413314591", members(PyChars::isLower));
    assertEquals("40 1111759508", members(PyChars::isDecimal));
    assertEquals("43 2187186818", members(PyChars::isDigit));
    assertEquals("1432 4105432212", members(PyChars::isAlpha));
  }

  private static String members(IntPredicate in) {
    long count = 0;
    int sum = 0;
    for (int c = 0; c < 0x800; c++) {
      if (in.test(c)) {
        count++;
        sum = sum * 31 + c;
      }
    }
    return count + " " + Integer.toUnsignedString(sum);
  }

  @Test
  void splitKeepsEmptyPieces() {
    assertEquals(List.of("", "a", "", ""), PyText.split("\na\n\n", "\n"));
    assertEquals(List.of(""), PyText.split("", "******"));
    assertEquals(3, PyText.count("aaaaaaa", "aa"));
    assertEquals(4, PyText.count("\uD83D\uDE00ab", ""));
  }
}
