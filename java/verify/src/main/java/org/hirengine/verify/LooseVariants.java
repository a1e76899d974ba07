package org.hirengine.verify;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import org.hirengine.verify.text.PyText;
import org.jspecify.annotations.Nullable;

/** What {@link Response#looseVariants} gives: made one after another, and kept. */
final class LooseVariants implements Iterable<Response> {

  /** Four texts (all lines, then without the first, the last, and both), twice. */
  private static final int FORMS = 8;

  private final Response whole;
  private final String[] stripped = new String[4];
  private final List<Response> found = new ArrayList<>(FORMS);
  private int nextForm;

  LooseVariants(Response whole) {
    this.whole = whole;
  }

  /** The variant of this number, or null where there are no more. */
  private synchronized @Nullable Response at(int number) {
    while (number >= found.size() && nextForm < FORMS) {
      String text = form(nextForm++);
      if (text != null && !PyText.isBlank(text) && isNew(text)) {
        found.add(text.equals(whole.text()) ? whole : Response.of(text));
      }
    }
    return number < found.size() ? found.get(number) : null;
  }

  private boolean isNew(String text) {
    for (Response other : found) {
      if (other.text().equals(text)) {
        return false;
      }
    }
    return true;
  }

  /** In the reference's order; null for a form that has no text of its own. */
  private @Nullable String form(int form) {
    return switch (form) {
      case 0 -> whole.text();
      case 1 -> withoutAsterisks(whole.text());
      case 2, 3, 4 -> stripped[form - 1] = withoutEdges(form - 1);
      default -> withoutAsterisks(stripped[form - 4]);
    };
  }

  private @Nullable String withoutAsterisks(String text) {
    return text.indexOf('*') < 0 ? null : text.replace("*", "");
  }

  /** Without the first line (1), the last (2) or both (3). */
  private String withoutEdges(int edges) {
    String text = whole.text();
    int from = (edges & 1) == 0 ? 0 : text.indexOf('\n') + 1;
    int to = (edges & 2) == 0 ? text.length() : text.lastIndexOf('\n');
    boolean hasLines = to >= 0 && (edges == 2 || from > 0);
    return hasLines && from < to ? PyText.strip(text.substring(from, to)) : "";
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
