package org.hirengine.verify.muldimif;

import java.util.ArrayList;
import java.util.List;
import org.hirengine.text.CodePoints;
import org.hirengine.text.PyText;
import org.hirengine.text.regex.PyPattern;
import org.hirengine.verify.Response;
import org.hirengine.verify.Verdict;
import org.hirengine.verify.Verifier;
import org.hirengine.verify.rule.Wording;
import org.jspecify.annotations.Nullable;

/**
 * {@code Length_Words}: limits of words and sentences, and quoted keywords; a sentence with "each"
 * is read by {@link WordLimitOfEach}.
 *
 * <p>Words are the pieces between white space; in a text with Chinese or full-width characters only
 * these are counted. If no wording is known, the reference's verdict is "satisfied".
 */
final class WordLimit {

  private static final PyPattern EACH = PyPattern.compile("\\beach\\b", PyPattern.IGNORECASE);
  private static final PyPattern SPACES = PyPattern.compile("\\s+");
  private static final PyPattern EXACTLY =
      PyPattern.compile("exactly\\s+([a-z0-9, -]+?)\\s+(\\S+)");

  /** {@code range_patterns}: they need no "word" after them, only the end of a word. */
  private static final List<PyPattern> RANGES = ranges();

  private static final PyPattern AT_LEAST =
      PyPattern.compile(
          "(?:at\\s+least|minimum\\s+of|minimum\\s+length\\s+of|no\\s+less\\s+than)\\s+(\\S+)\\s+word");
  private static final PyPattern AT_MOST =
      PyPattern.compile(
          "(?:not\\s+exceed(?:ing)?|not\\s+surpass|at\\s+most|no\\s+(?:more|longer)\\s+than"
              + "|maximum\\s+(?:length\\s+)?of|limit\\s+of|within(?:\\s+a)??)\\s+(\\S+)\\s+word");
  private static final List<PyPattern> AT_MOST_CHINESE =
      List.of(
          PyPattern.compile("\u6700\u591A([0-9]+)(?:\u4E2A|\u5B57)"),
          PyPattern.compile(
              "\u5728([0-9]+)\\s*"
                  + "(?:(?:\u4E2A\u5355\u8BCD|\u4E2A\u5B57|\u5B57|\u5355\u8BCD|\u8BCD)\u4EE5\u5185|\u5B57)"));
  private static final PyPattern SENTENCES_AT_LEAST =
      PyPattern.compile("(?:at\\s+least|minimum\\s+of)\\s+(\\S+)\\s+sentence");
  private static final PyPattern SENTENCES_AT_MOST =
      PyPattern.compile(
          "(?:not\\s+exceed|at\\s+most|no\\s+(?:more|longer)\\s+than"
              + "|maximum\\s+(?:length\\s+)?of)\\s+(\\S+)\\s+sentence");
  private static final PyPattern QUOTED = PyPattern.compile("[\"']([^']*)[\"']");
  private static final PyPattern SENTENCE_ENDS = PyPattern.compile("[.!?]+");

  private @Nullable Long least;
  private @Nullable Long most;
  private @Nullable Long leastSentences;
  private @Nullable Long mostSentences;
  private List<Keyword> keywords = List.of();

  private WordLimit() {}

  private static List<PyPattern> ranges() {
    String end = "(?=\\s*word|$|\\b)";
    String words = "([a-z0-9\u2013 -]+?)";
    String word = "(\\b[a-z0-9\u2013-]+\\b)";
    return List.of(
        PyPattern.compile("between\\s+" + words + "\\s+to\\s+" + words + end),
        PyPattern.compile("between\\s+" + words + "\\s+and\\s+" + words + end),
        PyPattern.compile("range:?\\s*" + words + "\\s+to\\s+" + words + end),
        PyPattern.compile("range:?\\s*" + words + "\\s*[-\u2013]\\s*" + words + end),
        PyPattern.compile(word + "\\s+to\\s+" + word + end),
        PyPattern.compile(word + "\\s*[-\u2013]\\s*" + word + end),
        PyPattern.compile("([0-9]+)\\s*\u5230\\s*([0-9]+)(?=\\s*\u4E2A|\u5B57)"));
  }

  static Verifier of(Demand demand) {
    if (demand.says(EACH)) {
      return WordLimitOfEach.of(demand);
    }
    CodePoints sentence = CodePoints.of(simplified(demand.lower()));
    PyPattern.Match exactly = EXACTLY.search(sentence);
    Long exact = exactly == null ? null : number(exactly, 1);
    if (exact != null) {
      Bounds bounds = Bounds.exactly(exact);
      return response -> bounds.verdict(count(response), "word");
    }
    WordLimit limit = new WordLimit();
    limit.read(sentence);
    return limit.isEmpty()
        ? NotUnderstood.satisfied("no limit of words and no keyword")
        : limit::check;
  }

  /** Single spaces between words, no quotation marks around them, "word" in one form. */
  private static String simplified(String lower) {
    String bare = PyText.strip(PyText.strip(lower, "\""));
    String spaced =
        SPACES.split(CodePoints.of(bare)).stream()
            .reduce((left, right) -> left + " " + right)
            .orElse("");
    return PyText.strip(
        spaced
            .replace("-word", " word")
            .replace("a total of ", "")
            .replace("words", "word")
            .replace("a single", "exactly one"));
  }

  private void read(CodePoints sentence) {
    for (PyPattern range : RANGES) {
      PyPattern.Match match = range.search(sentence);
      if (match != null) {
        // A later wording may be more complete than an earlier one: the last that occurs counts.
        least = number(match, 1);
        most = number(match, 2);
        if (least != null && most != null) {
          long low = Math.min(least, most);
          most = Math.max(least, most);
          least = low;
          break;
        }
      }
    }
    if (least == null) {
      least = number(AT_LEAST, sentence);
    }
    if (most == null) {
      most = number(AT_MOST, sentence);
    }
    for (PyPattern chinese : AT_MOST_CHINESE) {
      if (most == null) {
        most = number(chinese, sentence);
      }
    }
    leastSentences = number(SENTENCES_AT_LEAST, sentence);
    mostSentences = number(SENTENCES_AT_MOST, sentence);
    List<Keyword> quoted = new ArrayList<>();
    for (PyPattern.Match match : QUOTED.findAll(sentence)) {
      quoted.add(Keyword.of(String.valueOf(match.group(1))));
    }
    keywords = List.copyOf(quoted);
  }

  private static @Nullable Long number(PyPattern pattern, CodePoints sentence) {
    PyPattern.Match match = pattern.search(sentence);
    return match == null ? null : number(match, 1);
  }

  private static @Nullable Long number(PyPattern.Match match, int group) {
    return NumberWords.FROM_ZERO.readAll(String.valueOf(match.group(group)));
  }

  private boolean isEmpty() {
    return least == null
        && most == null
        && leastSentences == null
        && mostSentences == null
        && keywords.isEmpty();
  }

  private static Bounds bounds(@Nullable Long least, @Nullable Long most) {
    if (most == null) {
      return least == null ? Bounds.ANY : Bounds.atLeast(least);
    }
    return least == null ? Bounds.atMost(most) : new Bounds(least, most);
  }

  private Verdict check(Response response) {
    for (Keyword keyword : keywords) {
      if (keyword.count(response.text()) < 1) {
        return Verdict.violated("the keyword " + Wording.brief(keyword) + " is missing");
      }
    }
    Verdict words = bounds(least, most).verdict(count(response), "word");
    if (!words.satisfied() || (leastSentences == null && mostSentences == null)) {
      return words;
    }
    return bounds(leastSentences, mostSentences)
        .verdict(SENTENCE_ENDS.count(response.codePoints()), "sentence");
  }

  /** Words between white space, or the Chinese and full-width characters if there are any. */
  private static long count(Response response) {
    long wide = response.text().codePoints().filter(WordLimit::isWide).count();
    return wide > 0 ? wide : response.tokens().size();
  }

  private static boolean isWide(int c) {
    return (c >= 0x4E00 && c <= 0x9FFF)
        || (c >= 0x3400 && c <= 0x4DBF)
        || (c >= 0x20000 && c <= 0x2A6DF)
        || (c >= 0x3000 && c <= 0x303F)
        || (c >= 0xFF00 && c <= 0xFFEF);
  }
}
