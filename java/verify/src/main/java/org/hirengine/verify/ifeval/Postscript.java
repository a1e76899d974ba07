package org.hirengine.verify.ifeval;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.random.RandomGenerator;
import org.hirengine.text.CodePoints;
import org.hirengine.text.PyText;
import org.hirengine.text.regex.LazyPattern;
import org.hirengine.text.regex.PyPattern;
import org.hirengine.verify.Response;
import org.hirengine.verify.Verdict;
import org.hirengine.verify.Verifier;
import org.hirengine.verify.rule.Kwargs;
import org.hirengine.verify.rule.RuleType;
import org.hirengine.verify.rule.Wording;

/** {@code PostscriptChecker}: the marker anywhere in the lower-cased text. */
final class Postscript extends RuleType {

  private static final String MARKER = "postscript_marker";

  Postscript() {
    super("detectable_content:postscript");
  }

  private static String pattern(String marker) {
    return switch (marker) {
      case "P.P.S" -> "p\\.\\s?p\\.\\s?s";
      case "P.S." -> "p\\.\\s?s\\.";
      default -> "\\s*" + PyText.lower(marker) + ".*$";
    };
  }

  @Override
  protected Verifier parse(Kwargs kwargs) {
    String marker = PyText.strip(kwargs.text(MARKER));
    LazyPattern pattern = LazyPattern.of(pattern(marker), PyPattern.MULTILINE);
    return response -> {
      CodePoints lower =
          response.analysis("lower code points", t -> CodePoints.of(response.lower()));
      boolean found = pattern.get().find(lower);
      return Verdict.of(
          found, "postscript " + Wording.brief(marker) + (found ? " found" : " is missing"));
    };
  }

  @Override
  protected String sentence(Kwargs kwargs) {
    return "At the end, add a postscript that begins with \"" + kwargs.text(MARKER) + "\".";
  }

  @Override
  public Optional<Map<String, Object>> sample(RandomGenerator random, String question) {
    return Optional.of(kwargs(MARKER, random.nextBoolean() ? "P.S." : "P.P.S"));
  }

  /** The other marker, if the response has that one. */
  @Override
  protected Optional<Map<String, Object>> relabel(
      Response response, Kwargs kwargs, RandomGenerator random) {
    for (String marker : List.of("P.S.", "P.P.S")) {
      Map<String, Object> other = kwargs(MARKER, marker);
      if (parse(other).check(response).satisfied()) {
        return Optional.of(other);
      }
    }
    return Optional.empty();
  }
}
