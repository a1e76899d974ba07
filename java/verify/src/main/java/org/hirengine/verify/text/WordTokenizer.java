package org.hirengine.verify.text;

import java.util.ArrayList;
import java.util.List;
import org.hirengine.text.PyChars;
import org.hirengine.text.PyText;

/**
 * Tokens as NLTK's {@code word_tokenize} makes them: Punkt's sentences, then the Treebank-style
 * rules of {@code NLTKWordTokenizer} on each (contractions and punctuation split off, straight
 * double quotes written as two backticks or two apostrophes).
 *
 * <p>The reference rewrites each sentence twenty times. But only the rule for the final period
 * looks further than the white space around a piece, so most pieces are split here in one pass, and
 * only the few with quotes and the like go through the rules ({@link TreebankRules}).
 */
public final class WordTokenizer {

  private static final int LETTER = 1;
  private static final int SPACE = 1 << 1;

  /** Always a separate token. */
  private static final int MARK = 1 << 2;

  /** A separate token unless a digit follows. */
  private static final int COLON = 1 << 3;

  /** A separate mark if doubled, else a part of the word. */
  private static final int DOUBLED = 1 << 4;

  private static final int APOSTROPHE = 1 << 5;

  /** Left to the rules. */
  private static final int QUOTE = 1 << 6;

  private static final int OTHER = 1 << 7;

  private static final int[] ASCII = new int[128];
  private static final String[] MARKS = new String[128];

  static {
    for (char c = 0; c < 128; c++) {
      ASCII[c] =
          PyChars.isAlpha(c)
              ? LETTER
              : PyChars.isSpace(c)
                  ? SPACE
                  : ";@#$%&?!*[](){}<>".indexOf(c) >= 0
                      ? MARK
                      : switch (c) {
                        case ':', ',' -> COLON;
                        case '.', '-' -> DOUBLED;
                        case '\'' -> APOSTROPHE;
                        case '"', '`' -> QUOTE;
                        default -> OTHER;
                      };
      MARKS[c] = String.valueOf(c);
    }
  }

  private final Punkt punkt;

  public WordTokenizer(Punkt punkt) {
    this.punkt = punkt;
  }

  /** All tokens of a text. */
  public List<String> tokens(String text) {
    List<String> tokens = new ArrayList<>(16 + text.length() / 5);
    for (String sentence : punkt.sentences(text)) {
      tokenize(sentence, tokens);
    }
    return tokens;
  }

  /** The tokens of one sentence. */
  public static List<String> tokenize(String sentence) {
    List<String> tokens = new ArrayList<>();
    tokenize(sentence, tokens);
    return tokens;
  }

  private static int kind(char c) {
    return c < 128 ? ASCII[c] : PyChars.isSpace(c) ? SPACE : isWideMark(c) ? MARK : OTHER;
  }

  /** Curly and angled quotes, and dashes wider than the hyphen. */
  private static boolean isWideMark(char c) {
    return c == 0xAB
        || c == 0xBB
        || (c >= 0x2012
            && (c <= 0x2015 || c == 0x2018 || c == 0x2019 || (c >= 0x201C && c <= 0x201E)));
  }

  private static void tokenize(String s, List<String> tokens) {
    int period = finalPeriod(s);
    int end = period < 0 ? s.length() : period;
    int i = 0;
    while (i < end) {
      int kind = kind(s.charAt(i));
      if (kind == SPACE) {
        i++;
        continue;
      }
      int from = i;
      int kinds = 0;
      while (kind != SPACE) {
        kinds |= kind;
        kind = ++i < end ? kind(s.charAt(i)) : SPACE;
      }
      int before = tokens.size();
      boolean cut =
          (kinds & QUOTE) == 0
              && (kinds == LETTER
                  ? cutWord(s, from, i, kinds, tokens)
                  : cutPiece(s, from, i, tokens));
      if (!cut) {
        tokens.subList(before, tokens.size()).clear();
        String right = i == period ? " " : i < s.length() ? s.substring(i, i + 1) : "";
        tokens.addAll(TreebankRules.tokenize(s.substring(Math.max(0, from - 1), i) + right));
      }
    }
    if (period >= 0) {
      tokens.add(".");
      addClosing(s, period + 1, tokens);
    }
  }

  /**
   * The period that ends the sentence, with nothing but closing quotes and brackets after it; -1
   * where there is none.
   */
  private static int finalPeriod(String s) {
    int period = s.lastIndexOf('.');
    if (period < 1 || s.charAt(period - 1) == '.') {
      return -1;
    }
    int end = period + 1;
    while (end < s.length() && "])}>\"'\u00BB\u201D\u2019 ".indexOf(s.charAt(end)) >= 0) {
      if (s.charAt(end) == ' ' && (s.startsWith("\"", end + 1) || s.startsWith("''", end + 1))) {
        return -1; // an opening quote
      }
      end++;
    }
    return PyText.isBlank(s.substring(end)) ? period : -1;
  }

  /** The quotes and brackets after the final period. */
  private static void addClosing(String s, int from, List<String> tokens) {
    for (int i = from; i < s.length(); i++) {
      char c = s.charAt(i);
      if (c == '"') {
        tokens.add("''");
      } else if (s.startsWith("''", i)) {
        tokens.add("''");
        i++;
      } else if (!PyChars.isSpace(c)) {
        tokens.add(mark(c));
      }
    }
  }

  private static String mark(char c) {
    return c < 128 ? MARKS[c] : String.valueOf(c);
  }

  /** Splits a piece at its marks; false if the rules are needed. */
  private static boolean cutPiece(String s, int from, int to, List<String> tokens) {
    int start = from;
    int kinds = 0;
    int last = 0;
    for (int i = from; i < to; i++) {
      char c = s.charAt(i);
      int kind = kind(c);
      if ((kind == COLON && last == COLON)
          || (kind == DOUBLED && i > from && s.charAt(i - 1) == c)) {
        return false;
      }
      if (kind == MARK
          || (kind == COLON && (i + 1 == to || !PyChars.isDecimal(s.codePointAt(i + 1))))) {
        if (start < i && !cutWord(s, start, i, kinds, tokens)) {
          return false;
        }
        tokens.add(mark(c));
        start = i + 1;
        kinds = 0;
      } else {
        kinds |= kind;
      }
      last = kind;
    }
    return start == to || cutWord(s, start, to, kinds, tokens);
  }

  /** Splits a clitic off a word; false if the rules are needed. */
  private static boolean cutWord(String s, int from, int to, int kinds, List<String> tokens) {
    if (TreebankRules.mayContract(s, from)) {
      return false;
    }
    int cut = to;
    if (kinds != LETTER) {
      for (int i = from + 1; i < to; i++) {
        if (!PyChars.isWord(s.codePointBefore(i)) && TreebankRules.mayContract(s, i)) {
          return false;
        }
      }
      cut = (kinds & APOSTROPHE) == 0 ? to : clitic(s, from, to);
    }
    if (cut < 0) {
      return false;
    }
    tokens.add(s.substring(from, cut));
    if (cut < to) {
      tokens.add(s.substring(cut, to));
    }
    return true;
  }

  /**
   * Where the clitic of a word with an apostrophe begins; -1 if there is none, or if the rules are
   * needed.
   */
  private static int clitic(String s, int from, int to) {
    int at = s.lastIndexOf('\'', to - 1);
    if (at == from || s.lastIndexOf('\'', at - 1) >= from) {
      return -1;
    }
    int letters = to - at - 1;
    if (letters == 0) {
      return at;
    }
    if (letters > 2 || !PyChars.isWord(s.codePointBefore(at))) {
      return -1;
    }
    char first = s.charAt(at + 1);
    if (letters == 1) {
      char before = s.charAt(at - 1);
      if ((before == 'n' && first == 't') || (before == 'N' && first == 'T')) {
        return at - 1 > from ? at - 1 : -1;
      }
      return "sSmMdD".indexOf(first) >= 0 ? at : -1;
    }
    return switch (s.substring(at + 1, to)) {
      case "ll", "LL", "re", "RE", "ve", "VE" -> at;
      default -> -1;
    };
  }
}
