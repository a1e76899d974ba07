package org.hirengine.verify.rule;

import java.util.List;
import org.hirengine.text.PyText;

/** Paragraphs between dividers, as the references count them. */
public final class Paragraphs {

  private Paragraphs() {}

  /**
   * The number of paragraphs: an empty part at either end does not count; -1 if a part between two
   * dividers is empty.
   *
   * <p>The references split at {@code \s?\*\*\*\s?}; as only blank and non-blank matter, the white
   * space does not matter.
   */
  public static int count(String text, String divider) {
    List<String> parts = PyText.split(text, divider);
    int last = parts.size() - 1;
    int count = parts.size();
    for (int i = 0; i <= last; i++) {
      if (PyText.isBlank(parts.get(i))) {
        if (i != 0 && i != last) {
          return -1;
        }
        count--;
      }
    }
    return count;
  }

  /** The reason for a verdict on {@link #count}. */
  public static String reason(int count, int asked) {
    return count < 0
        ? "a paragraph between two dividers is empty"
        : Wording.count(count, "paragraph") + ", exactly " + asked + " asked";
  }
}
