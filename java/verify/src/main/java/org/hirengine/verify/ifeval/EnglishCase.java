package org.hirengine.verify.ifeval;

import java.util.Optional;
import java.util.function.Predicate;
import org.hirengine.text.PyText;
import org.hirengine.verify.Response;
import org.hirengine.verify.TextTools;
import org.hirengine.verify.Verdict;
import org.hirengine.verify.rule.BinaryType;

/**
 * {@code CapitalLettersEnglishChecker} and {@code LowercaseLettersEnglishChecker}: one case
 * throughout, and English; a text in which no language can be detected counts as English.
 */
final class EnglishCase extends BinaryType {

  private final TextTools tools;
  private final Predicate<String> inCase;
  private final String other;

  private EnglishCase(
      TextTools tools, String id, String sentence, Predicate<String> inCase, String other) {
    super(id, sentence);
    this.tools = tools;
    this.inCase = inCase;
    this.other = other;
  }

  static EnglishCase capital(TextTools tools) {
    return new EnglishCase(
        tools,
        "change_case:english_capital",
        "Write your entire response in English and in capital letters only.",
        PyText::isUpper,
        "lower-case");
  }

  static EnglishCase lowercase(TextTools tools) {
    return new EnglishCase(
        tools,
        "change_case:english_lowercase",
        "Write your entire response in English and in lowercase letters only.",
        PyText::isLower,
        "upper-case");
  }

  @Override
  protected Verdict check(Response response) {
    if (!inCase.test(response.text())) {
      return Verdict.violated("contains " + other + " letters, or no letters at all");
    }
    Optional<String> language = tools.language(response);
    return language
        .map(found -> Verdict.of(found.equals("en"), "language " + found + ", en asked"))
        .orElseGet(() -> Verdict.satisfied("too little text to tell a language"));
  }
}
