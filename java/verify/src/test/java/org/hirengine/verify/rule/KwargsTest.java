package org.hirengine.verify.rule;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** What an argument may be, at the edges, and what is said of one that is not. */
class KwargsTest {

  private static Kwargs kwargs(Object... namesAndValues) {
    Map<String, Object> values = new HashMap<>();
    for (int i = 0; i < namesAndValues.length; i += 2) {
      values.put((String) namesAndValues[i], namesAndValues[i + 1]);
    }
    return Kwargs.of("t:x", values);
  }

  private static void refuses(String message, Executable reads) {
    assertEquals(
        "t:x: kwarg " + message, assertThrows(IllegalArgumentException.class, reads).getMessage());
  }

  @Test
  void wholeNumbersWithinTheirBounds() {
    for (Object three : List.of(3, 3L, 3.0, 3.0f, (short) 3)) {
      assertEquals(3, kwargs("n", three).integer("n", 3));
      assertEquals(3, kwargs("n", three).integer("n", 3, 3));
    }
    assertEquals(0, kwargs("n", -0.0).integer("n", 0));
    assertEquals(Integer.MAX_VALUE, kwargs("n", Integer.MAX_VALUE).integer("n", 0));
    refuses("'n' must be a whole number from 4, not '3'", () -> kwargs("n", 3).integer("n", 4));
    refuses(
        "'n' must be a whole number from 0 to 2, not '3'", () -> kwargs("n", 3).integer("n", 0, 2));
    refuses(
        "'n' must be a whole number from 0, not '2147483648'",
        () -> kwargs("n", 1L << 31).integer("n", 0));
    refuses("'n' must be a whole number from 0, not '2.5'", () -> kwargs("n", 2.5).integer("n", 0));
    refuses(
        "'n' must be a whole number from 0, not 'Infinity'",
        () -> kwargs("n", Double.POSITIVE_INFINITY).integer("n", 0));
    refuses(
        "'n' must be a whole number from 0, not the string '3'",
        () -> kwargs("n", "3").integer("n", 0));
    refuses(
        "'n' is missing, it must be a whole number from 0",
        () -> kwargs("n", null).integer("n", 0));
  }

  /** A span may end where it begins; ends that count from the other side cannot be compared. */
  @Test
  void endsOfSpans() {
    assertEquals(5, kwargs("end", 5).index("end", 5));
    refuses("'end' must be a whole number from 5, not '4'", () -> kwargs("end", 4).index("end", 5));
    refuses("'end' must be a whole number from 1, not '0'", () -> kwargs("end", 0).index("end", 1));
    assertEquals(0, kwargs("end", 0).index("end", 0));
    assertEquals(-1, kwargs("end", -1).index("end", 5));
    assertEquals(2, kwargs("end", 2).index("end", -3));
    assertEquals(-4, kwargs("end", -4).index("end", -3));
  }

  @Test
  void textsAreNotBlank() {
    assertEquals(" a ", kwargs("s", " a ").text("s"));
    refuses("'s' is blank, it must be a string", () -> kwargs("s", "\u00A0\n").text("s"));
    refuses("'s' must be a string, not '5'", () -> kwargs("s", 5).text("s"));
    assertEquals(Optional.of(" a"), kwargs("s", " a").optionalText("s"));
    assertEquals(Optional.empty(), kwargs("s", " \u3000").optionalText("s"));
    assertEquals(Optional.empty(), kwargs().optionalText("s"));
    refuses("'s' must be a string, not '5'", () -> kwargs("s", 5).optionalText("s"));
    assertEquals(List.of("a", " b"), kwargs("s", List.of("a", " b")).texts("s"));
    refuses("'s' is empty, it must be a list of strings", () -> kwargs("s", List.of()).texts("s"));
    refuses("'s' must be a list of strings, not 'a'", () -> kwargs("s", "a").texts("s"));
    refuses(
        "'s' must be a list of strings, not '[a, 5]'",
        () -> kwargs("s", List.of("a", 5)).texts("s"));
    refuses(
        "'s' must be a list of strings, not '[a, null]'",
        () -> kwargs("s", Arrays.asList("a", null)).texts("s"));
    refuses(
        "'s' must be a list of strings, none of them blank, not '[a, ]'",
        () -> kwargs("s", List.of("a", "")).texts("s"));
  }

  @Test
  void characters() {
    assertEquals(" !\n", kwargs("c", " !\n").character("c"));
    assertEquals("\uD83D\uDE00", kwargs("c", "\uD83D\uDE00").character("c"));
    refuses("'c' must be a single character, not '!!'", () -> kwargs("c", "!!").character("c"));
    refuses("'c' is blank, it must be a single character", () -> kwargs("c", " ").character("c"));
  }

  @Test
  void choices() {
    assertEquals(Relation.LESS_THAN, kwargs("r", "less than").relation("r"));
    assertEquals(Relation.AT_LEAST, kwargs("r", "at least").relation("r"));
    refuses(
        "'r' must be 'less than' or 'at least', not 'at most'",
        () -> kwargs("r", "at most").relation("r"));
    List<String> codes = List.of("de", "hi", "zh-cn");
    assertEquals("hi", kwargs("l", "hi").language("l", codes));
    refuses(
        "'l' must be a code such as 'de', not 'German'",
        () -> kwargs("l", "German").language("l", codes));
    refuses(
        "'l' must be one of the codes de, hi, zh-cn, not 'Elvish'",
        () -> kwargs("l", "Elvish").language("l", codes));
  }

  /** The closest name that was given and not read; one that was read is in its right place. */
  @Test
  void aMissingArgumentNamesTheOneThatMayBeMeant() {
    refuses(
        "'num_words' is missing, it must be a whole number from 1 (there is a 'num_word')",
        () -> kwargs("num_word", 3, "relation", "at least").integer("num_words", 1));
    refuses(
        "'num_words' is missing, it must be a whole number from 1",
        () -> {
          Kwargs read = kwargs("num_word", 3);
          read.integer("num_word", 1);
          read.integer("num_words", 1);
        });
  }
}
