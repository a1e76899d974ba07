package org.hirengine.text;

import java.util.Iterator;
import java.util.NoSuchElementException;

/** Splits a text at white space, one word after another, without ASCII punctuation. */
final class BareWords implements Iterator<String> {

  private final String text;
  private int next;
  private boolean waiting;

  /** The current word: from its first character to the end of its last that is not punctuation. */
  private int start;

  private int end;
  private boolean marked;

  BareWords(String text) {
    this.text = text;
  }

  /** Moves to the next word; false if there is none. */
  boolean advance() {
    int n = text.length();
    int i = next;
    int first = 0;
    int last = 0;
    int kept = 0;
    for (; i < n; i++) {
      char c = text.charAt(i);
      if (PyChars.isSpace(c)) {
        if (kept > 0) {
          break;
        }
      } else if (!PyChars.isPunctuation(c)) {
        first = kept++ == 0 ? i : first;
        last = i;
      }
    }
    next = i;
    start = first;
    end = last + 1;
    marked = kept < end - start;
    return kept > 0;
  }

  /** Adds the current word. */
  void addTo(Pieces.Builder words) {
    if (marked) {
      words.add(start, end, word());
    } else {
      words.add(start, end);
    }
  }

  private String word() {
    String word = text.substring(start, end);
    return marked ? PyText.removePunctuation(word) : word;
  }

  @Override
  public boolean hasNext() {
    waiting = waiting || advance();
    return waiting;
  }

  @Override
  public String next() {
    if (!hasNext()) {
      throw new NoSuchElementException();
    }
    waiting = false;
    return word();
  }
}
