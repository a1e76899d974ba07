package org.hirengine.verify.text;

import java.util.Arrays;
import org.hirengine.text.Pieces;
import org.hirengine.text.PyChars;
import org.hirengine.text.PyText;

/**
 * The references' {@code split_into_sentences}: periods that do not end a sentence are protected by
 * a list of substitutions, then every period, question and exclamation mark ends one.
 *
 * <p>Each substitution is a method of its own, named by its pattern; all look only at the periods
 * of the text. The protecting marks are the reference's own strings, so a text that holds them is
 * treated as there.
 */
public final class SentenceSplitter {

  private static final String PERIOD = "<prd>";
  private static final String STOP = "<stop>";

  private static final String[] PREFIXES = {"Mr", "St", "Mrs", "Ms", "Dr"};
  private static final String[] WEBSITES = {"com", "net", "org", "io", "gov", "edu", "me"};
  private static final String[] SUFFIXES = {"Inc", "Ltd", "Jr", "Sr", "Co"};

  /** Words after which the reference wants nothing, and words after which it wants white space. */
  private static final String[] STARTERS = {
    "Mr", "Ms", "Dr", "Prof", "Capt", "Cpt", "Lt", "Wherever"
  };

  private static final String[] SPACED_STARTERS = {
    "He", "She", "It", "They", "Their", "Our", "We", "But", "However", "That", "This"
  };

  private SentenceSplitter() {}

  /**
   * The stripped pieces between sentence ends; only one empty piece at the end is left out, so
   * "What?!" has the pieces "What?" and "!".
   */
  public static Pieces split(String text) {
    return splitLine(text.replace('\n', ' '));
  }

  /** The same of a text whose line ends are spaces already. */
  public static Pieces splitLine(String line) {
    String s = " " + line + "  ";
    if (s.indexOf('.') >= 0) {
      s = protect(s);
      s = s.replace(".\u201D", "\u201D.").replace(".\"", "\".");
    }
    if (s.indexOf('"') >= 0) {
      s = s.replace("!\"", "\"!").replace("?\"", "\"?");
    }
    Pieces.Builder sentences = new Pieces.Builder(s);
    boolean marked = s.indexOf('<') >= 0;
    Ends ends = new Ends(s);
    int from = 0;
    for (int end; (end = ends.next(from)) < s.length(); ) {
      boolean stop = s.charAt(end) == '<';
      add(sentences, s, from, stop ? end : end + 1, marked);
      from = stop ? end + STOP.length() : end + 1;
    }
    if (!PyText.isBlank(s.substring(from))) {
      add(sentences, s, from, s.length(), marked);
    }
    return sentences.build();
  }

  /**
   * Where sentences end. Each kind of end is searched separately, which the JVM does with vector
   * instructions.
   */
  private static final class Ends {
    private static final String[] KINDS = {".", "?", "!", STOP};

    private final String s;
    private final int[] next = new int[KINDS.length];

    Ends(String s) {
      this.s = s;
      Arrays.fill(next, -1);
    }

    /** The first end at {@code from} or after it; the text's length where there is none. */
    int next(int from) {
      int first = s.length();
      for (int i = 0; i < KINDS.length; i++) {
        if (next[i] < from) {
          int found = s.indexOf(KINDS[i], from);
          next[i] = found < 0 ? s.length() : found;
        }
        first = Math.min(first, next[i]);
      }
      return first;
    }
  }

  /**
   * Adds a stretch of the text without white space around it.
   *
   * @param marked whether it may hold marks of protected periods
   */
  private static void add(Pieces.Builder sentences, String s, int from, int to, boolean marked) {
    int first = from;
    int end = to;
    while (first < end && PyChars.isSpace(s.charAt(first))) {
      first++;
    }
    while (end > first && PyChars.isSpace(s.charAt(end - 1))) {
      end--;
    }
    if (marked) {
      sentences.add(first, end, s.substring(first, end).replace(PERIOD, "."));
    } else {
      sentences.add(first, end);
    }
  }

  private static String protect(String text) {
    int may = mayMatch(text);
    String s = text;
    if (may == 0) {
      return s;
    }
    s = (may & TITLE) != 0 ? titles(s) : s;
    s = (may & WEBSITE) != 0 ? websites(s) : s;
    s = (may & DECIMAL) != 0 ? decimals(s) : s;
    s = (may & ELLIPSIS) != 0 ? ellipses(s) : s;
    if ((may & ACRONYM) != 0) {
      s = s.replace("Ph.D.", "Ph" + PERIOD + "D" + PERIOD);
    }
    s = (may & INITIAL) != 0 ? initials(s) : s;
    if ((may & ACRONYM) != 0) {
      s = acronymsBeforeStarters(s);
      s = letters(s, 3);
      s = letters(s, 2);
    }
    if ((may & SUFFIX) != 0) {
      s = suffixes(s, true);
      s = suffixes(s, false);
    }
    return (may & INITIAL) != 0 ? singleLetters(s) : s;
  }

  private static final int TITLE = 1;
  private static final int WEBSITE = 1 << 1;
  private static final int DECIMAL = 1 << 2;
  private static final int ELLIPSIS = 1 << 3;
  private static final int ACRONYM = 1 << 4;
  private static final int INITIAL = 1 << 5;
  private static final int SUFFIX = 1 << 6;

  /**
   * Which of the substitutions may find something, by what stands around each period. None makes a
   * match for a later one where there was none: what they put in are marks and, for other white
   * space, a space.
   */
  private static int mayMatch(String s) {
    int may = 0;
    for (int dot = s.indexOf('.'); dot >= 0; dot = s.indexOf('.', dot + 1)) {
      boolean letterNext = isLetter(s, dot + 1);
      if (letterNext) {
        may |= WEBSITE;
      } else if (is(s, dot + 1, '.')) {
        may |= ELLIPSIS;
      }
      if (isDigit(s, dot - 1)) {
        may |= isDigit(s, dot + 1) ? DECIMAL : 0;
      } else if (isLetter(s, dot - 1)) {
        may |= letterNext ? ACRONYM : 0;
        if (PyChars.isSpace(s.charAt(dot - 2))) { // the text begins with a space
          may |= INITIAL;
        } else {
          may |= endsIn(s, dot, PREFIXES) ? TITLE : 0;
          may |= endsIn(s, dot, SUFFIXES) ? SUFFIX : 0;
        }
      }
    }
    return may;
  }

  private static boolean endsIn(String s, int dot, String[] words) {
    for (String word : words) {
      if (s.startsWith(word, dot - word.length())) {
        return true;
      }
    }
    return false;
  }

  /** Copies a text while replacing stretches around its periods, from left to right. */
  private static final class Rewriting {
    private final String s;
    private final StringBuilder out = new StringBuilder();
    private int period = -1;

    /** Where the last match ended: a new one may not begin before. */
    private int end;

    Rewriting(String s) {
      this.s = s;
    }

    /** The next period at or after the last match's end, or -1. */
    int next() {
      period = s.indexOf('.', Math.max(period + 1, end));
      return period;
    }

    void replace(int from, int to, String replacement) {
      out.append(s, end, from).append(replacement);
      end = to;
    }

    String result() {
      return end == 0 ? s : out.append(s, end, s.length()).toString();
    }
  }

  private static boolean isLetter(String s, int i) {
    return i >= 0
        && i < s.length()
        && ((s.charAt(i) >= 'A' && s.charAt(i) <= 'Z')
            || (s.charAt(i) >= 'a' && s.charAt(i) <= 'z'));
  }

  private static boolean isCapital(String s, int i) {
    return i < s.length() && s.charAt(i) >= 'A' && s.charAt(i) <= 'Z';
  }

  private static boolean isDigit(String s, int i) {
    return i >= 0 && i < s.length() && s.charAt(i) >= '0' && s.charAt(i) <= '9';
  }

  private static boolean is(String s, int i, char c) {
    return i >= 0 && i < s.length() && s.charAt(i) == c;
  }

  /** {@code (Mr|St|Mrs|Ms|Dr)[.]}. */
  private static String titles(String s) {
    Rewriting r = new Rewriting(s);
    for (int dot; (dot = r.next()) >= 0; ) {
      for (String prefix : PREFIXES) {
        if (s.startsWith(prefix, dot - prefix.length())) {
          r.replace(dot, dot + 1, PERIOD);
          break;
        }
      }
    }
    return r.result();
  }

  /** {@code [.](com|net|org|io|gov|edu|me)}. */
  private static String websites(String s) {
    Rewriting r = new Rewriting(s);
    for (int dot; (dot = r.next()) >= 0; ) {
      for (String domain : WEBSITES) {
        if (s.startsWith(domain, dot + 1)) {
          r.replace(dot, dot + 1, PERIOD);
          break;
        }
      }
    }
    return r.result();
  }

  /** {@code ([0-9])[.]([0-9])}: a digit belongs to one match only. */
  private static String decimals(String s) {
    Rewriting r = new Rewriting(s);
    for (int dot; (dot = r.next()) >= 0; ) {
      if (isDigit(s, dot - 1) && isDigit(s, dot + 1) && dot - 1 >= r.end) {
        r.replace(dot - 1, dot + 2, s.charAt(dot - 1) + PERIOD + s.charAt(dot + 1));
      }
    }
    return r.result();
  }

  /** {@code \.{2,}}. */
  private static String ellipses(String s) {
    Rewriting r = new Rewriting(s);
    for (int dot; (dot = r.next()) >= 0; ) {
      int end = dot;
      while (is(s, end, '.')) {
        end++;
      }
      if (end - dot >= 2) {
        r.replace(dot, end, PERIOD.repeat(end - dot) + STOP);
      }
    }
    return r.result();
  }

  /** {@code \s([A-Za-z])[.] }. */
  private static String initials(String s) {
    Rewriting r = new Rewriting(s);
    for (int dot; (dot = r.next()) >= 0; ) {
      if (isLetter(s, dot - 1)
          && dot - 2 >= r.end
          && PyChars.isSpace(s.charAt(dot - 2))
          && is(s, dot + 1, ' ')) {
        r.replace(dot - 2, dot + 2, " " + s.charAt(dot - 1) + PERIOD + " ");
      }
    }
    return r.result();
  }

  /** Is there a word that begins a sentence, and where does what the pattern takes of it end? */
  private static int starterEnd(String s, int from) {
    for (String starter : STARTERS) {
      if (s.startsWith(starter, from)) {
        // "Mrs" begins with "Mr", which stands first in the pattern.
        return from + starter.length();
      }
    }
    for (String starter : SPACED_STARTERS) {
      int end = from + starter.length();
      if (s.startsWith(starter, from) && end < s.length() && PyChars.isSpace(s.charAt(end))) {
        return end + 1;
      }
    }
    return -1;
  }

  /** {@code ([A-Z][.][A-Z][.](?:[A-Z][.])?) STARTERS}: a sentence ends after the acronym. */
  private static String acronymsBeforeStarters(String s) {
    Rewriting r = new Rewriting(s);
    for (int dot; (dot = r.next()) >= 0; ) {
      int from = dot - 1;
      if (from < r.end || !isCapital(s, from) || !isCapital(s, dot + 1) || !is(s, dot + 2, '.')) {
        continue;
      }
      int end = dot + 3;
      if (isCapital(s, end) && is(s, end + 1, '.')) {
        end += 2;
      }
      int starterEnd = is(s, end, ' ') ? starterEnd(s, end + 1) : -1;
      if (starterEnd >= 0) {
        r.replace(from, starterEnd, s.substring(from, end) + STOP + s.substring(end, starterEnd));
      }
    }
    return r.result();
  }

  /** {@code ([A-Za-z])[.]} n times in a row. */
  private static String letters(String s, int n) {
    Rewriting r = new Rewriting(s);
    for (int dot; (dot = r.next()) >= 0; ) {
      int from = dot - 1;
      boolean all = from >= r.end;
      for (int i = 0; i < n && all; i++) {
        all = isLetter(s, from + 2 * i) && is(s, from + 2 * i + 1, '.');
      }
      if (all) {
        r.replace(from, from + 2 * n, s.substring(from, from + 2 * n).replace(".", PERIOD));
      }
    }
    return r.result();
  }

  /**
   * {@code (Inc|Ltd|Jr|Sr|Co)[.]}; before a word that begins a sentence, the sentence ends there.
   */
  private static String suffixes(String s, boolean beforeStarters) {
    Rewriting r = new Rewriting(s);
    for (int dot; (dot = r.next()) >= 0; ) {
      for (String suffix : SUFFIXES) {
        int from = dot - suffix.length() - 1;
        if (from < r.end || !is(s, from, ' ') || !s.startsWith(suffix, from + 1)) {
          continue;
        }
        if (!beforeStarters) {
          r.replace(from, dot + 1, " " + suffix + PERIOD);
        } else {
          int starterEnd = is(s, dot + 1, ' ') ? starterEnd(s, dot + 2) : -1;
          if (starterEnd >= 0) {
            r.replace(from, starterEnd, " " + suffix + STOP + s.substring(dot + 1, starterEnd));
          }
        }
        break;
      }
    }
    return r.result();
  }

  /** {@code ([A-Za-z])[.]}. */
  private static String singleLetters(String s) {
    Rewriting r = new Rewriting(s);
    for (int dot; (dot = r.next()) >= 0; ) {
      if (isLetter(s, dot - 1) && dot - 2 >= r.end && is(s, dot - 2, ' ')) {
        r.replace(dot - 2, dot + 1, " " + s.charAt(dot - 1) + PERIOD);
      }
    }
    return r.result();
  }
}
