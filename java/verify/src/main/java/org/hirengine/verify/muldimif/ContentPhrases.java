package org.hirengine.verify.muldimif;

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
 * {@code Content_Others}: sentences that the reference knows, most of them to the letter. Any other
 * violates its constraint.
 */
final class ContentPhrases {

  private static final int SHORT = 200;
  private static final int SHORT_WORDS = 50;
  private static final int EMOJI = 3;

  private static final PyPattern START =
      PyPattern.compile("Start identifier(?: must be|:)(?:.*)?\\s'([^']+)'");
  private static final PyPattern START_WITH =
      PyPattern.compile(
          "(?:start|begin) (?:with|by) the (?:identifier|phrase) '?([^']+)'?",
          PyPattern.IGNORECASE);
  private static final PyPattern INITIAL =
      PyPattern.compile("The name of the showroom must start with the letter '([A-Za-z])'\\.");
  private static final PyPattern MENTION = PyPattern.compile("[Mm]ust mention (.+) and the (.+)");
  private static final PyPattern SOURCES = PyPattern.compile("Sources:\\s*.+$");
  private static final PyPattern NUMBER_MARK = PyPattern.compile("\\[\\d+\\]");
  private static final PyPattern QUOTATION = PyPattern.compile("[\"'\u201C\u201D\u2018\u2019]");
  private static final PyPattern SENTENCE_END = PyPattern.compile("(?<=[.!?])\\s+(?=\\S)");

  /** In-text citations: {@code [1]} or {@code (Smith, 2020)}. */
  static final PyPattern CITATION = PyPattern.compile("\\[\\d+\\]|\\([A-Za-z]+, \\d{4}\\)");

  private ContentPhrases() {}

  static Verifier of(Demand demand) {
    if (demand.is("Keep it a paragraph long")) {
      return response -> Verdict.of(response.text().indexOf('\n') < 0, "a single line asked");
    }
    Verifier start = start(demand);
    if (start != null) {
      return start;
    }
    if (demand.is(
        "End identifier: Sources must be cited at the end of the response",
        "make sure to conclude your response by citing your sources, as this is a crucial part of"
            + " the answer")) {
      return response ->
          Verdict.of(
              SOURCES.find(CodePoints.of(response.stripped())), "'Sources:' at the end asked");
    }
    PyPattern.Match initial = INITIAL.match(CodePoints.of(demand.text()));
    if (initial != null) {
      String letter = PyText.upper(String.valueOf(initial.group(1)));
      PyPattern word = PyPattern.compile("\\b" + letter + "[a-zA-Z]*\\b");
      return response -> Verdict.of(word.find(response.codePoints()), "a word with " + letter);
    }
    if (demand.is(
        "Response must be written as a short blurb",
        "ensure that the response is written as a short blurb",
        "ensure the response is a short blurb",
        "The response must be short and simple")) {
      return response -> Bounds.atMost(SHORT).verdict(response.codePoints().length(), "character");
    }
    if (demand.is("The response should be concise, with a maximum of 50 words")) {
      return response -> Bounds.atMost(SHORT_WORDS).verdict(response.tokens().size(), "word");
    }
    if (demand.is("Each sentence must include at least three emojis.")) {
      return ContentPhrases::emoji;
    }
    PyPattern.Match mention = demand.match(MENTION);
    if (mention != null) {
      String one = String.valueOf(mention.group(1));
      String other = "the " + mention.group(2);
      return response ->
          Verdict.of(
              response.text().contains(one) && response.text().contains(other),
              Wording.list(List.of(one, other)) + " asked");
    }
    if (demand.is("Must include quotes from the sources", "with quotes from these sources")) {
      return response -> Verdict.of(QUOTATION.find(response.codePoints()), "a quotation asked");
    }
    if (demand.is(
        "Must provide sources that are cited",
        "The response must include sources that are cited")) {
      return response ->
          Verdict.of(
              SOURCES.find(response.codePoints()) && NUMBER_MARK.find(response.codePoints()),
              "a mark such as [1], and 'Sources:' asked");
    }
    if (demand.is("It must include in-text citations")) {
      return response -> Verdict.of(CITATION.find(response.codePoints()), "a citation asked");
    }
    return demand.text().contains("be in full sentences")
        ? NotUnderstood.satisfied("whether sentences are full is not checked")
        : NotUnderstood.violated("no phrase that is known");
  }

  /** What the response must begin with. For each example it is enough that it occurs anywhere. */
  private static @Nullable Verifier start(Demand demand) {
    PyPattern.Match start = START.match(CodePoints.of(demand.text()));
    if (demand.text().contains("Each example must start with")) {
      if (start == null) {
        throw new ReferenceRaises("no identifier to start with");
      }
      String wanted = String.valueOf(start.group(1));
      return response ->
          Verdict.of(response.text().contains(wanted), Wording.brief(wanted) + " asked");
    }
    if (start == null) {
      start = demand.match(START_WITH);
    }
    if (start == null) {
      return null;
    }
    String wanted = PyText.lower(String.valueOf(start.group(1)));
    return response ->
        Verdict.of(
            PyText.lower(PyText.stripLeading(response.text(), " #")).startsWith(wanted),
            "to begin with " + Wording.brief(wanted) + " asked");
  }

  /**
   * Three runs of emoji in each sentence. What the reference takes for emoji is every character
   * from the enclosed letters on (U+24C2), Chinese ones among them.
   */
  private static Verdict emoji(Response response) {
    for (String piece : SENTENCE_END.split(response.codePoints())) {
      String sentence = PyText.strip(String.valueOf(piece));
      int runs = 0;
      boolean within = false;
      for (int c : CodePoints.of(sentence).values()) {
        runs += c >= 0x24C2 && !within ? 1 : 0;
        within = c >= 0x24C2;
      }
      if (runs < EMOJI && !sentence.isEmpty()) {
        return Verdict.violated(
            Wording.count(runs, "emoji", "emoji") + " in " + Wording.brief(sentence) + ", 3 asked");
      }
    }
    return Verdict.satisfied("3 emoji in each sentence");
  }
}
