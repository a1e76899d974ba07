package org.hirengine.verify.ifbench;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.random.RandomGenerator;
import java.util.stream.Collectors;
import org.hirengine.text.PyChars;
import org.hirengine.text.PyText;
import org.hirengine.verify.Response;
import org.hirengine.verify.Verdict;
import org.hirengine.verify.Verifier;
import org.hirengine.verify.rule.Kwargs;
import org.hirengine.verify.rule.RuleType;
import org.hirengine.verify.rule.Wording;

/**
 * {@code OptionsResponseChecker}: the response is one of the options, which are separated by
 * slashes, else by the word "or", else by commas. Options lettered a, b, c must be given exactly as
 * written.
 */
final class Options extends RuleType {

  private static final String OPTIONS = "options";

  private static final List<String> SAMPLED =
      List.of(
          "yes/no/unsure", "true/false", "agree or disagree", "better, worse, the same", "A/B/C/D");

  Options() {
    super("format:options");
  }

  /** {@code \W*[aA]\W*[bB]\W*[cC]} at the beginning. */
  private static boolean lettered(String options) {
    int letters = 0;
    for (int i = 0; i < options.length() && letters < 3; ) {
      int c = options.codePointAt(i);
      if (PyChars.isWord(c)) {
        if ((c | 0x20) != 'a' + letters) {
          return false;
        }
        letters++;
      }
      i += Character.charCount(c);
    }
    return letters == 3;
  }

  private static String plain(String option) {
    return PyText.lower(PyText.strip(option, Words.MARKS));
  }

  @Override
  protected Verifier parse(Kwargs kwargs) {
    String text = kwargs.text(OPTIONS);
    String separator = text.contains("/") ? "/" : text.contains("or") ? "or" : ",";
    boolean lettered = lettered(text);
    UnaryOperator<String> form = lettered ? UnaryOperator.identity() : Options::plain;
    Set<String> options =
        PyText.split(text, separator).stream()
            .map(PyText::strip)
            .map(form)
            .collect(Collectors.toSet());
    return response -> {
      boolean one = options.contains(form.apply(response.text()));
      return Verdict.of(
          one, Wording.brief(response.text()) + (one ? " is" : " is not") + " one of the options");
    };
  }

  @Override
  protected String sentence(Kwargs kwargs) {
    return "Answer with one of these options and nothing else: " + kwargs.text(OPTIONS) + ".";
  }

  @Override
  public Optional<Map<String, Object>> sample(RandomGenerator random, String question) {
    return Optional.of(kwargs(OPTIONS, SAMPLED.get(random.nextInt(SAMPLED.size()))));
  }

  /** Other options that include the response. */
  @Override
  protected Optional<Map<String, Object>> relabel(
      Response response, Kwargs kwargs, RandomGenerator random) {
    return SAMPLED.stream()
        .map(options -> kwargs(OPTIONS, options))
        .filter(candidate -> parse(candidate).check(response).satisfied())
        .findFirst();
  }
}
