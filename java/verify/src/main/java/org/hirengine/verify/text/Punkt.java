package org.hirengine.verify.text;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import org.hirengine.text.PyChars;
import org.hirengine.text.PyText;
import org.jspecify.annotations.Nullable;

/**
 * Sentence boundaries by Punkt (Kiss and Strunk, 2006), as NLTK's {@code sent_tokenize} finds them:
 * {@code PunktSentenceTokenizer} with boundaries realigned after closing quotes and brackets.
 */
public final class Punkt {

  /** Quotes and brackets that may close a sentence after its mark; curly ones open it as well. */
  private static final String CLOSING = "\"')]}\u2018\u2019\u201C\u201D\u00AB\u00BB";

  private final PunktParameters parameters;

  public Punkt(PunktParameters parameters) {
    this.parameters = parameters;
  }

  /**
   * A stretch of text that may hold a boundary: the mark itself and the word on each side of it.
   */
  private record Context(int wordStart, int mark, int afterEnd, int nextToken) {}

  /** The sentences of a text, without the white space between them; none is empty. */
  public List<String> sentences(String text) {
    List<String> sentences = new ArrayList<>();
    each(text).forEach(sentences::add);
    return sentences;
  }

  /** The same, found lazily, for callers that may need only the first. */
  public Iterable<String> each(String text) {
    return () -> new Sentences(text);
  }

  /** A stretch of text up to and with a sentence's last mark. */
  private record Slice(int from, int to) {}

  private final class Sentences implements Iterator<String> {
    private final String text;

    /** Where to look for the next mark. */
    private int at;

    private @Nullable Context lastContext;
    private int lastBreak;
    private boolean atEnd;
    private @Nullable Slice nextSlice;

    /** How much of the next slice belongs to the sentence before it, or between the two. */
    private int realign;

    private @Nullable String nextSentence;

    Sentences(String text) {
      this.text = text;
      this.nextSlice = slice();
      this.nextSentence = sentence();
    }

    @Override
    public boolean hasNext() {
      return nextSentence != null;
    }

    @Override
    public String next() {
      String sentence = nextSentence;
      if (sentence == null) {
        throw new NoSuchElementException();
      }
      nextSentence = sentence();
      return sentence;
    }

    private @Nullable String sentence() {
      for (Slice slice = nextSlice; slice != null; slice = nextSlice) {
        nextSlice = slice();
        int from = slice.from + realign;
        int closing = nextSlice == null ? 0 : closingMarks(text, nextSlice.from, nextSlice.to);
        if (nextSlice != null && closing > 0) {
          int to = nextSlice.from + closing;
          realign = closing + spaceAfter(text, to, nextSlice.to);
          return text.substring(from, Math.max(from, to));
        }
        realign = 0;
        if (from < slice.to) {
          return text.substring(from, slice.to);
        }
      }
      return null;
    }

    private @Nullable Slice slice() {
      if (atEnd) {
        return null;
      }
      for (Context context = context(); context != null; context = context()) {
        if (containsBreak(text.substring(context.wordStart, context.afterEnd))) {
          Slice slice = new Slice(lastBreak, context.mark + 1);
          lastBreak = context.nextToken >= 0 ? context.nextToken : context.mark + 1;
          return slice;
        }
      }
      atEnd = true;
      return new Slice(lastBreak, PyText.stripTrailing(text).length());
    }

    /** The next possible sentence end with its context; of overlapping ones the last. */
    private @Nullable Context context() {
      while (at < text.length()) {
        int mark = at++;
        char c = text.charAt(mark);
        if (c > '?' || (c != '.' && c != '?' && c != '!')) { // letters are beyond the marks
          continue;
        }
        int after = at;
        int nextToken = -1;
        if (after < text.length() && PunktToken.isNonWord(text.charAt(after))) {
          after++;
        } else {
          int space = spaceAfter(text, after, text.length());
          nextToken = after + space;
          if (space == 0 || nextToken == text.length()) {
            continue;
          }
          after = nextToken;
          while (after < text.length() && !PyChars.isSpace(text.charAt(after))) {
            after++;
          }
        }
        Context before = lastContext;
        int start = before == null ? 0 : before.wordStart;
        int stop = before == null ? 0 : before.mark;
        int wordStart = wordStart(text, start, stop, mark);
        lastContext = new Context(wordStart, mark, after, nextToken);
        if (before != null && stop <= wordStart) {
          return before;
        }
      }
      Context last = lastContext;
      lastContext = null;
      return last;
    }
  }

  /** How many closing quotes and brackets at the start belong to the sentence before. */
  private static int closingMarks(String text, int from, int to) {
    int i = from;
    while (i < to && CLOSING.indexOf(text.charAt(i)) >= 0) {
      i++;
      if (i == to || PyChars.isSpace(text.charAt(i)) || (text.startsWith("--", i) && i + 2 <= to)) {
        return i - from;
      }
    }
    return 0;
  }

  private static int spaceAfter(String text, int from, int to) {
    int i = from;
    while (i < to && PyChars.isSpace(text.charAt(i))) {
      i++;
    }
    return i - from;
  }

  /**
   * After the last ASCII space between {@code stop} and {@code mark}, if it is not at {@code stop}.
   */
  private static int wordStart(String text, int start, int stop, int mark) {
    for (int i = mark - 1; i > stop; i--) {
      if (" \t\n\r\u000B\f".indexOf(text.charAt(i)) >= 0) {
        return i + 1;
      }
    }
    return start;
  }

  /** Whether there is a sentence break before the last token. */
  private boolean containsBreak(String words) {
    PunktToken pending = null;
    boolean found = false;
    for (PunktToken token : PunktToken.tokenize(words)) {
      firstPass(token);
      if (pending != null) {
        secondPass(pending, token);
        if (found) {
          return true;
        }
        found = pending.sentenceBreak;
      }
      pending = token;
    }
    return found && pending != null;
  }

  /** Type-based decisions: plain marks, ellipses, known abbreviations. */
  private void firstPass(PunktToken token) {
    String text = token.text;
    if (text.equals(".") || text.equals("?") || text.equals("!")) {
      token.sentenceBreak = true;
    } else if (token.isEllipsis()) {
      token.ellipsis = true;
    } else if (token.endsInPeriod() && !text.endsWith("..")) {
      String type = PyText.lower(text.substring(0, text.length() - 1));
      if (parameters.abbreviations().contains(type)
          || parameters.abbreviations().contains(type.substring(type.lastIndexOf('-') + 1))) {
        token.abbreviation = true;
      } else {
        token.sentenceBreak = true;
      }
    }
  }

  private enum Starter {
    YES,
    NO,
    UNKNOWN
  }

  /** Token-based decisions: what follows a period may overrule the first pass. */
  private void secondPass(PunktToken token, PunktToken next) {
    if (!token.endsInPeriod()) {
      return;
    }
    String type = token.typeWithoutPeriod();
    String nextType = next.typeWithoutSentencePeriod();
    if (parameters.collocations().contains(type + "\t" + nextType)) {
      token.sentenceBreak = false;
      token.abbreviation = true;
      return;
    }
    boolean initial = token.isInitial();
    if ((token.abbreviation || token.ellipsis) && !initial) {
      if (startsSentence(next) == Starter.YES
          || (next.firstUpper() && parameters.starters().contains(nextType))) {
        token.sentenceBreak = true;
        return;
      }
    }
    if (initial || type.equals(PunktToken.NUMBER)) {
      Starter starter = startsSentence(next);
      if (starter == Starter.NO
          || (starter == Starter.UNKNOWN
              && initial
              && next.firstUpper()
              && (context(nextType) & PunktParameters.ANY_LOWER) == 0)) {
        token.sentenceBreak = false;
        token.abbreviation = true;
      }
    }
  }

  /**
   * The orthographic heuristic: whether the cases in which the token was seen indicate a sentence
   * start.
   */
  private Starter startsSentence(PunktToken token) {
    if (token.text.length() == 1 && ";:,.!?".contains(token.text)) {
      return Starter.NO;
    }
    int context = context(token.typeWithoutSentencePeriod());
    if (token.firstUpper()
        && (context & PunktParameters.ANY_LOWER) != 0
        && (context & PunktParameters.MIDDLE_UPPER) == 0) {
      return Starter.YES;
    }
    if (token.firstLower()
        && ((context & PunktParameters.ANY_UPPER) != 0
            || (context & PunktParameters.BEGIN_LOWER) == 0)) {
      return Starter.NO;
    }
    return Starter.UNKNOWN;
  }

  private int context(String type) {
    return parameters.contexts().getOrDefault(type, 0);
  }
}
