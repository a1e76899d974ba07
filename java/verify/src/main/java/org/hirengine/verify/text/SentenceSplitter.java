package org.hirengine.verify.text;

import java.util.Arrays;
import org.hirengine.text.Pieces;
import org.hirengine.text.PyChars;
import org.hirengine.text.PyText;
import org.jspecify.annotations.Nullable;

/**
 * The references' {@code split_into_sentences}: periods that do not end a sentence are protected by
 * a list of substitutions, then every period, question and exclamation mark ends one.
 *
 * <p>Each substitution is a method, documented with its pattern. The reference writes a marker of
 * several letters in place of a period; here the period stays and is marked in a separate array, so
 * that positions do not change. In a text that contains the reference's markers they are treated as
 * in the reference.
 */
public final class SentenceSplitter {

  private static final String PERIOD = "<prd>";
  private static final String STOP = "<stop>";

  private static final String[] PREFIXES = {"Mr", "St", "Mrs", "Ms", "Dr"};
  private static final String[] WEBSITES = {"com", "net", "org", "io", "gov", "edu", "me"};
  private static final String[] SUFFIXES = {"Inc", "Ltd", "Jr", "Sr", "Co"};

  /**
   * Words after which the reference requires nothing, and words after which it requires white
   * space.
   */
  private static final String[] STARTERS = {
    "Mr", "Ms", "Dr", "Prof", "Capt", "Cpt", "Lt", "Wherever"
  };

  private static final String[] SPACED_STARTERS = {
    "He", "She", "It", "They", "Their", "Our", "We", "But", "However", "That", "This"
  };

  /** Later substitutions ignore this period, and it does not end a sentence. */
  private static final int PROTECTED = 1;

  /** A sentence ends after the period. */
  private static final int STOPPED = 1 << 1;

  /** The period is removed, and a sentence ends there. */
  private static final int DROPPED = 1 << 2;

  // The substitutions, for mayMatch.
  private static final int TITLE = 1;
  private static final int WEBSITE = 1 << 1;
  private static final int DECIMAL = 1 << 2;
  private static final int ELLIPSIS = 1 << 3;
  private static final int ACRONYM = 1 << 4;
  private static final int INITIAL = 1 << 5;
  private static final int SUFFIX = 1 << 6;

  /**
   * Substitutions whose patterns contain white space, so that a match may continue on the next
   * line.
   */
  private static final int BEYOND_LINES = ACRONYM | INITIAL | SUFFIX;

  /** Before any position: no match has ended yet. */
  private static final int NOWHERE = -2;

  /** The text; the reference replaces line ends with spaces and adds spaces around it. */
  private final String s;

  /** The text as it appears in sentences, if it differs from {@link #s}; of the same length. */
  private char @Nullable [] shown;

  /** Where the periods are. */
  private final Places periods;

  /** The marks of the periods by position in the text; null while there are none. */
  private byte @Nullable [] marks;

  /** A line end at or after the sentence added last, if there is one. */
  private int lineEnd = -1;

  /** Whether the text itself holds the reference's marks. */
  private final boolean holdsMarks;

  private SentenceSplitter(String text) {
    this.s = text;
    this.holdsMarks = text.indexOf('<') >= 0 && (text.contains(PERIOD) || text.contains(STOP));
    this.periods = new Places(text, '.');
  }

  /**
   * The stripped pieces between sentence ends; a single empty piece at the end is dropped, so
   * "What?!" has the pieces "What?" and "!".
   */
  public static Pieces split(String text) {
    return sentences(text).pieces();
  }

  /** The same, with the data needed to find the sentences of a part of the text. */
  public static Sentences sentences(String text) {
    SentenceSplitter splitter = new SentenceSplitter(text);
    int found = splitter.mayMatch();
    splitter.protect(found);
    return new Sentences(splitter.pieces(), (found & BEYOND_LINES) == 0 && !splitter.holdsMarks);
  }

  /**
   * The sentences of a text.
   *
   * @param local whether neighbouring lines do not change each other's sentences, except one that
   *     spans both
   */
  public record Sentences(Pieces pieces, boolean local) {

    /**
     * The sentences of whole lines of the text, between two positions next to white space; only if
     * local.
     */
    public Sentences within(int from, int to) {
      return new Sentences(pieces.cut(from, to), true);
    }
  }

  /** The positions of a character in a text, ascending. */
  private static final class Places {
    private int[] at = new int[16];
    private int count;

    Places(String s, char c) {
      for (int i = s.indexOf(c); i >= 0; i = s.indexOf(c, i + 1)) {
        if (count == at.length) {
          at = Arrays.copyOf(at, 2 * count);
        }
        at[count++] = i;
      }
    }
  }

  private Pieces pieces() {
    Places questions = new Places(s, '?');
    Places exclamations = new Places(s, '!');
    if (s.indexOf('\u201D') >= 0) {
      moveBehind(periods, '\u201D');
    }
    if (s.indexOf('"') >= 0) {
      moveBehind(periods, '"');
      moveBehind(exclamations, '"');
      moveBehind(questions, '"');
    }
    String text = shown == null ? s : new String(shown);
    Pieces.Builder sentences =
        new Pieces.Builder(text, periods.count + questions.count + exclamations.count + 1);
    int from = 0;
    int n = text.length();
    int period = 0;
    int question = 0;
    int exclamation = 0;
    int stop = holdsMarks ? text.indexOf(STOP) : -1;
    while (true) {
      int nextPeriod = period < periods.count ? periods.at[period] : n;
      int nextQuestion = question < questions.count ? questions.at[question] : n;
      int nextExclamation = exclamation < exclamations.count ? exclamations.at[exclamation] : n;
      int nextMark = Math.min(nextQuestion, nextExclamation);
      int end = Math.min(Math.min(nextPeriod, nextMark), stop < 0 ? n : stop);
      if (end == n) {
        break;
      }
      if (end == stop) {
        add(sentences, from, end);
        from = end + STOP.length();
        stop = text.indexOf(STOP, from);
        continue;
      }
      int mark = 0;
      if (end == nextPeriod) {
        mark = mark(end);
        period++;
      } else if (end == nextQuestion) {
        question++;
      } else {
        exclamation++;
      }
      if (mark != PROTECTED) {
        add(sentences, from, mark == DROPPED ? end : end + 1);
        from = end + 1;
        if (mark == STOPPED) { // the period ended a sentence, and the stop ends an empty one
          sentences.add(from, from);
        }
      }
    }
    if (!PyText.isBlank(text, from, n)) {
      add(sentences, from, n);
    }
    return sentences.build();
  }

  /** Moves each mark after a quote that follows it: {@code ."} becomes {@code ".}. */
  private void moveBehind(Places marks, char quote) {
    for (int i = 0; i < marks.count; i++) {
      int at = marks.at[i];
      if (at + 1 < s.length() && shown(at + 1) == quote && mark(at) == 0) {
        show(at + 1, shown(at));
        show(at, quote);
        marks.at[i] = at + 1;
      }
    }
  }

  private char shown(int i) {
    return shown == null ? s.charAt(i) : shown[i];
  }

  private void show(int i, char c) {
    char[] chars = shown;
    if (chars == null) {
      chars = s.toCharArray();
      shown = chars;
    }
    chars[i] = c;
  }

  /** Adds a part of the text, without surrounding white space. */
  private void add(Pieces.Builder sentences, int from, int to) {
    int first = from;
    int end = to;
    String text = sentences.text();
    while (first < end && PyChars.isSpace(text.charAt(first))) {
      first++;
    }
    while (end > first && PyChars.isSpace(text.charAt(end - 1))) {
      end--;
    }
    if (lineEnd < first) {
      int found = s.indexOf('\n', first);
      lineEnd = found < 0 ? s.length() : found;
    }
    if (holdsMarks || lineEnd < end) {
      String sentence = text.substring(first, end).replace('\n', ' ');
      sentences.add(first, end, holdsMarks ? sentence.replace(PERIOD, ".") : sentence);
    } else {
      sentences.add(first, end);
    }
  }

  private void protect(int may) {
    if (may == 0) {
      return;
    }
    marks = new byte[s.length()];
    if ((may & TITLE) != 0) {
      titles();
    }
    if ((may & WEBSITE) != 0) {
      websites();
    }
    if ((may & DECIMAL) != 0) {
      decimals();
    }
    if ((may & ELLIPSIS) != 0) {
      ellipses();
    }
    if ((may & ACRONYM) != 0) {
      doctorates();
    }
    if ((may & INITIAL) != 0) {
      initials();
    }
    if ((may & ACRONYM) != 0) {
      acronymsBeforeStarters();
      letters(3);
      letters(2);
    }
    if ((may & SUFFIX) != 0) {
      suffixes(true);
      suffixes(false);
    }
    if ((may & INITIAL) != 0) {
      singleLetters();
    }
  }

  /**
   * Which of the substitutions may match, by the context of each period. No substitution creates a
   * match for a later one: they insert only marks and, for other white space, a space.
   */
  private int mayMatch() {
    int may = 0;
    for (int i = 0; i < periods.count; i++) {
      int dot = periods.at[i];
      boolean letterNext = isLetter(dot + 1);
      if (letterNext) {
        may |= WEBSITE;
      } else if (at(dot + 1) == '.') {
        may |= ELLIPSIS;
      }
      if (isDigit(dot - 1)) {
        may |= isDigit(dot + 1) ? DECIMAL : 0;
      } else if (isLetter(dot - 1)) {
        may |= letterNext ? ACRONYM : 0;
        if (PyChars.isSpace(at(dot - 2))) {
          may |= INITIAL;
        } else {
          may |= mayEndIn(dot);
        }
      }
    }
    return may;
  }

  /** Whether a title or a suffix precedes a period; their last letters rule most words out. */
  private int mayEndIn(int dot) {
    return switch (at(dot - 1)) {
      case 'r', 's', 't', 'c', 'd', 'o' ->
          (endsIn(dot, PREFIXES) ? TITLE : 0) | (endsIn(dot, SUFFIXES) ? SUFFIX : 0);
      default -> 0;
    };
  }

  private boolean endsIn(int dot, String[] words) {
    for (String word : words) {
      if (s.startsWith(word, dot - word.length())) {
        return true;
      }
    }
    return false;
  }

  /** The character at a position, as the reference sees it. */
  private char at(int i) {
    char c = i >= 0 && i < s.length() ? s.charAt(i) : ' ';
    return c == '\n' ? ' ' : c;
  }

  private boolean isLetter(int i) {
    char c = at(i);
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
  }

  private boolean isCapital(int i) {
    char c = at(i);
    return c >= 'A' && c <= 'Z';
  }

  private boolean isDigit(int i) {
    char c = at(i);
    return c >= '0' && c <= '9';
  }

  private int mark(int i) {
    return marks == null ? 0 : marks[i];
  }

  private void mark(int i, int mark) {
    marks[i] |= (byte) mark;
  }

  /** Whether there is a period that is not protected yet. */
  private boolean isPeriod(int i) {
    return at(i) == '.' && (mark(i) & (PROTECTED | DROPPED)) == 0;
  }

  /** {@code (Mr|St|Mrs|Ms|Dr)[.]}. */
  private void titles() {
    for (int i = 0; i < periods.count; i++) {
      if (endsIn(periods.at[i], PREFIXES)) {
        mark(periods.at[i], PROTECTED);
      }
    }
  }

  /** {@code [.](com|net|org|io|gov|edu|me)}. */
  private void websites() {
    for (int i = 0; i < periods.count; i++) {
      int dot = periods.at[i];
      for (String domain : WEBSITES) {
        if (s.startsWith(domain, dot + 1)) {
          mark(dot, PROTECTED);
          break;
        }
      }
    }
  }

  /** {@code ([0-9])[.]([0-9])}: a digit belongs to one match only. */
  private void decimals() {
    int end = NOWHERE;
    for (int i = 0; i < periods.count; i++) {
      int dot = periods.at[i];
      if (isDigit(dot - 1) && isDigit(dot + 1) && dot - 1 >= end) {
        mark(dot, PROTECTED);
        end = dot + 2;
      }
    }
  }

  /** {@code \.{2,}}. */
  private void ellipses() {
    for (int i = 0; i < periods.count; ) {
      int first = periods.at[i];
      int end = first;
      while (isPeriod(end)) {
        end++;
      }
      if (end - first >= 2) {
        for (int dot = first; dot < end; dot++) {
          mark(dot, PROTECTED);
        }
        mark(end - 1, STOPPED);
      }
      i += Math.max(1, end - first);
    }
  }

  /** {@code Ph.D.}. */
  private void doctorates() {
    for (int i = 0; i < periods.count; i++) {
      int dot = periods.at[i];
      if (s.startsWith("Ph.D.", dot - 2) && isPeriod(dot) && isPeriod(dot + 2)) {
        mark(dot, PROTECTED);
        mark(dot + 2, PROTECTED);
      }
    }
  }

  /** {@code \s([A-Za-z])[.] }, which leaves a space before the letter. */
  private void initials() {
    int end = NOWHERE;
    for (int i = 0; i < periods.count; i++) {
      int dot = periods.at[i];
      if (isPeriod(dot)
          && isLetter(dot - 1)
          && dot - 2 >= end
          && PyChars.isSpace(at(dot - 2))
          && at(dot + 1) == ' ') {
        if (at(dot - 2) != ' ') {
          show(dot - 2, ' ');
        }
        mark(dot, PROTECTED);
        end = dot + 2;
      }
    }
  }

  /** Whether a word that begins a sentence follows, and where the pattern's match of it ends. */
  private int starterEnd(int from) {
    for (String starter : STARTERS) {
      if (s.startsWith(starter, from)) {
        // "Mrs" begins with "Mr", which stands first in the pattern.
        return from + starter.length();
      }
    }
    for (String starter : SPACED_STARTERS) {
      int end = from + starter.length();
      if (s.startsWith(starter, from) && PyChars.isSpace(at(end))) {
        return end + 1;
      }
    }
    return NOWHERE;
  }

  /** {@code ([A-Z][.][A-Z][.](?:[A-Z][.])?) STARTERS}: a sentence ends after the acronym. */
  private void acronymsBeforeStarters() {
    int end = NOWHERE;
    for (int i = 0; i < periods.count; i++) {
      int dot = periods.at[i];
      int from = dot - 1;
      if (from < end
          || !isPeriod(dot)
          || !isCapital(from)
          || !isCapital(dot + 1)
          || !isPeriod(dot + 2)) {
        continue;
      }
      int last = isCapital(dot + 3) && isPeriod(dot + 4) ? dot + 4 : dot + 2;
      int starterEnd = at(last + 1) == ' ' ? starterEnd(last + 2) : NOWHERE;
      if (starterEnd >= 0) {
        mark(last, STOPPED);
        end = starterEnd;
      }
    }
  }

  /** {@code ([A-Za-z])[.]} n times in a row. */
  private void letters(int n) {
    int end = NOWHERE;
    for (int i = 0; i < periods.count; i++) {
      int from = periods.at[i] - 1;
      boolean all = from >= end;
      for (int k = 0; k < n && all; k++) {
        all = isLetter(from + 2 * k) && isPeriod(from + 2 * k + 1);
      }
      if (all) {
        for (int k = 0; k < n; k++) {
          mark(from + 2 * k + 1, PROTECTED);
        }
        end = from + 2 * n;
      }
    }
  }

  /**
   * {@code (Inc|Ltd|Jr|Sr|Co)[.]}; before a word that begins a sentence, the sentence ends there.
   */
  private void suffixes(boolean beforeStarters) {
    int end = NOWHERE;
    for (int i = 0; i < periods.count; i++) {
      int dot = periods.at[i];
      for (String suffix : SUFFIXES) {
        int from = dot - suffix.length() - 1;
        if (from < end || !isPeriod(dot) || at(from) != ' ' || !s.startsWith(suffix, from + 1)) {
          continue;
        }
        if (!beforeStarters) {
          mark(dot, PROTECTED);
          end = dot + 1;
        } else {
          int starterEnd = at(dot + 1) == ' ' ? starterEnd(dot + 2) : NOWHERE;
          if (starterEnd >= 0) {
            mark(dot, DROPPED);
            end = starterEnd;
          }
        }
        break;
      }
    }
  }

  /** {@code ([A-Za-z])[.]} after a space. */
  private void singleLetters() {
    int end = NOWHERE;
    for (int i = 0; i < periods.count; i++) {
      int dot = periods.at[i];
      if (isPeriod(dot) && isLetter(dot - 1) && dot - 2 >= end && at(dot - 2) == ' ') {
        mark(dot, PROTECTED);
        end = dot + 1;
      }
    }
  }
}
