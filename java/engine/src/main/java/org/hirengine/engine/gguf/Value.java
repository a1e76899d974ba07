package org.hirengine.engine.gguf;

/**
 * A value of a GGUF file's metadata. An array stays in the file until it is needed.
 *
 * @param type type of the value, or of an array's elements
 * @param scalar a {@link Long} (unsigned 64-bit values keep their bits), {@link Double}, {@link
 *     Boolean} or {@link String}; for an array its {@link Span}
 */
record Value(Type type, Object scalar) {

  /** Where an array's elements lie in the file. */
  record Span(long position, long count) {}

  boolean isArray() {
    return scalar instanceof Span;
  }

  /** A description for errors. */
  String describe() {
    if (scalar instanceof Span span) {
      return "an array of " + span.count + " " + type;
    }
    return scalar instanceof String text ? "'" + text + "'" : scalar + " (" + type + ")";
  }

  /** Types of metadata, in the order of their numbers, with the minimum bytes of a value. */
  enum Type {
    UINT8(1),
    INT8(1),
    UINT16(2),
    INT16(2),
    UINT32(4),
    INT32(4),
    FLOAT32(4),
    BOOL(1),
    STRING(8),
    ARRAY(12),
    UINT64(8),
    INT64(8),
    FLOAT64(8);

    final int bytes;

    Type(int bytes) {
      this.bytes = bytes;
    }
  }
}
