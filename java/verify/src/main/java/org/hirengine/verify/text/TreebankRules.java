package org.hirengine.verify.text;

import java.util.List;
import org.hirengine.text.PyChars;
import org.hirengine.text.PyText;
import org.jspecify.annotations.Nullable;

/**
 * The substitutions of NLTK's {@code NLTKWordTokenizer}, in the same order, except for the final
 * period: {@link WordTokenizer} handles the plain pieces of a sentence itself and uses these rules
 * for the difficult ones.
 *
 * <p>Each substitution is a separate scan, run only if a character that it looks for occurs.
 */
final class TreebankRules {

  // Which of the substitutions below a sentence may need, by the characters it contains.
  private static final int OPENING = 1;
  private static final int CLOSING = 1 << 1;
  private static final int COLON = 1 << 2;
  private static final int MARK = 1 << 3;
  private static final int BRACKET = 1 << 4;

  private static final byte[] ASCII = new byte[128];

  static {
    mark("\"'`", OPENING);
    mark("\"'", CLOSING);
    mark(":,", COLON);
    mark(";@#$%&?!", MARK);
    mark("*[](){}<>", BRACKET);
  }

  private TreebankRules() {}

  /**
   * The tokens of a piece of a sentence.
   *
   * @param piece with the white space on both sides, which the rules look at; at the ends of the
   *     sentence without
   */
  static List<String> tokenize(String piece) {
    int held = held(piece);
    String s = piece;
    if ((held & OPENING) != 0) {
      s = openQuotes(s);
    }
    if ((held & COLON) != 0) {
      s = splitColonsAndCommas(s);
    }
    if ((held & MARK) != 0) {
      s = pad(s, ".;@#$%&\u2012\u2013\u2014\u2015?!");
    }
    if ((held & CLOSING) != 0 && s.contains("' ")) {
      s = splitFinalApostrophes(s);
    }
    if ((held & BRACKET) != 0) {
      s = pad(s, "*[](){}<>-");
    }
    s = " " + s + " ";
    if ((held & CLOSING) != 0) {
      s = collapseSpace(closeQuotes(s));
      s = splitClitics(s);
    }
    return PyText.split(splitContractions(s));
  }

  private static void mark(String chars, int flag) {
    for (int i = 0; i < chars.length(); i++) {
      ASCII[chars.charAt(i)] |= (byte) flag;
    }
  }

  private static int held(String s) {
    int held = 0;
    char before = 0;
    for (int i = 0; i < s.length(); i++) {
      char c = s.charAt(i);
      if (c < 128) {
        held |= ASCII[c];
        if (c == before) {
          held |= c == '.' ? MARK : c == '-' ? BRACKET : 0;
        }
      } else if (c == 0xAB || c == 0xBB || (c >= 0x2012 && c <= 0x201F)) {
        held |= OPENING | CLOSING | MARK;
      }
      before = c;
    }
    return held;
  }

  /** Opening quotes: pads them, and turns opening straight double quotes into backticks. */
  private static String openQuotes(String s) {
    StringBuilder out = new StringBuilder(s.length() + 16);
    for (int i = 0; i < s.length(); i++) {
      char c = s.charAt(i);
      if (c == '`') {
        int end = i;
        while (end < s.length() && s.charAt(end) == '`') {
          end++;
        }
        out.append(' ').append(s, i, end).append(' ');
        i = end - 1;
      } else if ("\u00AB\u201C\u2018\u201E".indexOf(c) >= 0) {
        out.append(' ').append(c).append(' ');
      } else {
        out.append(c);
      }
    }
    if (out.length() > 0 && out.charAt(0) == '"') {
      out.replace(0, 1, "``");
    }
    String padded = out.toString().replace("``", " `` ");
    out.setLength(0);
    for (int i = 0; i < padded.length(); i++) {
      char c = padded.charAt(i);
      out.append(c);
      if (" ([{<".indexOf(c) >= 0) {
        int quote = padded.startsWith("\"", i + 1) ? 1 : padded.startsWith("''", i + 1) ? 2 : 0;
        if (quote > 0) {
          out.append(" `` ");
          i += quote;
        }
      }
    }
    return splitLeadingApostrophes(out.toString());
  }

  /** An apostrophe that opens a word, unless the word is a clitic. */
  private static String splitLeadingApostrophes(String s) {
    StringBuilder out = new StringBuilder(s.length() + 4);
    for (int i = 0; i < s.length(); i++) {
      char c = s.charAt(i);
      out.append(c);
      if (c == '\''
          && i + 1 < s.length()
          && PyChars.isWord(s.codePointAt(i + 1))
          && (i == 0 || !PyChars.isWord(s.codePointBefore(i)))
          && !isClitic(s, i + 1)) {
        out.append(' ');
      }
    }
    return out.toString();
  }

  private static final String[] OPENING_CLITICS = {"re", "ve", "ll", "m", "t", "s", "d", "n"};

  private static boolean isClitic(String s, int from) {
    for (String clitic : OPENING_CLITICS) {
      int end = from + clitic.length();
      if (end <= s.length()
          && matches(s, from, clitic)
          && (end == s.length() || !PyChars.isWord(s.codePointAt(end)))) {
        return true;
      }
    }
    return false;
  }

  /** Colons and commas, unless a digit follows. */
  private static String splitColonsAndCommas(String s) {
    StringBuilder out = new StringBuilder(s.length() + 16);
    for (int i = 0; i < s.length(); i++) {
      char c = s.charAt(i);
      if ((c == ':' || c == ',') && i + 1 < s.length()) {
        int next = s.codePointAt(i + 1);
        if (!PyChars.isDecimal(next)) {
          out.append(' ').append(c).append(' ').appendCodePoint(next);
          i += Character.charCount(next);
          continue;
        }
      }
      out.append(c);
    }
    int last = out.length() - 1;
    if (last >= 0 && (out.charAt(last) == ':' || out.charAt(last) == ',')) {
      out.insert(last, ' ');
    }
    return out.toString();
  }

  /** Spaces around each of the marks; of periods and hyphens, only around two or more. */
  private static String pad(String s, String marks) {
    StringBuilder out = new StringBuilder(s.length() + 16);
    for (int i = 0; i < s.length(); i++) {
      char c = s.charAt(i);
      if (marks.indexOf(c) < 0) {
        out.append(c);
      } else if (c == '.') {
        int end = i;
        while (end < s.length() && s.charAt(end) == '.') {
          end++;
        }
        String space = end - i >= 2 ? " " : "";
        out.append(space).append(s, i, end).append(space);
        i = end - 1;
      } else if (c == '-') {
        boolean dash = s.startsWith("--", i);
        out.append(dash ? " -- " : "-");
        i += dash ? 1 : 0;
      } else {
        out.append(' ').append(c).append(' ');
      }
    }
    return out.toString();
  }

  /** A single apostrophe before a space. */
  private static String splitFinalApostrophes(String s) {
    StringBuilder out = new StringBuilder(s.length() + 8);
    for (int i = 0; i < s.length(); i++) {
      if (i > 0 && s.startsWith("' ", i) && s.charAt(i - 1) != '\'') {
        out.append(' ');
      }
      out.append(s.charAt(i));
    }
    return out.toString();
  }

  /** Closing quotes, and the straight double quotes that are left. */
  private static String closeQuotes(String s) {
    StringBuilder out = new StringBuilder(s.length() + 16);
    for (int i = 0; i < s.length(); i++) {
      char c = s.charAt(i);
      if (c == '\'' && s.startsWith("''", i)) {
        out.append(" '' ");
        i++;
      } else if (c == '"') {
        out.append(" '' ");
      } else if (c == '\u00BB' || c == '\u201D' || c == '\u2019') {
        out.append(' ').append(c).append(' ');
      } else {
        out.append(c);
      }
    }
    return out.toString();
  }

  /** One space for each run of white space, which is what the clitics below look for. */
  private static String collapseSpace(String s) {
    StringBuilder out = new StringBuilder(s.length());
    for (int i = 0; i < s.length(); i++) {
      char c = s.charAt(i);
      if (!PyChars.isSpace(c)) {
        out.append(c);
      } else if (i == 0 || !PyChars.isSpace(s.charAt(i - 1))) {
        out.append(' ');
      }
    }
    return out.toString();
  }

  private static final String[] CLITICS = {"'s ", "'S ", "'m ", "'M ", "'d ", "'D ", "' "};
  private static final String[] LONG_CLITICS = {
    "'ll ", "'LL ", "'re ", "'RE ", "'ve ", "'VE ", "n't ", "N'T "
  };

  private static String splitClitics(String s) {
    return splitBefore(splitBefore(s, CLITICS), LONG_CLITICS);
  }

  /** A space before each of the endings, if neither a space nor an apostrophe precedes it. */
  private static String splitBefore(String s, String[] endings) {
    StringBuilder out = new StringBuilder(s.length() + 8);
    int matchedTo = 0;
    for (int i = 0; i < s.length(); i++) {
      char c = s.charAt(i);
      if ((c == '\'' || c == 'n' || c == 'N')
          && i > matchedTo
          && s.charAt(i - 1) != '\''
          && s.charAt(i - 1) != ' ') {
        for (String ending : endings) {
          if (s.startsWith(ending, i)) {
            out.append(' ').append(ending);
            i += ending.length() - 1;
            matchedTo = i + 1;
            break;
          }
        }
        if (matchedTo == i + 1) {
          continue;
        }
      }
      out.append(c);
    }
    return out.toString();
  }

  private static final String[][] CONTRACTIONS = {
    {"can", "not"}, {"d", "'ye"}, {"gim", "me"}, {"gon", "na"},
    {"got", "ta"}, {"lem", "me"}, {"more", "'n"}, {"wan", "na"}
  };

  /**
   * Words written together: cannot, gonna, 'tis. The last two need a space before them after the
   * earlier substitutions.
   */
  private static String splitContractions(String s) {
    StringBuilder out = null;
    int lastEnd = -1;
    String[] last = null;
    for (int i = 0; i < s.length(); i++) {
      char c = s.charAt(i);
      String[] parts = null;
      if (c == '\'') {
        String[] before = lastEnd == i ? last : null;
        boolean afterSpace = i > 0 && s.charAt(i - 1) == ' ';
        if (contraction(s, i, TIS)) {
          parts = afterSpace || (before != null && before != TIS && before != TWAS) ? TIS : null;
        } else if (contraction(s, i, TWAS)) {
          parts = afterSpace || (before != null && before != TWAS) ? TWAS : null;
        }
      } else if (mayContract(c) && (i == 0 || !PyChars.isWord(s.codePointBefore(i)))) {
        parts = contraction(s, i);
      }
      if (parts == null) {
        if (out != null) {
          out.append(c);
        }
        continue;
      }
      if (out == null) {
        out = new StringBuilder(s.length() + 8).append(s, 0, i);
      }
      int middle = i + parts[0].length();
      int end = middle + parts[1].length();
      out.append(' ').append(s, i, middle).append(' ').append(s, middle, end).append(' ');
      last = parts;
      lastEnd = end;
      i = end - 1;
    }
    return out == null ? s : out.toString();
  }

  /** Whether it is the first letter of one of the contractions, in any case. */
  private static boolean mayContract(char c) {
    return switch (c | 0x20) {
      case 'c', 'd', 'g', 'l', 'm', 'w' -> true;
      default -> false;
    };
  }

  /** Whether one of the contractions could begin here, whatever the context. */
  static boolean mayContract(String s, int at) {
    if (mayContract(s.charAt(at))) {
      int initial = s.charAt(at) | 0x20;
      for (String[] parts : CONTRACTIONS) {
        int middle = at + parts[0].length();
        if (parts[0].charAt(0) == initial
            && middle + parts[1].length() <= s.length()
            && matches(s, at, parts[0])
            && matches(s, middle, parts[1])) {
          return true;
        }
      }
    }
    return false;
  }

  private static String @Nullable [] contraction(String s, int i) {
    for (String[] parts : CONTRACTIONS) {
      if (contraction(s, i, parts)) {
        int end = i + parts[0].length() + parts[1].length();
        boolean spaceWanted = parts[0].equals("wan");
        return !spaceWanted || (end < s.length() && PyChars.isSpace(s.charAt(end))) ? parts : null;
      }
    }
    return null;
  }

  private static final String[] TIS = {"'t", "is"};
  private static final String[] TWAS = {"'t", "was"};

  /** Whether the two parts are at {@code i}, in any case, before a word boundary. */
  private static boolean contraction(String s, int i, String[] parts) {
    int middle = i + parts[0].length();
    int end = middle + parts[1].length();
    return end <= s.length()
        && matches(s, i, parts[0])
        && matches(s, middle, parts[1])
        && (end == s.length() || !PyChars.isWord(s.codePointAt(end)));
  }

  private static boolean matches(String s, int from, String lower) {
    for (int k = 0; k < lower.length(); k++) {
      char c = s.charAt(from + k);
      char l = lower.charAt(k);
      if (c != l
          && Character.toLowerCase(c) != l
          && !(l == 's' && c == '\u017F')
          && !(l == 'i' && c == '\u0131')) {
        return false;
      }
    }
    return true;
  }
}
