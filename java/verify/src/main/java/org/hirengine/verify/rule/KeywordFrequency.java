package org.hirengine.verify.rule;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.random.RandomGenerator;
import org.hirengine.text.PyText;
import org.hirengine.text.regex.KeywordPattern;
import org.hirengine.verify.Response;
import org.hirengine.verify.Verifier;

/** {@code KeywordFrequencyChecker}: matches of the unescaped keyword in any case, counted. */
public final class KeywordFrequency extends RuleType {

  public KeywordFrequency(String id) {
    super(id);
  }

  @Override
  protected Verifier parse(Kwargs kwargs) {
    String keyword = PyText.strip(kwargs.text("keyword"));
    KeywordPattern pattern = KeywordPattern.of(keyword);
    int asked = kwargs.integer("frequency", 0);
    Relation relation = kwargs.relation("relation");
    String what = "keyword " + Wording.brief(keyword);
    return response -> relation.found(what, pattern.count(response.codePoints()), asked);
  }

  @Override
  protected String sentence(Kwargs kwargs) {
    return kwargs
        .relation("relation")
        .use("the word \"" + kwargs.text("keyword") + "\"", kwargs.integer("frequency", 0));
  }

  @Override
  public Optional<Map<String, Object>> sample(RandomGenerator random, String question) {
    return Optional.of(
        kwargs(
            "keyword", WordPool.sample(random, 1).get(0),
            "frequency", 2 + random.nextInt(4),
            "relation", Relation.sample(random).text()));
  }

  @Override
  protected List<String> quoted(Kwargs kwargs) {
    return List.of(PyText.strip(kwargs.text("keyword")));
  }

  /** A word that occurs, or a rare one, with a frequency near its own. */
  @Override
  protected Optional<Map<String, Object>> relabel(
      Response response, Kwargs kwargs, RandomGenerator random) {
    Relation relation = kwargs.relation("relation");
    String keyword = PyText.strip(kwargs.text("keyword"));
    int count = KeywordPattern.of(keyword).count(response.codePoints());
    if (count == 0) {
      List<String> there = WordPool.keywords(response);
      if (there.isEmpty()) {
        return Optional.empty();
      }
      keyword = there.get(random.nextInt(there.size()));
      count = KeywordPattern.of(keyword).count(response.codePoints());
    }
    int frequency =
        relation == Relation.AT_LEAST
            ? Math.min(count, Math.max(1, kwargs.integer("frequency", 0)))
            : count + 1;
    return Optional.of(
        kwargs("keyword", keyword, "frequency", frequency, "relation", relation.text()));
  }
}
