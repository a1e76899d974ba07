package org.hirengine.verify;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import org.hirengine.text.PyChars;
import org.jspecify.annotations.Nullable;

/** The list behind {@link Response#looseVariants}: variants are made on first use and cached. */
final class LooseVariants implements Iterable<Response> {

  /** Four texts (all lines, then without the first, the last, and both), twice. */
  private static final int FORMS = 8;

  private static final char ASTERISK = '*';

  private final Response whole;
  private @Nullable Response bare;

  /** Where the texts without the first line (1), the last (2) or both (3) begin and end. */
  private final int[] from = new int[4];

  private final int[] to = new int[4];
  private final List<Response> found = new ArrayList<>(FORMS);
  private int nextForm;

  LooseVariants(Response whole) {
    this.whole = whole;
  }

  /** The variant of this number, or null if there are no more. */
  private synchronized @Nullable Response at(int number) {
    while (number >= found.size() && nextForm < FORMS) {
      Response variant = form(nextForm++);
      if (variant != null && !variant.isBlank() && isNew(variant)) {
        found.add(variant);
      }
    }
    return number < found.size() ? found.get(number) : null;
  }

  private boolean isNew(Response variant) {
    for (Response other : found) {
      if (other.length() == variant.length() && other.text().equals(variant.text())) {
        return false;
      }
    }
    return true;
  }

  /** In the reference's order; null for a form that does not exist. */
  private @Nullable Response form(int form) {
    return switch (form) {
      case 0 -> whole;
      case 1 -> {
        String text = whole.text();
        bare = text.indexOf(ASTERISK) < 0 ? null : Response.of(withoutAsterisks(text));
        yield bare;
      }
      case 2, 3, 4 -> withoutEdges(form - 1);
      default -> bare == null ? null : bareWithoutEdges(bare, form - 4);
    };
  }

  /** Without the first line (1), the last (2) or both (3). */
  private @Nullable Response withoutEdges(int edges) {
    String text = whole.text();
    int first = (edges & 1) == 0 ? 0 : text.indexOf('\n') + 1;
    int end = (edges & 2) == 0 ? text.length() : text.lastIndexOf('\n');
    boolean hasLines = end >= 0 && (edges == 2 || first > 0);
    if (!hasLines) {
      return null;
    }
    while (first < end && PyChars.isSpace(text.charAt(first))) {
      first++;
    }
    while (end > first && PyChars.isSpace(text.charAt(end - 1))) {
      end--;
    }
    from[edges] = first;
    to[edges] = end;
    return end > first ? whole.part(first, end) : null;
  }

  /** The same lines of the text without asterisks, which are removed after the white space. */
  private @Nullable Response bareWithoutEdges(Response bare, int edges) {
    String text = whole.text();
    int first = from[edges] - asterisks(text, 0, from[edges]);
    int end =
        bare.length() - (text.length() - to[edges]) + asterisks(text, to[edges], text.length());
    return end > first ? bare.part(first, end) : null;
  }

  private static int asterisks(String text, int from, int to) {
    int count = 0;
    for (int at = text.indexOf(ASTERISK, from); at >= 0 && at < to; count++) {
      at = text.indexOf(ASTERISK, at + 1);
    }
    return count;
  }

  private static String withoutAsterisks(String text) {
    char[] kept = new char[text.length()];
    int size = 0;
    int from = 0;
    for (int at; (at = text.indexOf(ASTERISK, from)) >= 0; from = at + 1) {
      text.getChars(from, at, kept, size);
      size += at - from;
    }
    text.getChars(from, text.length(), kept, size);
    return new String(kept, 0, size + text.length() - from);
  }

  @Override
  public Iterator<Response> iterator() {
    return new Iterator<>() {
      private int next;

      @Override
      public boolean hasNext() {
        return at(next) != null;
      }

      @Override
      public Response next() {
        Response variant = at(next++);
        if (variant == null) {
          throw new NoSuchElementException();
        }
        return variant;
      }
    };
  }
}
