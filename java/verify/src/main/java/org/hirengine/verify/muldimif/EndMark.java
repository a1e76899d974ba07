package org.hirengine.verify.muldimif;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.hirengine.text.CodePoints;
import org.hirengine.text.PyChars;
import org.hirengine.text.PyText;
import org.hirengine.text.regex.PyPattern;
import org.hirengine.verify.Response;
import org.hirengine.verify.TextTools;
import org.hirengine.verify.Verdict;
import org.hirengine.verify.Verifier;
import org.hirengine.verify.rule.Wording;
import org.jspecify.annotations.Nullable;

/**
 * {@code Content_Punctuation}: the marks that must, or must not, end the text or each sentence,
 * line, bullet or table cell.
 *
 * <p>As in the reference, pieces of words in the sentence decide which of these is meant: "table"
 * or "cell" (also in "excellent"), "paragraph" or "section", and "each", "any" or "all" (also in
 * "finally").
 */
final class EndMark {

  /** {@code punctuation_map}. */
  private static final Map<String, String> MARKS = new LinkedHashMap<>();

  static {
    MARKS.put("period", ".");
    MARKS.put("question mark", "?");
    MARKS.put("exclamation mark", "!");
    MARKS.put("semicolon", ";");
  }

  private static final PyPattern NEGATIVE =
      PyPattern.compile(
          "\\b(?:must not|avoid|exclude|not end with|do not use)\\b", PyPattern.IGNORECASE);
  private static final PyPattern FOLLOWED =
      PyPattern.compile("(" + String.join("|", MARKS.keySet()) + ")\\s+followed by a `([^`]+)`");
  private static final PyPattern NAMED =
      PyPattern.compile("\\b(" + String.join("|", MARKS.keySet()) + "|punctuation mark)s?\\b");
  private static final PyPattern BULLET =
      PyPattern.compile("^[-*\u2022]\\s.*$", PyPattern.MULTILINE);
  private static final PyPattern BAR = PyPattern.compile("\\s*\\|\\s*");

  private enum Part {
    TEXT,
    SENTENCES,
    LINES,
    CELLS
  }

  private final TextTools tools;
  private final Part part;
  private final boolean negative;

  private EndMark(Demand sentence, TextTools tools) {
    this.tools = tools;
    this.negative = sentence.says(NEGATIVE);
    if (sentence.says("table", "cell")) {
      this.part = Part.CELLS;
    } else if (sentence.says("paragraph", "section")) {
      this.part = Part.LINES;
    } else {
      this.part = sentence.says("each", "any", "all") ? Part.SENTENCES : Part.TEXT;
    }
  }

  static Verifier of(Demand demand, TextTools tools) {
    Demand sentence =
        new Demand(PyText.stripTrailing(PyText.lower(PyText.strip(demand.text())), "."));
    EndMark end = new EndMark(sentence, tools);
    if (sentence.says("bullet point")) {
      String mark =
          MARKS.keySet().stream().filter(sentence::says).findFirst().map(MARKS::get).orElse(null);
      return response -> end.ofBullets(mark, response);
    }
    PyPattern.Match followed = sentence.match(FOLLOWED);
    if (followed != null) {
      String wanted = MARKS.get(followed.group(1)) + followed.group(2);
      return response ->
          end.check(part -> part.endsWith(wanted), Wording.brief(wanted) + " asked", response);
    }
    Set<Integer> marks = named(sentence);
    String asked =
        (end.negative ? "none of " : "one of ")
            + marks.stream().map(Character::toString).collect(Collectors.joining(" "))
            + " asked";
    Verifier verifier =
        response -> end.check(part -> marks.contains(last(part)) != end.negative, asked, response);
    return marks.isEmpty() ? NotUnderstood.of("no mark", verifier) : verifier;
  }

  /** The marks that the sentence names; all of ASCII's for "punctuation mark". */
  private static Set<Integer> named(Demand sentence) {
    Set<Integer> marks = new TreeSet<>();
    for (PyPattern.Match match : sentence.matches(NAMED)) {
      String mark = MARKS.getOrDefault(match.group(1), PyChars.ASCII_PUNCTUATION);
      mark.chars().forEach(marks::add);
    }
    return marks;
  }

  private Verdict ofBullets(@Nullable String mark, Response response) {
    for (String bullet : BULLET.findTexts(CodePoints.of(response.stripped()))) {
      for (String sentence : tools.sentences(bullet)) {
        String stripped = PyText.strip(sentence);
        boolean ends =
            mark == null ? PyChars.isPunctuation(last(stripped)) : stripped.endsWith(mark);
        if (!ends) {
          return Verdict.violated(
              "the end of "
                  + Wording.brief(stripped)
                  + ", "
                  + (mark == null ? "a mark" : mark)
                  + " asked");
        }
      }
    }
    return Verdict.satisfied("each bullet ends as asked");
  }

  private Verdict check(Predicate<String> ends, String asked, Response response) {
    List<String> parts = parts(response);
    for (String part : parts) {
      if (part.isEmpty()) {
        return Verdict.of(negative, "the response is empty");
      }
      if (!ends.test(part)) {
        return Verdict.violated("the end of " + Wording.brief(part) + ", " + asked);
      }
    }
    return Verdict.satisfied(Wording.count(parts.size(), "end") + " checked, " + asked);
  }

  private static int last(String text) {
    return text.codePointBefore(text.length());
  }

  private List<String> parts(Response response) {
    String text = response.stripped();
    return switch (part) {
      case TEXT -> List.of(text);
      case SENTENCES ->
          text.equals(response.text()) ? tools.sentences(response) : tools.sentences(text);
      case LINES ->
          PyText.split(text, "\n").stream()
              .map(PyText::strip)
              .filter(line -> !line.isEmpty())
              .toList();
      case CELLS -> cells(text);
    };
  }

  /** The text between bars below the first two lines, without dashes. */
  private static List<String> cells(String text) {
    List<String> rows = PyText.split(text, "\n");
    List<String> cells = new ArrayList<>();
    for (String row : rows.size() > 1 ? rows.subList(2, rows.size()) : rows) {
      for (String piece : BAR.split(CodePoints.of(PyText.strip(row, "|")))) {
        String cell = PyText.strip(String.valueOf(piece));
        if (!PyText.strip(cell, "-").isEmpty()) {
          cells.add(cell);
        }
      }
    }
    return cells;
  }
}
