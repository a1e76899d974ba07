package org.hirengine.verify;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import org.hirengine.text.PyText;
import org.jspecify.annotations.Nullable;

/**
 * The list behind {@link Response#looseVariants}: variants are made when first asked for, and
 * cached.
 */
final class LooseVariants implements Iterable<Response> {

  /** Four texts (all lines, then without the first, the last, and both), twice. */
  private static final int FORMS = 8;

  private final Response whole;
  private @Nullable Response bare;
  private final String[] parts = new String[4];
  private final List<Response> found = new ArrayList<>(FORMS);
  private int nextForm;

  LooseVariants(Response whole) {
    this.whole = whole;
  }

  /** The variant of this number, or null where there are no more. */
  private synchronized @Nullable Response at(int number) {
    while (number >= found.size() && nextForm < FORMS) {
      Response variant = form(nextForm++);
      if (variant != null && !variant.isBlank() && isNew(variant.text())) {
        found.add(variant);
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

  /** In the reference's order; null for a form that is blank or equal to an earlier one. */
  private @Nullable Response form(int form) {
    return switch (form) {
      case 0 -> whole;
      case 1 -> {
        String text = whole.text();
        bare = text.indexOf('*') < 0 ? null : Response.of(text.replace("*", ""));
        yield bare;
      }
      case 2, 3, 4 -> {
        Response part = withoutEdges(whole, form - 1, null);
        parts[form - 1] = part == null ? "" : part.text();
        yield part;
      }
      default ->
          bare == null ? null : withoutEdges(bare, form - 4, parts[form - 4].replace("*", ""));
    };
  }

  /**
   * Without the first line (1), the last (2) or both (3).
   *
   * @param text what is then left, if that is not just the lines stripped
   */
  private static @Nullable Response withoutEdges(Response of, int edges, @Nullable String text) {
    String all = of.text();
    int from = (edges & 1) == 0 ? 0 : all.indexOf('\n') + 1;
    int to = (edges & 2) == 0 ? all.length() : all.lastIndexOf('\n');
    boolean hasLines = to >= 0 && (edges == 2 || from > 0);
    if (!hasLines || from >= to) {
      return null;
    }
    return of.part(text == null ? PyText.strip(all.substring(from, to)) : text, from);
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
