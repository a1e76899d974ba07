package org.hirengine.verify.rule;

import java.util.Map;
import java.util.Optional;
import java.util.random.RandomGenerator;
import org.hirengine.text.PyText;
import org.hirengine.verify.Response;
import org.hirengine.verify.Verifier;

/** {@code LetterFrequencyChecker}: one letter counted in the lower-cased text. */
public final class LetterFrequency extends RuleType {

  public LetterFrequency(String id) {
    super(id);
  }

  private static String letter(Kwargs kwargs) {
    return PyText.lower(PyText.strip(kwargs.character("letter")));
  }

  @Override
  protected Verifier parse(Kwargs kwargs) {
    String letter = letter(kwargs);
    int asked = kwargs.integer("let_frequency", 0);
    Relation relation = kwargs.relation("let_relation");
    String what = "letter " + Wording.brief(letter);
    return response -> relation.found(what, PyText.count(response.lower(), letter), asked);
  }

  @Override
  protected String sentence(Kwargs kwargs) {
    return kwargs
        .relation("let_relation")
        .use("the letter \"" + kwargs.text("letter") + "\"", kwargs.integer("let_frequency", 0));
  }

  @Override
  public Optional<Map<String, Object>> sample(RandomGenerator random, String question) {
    return Optional.of(
        kwargs(
            "letter", String.valueOf((char) ('a' + random.nextInt(26))),
            "let_frequency", 1 + random.nextInt(20),
            "let_relation", Relation.sample(random).text()));
  }

  @Override
  protected Optional<Map<String, Object>> relabel(
      Response response, Kwargs kwargs, RandomGenerator random) {
    String letter = letter(kwargs);
    Relation relation = kwargs.relation("let_relation");
    int count = PyText.count(response.lower(), letter);
    if (relation == Relation.AT_LEAST && count == 0) {
      return Optional.empty();
    }
    return Optional.of(
        kwargs(
            "letter", letter,
            "let_frequency", relation.achieved(count, random),
            "let_relation", relation.text()));
  }
}
