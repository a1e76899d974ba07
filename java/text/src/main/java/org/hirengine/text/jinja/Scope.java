package org.hirengine.text.jinja;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Names and their values. Loops, macros, calls, with and set blocks open a new scope; an if does
 * not.
 */
final class Scope {

  private final Rendering rendering;
  private final @Nullable Scope outer;
  private final Map<String, @Nullable Object> names = new HashMap<>();

  private Scope(Rendering rendering, @Nullable Scope outer) {
    this.rendering = rendering;
    this.outer = outer;
  }

  /** The outermost scope of a rendering. */
  static Scope of(Rendering rendering, Map<String, @Nullable Object> variables) {
    Scope scope = new Scope(rendering, null);
    scope.names.putAll(variables);
    return scope;
  }

  Scope inner() {
    return new Scope(rendering, this);
  }

  Rendering rendering() {
    return rendering;
  }

  Budget budget() {
    return rendering.budget();
  }

  void set(String name, @Nullable Object value) {
    names.put(name, value);
  }

  /** The value of the nearest such name, else the global of that name, else undefined. */
  @Nullable Object get(String name) {
    for (Scope scope = this; scope != null; scope = scope.outer) {
      Object value = scope.names.get(name);
      if (value != null || scope.names.containsKey(name)) {
        return value;
      }
    }
    return Globals.get(name);
  }
}
