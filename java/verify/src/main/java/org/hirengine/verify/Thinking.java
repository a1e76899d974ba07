package org.hirengine.verify;

/** A model's thinking before its answer, {@code <think>...</think>}. */
public final class Thinking {

  private static final String END = "</think>";

  private Thinking() {}

  /**
   * The text after the last {@code </think>}, without leading white space; the whole text if there
   * is none.
   */
  public static String strip(String text) {
    int end = text.lastIndexOf(END);
    return end < 0 ? text : text.substring(end + END.length()).stripLeading();
  }
}
