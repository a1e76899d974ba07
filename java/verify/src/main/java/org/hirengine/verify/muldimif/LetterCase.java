package org.hirengine.verify.muldimif;

import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.hirengine.text.CodePoints;
import org.hirengine.text.PyText;
import org.hirengine.text.regex.PyPattern;
import org.hirengine.verify.Verdict;
import org.hirengine.verify.Verifier;
import org.hirengine.verify.rule.Wording;

/**
 * {@code Language_English}: all upper case, capitalised words, or all lower case, of the whole text
 * or of its table, JSON or headings. Blank text violates the constraint, and so does any text if
 * the wording is not known.
 */
final class LetterCase {

  private static final PyPattern UPPER = PyPattern.compile("\\ball[- ]?uppercase\\b");
  private static final PyPattern CAPITALIZED = PyPattern.compile("\\bcapitalized\\b");
  private static final PyPattern LOWER = PyPattern.compile("\\blowercase\\b");
  private static final PyPattern JSON_KEY = PyPattern.compile("\"([^\"]+)\"\\s*:");
  private static final PyPattern JSON_VALUE = PyPattern.compile(":\\s*\"([^\"]+)\"");
  private static final PyPattern HEADING = PyPattern.compile("^#+\\s*(.+)$", PyPattern.MULTILINE);

  private LetterCase() {}

  static Verifier of(Demand demand) {
    Demand sentence = new Demand(PyText.lower(PyText.strip(demand.text())));
    UnaryOperator<String> part = part(sentence);
    // In the order of _get_constraint_type.
    if (sentence.says(UPPER) || sentence.says("in all uppercase letters", "in capitalized form")) {
      return of(text -> equal(part.apply(text), PyText::upper, "all upper case"));
    }
    if (sentence.says("capitalize the first letter of each word", "each word in")
        || sentence.says(CAPITALIZED)
        || (sentence.says("capital") && sentence.says("each"))) {
      return of(text -> capitalised(part.apply(text)));
    }
    if (sentence.says("all lowercase") || sentence.says(LOWER)) {
      return of(text -> equal(part.apply(text), PyText::lower, "all lower case"));
    }
    return sentence.says("written as a short blurb")
        ? NotUnderstood.of(
            "how short a blurb is to be is not checked",
            of(text -> Verdict.satisfied("asks nothing of letter case")))
        : NotUnderstood.violated("no letter case");
  }

  private interface OfText {
    Verdict check(String text);
  }

  private static Verifier of(OfText rule) {
    return response ->
        response.isBlank()
            ? Verdict.violated("the response is empty")
            : rule.check(response.text());
  }

  private static Verdict equal(String text, UnaryOperator<String> change, String asked) {
    return Verdict.of(text.equals(change.apply(text)), asked + " asked");
  }

  private static Verdict capitalised(String text) {
    for (String word : PyText.split(text)) {
      if (word.charAt(0) >= 'a' && word.charAt(0) <= 'z') {
        return Verdict.violated("the word " + Wording.brief(word) + " is not capitalised");
      }
    }
    return Verdict.satisfied("no word begins in lower case");
  }

  /** The part of a text that is asked about ({@code _get_format_requirements}). */
  private static UnaryOperator<String> part(Demand sentence) {
    if (sentence.says("table")) {
      if (sentence.says("headings")) {
        return LetterCase::tableOrHeadings;
      }
      if (sentence.says("header")) {
        return text -> cells(text, 0, 1);
      }
      return sentence.says("entries")
          ? text -> cells(text, 1, Integer.MAX_VALUE)
          : LetterCase::table;
    }
    if (sentence.says("json")) {
      if (sentence.says("keys")) {
        return text -> json(text, JSON_KEY);
      }
      return sentence.says("values") ? text -> json(text, JSON_VALUE) : text -> text;
    }
    return sentence.says("heading") ? text -> groups(HEADING, text) : text -> text;
  }

  private static String table(String text) {
    return cells(text, 0, Integer.MAX_VALUE);
  }

  private static String tableOrHeadings(String text) {
    String table = table(text);
    return table.isEmpty() ? groups(HEADING, text) : table;
  }

  /**
   * The cells of some of the lines that are not blank; the text if it has no bar or no such line.
   */
  private static String cells(String text, int from, int to) {
    List<String> rows =
        PyText.split(text, "\n").stream().filter(row -> !PyText.isBlank(row)).toList();
    if (text.indexOf('|') < 0 || rows.size() <= from) {
      return text;
    }
    List<String> cells = new ArrayList<>();
    for (String row : rows.subList(from, Math.min(to, rows.size()))) {
      for (String cell : PyText.split(PyText.strip(row), "|")) {
        if (!PyText.isBlank(cell)) {
          cells.add(PyText.strip(cell));
        }
      }
    }
    return String.join(" ", cells);
  }

  private static String json(String text, PyPattern pattern) {
    return text.indexOf('{') < 0 || text.indexOf('}') < 0 ? text : groups(pattern, text);
  }

  /** What the group matches, over all matches; the text if there are none. */
  private static String groups(PyPattern pattern, String text) {
    List<String> groups =
        pattern.findAll(CodePoints.of(text)).stream()
            .map(match -> String.valueOf(match.group(1)))
            .toList();
    return groups.isEmpty() ? text : String.join(" ", groups);
  }
}
