package org.hirengine.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.Function;
import java.util.random.RandomGenerator;
import org.hirengine.text.PyText;
import org.hirengine.verify.text.SentenceSplitter;
import org.junit.jupiter.api.Test;

/**
 * Loose variants reuse the analyses of the whole response; results must equal those of the
 * variant's text alone.
 */
class LooseVariantsTest {

  /** Pieces that matter for sentence ends, case and marks. */
  private static final List<String> SPECKS =
      List.of(
          ".",
          " ",
          "\n",
          ". ",
          ".\n",
          "?",
          "!",
          "\"",
          "\u201D",
          "Mr",
          "Dr. ",
          "Ph.D. ",
          "U.S.",
          " U.S. He ",
          "A.B.C. They ",
          "Inc.",
          " Ltd. The",
          " Co.\nHe ",
          "He ",
          "site.org",
          "3.5",
          "1.2.3",
          "...",
          "...\"",
          ".\"",
          "?\"",
          "?!\"",
          "\n\n",
          "\t",
          "\tA. b",
          " B.",
          "x",
          "foo",
          "Bar baz",
          "*",
          "**",
          "* ",
          "<prd>",
          "<stop>",
          "\u00A0",
          "\u0130",
          "\u03A3",
          "\u039F\u03A3",
          "'",
          "can't",
          "(",
          "]",
          "\uD83D\uDE00",
          "\uD800",
          "-",
          ",",
          "\r\n",
          "\u2028",
          "level");

  private static final Map<String, Function<Response, Object>> ANALYSES =
      Map.of(
          "lower", Response::lower,
          "words", Response::words,
          "tokens", Response::tokens,
          "lower tokens", Response::lowerTokens,
          "sentences", Response::splitSentences,
          "different words", response -> response.lowerTokens().different(),
          "most frequent word", response -> response.lowerTokens().mostFrequent(),
          "trigrams", response -> response.trigrams().size(),
          "shared trigrams",
              response -> response.trigrams().shared(Response.of("foo bar.").trigrams()));

  @Test
  void partsAreAnalysedAsTextsOfTheirOwn() {
    RandomGenerator random = new SplittableRandom(5);
    for (int i = 0; i < 3000; i++) {
      String text = i % 4 == 0 ? FuzzTexts.next(random) : specks(random);
      Response whole = Response.of(text);
      for (Response variant : whole.looseVariants()) {
        Response alone = Response.of(variant.text());
        ANALYSES.forEach(
            (name, of) -> assertEquals(of.apply(alone), of.apply(variant), name + " of " + text));
      }
    }
  }

  private static String specks(RandomGenerator random) {
    StringBuilder text = new StringBuilder();
    for (int n = 1 + random.nextInt(30); n > 0; n--) {
      text.append(SPECKS.get(random.nextInt(SPECKS.size())));
    }
    return text.toString();
  }

  /** Transcribed from the reference. */
  @Test
  void variantsAreTheReferences() {
    RandomGenerator random = new SplittableRandom(6);
    for (int i = 0; i < 2000; i++) {
      String text = specks(random);
      List<String> lines = PyText.split(text, "\n");
      int n = lines.size();
      List<String> forms = new ArrayList<>(List.of(text, text.replace("*", "")));
      for (List<String> part :
          List.of(
              lines.subList(1, n), lines.subList(0, n - 1), lines.subList(1, Math.max(1, n - 1)))) {
        forms.add(PyText.strip(String.join("\n", part)));
      }
      for (int k = 2; k < 5; k++) {
        forms.add(forms.get(k).replace("*", ""));
      }
      List<String> expected =
          forms.stream().filter(form -> !PyText.isBlank(form)).distinct().toList();
      List<String> found = new ArrayList<>();
      Response.of(text).looseVariants().forEach(variant -> found.add(variant.text()));
      assertEquals(expected, found, text);
    }
  }

  @Test
  void sentencesOfManyTextsEndWhereTheirMarksSay() {
    assertEquals(
        List.of("He said \"yes\".", "\"No?", "!", "Acme Inc", "He left."),
        SentenceSplitter.split("He said \"yes.\" \"No?!\nAcme Inc. He left."));
  }
}
