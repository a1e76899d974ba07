package org.hirengine.verify.ifeval;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.random.RandomGenerator;
import org.hirengine.text.PyText;
import org.hirengine.text.regex.LazyPattern;
import org.hirengine.verify.Response;
import org.hirengine.verify.Verdict;
import org.hirengine.verify.Verifier;
import org.hirengine.verify.rule.Kwargs;
import org.hirengine.verify.rule.RuleType;
import org.hirengine.verify.rule.Wording;

/** {@code SectionChecker}: at least n sections, each marked by the splitter and a number. */
final class Sections extends RuleType {

  private static final String SPLITTER = "section_spliter";
  private static final String NUMBER = "num_sections";

  Sections() {
    super("detectable_format:multiple_sections");
  }

  private static LazyPattern pattern(Kwargs kwargs) {
    String splitter = PyText.strip(kwargs.text(SPLITTER));
    return LazyPattern.of("\\s?" + splitter + "\\s?\\d+\\s?", 0);
  }

  private static int count(LazyPattern pattern, Response response) {
    return pattern.get().split(response.codePoints()).size() - 1;
  }

  @Override
  protected Verifier parse(Kwargs kwargs) {
    LazyPattern pattern = pattern(kwargs);
    int asked = kwargs.integer(NUMBER, 0);
    return response -> {
      int count = count(pattern, response);
      return Verdict.of(
          count >= asked, Wording.count(count, "section") + ", at least " + asked + " asked");
    };
  }

  @Override
  protected String sentence(Kwargs kwargs) {
    String splitter = kwargs.text(SPLITTER);
    return "Write at least "
        + Wording.count(kwargs.integer(NUMBER, 0), "section")
        + ", and mark the beginning of each with \""
        + splitter
        + "\" and its number, such as "
        + splitter
        + " 1.";
  }

  @Override
  public Optional<Map<String, Object>> sample(RandomGenerator random, String question) {
    String splitter =
        List.of("Section", "SECTION", "Part", "Chapter", "Day").get(random.nextInt(5));
    return Optional.of(kwargs(SPLITTER, splitter, NUMBER, 2 + random.nextInt(4)));
  }

  @Override
  protected Optional<Map<String, Object>> relabel(
      Response response, Kwargs kwargs, RandomGenerator random) {
    int count = count(pattern(kwargs), response);
    return count == 0
        ? Optional.empty()
        : Optional.of(kwargs(SPLITTER, kwargs.text(SPLITTER), NUMBER, count));
  }
}
