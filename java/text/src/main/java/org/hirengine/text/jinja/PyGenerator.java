package org.hirengine.text.jinja;

import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The result of {@code map}, {@code select} and the like: elements that can be read once and are
 * made as they are read. It has no length and is always true.
 */
final class PyGenerator {

  private final Supplier<Iterator<@Nullable Object>> source;
  private @Nullable Iterator<@Nullable Object> items;

  private PyGenerator(Supplier<Iterator<@Nullable Object>> source) {
    this.source = source;
  }

  /** Elements from an iterator that is created when the first is read. */
  static PyGenerator of(Supplier<Iterator<@Nullable Object>> source) {
    return new PyGenerator(source);
  }

  /** What is left of the elements. */
  Iterator<@Nullable Object> items() {
    if (items == null) {
      items = source.get();
    }
    return items;
  }

  /** Each element changed. */
  static Iterator<@Nullable Object> mapped(
      Iterator<@Nullable Object> items, Function<@Nullable Object, @Nullable Object> function) {
    return new Iterator<>() {
      @Override
      public boolean hasNext() {
        return items.hasNext();
      }

      @Override
      public @Nullable Object next() {
        return function.apply(items.next());
      }
    };
  }

  /** The elements that pass, tested lazily. */
  static Iterator<@Nullable Object> filtered(
      Iterator<@Nullable Object> items, Predicate<@Nullable Object> test) {
    return new Iterator<>() {
      private @Nullable Object next;
      private boolean ready;

      @Override
      public boolean hasNext() {
        while (!ready && items.hasNext()) {
          next = items.next();
          ready = test.test(next);
        }
        return ready;
      }

      @Override
      public @Nullable Object next() {
        if (!hasNext()) {
          throw new NoSuchElementException();
        }
        ready = false;
        return next;
      }
    };
  }
}
