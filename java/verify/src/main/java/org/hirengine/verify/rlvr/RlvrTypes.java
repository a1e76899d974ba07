package org.hirengine.verify.rlvr;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.ToLongFunction;
import org.hirengine.text.CodePoints;
import org.hirengine.text.PyJson;
import org.hirengine.text.PyText;
import org.hirengine.text.regex.PyPattern;
import org.hirengine.verify.ConstraintType;
import org.hirengine.verify.TextTools;
import org.hirengine.verify.Verdict;
import org.hirengine.verify.rlvr.FunctionType.Rule;
import org.hirengine.verify.rule.Kwargs;
import org.hirengine.verify.rule.Wording;
import org.hirengine.verify.text.LanguageDetector;

/**
 * The 25 functions of {@code open_instruct/if_functions.py}, one for each type of IFEval. Their
 * rules are not IFEval's: numbers are exact where IFEval says "at least", "around" is a relation,
 * and words are matched literally, with their case.
 */
public final class RlvrTypes {

  private static final PyPattern SENTENCE_END =
      PyPattern.compile("(?<!\\w\\.\\w.)(?<![A-Z][a-z]\\.)(?<=\\.|\\?|!)\\s");
  private static final String DIVIDER = "* * *";
  private static final String STARS = "******";

  private RlvrTypes() {}

  /** The types, in the order of the reference's table. */
  public static List<ConstraintType> all(TextTools tools) {
    List<ConstraintType> types = new ArrayList<>();
    types.addAll(words());
    types.add(language(tools));
    types.addAll(lengths());
    types.addAll(content());
    types.addAll(format());
    types.addAll(wholes());
    return List.copyOf(types);
  }

  private static List<ConstraintType> words() {
    return List.of(
        FunctionType.of(
            "verify_keywords",
            kwargs -> {
              List<String> keywords = kwargs.texts("keyword_list");
              return text -> allThere(PyText.lower(text), keywords);
            },
            kwargs -> "Include the keywords " + Wording.list(kwargs.texts("keyword_list")) + "."),
        counted(
            "verify_keyword_frequency",
            "word",
            kwargs -> {
              String word = PyText.lower(kwargs.text("word"));
              return text -> PyText.words(PyText.lower(text)).stream().filter(word::equals).count();
            },
            Quantifier.EXACTLY,
            kwargs ->
                "Use the word \"%s\" exactly %s."
                    .formatted(kwargs.text("word"), Wording.count(n(kwargs), "time"))),
        FunctionType.of(
            "validate_forbidden_words",
            kwargs -> {
              List<String> words = kwargs.texts("forbidden_words");
              return text -> noneThere(PyText.lower(text), words);
            },
            kwargs -> "Do not use " + Wording.list(kwargs.texts("forbidden_words")) + "."),
        counted(
            "verify_letter_frequency",
            "letter",
            kwargs -> {
              String letter = PyText.strip(kwargs.character("letter"));
              return text -> PyText.count(text, letter);
            },
            Quantifier.EXACTLY,
            kwargs ->
                "Use the letter \"%s\", in this case, exactly %s."
                    .formatted(kwargs.text("letter"), Wording.count(n(kwargs), "time"))));
  }

  private static Verdict allThere(String text, List<String> keywords) {
    for (String keyword : keywords) {
      if (!text.contains(PyText.lower(keyword))) {
        return Verdict.violated("keyword " + Wording.brief(keyword) + " is missing");
      }
    }
    return Verdict.satisfied("all " + Wording.count(keywords.size(), "keyword") + " found");
  }

  private static Verdict noneThere(String text, List<String> words) {
    for (String word : words) {
      if (text.contains(PyText.lower(word))) {
        return Verdict.violated("forbidden word " + Wording.brief(word) + " found");
      }
    }
    return Verdict.satisfied("no forbidden word found");
  }

  /** Simplified Chinese is zh-cn here; the reference raises on a text without features. */
  private static ConstraintType language(TextTools tools) {
    return FunctionType.ofResponse(
        "validate_response_language",
        kwargs -> {
          String asked = kwargs.language("language", LanguageDetector.languages());
          return response ->
              tools
                  .language(response)
                  .map(found -> Verdict.of(found.equals(asked), found + ", " + asked + " asked"))
                  .orElseGet(() -> Verdict.failed("the reference raises: no language told"));
        },
        kwargs ->
            "Write your entire response in "
                + Locale.forLanguageTag(kwargs.language("language", LanguageDetector.languages()))
                    .getDisplayLanguage(Locale.ENGLISH)
                + ".");
  }

  private static List<ConstraintType> lengths() {
    return List.of(
        FunctionType.of(
            "verify_paragraph_count",
            kwargs -> {
              int asked = n(kwargs);
              return text -> paragraphs(text, asked);
            },
            kwargs ->
                "Write exactly "
                    + Wording.count(n(kwargs), "paragraph")
                    + " separated by the markdown divider * * *."),
        quantified(
            "validate_word_constraint", "word", text -> PyText.split(text).size(), false, "words"),
        quantified(
            "verify_sentence_constraint",
            "sentence",
            text -> SENTENCE_END.split(CodePoints.of(text)).size(),
            true,
            "sentences"),
        FunctionType.of(
            "validate_paragraphs",
            kwargs -> {
              int asked = kwargs.integer("N", 1);
              int nth = kwargs.integer("i", 1, asked);
              String word = kwargs.text("first_word");
              return text -> beginsParagraph(PyText.split(text, "\n\n"), asked, nth, word);
            },
            kwargs ->
                "Write exactly %s separated by blank lines, and begin paragraph %d with \"%s\"."
                    .formatted(
                        Wording.count(n(kwargs), "paragraph"),
                        kwargs.integer("i", 1),
                        kwargs.text("first_word"))));
  }

  private static Verdict paragraphs(String text, int asked) {
    List<String> lines = PyText.splitLines(text).stream().map(PyText::strip).toList();
    List<String> parts = PyText.split(PyText.strip(String.join("\n", lines)), DIVIDER);
    return parts.stream().anyMatch(PyText::isBlank)
        ? Verdict.violated("a paragraph beside a divider is empty")
        : Quantifier.EXACTLY.verdict(parts.size(), asked, 0, "paragraph");
  }

  private static Verdict beginsParagraph(List<String> parts, int asked, int nth, String word) {
    if (parts.size() != asked) {
      return Quantifier.EXACTLY.verdict(parts.size(), asked, 0, "paragraph");
    }
    String paragraph = PyText.strip(parts.get(nth - 1));
    boolean begins = paragraph.startsWith(word);
    return Verdict.of(
        begins,
        "paragraph "
            + nth
            + (begins ? " begins" : " does not begin")
            + " with "
            + Wording.brief(word));
  }

  private static List<ConstraintType> content() {
    return List.of(
        FunctionType.of(
            "verify_postscript",
            kwargs -> {
              String marker = kwargs.text("postscript_marker");
              return text -> {
                int at = text.indexOf(marker);
                boolean more =
                    at >= 0
                        && PyText.length(PyText.strip(text.substring(at))) > PyText.length(marker);
                return Verdict.of(
                    more,
                    "postscript "
                        + Wording.brief(marker)
                        + (more ? " found" : at < 0 ? " is missing" : " has no text"));
              };
            },
            kwargs ->
                "At the end, add a postscript that begins with "
                    + kwargs.text("postscript_marker")
                    + "."),
        counted(
            "validate_placeholders",
            "placeholder",
            kwargs -> text -> PyText.countEnclosed(text, "[", "]"),
            Quantifier.AT_LEAST,
            kwargs ->
                "Include at least "
                    + Wording.count(n(kwargs), "placeholder")
                    + " in square brackets, such as [name]."));
  }

  private static List<ConstraintType> format() {
    return List.of(
        counted(
            "verify_bullet_points",
            "bullet point",
            kwargs -> RlvrTypes::bullets,
            Quantifier.EXACTLY,
            kwargs -> "Write a list of exactly " + Wording.count(n(kwargs), "bullet point") + "."),
        plain(
            "validate_title",
            text -> PyText.countEnclosed(text, "<<", ">>") > 0,
            "a title in << >>",
            "Include a title in double angular brackets, such as <<title>>."),
        FunctionType.of(
            "validate_choice",
            kwargs -> {
              List<String> options = kwargs.texts("options");
              return text -> {
                boolean one = options.stream().anyMatch(text::contains);
                return Verdict.of(one, (one ? "one" : "none") + " of the options found");
              };
            },
            kwargs -> "Answer with one of " + Wording.list(kwargs.texts("options")) + "."),
        counted(
            "validate_highlighted_sections",
            "highlight",
            kwargs -> text -> PyText.countEnclosed(text, "*", "*"),
            Quantifier.AT_LEAST,
            kwargs ->
                "Highlight at least "
                    + Wording.count(n(kwargs), "section")
                    + " in markdown, with *single asterisks*."),
        counted(
            "validate_sections",
            "section",
            kwargs -> {
              String splitter = kwargs.text("section_splitter");
              return text -> {
                int parts = PyText.split(text, splitter).size();
                return text.startsWith(splitter) ? parts - 1 : parts;
              };
            },
            Quantifier.EXACTLY,
            kwargs ->
                "Write exactly %s, and mark the beginning of each with \"%s\"."
                    .formatted(
                        Wording.count(n(kwargs), "section"), kwargs.text("section_splitter"))),
        FunctionType.of(
            "validate_json_format",
            kwargs -> RlvrTypes::json,
            kwargs -> "Give your entire response as one valid JSON value."));
  }

  private static long bullets(String text) {
    return PyText.split(text, "\n").stream()
        .map(PyText::strip)
        .filter(line -> line.startsWith("*") || line.startsWith("-"))
        .count();
  }

  private static Verdict json(String text) {
    return switch (PyJson.read(text)) {
      case VALID -> Verdict.satisfied("valid JSON");
      case INVALID -> Verdict.violated("not valid JSON " + PyJson.problem(text));
      case TOO_DEEP ->
          Verdict.failed(
              "the reference raises: JSON nested deeper than " + PyJson.MAX_DEPTH + " levels");
    };
  }

  private static List<ConstraintType> wholes() {
    return List.of(
        FunctionType.of(
            "validate_repeat_prompt",
            kwargs -> {
              String prompt = kwargs.text("original_prompt");
              return text -> {
                boolean starts = text.startsWith(prompt);
                return Verdict.of(
                    starts,
                    (starts ? "begins" : "does not begin") + " with the request word for word");
              };
            },
            kwargs ->
                "First repeat the request word for word, then answer it (the request is: "
                    + kwargs.text("original_prompt")
                    + ")."),
        plain(
            "validate_two_responses",
            RlvrTypes::twoResponses,
            "two different responses around one ******",
            "Give two different responses, separated by six asterisks: ******."),
        plain(
            "validate_uppercase",
            text -> text.equals(PyText.upper(text)),
            "capital letters only",
            "Write your entire response in capital letters."),
        plain(
            "validate_lowercase",
            text -> text.equals(PyText.lower(text)),
            "lower-case letters only",
            "Write your entire response in lower-case letters."),
        quantified(
            "validate_frequency_capital_words",
            "all-capitals word",
            RlvrTypes::capitalWords,
            false,
            "words in all capital letters"),
        FunctionType.of(
            "validate_end",
            kwargs -> {
              String phrase = kwargs.text("end_phrase");
              return text -> {
                boolean ends = text.endsWith(phrase);
                return Verdict.of(
                    ends, (ends ? "ends" : "does not end") + " with " + Wording.brief(phrase));
              };
            },
            kwargs -> "End with the exact words \"" + kwargs.text("end_phrase") + "\"."),
        plain(
            "validate_quotation",
            text -> text.startsWith("\"") && text.endsWith("\""),
            "double quotes around all of it",
            "Wrap your whole response in double quotation marks."),
        plain(
            "validate_no_commas",
            text -> !text.contains(","),
            "no comma",
            "Do not use any commas."));
  }

  private static boolean twoResponses(String text) {
    List<String> parts = PyText.split(text, STARS);
    return parts.size() == 2 && !PyText.strip(parts.get(0)).equals(PyText.strip(parts.get(1)));
  }

  /** {@code \b[A-Z]+\b}. */
  private static long capitalWords(String text) {
    return PyText.words(text).stream()
        .filter(word -> word.chars().allMatch(c -> c >= 'A' && c <= 'Z'))
        .count();
  }

  private static int n(Kwargs kwargs) {
    return kwargs.integer("N", 0);
  }

  /** A type that counts something and compares it with {@code N} in its own way. */
  private static ConstraintType counted(
      String id,
      String noun,
      Function<Kwargs, ToLongFunction<String>> counting,
      Quantifier quantifier,
      Function<Kwargs, String> sentence) {
    Function<Kwargs, Rule> rule =
        kwargs -> {
          int asked = n(kwargs);
          ToLongFunction<String> count = counting.apply(kwargs);
          return text -> quantifier.verdict(count.applyAsLong(text), asked, 0, noun);
        };
    return FunctionType.of(id, rule, sentence);
  }

  /** A type that compares as its kwarg {@code quantifier} says. */
  private static ConstraintType quantified(
      String id, String noun, ToLongFunction<String> count, boolean byOne, String nouns) {
    Function<Kwargs, Rule> rule =
        kwargs -> {
          int asked = n(kwargs);
          Quantifier quantifier = Quantifier.of(kwargs);
          long tolerance = byOne ? 1 : Quantifier.tenth(asked);
          return text -> quantifier.verdict(count.applyAsLong(text), asked, tolerance, noun);
        };
    return FunctionType.of(
        id, rule, kwargs -> "Write " + Quantifier.of(kwargs).phrase(n(kwargs)) + " " + nouns + ".");
  }

  /** A type without parameters. */
  private static ConstraintType plain(
      String id, Predicate<String> rule, String what, String sentence) {
    return FunctionType.of(
        id,
        kwargs ->
            text -> {
              boolean holds = rule.test(text);
              return Verdict.of(holds, what + (holds ? "" : " asked, not found"));
            },
        kwargs -> sentence);
  }
}
