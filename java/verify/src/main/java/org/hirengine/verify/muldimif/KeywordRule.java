package org.hirengine.verify.muldimif;

import java.util.ArrayList;
import java.util.List;
import org.hirengine.text.CodePoints;
import org.hirengine.text.Pieces;
import org.hirengine.text.PyText;
import org.hirengine.text.regex.PyPattern;
import org.hirengine.verify.Verdict;
import org.hirengine.verify.rule.Wording;
import org.jspecify.annotations.Nullable;

/**
 * What a sentence of {@code Content_Keywords} asks of a text ({@code _parse_constraint}, {@code
 * _validate_rule}): a number of occurrences of all keywords or of one; limits of words, a full stop
 * at the end, capitals; or that a keyword is absent.
 */
final class KeywordRule {

  private static final PyPattern IN_QUOTES = PyPattern.compile("^\"+(.*[^\"])\"+$");
  private static final PyPattern PERIOD =
      PyPattern.compile("must\\s+end\\s+with\\s+(a\\s+)?period", PyPattern.IGNORECASE);
  private static final PyPattern CAPITALS =
      PyPattern.compile(
          "must\\s+use\\s+capitalized\\s+letters\\s+for\\s+each\\s+word", PyPattern.IGNORECASE);
  private static final PyPattern LEAST_WORDS =
      PyPattern.compile("(?:at\\s+least|minimum\\s+of)\\s+(\\S+)\\s+word", PyPattern.IGNORECASE);
  private static final PyPattern MOST_WORDS =
      PyPattern.compile(
          "(?:not\\s+exceed|at\\s+most|no\\s+more\\s+than|maximum\\s+of)\\s+(\\S+)\\s+word",
          PyPattern.IGNORECASE);
  private static final PyPattern ONE_WORD =
      PyPattern.compile("is\\s+a\\s+single\\s+word", PyPattern.IGNORECASE);
  private static final PyPattern AVOID =
      PyPattern.compile(
          "avoid\\s+using\\s+(?:the\\s+)?term|must\\s+be\\s+avoided", PyPattern.IGNORECASE);
  private static final PyPattern FIRST_QUOTED = PyPattern.compile("[\"']([^\"']+)[\"']");
  private static final PyPattern OR = PyPattern.compile("\\bor\\b", PyPattern.IGNORECASE);
  private static final PyPattern TIMES =
      PyPattern.compile(
          "at least (\\d+|one|two|three|four|five|six|seven|eight|nine|ten|once|twice)"
              + "(?:\\s+times?)?\\b(?!\\s+words\\s+long)",
          PyPattern.IGNORECASE);
  private static final PyPattern MANY_TIMES =
      PyPattern.compile("must appear multiple times", PyPattern.IGNORECASE);
  private static final PyPattern QUOTED_TWICE =
      PyPattern.compile("[\"\u201D]{2}([^\"\u201C]+)[\"\u201C]{2}");
  private static final PyPattern QUOTED =
      PyPattern.compile("[\"'\u300C\u201C]([^\"']+)[\"'\u300D\u201D]");

  /** A limit of words without a readable number. */
  private static final long UNREADABLE = -1;

  private boolean period;
  private boolean capitals;
  private long leastWords;
  private long mostWords = Long.MAX_VALUE;
  private boolean absent;
  private boolean one;
  private long times = 1;
  private List<Keyword> keywords = List.of();

  private KeywordRule() {}

  static KeywordRule of(String text) {
    KeywordRule rule = new KeywordRule();
    rule.read(CodePoints.of(unquoted(PyText.strip(text))));
    return rule;
  }

  private static String unquoted(String text) {
    String sentence = text;
    while (true) {
      CodePoints points = CodePoints.of(sentence);
      PyPattern.Match match = IN_QUOTES.match(points);
      if (match == null) {
        return sentence;
      }
      sentence = match.group(1) + points.substring(match.end(), points.length());
    }
  }

  private void read(CodePoints sentence) {
    period = PERIOD.find(sentence);
    capitals = CAPITALS.find(sentence);
    PyPattern.Match words = LEAST_WORDS.search(sentence);
    if (words != null) {
      leastWords = number(words);
    }
    words = MOST_WORDS.search(sentence);
    if (words != null) {
      mostWords = number(words);
    }
    if (ONE_WORD.find(sentence)) {
      leastWords = 1;
      mostWords = 1;
    }
    if (AVOID.find(sentence)) {
      PyPattern.Match quoted = FIRST_QUOTED.search(sentence);
      if (quoted != null) {
        keywords = List.of(Keyword.of(String.valueOf(quoted.group(1))));
        absent = true;
      }
      return;
    }
    one = OR.find(sentence);
    PyPattern.Match count = TIMES.search(sentence);
    if (count != null) {
      Long number = NumberWords.TIMES.read(String.valueOf(count.group(1)));
      times = number == null ? 1 : number;
    }
    if (MANY_TIMES.find(sentence)) {
      times = 2;
    }
    PyPattern quotes = QUOTED_TWICE.find(sentence) ? QUOTED_TWICE : QUOTED;
    List<Keyword> quoted = new ArrayList<>();
    for (PyPattern.Match match : quotes.findAll(sentence)) {
      quoted.add(Keyword.of(String.valueOf(match.group(1))));
    }
    keywords = List.copyOf(quoted);
  }

  private static long number(PyPattern.Match match) {
    Long number = NumberWords.TIMES.readAll(String.valueOf(match.group(1)));
    return number == null ? UNREADABLE : number;
  }

  /** True if nothing that could be checked was found in the sentence. */
  boolean isEmpty() {
    return keywords.isEmpty()
        && !period
        && !capitals
        && leastWords == 0
        && mostWords == Long.MAX_VALUE;
  }

  Verdict check(String text) {
    String problem = problem(text);
    return Verdict.of(problem == null, problem == null ? found() : problem);
  }

  private String found() {
    List<String> names = keywords.stream().map(Keyword::text).toList();
    return names.isEmpty() ? "as asked" : Wording.list(names) + (absent ? " absent" : " found");
  }

  private @Nullable String problem(String text) {
    Pieces words = PyText.split(text);
    if (capitals) {
      for (String word : words) {
        if (!PyText.isUpper(PyText.slice(word, 0, 1))) {
          return Wording.brief(word) + " does not begin with a capital";
        }
      }
    }
    if (period && !PyText.strip(text).endsWith(".")) {
      return "no full stop at the end";
    }
    if (words.size() < readable(leastWords) || words.size() > readable(mostWords)) {
      Bounds bounds = new Bounds(leastWords, mostWords);
      return bounds.verdict(words.size(), "word").reason();
    }
    if (absent) {
      return keywords.get(0).count(text) > 0 ? keywords.get(0) + " occurs" : null;
    }
    if (one) {
      return keywords.stream().anyMatch(keyword -> keyword.count(text) >= times)
          ? null
          : "one of " + keywords + " asked";
    }
    for (Keyword keyword : keywords) {
      int count = keyword.count(text);
      if (count < times) {
        return Wording.brief(keyword)
            + " "
            + Wording.count(count, "time")
            + ", at least "
            + times
            + " asked";
      }
    }
    return null;
  }

  private static long readable(long limit) {
    if (limit == UNREADABLE) {
      throw new ReferenceRaises("a limit of words without a number");
    }
    return limit;
  }
}
