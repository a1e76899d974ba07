package org.hirengine.engine.tokens;

import java.util.Arrays;

/**
 * The text of tokens that arrive one by one, returned piece by piece and never with half a
 * character: a token may end inside a character's UTF-8 bytes. The pieces concatenate to {@link
 * Tokenizer#decode} of all tokens without the special ones.
 */
public final class StreamedText {

  private static final String INCOMPLETE = "\uFFFD";

  private final Tokenizer tokenizer;
  private final StringBuilder told = new StringBuilder();
  private int[] ids = new int[64];
  private int count;

  /** The text of tokens up to here has been returned. */
  private int shown;

  /** Start of the tokens that were returned last: later tokens are decoded together with them. */
  private int from;

  public StreamedText(Tokenizer tokenizer) {
    this.tokenizer = tokenizer;
  }

  /** Takes the next token and returns the text that is now certain; empty inside a character. */
  public String add(int token) {
    if (count == ids.length) {
      ids = Arrays.copyOf(ids, 2 * count);
    }
    ids[count++] = token;
    // Some decoders drop a space at the start, so new tokens are decoded together with those before
    // them.
    String before = decode(from, shown);
    String now = decode(from, count);
    if (now.length() <= before.length() || now.endsWith(INCOMPLETE) || !now.startsWith(before)) {
      return "";
    }
    from = shown;
    shown = count;
    return tell(now.substring(before.length()));
  }

  /** The rest of the text, after the last token. */
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
