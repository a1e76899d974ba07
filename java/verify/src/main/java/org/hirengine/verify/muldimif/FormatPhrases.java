package org.hirengine.verify.muldimif;

import java.util.List;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.Predicate;
import org.hirengine.text.CodePoints;
import org.hirengine.text.PyText;
import org.hirengine.text.regex.PyPattern;
import org.hirengine.verify.Response;
import org.hirengine.verify.Verdict;
import org.hirengine.verify.Verifier;
import org.hirengine.verify.rule.Wording;

/**
 * {@code Format_Others}: attributes of XML, bullets, quotes, short tables, citations and lengths,
 * by the first wording of the reference that occurs in the sentence. If none occurs, the constraint
 * is violated.
 */
final class FormatPhrases {

  /** A wording, and the verifier for what its group matches. */
  private record Rule(PyPattern pattern, Function<String, Verifier> verifier) {}

  private static final int SHORT = 200;
  private static final int MEDIUM = 400;

  private static final PyPattern APA = PyPattern.compile("\\(\\s*\\w+,\\s*\\d{4}\\s*\\)");
  private static final PyPattern BULLET = PyPattern.compile("^[^\\S\\n]*[-*]", PyPattern.MULTILINE);
  private static final PyPattern QUOTE = PyPattern.compile("^>", PyPattern.MULTILINE);
  private static final PyPattern TABLE_LINE = PyPattern.compile("^\\|.*\\|$", PyPattern.MULTILINE);
  private static final PyPattern SEPARATOR = PyPattern.compile("^\\|(\\s*-+\\s*\\|)+$");
  private static final PyPattern LIST_ITEM =
      PyPattern.compile("^[^\\S\\n]*\\d+\\.\\s", PyPattern.MULTILINE);
  private static final PyPattern NUMBER_POINT =
      PyPattern.compile("^[^\\S\\n]*\\d+\\.", PyPattern.MULTILINE);
  private static final PyPattern XML = PyPattern.compile("```xml(.*?)```", PyPattern.DOTALL);
  private static final PyPattern TAG =
      PyPattern.compile(
          "<\\s*[a-zA-Z_:][\\w:.-]*\\s*(?:\\s+[a-zA-Z_:][\\w:.-]*=['\"][^'\"]*['\"])*\\s*/?>");
  private static final PyPattern ATTRIBUTE = PyPattern.compile("\\w+=[\"'][^\"']*[\"']");

  /** {@code rules}; {@code N} stands for a number. */
  private static final List<Rule> RULES =
      List.of(
          attributes("no more than N attribute", Bounds::atMost),
          attributes("must not exceed N.*attribute", Bounds::atMost),
          new Rule(
              wording("Limit the number of attributes to two"), any -> tags(Bounds.exactly(2))),
          attributes("Number of attributes must be exactly N", Bounds::exactly),
          attributes("must have exactly N attribute", Bounds::exactly),
          attributes("must include exactly N attribute", Bounds::exactly),
          attributes("at least N attribute", Bounds::atLeast),
          new Rule(wording("Must include '(.*?)'"), FormatPhrases::phrase),
          is(
              "Must be in APA format|must be provided in APA format",
              response -> APA.find(response.codePoints()),
              "a citation in APA style"),
          is("No bullet points", response -> !BULLET.find(response.codePoints()), "no bullets"),
          is(
              "Must be listed as bullet points|is structured as bullet points",
              response -> BULLET.find(response.codePoints()),
              "bullets"),
          is(
              "block quotes format|be formatted in block quotes",
              response ->
                  QUOTE.find(response.codePoints()) || response.lower().contains("<blockquote>"),
              "a block quote"),
          counted("no more than N rows", (number, response) -> rows(number, response)),
          counted(
              "a table, which is limited to a maximum of N rows",
              (number, response) -> rows(number, response)),
          new Rule(
              wording("full sentences"),
              any -> NotUnderstood.satisfied("whether sentences are full is not checked")),
          counted(
              "short blurb",
              (number, response) ->
                  Bounds.atMost(SHORT).verdict(response.codePoints().length(), "character")),
          counted(
              "The answer must include at least N reference",
              (number, response) ->
                  Bounds.atLeast(number)
                      .verdict(ContentPhrases.CITATION.count(response.codePoints()), "citation")),
          is("No lists", response -> !LIST_ITEM.find(response.codePoints()), "no list"),
          is(
              "No number points",
              response -> !NUMBER_POINT.find(response.codePoints()),
              "no numbers"),
          counted(
              "Response must be written at medium length",
              (number, response) ->
                  new Bounds(SHORT + 1, MEDIUM)
                      .verdict(response.codePoints().length(), "character")));

  private FormatPhrases() {}

  static Verifier of(Demand demand) {
    for (Rule rule : RULES) {
      PyPattern.Match match = demand.match(rule.pattern);
      if (match != null) {
        return rule.verifier.apply(match.groupCount() == 0 ? "" : String.valueOf(match.group(1)));
      }
    }
    return NotUnderstood.violated("no phrase that is known");
  }

  private static PyPattern wording(String words) {
    return PyPattern.compile(
        words.replace(" N", " (\\d+|" + NumberWords.TO_TEN.alternatives() + ")"),
        PyPattern.IGNORECASE);
  }

  private static Rule is(String words, Predicate<Response> holds, String asked) {
    return new Rule(
        wording(words), any -> response -> Verdict.of(holds.test(response), asked + " asked"));
  }

  private static Rule counted(String words, BiFunction<Long, Response, Verdict> check) {
    return new Rule(
        wording(words),
        number -> {
          long asked = number.isEmpty() ? 0 : number(number);
          return response -> check.apply(asked, response);
        });
  }

  private static Rule attributes(String words, Function<Long, Bounds> bounds) {
    return new Rule(wording(words), number -> tags(bounds.apply(number(number))));
  }

  private static long number(String word) {
    Long number = NumberWords.TO_TEN.read(word);
    if (number == null) {
      throw new ReferenceRaises("'" + word + "' is no number");
    }
    return number;
  }

  /** {@code _check_contains_phrase}; a number word as phrase makes the reference raise. */
  private static Verifier phrase(String phrase) {
    if (NumberWords.TO_TEN.value(PyText.lower(phrase)) != null) {
      throw new ReferenceRaises("a number word as phrase");
    }
    PyPattern pattern =
        PyPattern.compile("\\b" + PyPattern.escape(phrase) + "\\b", PyPattern.IGNORECASE);
    return response ->
        Verdict.of(pattern.find(response.codePoints()), Wording.brief(phrase) + " asked");
  }

  /** The attributes of each opening tag, in the first {@code ```xml} fence or the whole text. */
  private static Verifier tags(Bounds bounds) {
    return response -> {
      CodePoints text = response.codePoints();
      if (response.text().contains("```xml")) {
        PyPattern.Match fenced = XML.search(text);
        if (fenced == null) {
          return Verdict.violated("the XML does not end");
        }
        text = CodePoints.of(String.valueOf(fenced.group(1)));
      }
      List<String> tags = TAG.findTexts(text);
      for (String tag : tags) {
        int count = ATTRIBUTE.count(CodePoints.of(tag));
        if (!bounds.holds(count)) {
          return bounds.verdict(count, "attribute");
        }
      }
      return Verdict.satisfied(Wording.count(tags.size(), "tag"));
    };
  }

  /** {@code _check_table_rows}: lines between bars, without the separator, and HTML rows. */
  private static Verdict rows(long most, Response response) {
    long lines =
        TABLE_LINE.findTexts(response.codePoints()).stream()
            .filter(line -> SEPARATOR.match(CodePoints.of(line)) == null)
            .count();
    long rows = Math.max(lines, PyText.count(response.lower(), "<tr>"));
    return Bounds.atMost(most).verdict(rows, "table line");
  }
}
