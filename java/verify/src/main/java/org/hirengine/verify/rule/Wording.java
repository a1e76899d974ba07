package org.hirengine.verify.rule;

import java.util.List;
import java.util.stream.Collectors;

/** Words for reasons and sentences. */
public final class Wording {

  private static final int BRIEF = 60;

  private Wording() {}

  /** "1 word", "7 words". */
  public static String count(long n, String noun) {
    return n + " " + plural(n, noun);
  }

  /** "1 copy", "2 copies". */
  public static String count(long n, String singular, String plural) {
    return n + " " + (n == 1 ? singular : plural);
  }

  /** The noun, with an s unless there is one of it. */
  public static String plural(long n, String noun) {
    return n == 1 ? noun : noun + "s";
  }

  /** "37.5%": a share in percent, to one decimal. */
  public static String percent(double share) {
    long tenths = Math.round(share * 10);
    return tenths / 10 + "." + tenths % 10 + "%";
  }

  /** The value as text, truncated if long. */
  public static String brief(Object value) {
    String text = String.valueOf(value);
    if (text.codePointCount(0, text.length()) <= BRIEF) {
      return "'" + text + "'";
    }
    return "'" + text.substring(0, text.offsetByCodePoints(0, BRIEF)) + "...'";
  }

  /** {@code "a", "b" and "c"}. */
  public static String list(List<String> items) {
    List<String> quoted = items.stream().map(item -> '"' + item + '"').toList();
    int last = quoted.size() - 1;
    return last < 1
        ? String.join("", quoted)
        : quoted.subList(0, last).stream().collect(Collectors.joining(", "))
            + " and "
            + quoted.get(last);
  }
}
