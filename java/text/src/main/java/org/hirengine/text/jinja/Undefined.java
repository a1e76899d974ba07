package org.hirengine.text.jinja;

import org.jspecify.annotations.Nullable;

/**
 * The value of a name, attribute or item that does not exist. It prints as nothing, is false and
 * empty, equals any other undefined value, and fails in every other use.
 *
 * @param message what is missing, for that failure
 */
record Undefined(String message) {

  static Undefined name(String name) {
    return new Undefined("'" + name + "' is undefined");
  }

  static Undefined attribute(@Nullable Object object, @Nullable Object key) {
    String owner = object == null ? "None" : Values.qualifiedTypeName(object) + " object";
    return new Undefined(
        key instanceof String
            ? "'" + owner + "' has no attribute '" + key + "'"
            : owner + " has no element " + PyString.repr(key, new Budget()));
  }

  /** An attribute that would change its object or reach into Python. */
  static Undefined unsafe(@Nullable Object object, String name) {
    return new Undefined(
        "access to attribute '"
            + name
            + "' of '"
            + Values.typeName(object)
            + "' object is unsafe.");
  }

  static Undefined because(String message) {
    return new Undefined(message);
  }

  RenderError fault() {
    return new RenderError(message);
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof Undefined;
  }

  @Override
  public int hashCode() {
    return Undefined.class.hashCode();
  }
}
