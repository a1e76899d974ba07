package org.hirengine.verify.muldimif;

import org.hirengine.text.CodePoints;
import org.hirengine.text.PyText;
import org.hirengine.text.regex.PyPattern;
import org.jspecify.annotations.Nullable;

/**
 * A keyword and what finds it ({@code _build_pattern}): between characters that are not word
 * characters, in any case; one with Chinese characters anywhere, as it is written.
 *
 * @param pattern null where the text may stand anywhere
 */
record Keyword(String text, @Nullable PyPattern pattern) {

  static Keyword of(String text) {
    boolean chinese = text.chars().anyMatch(c -> c >= 0x4E00 && c <= 0x9FFF);
    return new Keyword(
        text,
        chinese
            ? null
            : PyPattern.compile(
                "(?<!\\w)" + PyPattern.escape(text) + "(?!\\w)", PyPattern.IGNORECASE));
  }

  int count(String where) {
    return pattern == null ? PyText.count(where, text) : pattern.count(CodePoints.of(where));
  }

  @Override
  public String toString() {
    return text;
  }
}
