package org.hirengine.verify.muldimif;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.hirengine.text.CodePoints;
import org.hirengine.text.PyChars;
import org.hirengine.text.PyText;
import org.hirengine.text.regex.PyPattern;
import org.hirengine.verify.Response;
import org.hirengine.verify.Verdict;
import org.hirengine.verify.Verifier;
import org.hirengine.verify.rule.Wording;

/**
 * {@code Content_Keywords_Each}: the rule after "each ... must" holds for each table cell of a
 * column, JSON value, list item, or part of a plain text. A text without elements violates the
 * constraint, and so does any text if the sentence has another form.
 */
final class KeywordsOfEach {

  private static final PyPattern EACH_MUST =
      PyPattern.compile(
          "\\b(?:each|every)\\s+(.+?)\\s+(?:must|should|needs to|has to)\\s+(.*)",
          PyPattern.IGNORECASE);
  private static final PyPattern HEADING_MARK = PyPattern.compile("#+\\s*");

  private final String target;
  private final KeywordRule rule;

  private KeywordsOfEach(String target, KeywordRule rule) {
    this.target = target;
    this.rule = rule;
  }

  static Verifier of(Demand demand) {
    PyPattern.Match match = demand.match(EACH_MUST);
    if (match == null) {
      return NotUnderstood.violated("what each element must have");
    }
    KeywordRule rule = KeywordRule.of(String.valueOf(match.group(2)));
    KeywordsOfEach each = new KeywordsOfEach(PyText.lower(String.valueOf(match.group(1))), rule);
    return rule.isEmpty()
        ? NotUnderstood.of("no keyword for each element", each::check)
        : each::check;
  }

  private Verdict check(Response response) {
    List<String> elements = elements(response);
    for (String element : elements) {
      Verdict verdict = rule.check(element);
      if (!verdict.satisfied()) {
        return Verdict.violated(Wording.brief(element) + ": " + verdict.reason());
      }
    }
    return Verdict.of(!elements.isEmpty(), Wording.count(elements.size(), "element"));
  }

  /** {@code extract_elements}. */
  private List<String> elements(Response response) {
    String text = response.text();
    return switch (TextShape.of(response.codePoints())) {
      case JSON -> JsonText.values(text);
      case TABLE -> cells(text);
      case NUMBERED ->
          TextShape.numberedLines(text).stream()
              .map(line -> PyText.strip(TextShape.after(line, ".")))
              .toList();
      case BULLETS -> TextShape.bullets(text);
      case PLAIN -> parts(text);
    };
  }

  /** The parts between lines of dashes, asterisks or equals signs; all the text without any. */
  private static List<String> parts(String text) {
    List<String> parts = new ArrayList<>();
    List<String> part = new ArrayList<>();
    for (String line : PyText.split(text, "\n")) {
      if (!isSeparator(PyText.strip(line))) {
        part.add(line);
      } else if (!part.isEmpty()) {
        parts.add(PyText.strip(String.join("\n", part)));
        part.clear();
      }
    }
    if (!part.isEmpty()) {
      parts.add(PyText.strip(String.join("\n", part)));
    }
    return parts.isEmpty() ? List.of(text) : parts;
  }

  private static boolean isSeparator(String line) {
    return line.length() >= 3
        && "-*=".indexOf(line.charAt(0)) >= 0
        && line.chars().allMatch(c -> c == line.charAt(0));
  }

  /**
   * {@code parse_table}: the cells of the column whose header shares most words with the target, or
   * of the one with most words.
   */
  private List<String> cells(String text) {
    List<List<String>> lines =
        PyText.split(text, "\n").stream()
            .map(PyText::strip)
            .filter(line -> line.startsWith("|") && line.endsWith("|"))
            .map(KeywordsOfEach::row)
            .toList();
    if (lines.size() < 3) {
      return List.of();
    }
    List<String> headers = lines.get(0);
    List<Map<String, String>> rows = new ArrayList<>();
    for (List<String> line : lines.subList(2, lines.size())) {
      if (line.size() == headers.size() && !headers.isEmpty()) {
        Map<String, String> row = new LinkedHashMap<>();
        for (int i = 0; i < line.size(); i++) {
          row.put(headers.get(i), line.get(i));
        }
        rows.add(row);
      }
    }
    if (rows.isEmpty()) {
      return List.of();
    }
    Set<String> wanted = new HashSet<>(words(target));
    String column = "";
    long most = 0;
    for (String header : headers) {
      long matches = words(header).stream().filter(wanted::contains).count();
      if (matches > most) {
        most = matches;
        column = header;
      }
    }
    return most > 0 ? column(rows, column) : longest(headers, rows);
  }

  private static List<String> row(String line) {
    List<String> cells = PyText.split(line, "|").stream().map(PyText::strip).toList();
    return cells.size() < 2 ? List.of() : cells.subList(1, cells.size() - 1);
  }

  /** The words of a text in lower case, without characters that belong to no word. */
  private static List<String> words(String text) {
    List<String> words = new ArrayList<>();
    for (String word : PyText.split(text)) {
      StringBuilder bare = new StringBuilder();
      word.codePoints().filter(PyChars::isWord).forEach(bare::appendCodePoint);
      if (bare.length() > 0) {
        words.add(PyText.lower(bare.toString()));
      }
    }
    return words;
  }

  private static List<String> column(List<Map<String, String>> rows, String header) {
    return rows.stream().map(row -> withoutMark(String.valueOf(row.get(header)))).toList();
  }

  private static String withoutMark(String cell) {
    CodePoints points = CodePoints.of(cell);
    PyPattern.Match mark = HEADING_MARK.match(points);
    return PyText.strip(mark == null ? cell : points.substring(mark.end(), points.length()));
  }

  private static List<String> longest(List<String> headers, List<Map<String, String>> rows) {
    List<String> longest = List.of();
    long most = -1;
    for (String header : headers) {
      List<String> column = column(rows, header);
      long words = column.stream().mapToLong(cell -> PyText.split(cell).size()).sum();
      if (words > most) {
        most = words;
        longest = column;
      }
    }
    return longest;
  }
}
