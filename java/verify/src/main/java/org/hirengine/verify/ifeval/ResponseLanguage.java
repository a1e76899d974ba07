package org.hirengine.verify.ifeval;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.random.RandomGenerator;
import org.hirengine.verify.Response;
import org.hirengine.verify.TextTools;
import org.hirengine.verify.Verdict;
import org.hirengine.verify.Verifier;
import org.hirengine.verify.rule.Kwargs;
import org.hirengine.verify.rule.RuleType;
import org.hirengine.verify.text.LanguageDetector;

/**
 * {@code ResponseLanguageChecker}: the language detected; HiR counts simplified Chinese as {@code
 * zh}. A text in which no language can be detected counts as followed.
 */
final class ResponseLanguage extends RuleType {

  private static final String LANGUAGE = "language";
  private static final List<String> SAMPLED =
      List.of(
          "ar", "bg", "bn", "de", "en", "es", "fa", "fi", "fr", "gu", "hi", "it", "ja", "kn", "ko",
          "mr", "ne", "pa", "pl", "pt", "ru", "sw", "ta", "te", "th", "ur", "vi", "zh");

  /** What can be asked for: the languages that {@link #detect} can return. */
  private static final List<String> CODES =
      LanguageDetector.languages().stream()
          .map(code -> code.equals("zh-cn") ? "zh" : code)
          .toList();

  private final TextTools tools;

  ResponseLanguage(TextTools tools) {
    super("language:response_language");
    this.tools = tools;
  }

  private Optional<String> detect(Response response) {
    return tools.language(response).map(found -> found.equals("zh-cn") ? "zh" : found);
  }

  @Override
  protected Verifier parse(Kwargs kwargs) {
    String asked = kwargs.language(LANGUAGE, CODES);
    return response ->
        detect(response)
            .map(
                found ->
                    Verdict.of(found.equals(asked), "language " + found + ", " + asked + " asked"))
            .orElseGet(() -> Verdict.satisfied("too little text to tell a language"));
  }

  @Override
  protected String sentence(Kwargs kwargs) {
    String name =
        Locale.forLanguageTag(kwargs.language(LANGUAGE, CODES)).getDisplayLanguage(Locale.ENGLISH);
    return "Write your entire response in " + name + " and in no other language.";
  }

  @Override
  public Optional<Map<String, Object>> sample(RandomGenerator random, String question) {
    return Optional.of(kwargs(LANGUAGE, SAMPLED.get(random.nextInt(SAMPLED.size()))));
  }

  /** A text whose language cannot be told satisfies every one, and achieves none. */
  @Override
  protected boolean achieves(Response response, Kwargs kwargs) {
    return detect(response).filter(kwargs.language(LANGUAGE, CODES)::equals).isPresent();
  }

  @Override
  protected Optional<Map<String, Object>> relabel(
      Response response, Kwargs kwargs, RandomGenerator random) {
    return detect(response)
        .filter(language -> !language.equals("unknown"))
        .map(language -> kwargs(LANGUAGE, language));
  }
}
