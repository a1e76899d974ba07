package org.hirengine.text;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import org.junit.jupiter.api.Test;

class PiecesTest {

  private static final String TEXT = "a b, (b) c-d b, cd";

  @Test
  void equalPiecesAreCountedOnce() {
    Pieces tokens = PyText.split(TEXT);
    assertEquals(List.of("a", "b,", "(b)", "c-d", "b,", "cd"), tokens);
    assertEquals(5, tokens.different());
    assertEquals(2, tokens.mostFrequent());
    // Without punctuation some pieces stand in the text as they are, and some do not.
    Pieces words = PyText.bareWords(TEXT);
    assertEquals(List.of("a", "b", "b", "cd", "b", "cd"), words);
    assertEquals(3, words.different());
    assertEquals(3, words.mostFrequent());
    Pieces part = words.within(TEXT.indexOf('('), TEXT.lastIndexOf('b'));
    assertEquals(List.of("b", "cd"), part);
    assertEquals(2, part.different());
    assertEquals(1, part.mostFrequent());
    assertEquals(0, PyText.split(" ").mostFrequent());
    assertEquals(0, PyText.split("").different());
  }

  @Test
  void partsCutTheirFirstAndLastPieces() {
    Pieces pieces = PyText.split("one two; three four; five", ";");
    assertEquals(List.of("two", "three"), pieces.cut(3, 14).trim(PyChars::isSpace));
    assertEquals(
        List.of("two", " three four", " five"), pieces.cut(3, 25).filter((s, a, b) -> true));
    assertEquals(List.of(), pieces.cut(0, 0));
    assertEquals(9, pieces.start(1) + 1);
    assertEquals(11, pieces.length(1));
    assertThrows(IndexOutOfBoundsException.class, () -> pieces.cut(0, 3).start(1));
  }

  @Test
  void wordsComeOneByOne() {
    String text = " ... it's (a) \u00A0b-c,\n! ";
    List<String> found = new ArrayList<>();
    PyText.eachBareWord(text).forEach(found::add);
    assertEquals(List.of("its", "a", "bc"), found);
    assertEquals(found, PyText.bareWords(text));
    Iterator<String> none = PyText.eachBareWord("?! ").iterator();
    assertFalse(none.hasNext());
    assertThrows(NoSuchElementException.class, none::next);
  }

  @Test
  void charactersHaveTheirPlaces() {
    Pieces found = PyText.characters("a(\uD83D\uDE00[b)", "()[]");
    assertEquals(List.of("(", "[", ")"), found);
    assertEquals(4, found.start(1));
  }
}
