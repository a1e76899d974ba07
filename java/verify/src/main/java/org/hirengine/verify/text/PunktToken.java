package org.hirengine.verify.text;

import java.util.ArrayList;
import java.util.List;
import org.hirengine.text.PyChars;
import org.hirengine.text.PyText;
import org.jspecify.annotations.Nullable;

/** A token as Punkt sees it: a word with a period that may belong to it, or a mark. */
final class PunktToken {

  /** The type of every number. */
  static final String NUMBER = "##number##";

  final String text;
  private @Nullable String type;
  boolean sentenceBreak;
  boolean abbreviation;
  boolean ellipsis;

  private PunktToken(String text) {
    this.text = text;
  }

  /** The text in lower case, or the placeholder for all numbers. */
  private String type() {
    String result = type;
    if (result == null) {
      String lower = PyText.lower(text);
      result = isNumber(lower) ? NUMBER : lower;
      type = result;
    }
    return result;
  }

  /** The tokens of a stretch of text, line by line. */
  static List<PunktToken> tokenize(String text) {
    List<PunktToken> tokens = new ArrayList<>();
    int from = 0;
    while (from <= text.length()) {
      int end = text.indexOf('\n', from);
      end = end < 0 ? text.length() : end;
      tokenizeLine(text, from, end, tokens);
      from = end + 1;
    }
    return tokens;
  }

  private static void tokenizeLine(String s, int from, int to, List<PunktToken> tokens) {
    int i = from;
    while (i < to) {
      if (PyChars.isSpace(s.charAt(i))) {
        i++;
        continue;
      }
      int end = marks(s, i, to);
      if (end == i) {
        end = "(\"`{[:;&#*@)}]-,".indexOf(s.charAt(i)) < 0 ? wordEnd(s, i, to) : i + 1;
      }
      tokens.add(new PunktToken(s.substring(i, end)));
      i = end;
    }
  }

  /** Where a dash, an ellipsis or a spaced ellipsis that begins at {@code i} ends; else i. */
  private static int marks(String s, int i, int to) {
    char c = s.charAt(i);
    if (c != '-' && c != '.') {
      return i;
    }
    int end = i;
    while (end < to && s.charAt(end) == c) {
      end++;
    }
    if (end - i >= 2) {
      return end;
    }
    if (c == '.') {
      int pairs = 0;
      int at = i;
      while (at + 1 < to && s.charAt(at) == '.' && PyChars.isSpace(s.charAt(at + 1))) {
        pairs++;
        at += 2;
      }
      if (at < to && s.charAt(at) == '.' && pairs >= 2) {
        return at + 1;
      }
      if (pairs >= 3) {
        return at - 1;
      }
    }
    return i;
  }

  /** Where the word that begins at {@code i} ends: at space, a mark, or a comma before those. */
  private static int wordEnd(String s, int i, int to) {
    int end = i + 1;
    while (end < to) {
      char c = s.charAt(end);
      if (endsWord(s, end, to) || (c == ',' && (end + 1 == to || endsWord(s, end + 1, to)))) {
        return end;
      }
      end++;
    }
    return end;
  }

  private static boolean endsWord(String s, int i, int to) {
    char c = s.charAt(i);
    return PyChars.isSpace(c) || isNonWord(c) || marks(s, i, to) > i;
  }

  /** Marks that end a word; the period is not among them. */
  static boolean isNonWord(char c) {
    return ")\";}]*:@'({[?!\u2018\u2019\u201C\u201D\u00AB\u00BB".indexOf(c) >= 0;
  }

  private static boolean isNumber(String s) {
    int n = s.length();
    int i = 0;
    if (i < n && s.charAt(i) == '-') {
      i++;
    }
    if (i < n && (s.charAt(i) == '.' || s.charAt(i) == ',')) {
      i++;
    }
    if (i >= n || !PyChars.isDecimal(s.codePointAt(i))) {
      return false;
    }
    while (i < n) {
      int c = s.codePointAt(i);
      if (!PyChars.isDecimal(c) && c != ',' && c != '.' && c != '-') {
        return false;
      }
      i += Character.charCount(c);
    }
    return true;
  }

  boolean endsInPeriod() {
    return text.endsWith(".");
  }

  /** Two or more periods and nothing else. */
  boolean isEllipsis() {
    int periods = 0;
    while (periods < text.length() && text.charAt(periods) == '.') {
      periods++;
    }
    return periods >= 2 && periods == text.length();
  }

  /** One letter and a period. */
  boolean isInitial() {
    int first = text.codePointAt(0);
    return text.length() == Character.charCount(first) + 1
        && endsInPeriod()
        && PyChars.isWord(first)
        && !PyChars.isDecimal(first);
  }

  String typeWithoutPeriod() {
    String all = type();
    return PyText.length(all) > 1 && all.endsWith(".") ? all.substring(0, all.length() - 1) : all;
  }

  String typeWithoutSentencePeriod() {
    return sentenceBreak ? typeWithoutPeriod() : type();
  }

  boolean firstUpper() {
    return PyChars.isUpper(text.codePointAt(0));
  }

  boolean firstLower() {
    return PyChars.isLower(text.codePointAt(0));
  }
}
