package org.hirengine.verify;

/** What a model thinks aloud before its answer, {@code <think>...</think>}. */
public final class Thinking {

  private static final String END = "</think>";

  private Thinking() {}

  /**
   * The text behind the last {@code </think>}, without white space in front; the whole text where
   * there is none.
   */
  public static String strip(String text) {
    int end = text.lastIndexOf(END);
    return end < 0 ? text : text.substring(end + END.length()).stripLeading();
  }
}
