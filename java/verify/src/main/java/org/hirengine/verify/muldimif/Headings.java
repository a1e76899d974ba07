package org.hirengine.verify.muldimif;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.hirengine.text.CodePoints;
import org.hirengine.text.PyText;
import org.hirengine.text.regex.PyPattern;
import org.hirengine.verify.Response;
import org.hirengine.verify.Verdict;
import org.hirengine.verify.Verifier;
import org.hirengine.verify.muldimif.HeadingRule.Heading;

/**
 * {@code Format_Markdown}: headings ({@link HeadingRules}), block quotes, bold text and bullets.
 * With "each" or "any" (also in "many") every single heading must meet the demands. If no wording
 * is known, the reference's verdict is "satisfied", or with "each" that there is a heading.
 */
final class Headings {

  private static final PyPattern HEADING = PyPattern.compile("^(#+)\\s+(.*?)\\s*$");
  private static final PyPattern BOLD = PyPattern.compile("\\*\\*.*?\\*\\*|__.*?__");
  private static final PyPattern BULLET = PyPattern.compile("\\s*[-*+]\\s");
  private static final PyPattern QUOTE_COUNT =
      PyPattern.compile(
          "(\\b(?:" + NumberWords.TO_TEN.alternatives() + "|\\d+)\\b) block quotes",
          PyPattern.IGNORECASE);

  private final boolean each;
  private final List<HeadingRule> rules;
  private final List<Verifier> others = new ArrayList<>();

  private Headings(Demand demand) {
    this.each = demand.says("each", "any");
    this.rules = HeadingRules.of(demand);
    if (demand.says("block quotes")) {
      others.add(quotes(demand));
    }
    if (demand.says("bold")) {
      others.add(response -> Verdict.of(BOLD.find(response.codePoints()), "bold text asked"));
    }
    if (demand.says("bullet points")) {
      others.add(response -> Verdict.of(hasBullet(response), "a bullet asked"));
    }
  }

  static Verifier of(Demand demand) {
    Headings headings = new Headings(demand);
    return headings.rules.isEmpty() && headings.others.isEmpty()
        ? NotUnderstood.of("no demand of headings, quotes, bold text or bullets", headings::check)
        : headings::check;
  }

  private Verdict check(Response response) {
    Verdict verdict = Verdict.satisfied("as asked");
    for (Verifier other : others) {
      verdict = other.check(response);
      if (!verdict.satisfied()) {
        return verdict;
      }
    }
    if (rules.isEmpty() && !each) {
      return verdict;
    }
    List<Heading> headings = headings(response);
    if (!each) {
      return check(headings, found(headings));
    }
    for (Heading heading : headings) {
      Verdict one = check(List.of(heading), found(List.of(heading)));
      if (!one.satisfied()) {
        return one;
      }
    }
    return Verdict.of(!headings.isEmpty(), found(headings));
  }

  private Verdict check(List<Heading> headings, String found) {
    for (HeadingRule rule : rules) {
      if (!rule.holds().test(headings)) {
        return Verdict.violated(found + ", " + rule.asked() + " asked");
      }
    }
    return Verdict.satisfied(found);
  }

  private static String found(List<Heading> headings) {
    Set<Long> levels = new TreeSet<>();
    headings.forEach(heading -> levels.add(heading.level()));
    return levels.isEmpty() ? "no headings" : "headings of the levels " + levels;
  }

  private static List<Heading> headings(Response response) {
    List<Heading> headings = new ArrayList<>();
    for (String line : PyText.split(response.text(), "\n")) {
      String stripped = PyText.strip(line);
      if (stripped.startsWith("#")) {
        PyPattern.Match match = HEADING.match(CodePoints.of(stripped));
        if (match != null) {
          headings.add(new Heading(match.end(1), PyText.strip(String.valueOf(match.group(2)))));
        }
      }
    }
    return headings;
  }

  private static boolean hasBullet(Response response) {
    return PyText.split(response.text(), "\n").stream()
        .anyMatch(line -> BULLET.match(CodePoints.of(line)) != null);
  }

  /** {@code _check_block_quotes}: so many lines, one, or every line of the text is a quote. */
  private static Verifier quotes(Demand demand) {
    if (demand.says("at least")) {
      PyPattern.Match match = demand.match(QUOTE_COUNT);
      Long asked = match == null ? null : NumberWords.TO_TEN.read(String.valueOf(match.group(1)));
      if (asked == null) {
        throw new ReferenceRaises("at least so many block quotes, without a number");
      }
      Bounds bounds = Bounds.atLeast(asked);
      return response -> bounds.verdict(quoted(response), "quoted line");
    }
    if (demand.says(
        "use block quotes",
        "using block quotes",
        "include a block quote",
        "using markdown block quotes",
        "employ block quotes",
        "present the headline as a block quote")) {
      return response -> Bounds.atLeast(1).verdict(quoted(response), "quoted line");
    }
    return response ->
        Bounds.exactly(PyText.split(response.text(), "\n").size())
            .verdict(quoted(response), "quoted line");
  }

  private static long quoted(Response response) {
    return PyText.split(response.text(), "\n").stream()
        .filter(line -> PyText.strip(line).startsWith(">"))
        .count();
  }
}
