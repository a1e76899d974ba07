package org.hirengine.verify.muldimif;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.hirengine.text.CodePoints;
import org.hirengine.text.PyText;
import org.hirengine.text.regex.PyPattern;
import org.jspecify.annotations.Nullable;

/**
 * Reads the demands on headings from a sentence ({@code _parse_constraint} of {@code
 * Format_Markdown}): at most one for each clause; a clause ends only at a comma between two word
 * characters only.
 */
final class HeadingRules {

  private static final PyPattern CLAUSE_END = PyPattern.compile("\\b,\\b");

  /** Words that a clause with a level, or a number of levels, must hold. */
  private static final PyPattern ASKING =
      wording(
          "includ(?:e|ing)|us(?:e|ing)|formatted|presented|organized|structured|feature|should be"
              + "|incorporate");

  private static final List<PyPattern> TWO_LEVELS =
      List.of(
          wording("use heading levels W and W"),
          wording("use heading levels.*?level\\s*W.*?level\\s*W"));
  private static final List<PyPattern> LEVELS =
      List.of(wording("a heading level W"), wording("h(\\d+)"), wording("level W for"));
  private static final List<PyPattern> TITLED =
      List.of(
          wording("level W heading titled [\"'](.*?)[\"']"),
          wording(before("level W heading with the text [\"'](.*?)[\"']")));
  private static final List<PyPattern> LEVEL =
      List.of(
          wording("(?:a|at least \\d+) heading level W"),
          wording(before("level W heading")),
          wording("must use a heading level of h(\\d+)"));
  private static final List<PyPattern> LEVEL_COUNT =
      List.of(wording(count("heading level")), wording(count("level")));
  private static final PyPattern DEEPEST =
      wording(" must (?:not exceed|be limited to)\\s+(?:level\\s+)?W");
  private static final PyPattern FIRST = wording("must begin with a level W heading");
  private static final PyPattern USED = wording("use heading level W");

  /** For a word that is a number only when case is ignored; no heading has this level. */
  private static final long NO_LEVEL = -1;

  private final Demand sentence;
  private final List<HeadingRule> rules = new ArrayList<>();

  private HeadingRules(Demand sentence) {
    this.sentence = sentence;
  }

  /** A pattern for words in any case; {@code W} is a number as a word of its own. */
  private static PyPattern wording(String words) {
    return PyPattern.compile(
        words.replace("W", "(\\b(?:" + NumberWords.TO_TEN.alternatives() + "|\\d+)\\b)"),
        PyPattern.IGNORECASE);
  }

  /** How many, before the words. */
  private static String before(String words) {
    return "(?:a|at least " + NumberWords.TO_TEN.alternatives() + "|\\d+) " + words;
  }

  private static String count(String unit) {
    return "(at least|at most|exactly|up to|a maximum of|under) W " + unit;
  }

  /** The rules in the order of the clauses; none if no wording is known. */
  static List<HeadingRule> of(Demand sentence) {
    HeadingRules rules = new HeadingRules(sentence);
    for (String clause : CLAUSE_END.split(CodePoints.of(sentence.text()))) {
      rules.read(String.valueOf(clause));
    }
    return List.copyOf(rules.rules);
  }

  private void read(String clause) {
    HeadingRule rule = ofTheSentence();
    if (rule != null) {
      rules.add(rule);
    } else if (!readAsWritten(new Demand(clause))) {
      String stripped = PyText.strip(clause);
      if (clause.contains("titled")) {
        stripped = PyText.stripTrailing(stripped, ".");
        if (readTitle(new Demand(stripped))) {
          return;
        }
      }
      readInLower(new Demand(PyText.stripTrailing(PyText.lower(PyText.strip(stripped)), ".")));
    }
  }

  /** Wordings that are looked for in the whole sentence, whatever the clause. */
  private @Nullable HeadingRule ofTheSentence() {
    if (sentence.says(
        "include headings at two levels: main and subheadings",
        "be structured with a main heading and subheadings")) {
      return HeadingRule.all(Set.of(1L, 2L));
    }
    if (sentence.is("Questions must be organized under a level 2 heading.")) {
      return HeadingRule.questions(2);
    }
    if (sentence.says("include a single level 1 heading")) {
      return HeadingRule.single(1);
    }
    if (sentence.says(
        "be structured using a minimum of two heading levels", "include headings at two levels")) {
      return HeadingRule.levelCount("at least 2", count -> count >= 2);
    }
    if (sentence.is(
        "format the response using Markdown, employing '##' for main points and '###' for subpoints"
            + " to clearly organize the information")) {
      return HeadingRule.all(Set.of(2L, 3L));
    }
    return null;
  }

  /** Wordings for several levels; true if one occurs. */
  private boolean readAsWritten(Demand clause) {
    PyPattern.Match two = first(TWO_LEVELS, clause);
    if (two != null) {
      Set<Long> levels = new TreeSet<>(List.of(level(two, 1), level(two, 2)));
      if (!levels.contains(NO_LEVEL)) {
        rules.add(HeadingRule.all(levels));
      }
      return true;
    }
    if (!clause.text().contains("must include") && !clause.text().contains("should")) {
      return false;
    }
    for (PyPattern pattern : LEVELS) {
      List<PyPattern.Match> matches = clause.matches(pattern);
      if (!matches.isEmpty()) {
        Set<Long> levels = new TreeSet<>();
        matches.forEach(match -> levels.add(level(match, 1)));
        rules.add(HeadingRule.all(levels));
        return true;
      }
    }
    return false;
  }

  private boolean readTitle(Demand clause) {
    PyPattern.Match match = first(TITLED, clause);
    if (match != null && level(match, 1) != NO_LEVEL) {
      rules.add(HeadingRule.titled(level(match, 1), String.valueOf(match.group(2))));
    }
    return match != null;
  }

  private void readInLower(Demand clause) {
    boolean asking = clause.says(ASKING);
    PyPattern.Match match = asking ? first(LEVEL, clause) : null;
    if (match != null) {
      add(match, 1, HeadingRule::level);
      return;
    }
    match = asking ? first(LEVEL_COUNT, clause) : null;
    if (match != null) {
      String relation = PyText.lower(String.valueOf(match.group(1)));
      add(match, 2, count -> levelCount(relation, count));
      return;
    }
    match = clause.match(DEEPEST);
    if (match != null) {
      add(match, 1, HeadingRule::deepest);
      return;
    }
    match = clause.match(FIRST);
    if (match != null) {
      add(match, 1, HeadingRule::first);
      return;
    }
    match = clause.match(USED);
    if (match != null) {
      add(match, 1, HeadingRule::level);
    } else if (sentence.says(
        "include headings",
        "includes headings",
        "use heading levels",
        "using heading levels",
        "presented under a separate heading",
        "separated with headings",
        "with headings")) {
      rules.add(HeadingRule.some());
    }
  }

  private static HeadingRule levelCount(String relation, long asked) {
    return switch (relation) {
      case "at least" -> HeadingRule.levelCount("at least " + asked, count -> count >= asked);
      case "exactly" -> HeadingRule.levelCount("exactly " + asked, count -> count == asked);
      case "at most", "up to", "a maximum of", "under" ->
          HeadingRule.levelCount("at most " + asked, count -> count <= asked);
      // It matched only because case is ignored, as a long s does: the reference never meets it.
      default -> HeadingRule.levelCount(relation + " " + asked, count -> false);
    };
  }

  private interface OfNumber {
    HeadingRule rule(long number);
  }

  private void add(PyPattern.Match match, int group, OfNumber rule) {
    long number = level(match, group);
    if (number != NO_LEVEL) {
      rules.add(rule.rule(number));
    }
  }

  private static long level(PyPattern.Match match, int group) {
    Long level = NumberWords.TO_TEN.read(String.valueOf(match.group(group)));
    return level == null ? NO_LEVEL : level;
  }

  private static PyPattern.@Nullable Match first(List<PyPattern> patterns, Demand clause) {
    for (PyPattern pattern : patterns) {
      PyPattern.Match match = clause.match(pattern);
      if (match != null) {
        return match;
      }
    }
    return null;
  }
}
