package org.hirengine.text.jinja;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The variable {@code loop}. Like jinja2's, it looks ahead only when asked to. */
final class Loop implements PyCallable {

  /** Runs the same loop over other elements and returns its output. */
  interface Recursion {
    String run(@Nullable Object values, int depth);
  }

  private Iterator<@Nullable Object> elements;
  private final int depth;
  private final @Nullable Recursion recursion;
  private int length;
  private int index = -1;
  private @Nullable Object before;
  private @Nullable Object current;
  private @Nullable Object after;
  private boolean peeked;
  private @Nullable List<@Nullable Object> lastChanged;

  /**
   * A loop before its first element.
   *
   * @param length how many elements there are, or -1 if only iteration tells
   */
  Loop(Iterator<@Nullable Object> elements, int length, int depth, @Nullable Recursion recursion) {
    this.elements = elements;
    this.length = length;
    this.depth = depth;
    this.recursion = recursion;
  }

  /** Moves to the next element, if there is one. */
  boolean advance() {
    if (!peek()) {
      return false;
    }
    before = current;
    current = after;
    peeked = false;
    index++;
    return true;
  }

  @Nullable Object current() {
    return current;
  }

  boolean isEmpty() {
    return index < 0;
  }

  private boolean peek() {
    if (!peeked && elements.hasNext()) {
      after = elements.next();
      peeked = true;
    }
    return peeked;
  }

  private int length() {
    if (length < 0) {
      List<@Nullable Object> rest = new ArrayList<>();
      elements.forEachRemaining(rest::add);
      elements = rest.iterator();
      length = rest.size() + index + 1 + (peeked ? 1 : 0);
    }
    return length;
  }

  /** An attribute, or null where the loop has none of that name. */
  @Nullable Object attribute(String name) {
    return switch (name) {
      case "index" -> index + 1L;
      case "index0" -> (long) index;
      case "revindex" -> (long) length() - index;
      case "revindex0" -> length() - index - 1L;
      case "length" -> (long) length();
      case "first" -> index == 0;
      case "last" -> !peek();
      case "depth" -> depth + 1L;
      case "depth0" -> (long) depth;
      case "previtem" ->
          index == 0 ? Undefined.because("there is no previous item") : boxed(before);
      case "nextitem" -> peek() ? boxed(after) : Undefined.because("there is no next item");
      case "cycle" -> (PyCallable) (arguments, scope) -> cycle(arguments);
      case "changed" -> (PyCallable) (arguments, scope) -> changed(arguments, scope.budget());
      default -> null;
    };
  }

  /** None as an attribute's value must not read as "no such attribute". */
  private static Object boxed(@Nullable Object value) {
    return value == null ? Attributes.NONE : value;
  }

  private @Nullable Object cycle(CallArguments arguments) {
    if (arguments.positional().isEmpty()) {
      throw new RenderError("no items for cycling given");
    }
    return arguments.positional().get(index % arguments.positional().size());
  }

  private boolean changed(CallArguments arguments, Budget budget) {
    List<@Nullable Object> values = arguments.positional();
    if (lastChanged != null && Comparison.equal(lastChanged, values, budget)) {
      return false;
    }
    lastChanged = values;
    return true;
  }

  @Override
  public @Nullable Object call(CallArguments arguments, Scope scope) {
    if (recursion == null) {
      throw new RenderError("The loop must have the 'recursive' marker to be called recursively.");
    }
    return recursion.run(arguments.bind("loop", 1, "iterable").get(0), depth + 1);
  }
}
