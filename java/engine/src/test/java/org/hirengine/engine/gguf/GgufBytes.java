package org.hirengine.engine.gguf;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** A GGUF file written number by number, so that any number can be wrong. */
final class GgufBytes {

  static final int STRING = 8;
  static final int UINT32 = 4;
  static final int ARRAY = 9;

  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

  /** Magic, version 3, and the counts. */
  static GgufBytes header(long tensors, long keys) {
    return new GgufBytes().u32(0x46554747).u32(3).u64(tensors).u64(keys);
  }

  GgufBytes u8(int value) {
    bytes.write(value);
    return this;
  }

  GgufBytes u32(long value) {
    return number(4, value);
  }

  GgufBytes u64(long value) {
    return number(8, value);
  }

  private GgufBytes number(int count, long value) {
    for (int i = 0; i < count; i++) {
      bytes.write((int) (value >>> (8 * i)));
    }
    return this;
  }

  GgufBytes text(String text) {
    byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
    return u64(utf8.length).raw(utf8);
  }

  GgufBytes raw(byte... values) {
    bytes.writeBytes(values);
    return this;
  }

  /** A tensor's entry, with dimensions in the file's order: row length first. */
  GgufBytes tensor(String name, int type, long offset, long... dimensions) {
    text(name).u32(dimensions.length);
    for (long dimension : dimensions) {
      u64(dimension);
    }
    return u32(type).u64(offset);
  }

  GgufBytes pad(int alignment) {
    while (bytes.size() % alignment != 0) {
      u8(0);
    }
    return this;
  }

  GgufBytes zeros(int count) {
    return raw(new byte[count]);
  }

  Path write(Path path) throws IOException {
    return Files.write(path, bytes.toByteArray());
  }
}
