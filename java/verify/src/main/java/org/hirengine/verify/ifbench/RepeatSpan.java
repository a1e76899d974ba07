package org.hirengine.verify.ifbench;

import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.random.RandomGenerator;
import org.hirengine.text.PyText;
import org.hirengine.verify.Response;
import org.hirengine.verify.Verdict;
import org.hirengine.verify.Verifier;
import org.hirengine.verify.rule.Kwargs;
import org.hirengine.verify.rule.RuleType;
import org.hirengine.verify.rule.Wording;

/**
 * {@code RepeatSpanChecker}: a span of the request, in any case: its words [start:end) in the first
 * revision, its characters from start to end, both included, in the second.
 */
final class RepeatSpan extends RuleType {

  private static final String PROMPT = "prompt_to_repeat";
  private static final String START = "n_start";
  private static final String END = "n_end";

  private final Revision revision;

  RepeatSpan(Revision revision) {
    super("repeat:repeat_span");
    this.revision = revision;
  }

  @Override
  protected Verifier parse(Kwargs kwargs) {
    String prompt = kwargs.text(PROMPT);
    int start = kwargs.index(START);
    int end = kwargs.index(END, start);
    if (revision == Revision.R1) {
      List<String> span = slice(words(prompt), start, end);
      return response -> verdict(response.lowerTokens().equals(span), String.join(" ", span));
    }
    // The slice goes to end + 1; if that is 0, it is empty, as in Python.
    String span = PyText.slice(prompt, start, end + 1);
    String wanted = PyText.lower(PyText.strip(span));
    return response -> verdict(PyText.lower(response.stripped()).equals(wanted), span);
  }

  private static Verdict verdict(boolean equal, String span) {
    return Verdict.of(equal, (equal ? "is" : "is not") + " the span " + Wording.brief(span));
  }

  private static List<String> words(String text) {
    return PyText.split(PyText.lower(text));
  }

  /** {@code words[from:to]}. */
  private static List<String> slice(List<String> words, int from, int to) {
    int n = words.size();
    int first = Math.max(0, Math.min(n, from < 0 ? from + n : from));
    int last = Math.max(first, Math.min(n, to < 0 ? to + n : to));
    return words.subList(first, last);
  }

  @Override
  protected String sentence(Kwargs kwargs) {
    int start = kwargs.index(START);
    int end = kwargs.index(END, start);
    return "Write nothing but the "
        + (revision == Revision.R1
            ? "words from index " + start + " up to, and without, index " + end
            : "characters from index " + start + " to index " + end)
        + " (the first has index 0) of this request: "
        + kwargs.text(PROMPT)
        + ".";
  }

  @Override
  public Optional<Map<String, Object>> sample(RandomGenerator random, String question) {
    int n = revision == Revision.R1 ? words(question).size() : PyText.length(question);
    if (n < 4) {
      return Optional.empty();
    }
    // From 1, because the first revision's reference takes index 0 for a missing one.
    int start = 1 + random.nextInt(n - 3);
    return Optional.of(
        kwargs(PROMPT, question, START, start, END, start + 1 + random.nextInt(n - 1 - start)));
  }

  /** The span at which the response occurs in the request. */
  @Override
  protected Optional<Map<String, Object>> relabel(
      Response response, Kwargs kwargs, RandomGenerator random) {
    String prompt = kwargs.text(PROMPT);
    if (response.isBlank()) {
      return Optional.empty();
    }
    int start;
    int end;
    if (revision == Revision.R1) {
      List<String> span = response.lowerTokens();
      start = Collections.indexOfSubList(words(prompt), span);
      end = start + span.size();
    } else {
      String span = PyText.lower(response.stripped());
      String lower = PyText.lower(prompt);
      int at = lower.indexOf(span);
      start = at < 0 ? -1 : PyText.length(lower.substring(0, at));
      end = start + PyText.length(span) - 1;
    }
    Map<String, Object> candidate = kwargs(PROMPT, prompt, START, start, END, end);
    return start > 0 && end > start && parse(candidate).check(response).satisfied()
        ? Optional.of(candidate)
        : Optional.empty();
  }
}
