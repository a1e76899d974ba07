package org.hirengine.verify.muldimif;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.hirengine.text.CodePoints;
import org.hirengine.text.PyText;
import org.hirengine.text.regex.PyPattern;
import org.hirengine.verify.Response;
import org.hirengine.verify.Verdict;
import org.hirengine.verify.Verifier;
import org.hirengine.verify.rule.Wording;
import org.jspecify.annotations.Nullable;

/**
 * {@code LengthWords_Each}: limits of words for each table cell, JSON entry, list item or line.
 * Without elements, or without a known limit, the constraint is violated.
 */
final class WordLimitOfEach {

  private static final PyPattern EACH_WORD =
      PyPattern.compile("each word must be", PyPattern.IGNORECASE);
  private static final PyPattern CHARACTERS =
      PyPattern.compile(
          "must be (at most|at least) (\\b(?:"
              + NumberWords.TO_TEN.alternatives()
              + "|\\d+)\\b) characters",
          PyPattern.IGNORECASE);
  private static final PyPattern NUMBER_WORD =
      PyPattern.compile(
          "\\b(" + NumberWords.FROM_ZERO.alternatives() + ")\\b", PyPattern.IGNORECASE);
  private static final PyPattern TARGET =
      PyPattern.compile(
          "(?:each entry in the|each|the)\\s+(.+?)\\s+"
              + "(?:is|in the table|column|must|consists of|contains?|should|have)",
          PyPattern.IGNORECASE);

  /** {@code constraint_patterns}. */
  private static final LimitRules RULES =
      new LimitRules(NumberWords.TO_TEN, "(\\d+)", PyPattern.IGNORECASE)
          .range("between N and N words", "range: N-N words")
          .atLeast("at least N words", "a minimum of N words", "a minimum length of N words")
          .atMost("at most N words")
          .exactly("exactly N words")
          .atMost(
              "no more than N words",
              "not exceed N words",
              "a maximum of N words",
              "a maximum length of N words",
              "limit of N words",
              "not exceeding N words",
              "less than N words");

  private static final PyPattern SEPARATOR = PyPattern.compile("[\\s|*-]+");
  private static final PyPattern TABLE_LINE = PyPattern.compile("\\|.*\\|$");

  /** Represents a separator row among the cells; it counts as a cell of one word. */
  private static final String SPLIT = "<TitleSplit>";

  private final @Nullable String target;
  private final Bounds bounds;

  private WordLimitOfEach(@Nullable String target, Bounds bounds) {
    this.target = target;
    this.bounds = bounds;
  }

  static Verifier of(Demand demand) {
    if (demand.says(EACH_WORD)) {
      PyPattern.Match match = demand.match(CHARACTERS);
      if (match == null) {
        return NotUnderstood.of(
            "no number of characters",
            response -> Verdict.failed("the reference raises: no number of characters"));
      }
      if ("at most".equals(match.group(1))) {
        return characters(Bounds.atMost(NumberWords.digits(String.valueOf(match.group(2)))));
      }
      if ("at least".equals(match.group(1))) {
        return characters(Bounds.atLeast(NumberWords.digits(String.valueOf(match.group(2)))));
      }
    }
    String sentence = withDigits(demand);
    Bounds bounds = RULES.in(sentence);
    if (bounds == null) {
      return NotUnderstood.violated("no limit of words for each element");
    }
    PyPattern.Match target = TARGET.search(CodePoints.of(sentence));
    return new WordLimitOfEach(
            target == null
                ? null
                : PyText.lower(String.valueOf(target.group(1))).replace("\"", "").replace("'", ""),
            bounds)
        ::check;
  }

  private static Verifier characters(Bounds bounds) {
    return response -> {
      for (String word : PyText.split(response.text(), " ")) {
        Verdict verdict = bounds.verdict(PyText.length(word), "character");
        if (!verdict.satisfied()) {
          return Verdict.violated(Wording.brief(word) + ": " + verdict.reason());
        }
      }
      return Verdict.satisfied(bounds.phrase() + " characters a word");
    };
  }

  /** The sentence with its number words as digits. */
  private static String withDigits(Demand demand) {
    CodePoints points = CodePoints.of(demand.text());
    StringBuilder out = new StringBuilder();
    int from = 0;
    for (PyPattern.Match match : NUMBER_WORD.findAll(points)) {
      Long value = NumberWords.FROM_ZERO.value(PyText.lower(String.valueOf(match.group(1))));
      if (value == null) {
        throw new ReferenceRaises("'" + match.group(1) + "' is no number");
      }
      out.append(points.substring(from, match.start())).append(value);
      from = match.end();
    }
    return out.append(points.substring(from, points.length())).toString();
  }

  private Verdict check(Response response) {
    List<String> elements = elements(response);
    for (String element : elements) {
      Verdict verdict = bounds.verdict(PyText.split(element).size(), "word");
      if (!verdict.satisfied()) {
        return Verdict.violated(Wording.brief(element) + ": " + verdict.reason());
      }
    }
    return Verdict.of(
        !elements.isEmpty(),
        elements.size() + " elements, " + bounds.phrase() + " words asked of each");
  }

  /** {@code extract_elements}. */
  private List<String> elements(Response response) {
    String text = response.text();
    return switch (TextShape.of(response.codePoints())) {
      case JSON -> entries(text);
      case TABLE -> cells(text);
      case NUMBERED ->
          TextShape.numberedLines(text).stream()
              .map(line -> PyText.strip(lastAfter(lastAfter(line, ":"), ".")))
              .toList();
      case BULLETS -> TextShape.bullets(text);
      case PLAIN -> lines(text);
    };
  }

  /** {@code s.split(separator, 1)[-1]}. */
  private static String lastAfter(String s, String separator) {
    return s.contains(separator) ? TextShape.after(s, separator) : s;
  }

  /** The values of a JSON object, or the one that the target names. */
  private List<String> entries(String text) {
    if (target == null) {
      return List.of();
    }
    Optional<Map<String, String>> fields = JsonText.fields(text);
    if (fields.isEmpty()) {
      return List.of();
    }
    if (target.contains("entry")) {
      return List.copyOf(fields.get().values());
    }
    List<String> words = PyText.split(target);
    return words.isEmpty()
        ? List.of()
        : List.of(fields.get().getOrDefault(words.get(words.size() - 1), ""));
  }

  /** The lines that are neither blank, nor end in a colon, nor belong to a table. */
  private static List<String> lines(String text) {
    List<String> lines = new ArrayList<>();
    for (String line : PyText.split(text, "\n")) {
      String stripped = PyText.strip(line);
      if (!stripped.isEmpty()
          && !PyText.strip(stripped, "*#'\"").endsWith(":")
          && TABLE_LINE.match(CodePoints.of(stripped)) == null) {
        lines.add(PyText.strip(PyText.stripLeading(stripped, "#")));
      }
    }
    return lines;
  }

  /**
   * {@code parse_table}: the cells below the headers that contain the target; if no header does,
   * all cells, including headers and separator rows.
   */
  private List<String> cells(String text) {
    List<String> cells = new ArrayList<>();
    for (String line : PyText.split(text, "\n")) {
      String row = PyText.strip(line);
      if (!row.startsWith("|")) {
        continue;
      }
      if (SEPARATOR.fullMatch(CodePoints.of(row)) != null) {
        cells.add(SPLIT);
      } else {
        for (String cell : PyText.split(PyText.slice(row, 1, -1), "|")) {
          if (!PyText.isBlank(cell)) {
            cells.add(PyText.strip(cell));
          }
        }
      }
    }
    int split = cells.indexOf(SPLIT);
    List<String> headers = split < 0 ? cells : cells.subList(0, split);
    if (headers.isEmpty()) {
      return List.of();
    }
    List<String> data =
        split < 0
            ? List.of()
            : cells.subList(split + 1, cells.size()).stream()
                .filter(cell -> !cell.equals(SPLIT))
                .toList();
    String wanted = target == null ? "cells" : PyText.lower(target);
    List<String> found = new ArrayList<>();
    for (int i = 0; i + headers.size() <= data.size(); i += headers.size()) {
      Map<String, String> row = new LinkedHashMap<>();
      for (int j = 0; j < headers.size(); j++) {
        row.put(headers.get(j), data.get(i + j));
      }
      row.forEach(
          (header, cell) -> {
            String key = PyText.lower(header);
            if (!key.equals(PyText.lower(cell)) && key.contains(wanted)) {
              found.add(cell);
            }
          });
    }
    return found.isEmpty() ? cells : found;
  }
}
