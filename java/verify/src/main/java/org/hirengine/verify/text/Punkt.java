package org.hirengine.verify.text;

import java.util.ArrayList;
import java.util.List;
import org.hirengine.text.PyChars;
import org.hirengine.text.PyText;

/**
 * Sentence boundaries by Punkt (Kiss and Strunk, 2006), as NLTK's {@code sent_tokenize} finds them:
 * {@code PunktSentenceTokenizer} with boundaries realigned after closing quotes and brackets.
 */
public final class Punkt {

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
    List<int[]> slices = slices(text);
    List<String> sentences = new ArrayList<>(slices.size());
    int realign = 0;
    for (int i = 0; i < slices.size(); i++) {
      int from = slices.get(i)[0] + realign;
      int to = slices.get(i)[1];
      realign = 0;
      if (i + 1 < slices.size()) {
        int next = slices.get(i + 1)[0];
        int closing = closingMarks(text, next, slices.get(i + 1)[1]);
        if (closing > 0) {
          to = next + closing;
          realign = closing + spaceAfter(text, to, slices.get(i + 1)[1]);
          sentences.add(text.substring(from, Math.max(from, to)));
          continue;
        }
      }
      if (from < to) {
        sentences.add(text.substring(from, to));
      }
    }
    return sentences;
  }

  /** Quotes and brackets that may close a sentence after its mark; curly ones open it as well. */
  private static final String CLOSING = "\"')]}\u2018\u2019\u201C\u201D\u00AB\u00BB";

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

  private List<int[]> slices(String text) {
    List<int[]> slices = new ArrayList<>();
    int lastBreak = 0;
    for (Context context : contexts(text)) {
      String words = text.substring(context.wordStart, context.afterEnd);
      if (containsBreak(words)) {
        slices.add(new int[] {lastBreak, context.mark + 1});
        lastBreak = context.nextToken >= 0 ? context.nextToken : context.mark + 1;
      }
    }
    slices.add(new int[] {lastBreak, PyText.stripTrailing(text).length()});
    return slices;
  }

  /** Every possible sentence end with its surroundings; of overlapping ones the last. */
  private static List<Context> contexts(String text) {
    List<Context> contexts = new ArrayList<>();
    Context previous = null;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c != '.' && c != '?' && c != '!') {
        continue;
      }
      int after = i + 1;
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
      int previousStart = previous == null ? 0 : previous.wordStart;
      int previousStop = previous == null ? 0 : previous.mark;
      int wordStart = wordStart(text, previousStart, previousStop, i);
      if (previous != null && previousStop <= wordStart) {
        contexts.add(previous);
      }
      previous = new Context(wordStart, i, after, nextToken);
    }
    if (previous != null) {
      contexts.add(previous);
    }
    return contexts;
  }

  /** Behind the last ASCII space between {@code stop} and {@code mark}, which is not at stop. */
  private static int wordStart(String text, int start, int stop, int mark) {
    for (int i = mark - 1; i > stop; i--) {
      if (" \t\n\r\u000B\f".indexOf(text.charAt(i)) >= 0) {
        return i + 1;
      }
    }
    return start;
  }

  /** Is there a sentence break before the last token? */
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

  /** The orthographic heuristic: does the case in which the token was seen tell a beginning? */
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
