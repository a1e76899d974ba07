package org.hirengine.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.Map;
import org.hirengine.verify.Verdict.Outcome;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class MulDimIfTest {

  private static Verdict judge(String id, String sentence, String response) {
    return Verifiers.standard()
        .judge(
            new ConstraintSpec("muldimif", id, Map.of("constraint", sentence)),
            Response.of(response),
            Strictness.STRICT);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "Length_Words | Write at most three words. | one two three | SATISFIED | 3 words, at most"
            + " 3",
        "Length_Words | Write between 2 and 3 words. | one | VIOLATED | 1 word, 2 to 3 asked",
        "Length_Sentences | The text must contain at least 2 sentences. | One. Two! | SATISFIED |"
            + " 2",
        "Length_Paragraphs | exactly 2 paragraphs | one | VIOLATED | 1 paragraph, exactly 2",
        "Length_Paragraphs | keep it brief | one | VIOLATED | not understood: no limit",
        "Language_English | Each word must be capitalized | A Big River | SATISFIED | lower case",
        "Language_English | Each word must be capitalized | A big River | VIOLATED | 'big'",
        "Content_Keywords | It must include the keyword 'Rome' | In ROME. | SATISFIED | Rome",
        "Content_Keywords | It must include the keyword 'Rome' | Romeo | VIOLATED | 0 times",
        "Content_Punctuation | End with a question mark | Why? | SATISFIED | ? asked",
        "Content_Punctuation | Each sentence must end with a period | Why? Yes. | VIOLATED | Why?",
        "Format_Markdown | It must include a level 2 heading | ## Title | SATISFIED | [2]",
        "Format_Markdown | It must include a level 2 heading | # Title | VIOLATED | [1], level 2"
            + " asked",
        "Format_Json | JSON with at least two levels of nesting | {`a`:{`b`:1}} | VIOLATED | no"
            + " valid JSON",
        "Format_Table | a table with no more than 1 row | none | VIOLATED | no table",
        "Format_Table | If a table is used, no more than 1 row | none | SATISFIED | no table",
      })
  void reasonsSayWhatWasFound(
      String id, String sentence, String response, Outcome outcome, String reason) {
    Verdict verdict = judge(id, sentence, response);
    assertEquals(outcome, verdict.outcome(), verdict.reason());
    assertTrue(verdict.reason().contains(reason), verdict.reason());
  }

  /** Whether we understand a sentence, and the reference's verdict on a plain text of 9 words. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "Length_Words | At most 1,000 words | true | SATISFIED",
        "Length_Words | Between 1,000 and 2,000 words | false | SATISFIED",
        "Length_Words | 50 words or less | false | SATISFIED",
        "Length_Words | Each line must be short | false | VIOLATED",
        "Length_Words | Each word must be brief | false | FAILED",
        "Length_Sentences | does not exceed a total of 5 sentences | false | SATISFIED",
        "Length_Sentences | It must not exceed 1 sentence | true | VIOLATED",
        "Length_Paragraphs | one paragraph only | false | VIOLATED",
        "Language_English | The response must be in all capital letters | false | VIOLATED",
        "Language_English | Titles must be capitalized | true | VIOLATED",
        "Language_English | in markdown with two headings | false | VIOLATED",
        "Format_Markdown | Use bullet points | true | VIOLATED",
        "Format_Markdown | Use italics | false | SATISFIED",
        "Format_Markdown | including a level 2 heading | true | VIOLATED",
        "Format_Markdown | It must begin with a level 2 heading | true | VIOLATED",
        "Format_Markdown | level 1 for the name, level 2 for the rest | false | SATISFIED",
        "Format_Table | If a table is incorporated, it must not exceed 3 rows | true | SATISFIED",
        "Format_Table | If given in a table format, not exceed 3 columns | true | VIOLATED",
        "Format_Table | a table with only one row | false | VIOLATED",
        "Format_Table | Include a table | true | VIOLATED",
        "Format_Json | The response must be JSON | false | VIOLATED",
        "Content_Keywords | Mention Rome | false | SATISFIED",
        "Content_Keywords | Mention “Oslo” or Rome | true | VIOLATED",
        "Content_Keywords | Each friend of 'Ann' is to be named | false | VIOLATED",
        "Content_Punctuation | It must end with an ellipsis | false | VIOLATED",
        "Content_Identifiers | It must be in full sentences | false | SATISFIED",
        "Format_Text | It must use full sentences | false | SATISFIED",
        "Language_Chinese | in Mandarin | false | VIOLATED",
      })
  void whatIsNotUnderstoodSaysSo(String id, String sentence, boolean understood, Outcome outcome) {
    Verdict verdict = judge(id, sentence, "The cat sat there. It saw the old boats.");
    assertEquals(outcome, verdict.outcome(), verdict.reason());
    assertEquals(understood, !verdict.reason().startsWith("not understood: "), verdict.reason());
    assertEquals(
        understood,
        Verifiers.standard()
            .parse(new ConstraintSpec("muldimif", id, Map.of("constraint", sentence)))
            .unread()
            .isEmpty());
  }

  @Test
  void whatIsNotUnderstoodCanBeLeftWithoutAVerdict() throws IOException {
    Verifiers strict = Verifiers.builder().unread(Unread.NO_VERDICT).build();
    ConstraintSpec vague =
        new ConstraintSpec("muldimif", "Length_Words", Map.of("constraint", "50 words or less"));
    Verdict verdict = strict.judge(vague, Response.of("x"), Strictness.STRICT);
    assertEquals(Outcome.NO_VERDICT, verdict.outcome());
    assertTrue(verdict.reason().contains("Length_Words: not understood: "), verdict.reason());
    assertThrows(NotUnderstoodException.class, () -> strict.parse(vague));
    ConstraintSpec clear =
        new ConstraintSpec("muldimif", "Length_Words", Map.of("constraint", "At most 50 words"));
    assertEquals(
        Outcome.SATISFIED, strict.judge(clear, Response.of("x"), Strictness.STRICT).outcome());
  }

  @Test
  void blankResponsesAreChecked() {
    assertEquals(Outcome.SATISFIED, judge("Length_Words", "at most 5 words", " \n").outcome());
    assertEquals(Outcome.VIOLATED, judge("Length_Words", "at least 5 words", "").outcome());
    assertEquals(
        Outcome.VIOLATED,
        Verifiers.standard()
            .judge(
                new ConstraintSpec("ifeval", "punctuation:no_comma", Map.of()),
                Response.of(""),
                Strictness.STRICT)
            .outcome());
  }

  @Test
  void deepJsonFailsInsteadOfOverflowing() {
    for (int depth : new int[] {331, 332, 5000}) {
      Verdict verdict =
          judge(
              "Format_Json",
              "at least two levels of nesting",
              "[".repeat(depth) + "1" + "]".repeat(depth));
      assertEquals(depth == 331 ? Outcome.SATISFIED : Outcome.FAILED, verdict.outcome());
      assertEquals(depth != 331, verdict.reason().contains("deeper than"), verdict.reason());
    }
  }

  /** Long and odd responses get a verdict in reasonable time. */
  @ParameterizedTest
  @ValueSource(strings = {"# ", "| a ", "'", "<a b=\"", "\uD800", "1. x\n", "\u8FD9 ", "```json\n"})
  void nastyResponsesGetVerdicts(String piece) {
    Response response = Response.of(piece.repeat(20_000));
    String sentence =
        "If each level 2 heading must include 'a.*(' then at most two words, rows, sentences and"
            + " paragraphs of simplified JSON with two levels in uppercase end with a period";
    for (ConstraintType type : Verifiers.standard().types("muldimif")) {
      Verdict verdict =
          Verifiers.standard()
              .judge(
                  new ConstraintSpec("muldimif", type.id(), Map.of("constraint", sentence)),
                  response,
                  Strictness.STRICT);
      assertTrue(verdict.decided(), type.id());
    }
  }
}
