package org.hirengine.engine.tokens;

import java.util.Arrays;

/**
 * The text of tokens that come one by one, told as it grows and never with half a character: a
 * token may end inside a character's UTF-8 bytes, and what is told joins up to {@link
 * Tokenizer#decode} of all tokens, special ones left out.
 */
public final class StreamedText {

  private static final String INCOMPLETE = "\uFFFD";

  private final Tokenizer tokenizer;
  private final StringBuilder told = new StringBuilder();
  private int[] ids = new int[64];
  private int count;

  /** Tokens up to here are told. */
  private int shown;

  /** Where the tokens that were told last begin: what follows is decoded behind them. */
  private int from;

  public StreamedText(Tokenizer tokenizer) {
    this.tokenizer = tokenizer;
  }

  /** Takes the next token; the text that is now certain, empty inside a character. */
  public String add(int token) {
    if (count == ids.length) {
      ids = Arrays.copyOf(ids, 2 * count);
    }
    ids[count++] = token;
    // Some decoders drop a space at the start, so new tokens are decoded behind those before them.
    String before = decode(from, shown);
    String now = decode(from, count);
    if (now.length() <= before.length() || now.endsWith(INCOMPLETE) || !now.startsWith(before)) {
      return "";
    }
    from = shown;
    shown = count;
    return tell(now.substring(before.length()));
  }

  /** What is still to be told when no token follows. */
  public String end() {
    String all = decode(0, count);
    shown = count;
    from = count;
    return tell(all.substring(Math.min(told.length(), all.length())));
  }

  private String tell(String text) {
    told.append(text);
    return text;
  }

  private String decode(int begin, int end) {
    return begin == end ? "" : tokenizer.decode(Arrays.copyOfRange(ids, begin, end), true);
  }
}
