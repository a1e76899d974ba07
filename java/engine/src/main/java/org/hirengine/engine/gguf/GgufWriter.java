package org.hirengine.engine.gguf;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Writes a GGUF file of version 3, little-endian: metadata and tensors in the order given. */
public final class GgufWriter {

  /** Values encoded at a time. */
  private static final int CHUNK = 1 << 20;

  /** The rows of a tensor, read only when they are written. */
  public interface Rows {

    /**
     * Rows as float32, concatenated; for a vector, its elements.
     *
     * @param first a multiple of the tensor's step
     */
    float[] read(long first, int rows) throws IOException;
  }

  private record Tensor(String name, GgmlType type, List<Long> shape, int step, Rows rows) {

    long width() {
      return shape.size() == 1 ? 1 : shape.get(shape.size() - 1);
    }

    long count() {
      return shape.stream().reduce(1L, Math::multiplyExact) / width();
    }

    long bytes() {
      return count() * width() / type.elements * type.bytes;
    }
  }

  private final Set<String> keys = new HashSet<>();
  private final ByteArrayOutputStream metadata = new ByteArrayOutputStream();
  private final List<Tensor> tensors = new ArrayList<>();

  /** Adds a text. */
  public void put(String key, String value) {
    key(key, Value.Type.STRING);
    text(metadata, value);
  }

  /** Adds a size, as UINT32. */
  public void put(String key, long value) {
    if (value < 0 || value > 0xFFFFFFFFL) {
      throw new IllegalArgumentException(key + " is " + value + ", out of range for 32 bits");
    }
    key(key, Value.Type.UINT32);
    number(metadata, 4, value);
  }

  /** Adds a number, as FLOAT32. */
  public void put(String key, double value) {
    key(key, Value.Type.FLOAT32);
    number(metadata, 4, Float.floatToRawIntBits((float) value));
  }

  /** Adds a switch. */
  public void put(String key, boolean value) {
    key(key, Value.Type.BOOL);
    number(metadata, 1, value ? 1 : 0);
  }

  /** Adds an array of texts. */
  public void putTexts(String key, List<String> values) {
    array(key, Value.Type.STRING, values.size());
    values.forEach(value -> text(metadata, value));
  }

  /** Adds an array of numbers, as INT32. */
  public void putInts(String key, List<Integer> values) {
    array(key, Value.Type.INT32, values.size());
    values.forEach(value -> number(metadata, 4, value));
  }

  /** Adds an array of numbers, as FLOAT32. */
  public void putFloats(String key, List<Float> values) {
    array(key, Value.Type.FLOAT32, values.size());
    values.forEach(value -> number(metadata, 4, Float.floatToRawIntBits(value)));
  }

  private void key(String key, Value.Type type) {
    if (!keys.add(key)) {
      throw new IllegalArgumentException("the key " + key + " is written twice");
    }
    text(metadata, key);
    number(metadata, 4, type.ordinal());
  }

  private void array(String key, Value.Type type, int count) {
    key(key, Value.Type.ARRAY);
    number(metadata, 4, type.ordinal());
    number(metadata, 8, count);
  }

  private static void text(ByteArrayOutputStream target, String value) {
    byte[] bytes = value.getBytes(StandardCharsets.UTF_8);
    number(target, 8, bytes.length);
    target.writeBytes(bytes);
  }

  private static void number(ByteArrayOutputStream target, int bytes, long value) {
    for (int i = 0; i < bytes; i++) {
      target.write((int) (value >>> (8 * i)));
    }
  }

  /**
   * Adds a tensor.
   *
   * @param shape rows first
   * @param step how many rows must be read together; 1 if rows are independent
   */
  public void tensor(String name, GgmlType type, List<Long> shape, int step, Rows rows) {
    if (name.getBytes(StandardCharsets.UTF_8).length > GgufFile.MAX_NAME) {
      throw new IllegalArgumentException("the tensor name " + name + " is too long for GGUF");
    }
    if (shape.get(shape.size() - 1) % type.elements != 0) {
      throw new IllegalArgumentException(
          name + ": rows of " + shape + " are not whole blocks of " + type);
    }
    tensors.add(new Tensor(name, type, List.copyOf(shape), step, rows));
  }

  /**
   * Writes the file: first under a temporary name, then synced and renamed, so readers see the old
   * file or the new one.
   */
  public void write(Path path) throws IOException {
    Path aside = path.resolveSibling(path.getFileName() + ".tmp");
    try {
      try (FileChannel out =
          FileChannel.open(
              aside,
              StandardOpenOption.CREATE,
              StandardOpenOption.WRITE,
              StandardOpenOption.TRUNCATE_EXISTING)) {
        writeFully(out, ByteBuffer.wrap(header()));
        for (Tensor tensor : tensors) {
          pad(out);
          writeTensor(out, tensor);
        }
        pad(out);
        out.force(true);
      }
      Files.move(aside, path, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException | UncheckedIOException | IllegalArgumentException e) {
      Files.deleteIfExists(aside);
      throw e;
    }
  }

  private byte[] header() {
    ByteArrayOutputStream header = new ByteArrayOutputStream();
    number(header, 4, GgufFile.MAGIC);
    number(header, 4, 3);
    number(header, 8, tensors.size());
    number(header, 8, keys.size());
    header.writeBytes(metadata.toByteArray());
    long offset = 0;
    for (Tensor tensor : tensors) {
      text(header, tensor.name);
      number(header, 4, tensor.shape.size());
      for (int i = tensor.shape.size() - 1; i >= 0; i--) {
        number(header, 8, tensor.shape.get(i));
      }
      number(header, 4, tensor.type.id);
      number(header, 8, offset);
      offset = GgufFile.aligned(offset + tensor.bytes(), GgufFile.DEFAULT_ALIGNMENT);
    }
    return header.toByteArray();
  }

  private static void pad(FileChannel out) throws IOException {
    long missing = GgufFile.aligned(out.position(), GgufFile.DEFAULT_ALIGNMENT) - out.position();
    writeFully(out, ByteBuffer.allocate((int) missing));
  }

  private static void writeTensor(FileChannel out, Tensor tensor) throws IOException {
    // Whole blocks, whole rows, and whole heads; a vector has rows of one element.
    long unit = Math.max(tensor.step, tensor.shape.size() == 1 ? tensor.type.elements : 1);
    long step = Math.max(1, CHUNK / (tensor.width() * unit)) * unit;
    for (long row = 0; row < tensor.count(); row += step) {
      float[] values = tensor.rows.read(row, (int) Math.min(step, tensor.count() - row));
      ByteBuffer bytes =
          ByteBuffer.allocate(values.length / tensor.type.elements * tensor.type.bytes)
              .order(ByteOrder.LITTLE_ENDIAN);
      try {
        Blocks.encode(tensor.type, values, bytes);
      } catch (IllegalArgumentException e) {
        throw new IllegalArgumentException("tensor " + tensor.name + ": " + e.getMessage(), e);
      }
      writeFully(out, bytes.flip());
    }
  }

  private static void writeFully(FileChannel out, ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      out.write(bytes);
    }
  }
}
