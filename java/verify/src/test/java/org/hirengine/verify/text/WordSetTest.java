package org.hirengine.verify.text;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Set;
import org.hirengine.text.PyText;
import org.junit.jupiter.api.Test;

class WordSetTest {

  @Test
  void findsWordsInAnyCaseWhereTheyStand() {
    Set<String> words =
        Set.of("a", "the", "don't", "kelvin", "twelveletter", "thirteenletter", "\u00FCber", "x_1");
    WordSet set = WordSet.of(words);
    for (String word :
        List.of(
            "a",
            "A",
            "The",
            "tHE",
            "then",
            "th",
            "",
            "don't",
            "Don'T",
            "dont",
            "\u212Aelvin",
            "TwelveLetter",
            "thirteenLETTER",
            "\u00DCBER",
            "X_1",
            "@",
            "[",
            "`",
            "{",
            "aa",
            "\uD83D\uDE00")) {
      String text = "<" + word + ">";
      assertEquals(
          words.contains(PyText.lower(word)), set.contains(text, 1, text.length() - 1), word);
    }
  }
}
