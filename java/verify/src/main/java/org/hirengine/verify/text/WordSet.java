package org.hirengine.verify.text;

import java.util.Set;
import org.hirengine.text.PyText;

/**
 * Words in lower case, looked up in any case and in place within a text, without creating a string.
 */
public final class WordSet {

  /** The longest word that fits into a long at five bits per letter. */
  private static final int LONGEST = 12;

  private final Set<String> words;

  /** The short words that consist of letters a-z. */
  private final LongIndex packed;

  private WordSet(Set<String> words) {
    this.words = words;
    this.packed = new LongIndex(256);
    for (String word : words) {
      long key = packed(word, 0, word.length());
      if (key > 0) {
        packed.putIfAbsent(key, 1);
      }
    }
  }

  /**
   * @param words in lower case
   */
  public static WordSet of(Set<String> words) {
    return new WordSet(Set.copyOf(words));
  }

  /** The letters a-z of any case in one number; -1 for other words. */
  private static long packed(String text, int from, int to) {
    if (to - from > LONGEST) {
      return -1;
    }
    long key = 0;
    for (int i = from; i < to; i++) {
      int letter = (text.charAt(i) | 0x20) - 'a';
      if (letter < 0 || letter >= 26) {
        return -1;
      }
      key = key << 5 | letter + 1;
    }
    return key;
  }

  /** Whether the text between two positions is, in lower case, one of the words. */
  public boolean contains(String text, int from, int to) {
    long key = packed(text, from, to);
    return key > 0 ? packed.get(key) > 0 : words.contains(PyText.lower(text.substring(from, to)));
  }
}
