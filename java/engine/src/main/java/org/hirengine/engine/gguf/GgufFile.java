package org.hirengine.engine.gguf;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.hirengine.replay.DataException;
import org.jspecify.annotations.Nullable;

/**
 * One GGUF file of version 1, 2 or 3 in little-endian order: metadata, the table of tensors, and
 * their data. Makes every check of the reference reader (llama.cpp, {@code gguf.cpp}) before any
 * tensor is read: an untrusted file cannot make the reader allocate more than the file's size or
 * read outside it.
 */
final class GgufFile implements AutoCloseable {

  static final int MAGIC = 0x46554747; // "GGUF"
  static final int DEFAULT_ALIGNMENT = 32;
  static final int MAX_NAME = 63;
  static final String ALIGNMENT = "general.alignment";

  private static final int MAX_DIMENSIONS = 4;

  /** Bytes of the shortest key and value, and of the shortest entry of the tensor table. */
  private static final int MIN_KEY = 4 + 1 + 4 + 1;

  private static final int MIN_TENSOR = 4 + 1 + 4 + 4 + 4 + 8;

  /**
   * A tensor of the table.
   *
   * @param shape rows first, as in Hugging Face; the last number is the length of a row
   * @param begin first byte, from the start of the file
   */
  record Entry(String name, GgmlType type, List<Long> shape, long begin, GgufFile file) {

    long rowLength() {
      return shape.get(shape.size() - 1);
    }

    long elements() {
      return shape.stream().reduce(1L, (a, b) -> a * b);
    }

    long bytes() {
      return elements() / type.elements * type.bytes;
    }
  }

  private final Path path;
  private final FileChannel channel;
  private final Cursor cursor;
  private final Map<String, Value> metadata = new LinkedHashMap<>();
  private final Map<String, Entry> tensors = new LinkedHashMap<>();
  private int version;

  private GgufFile(Path path, FileChannel channel) throws IOException {
    this.path = path;
    this.channel = channel;
    this.cursor = new Cursor(path, channel);
  }

  /**
   * Opens a file and reads its metadata and table of tensors.
   *
   * @throws DataException naming the file, the key or tensor, and what is wrong with it
   */
  static GgufFile open(Path path) {
    try {
      FileChannel channel = FileChannel.open(path, StandardOpenOption.READ);
      try {
        GgufFile file = new GgufFile(path, channel);
        file.parse();
        return file;
      } catch (IOException | RuntimeException e) {
        channel.close();
        throw e;
      }
    } catch (IOException e) {
      throw Cursor.bad(path, null, "cannot be read: " + e);
    }
  }

  Path path() {
    return path;
  }

  Map<String, Value> metadata() {
    return Collections.unmodifiableMap(metadata);
  }

  Map<String, Entry> tensors() {
    return Collections.unmodifiableMap(tensors);
  }

  private void parse() throws IOException {
    if (cursor.left() < 8 || cursor.u32() != MAGIC) {
      throw cursor.bad("does not begin with the letters GGUF");
    }
    version = cursor.u32();
    if (version != 0 && (version & 0xFFFF) == 0) {
      throw Cursor.bad(
          path,
          null,
          "is a big-endian GGUF file, which is not supported; convert the model again without"
              + " --bigendian");
    }
    if (version < 1 || version > 3) {
      throw cursor.bad("version " + Integer.toUnsignedString(version) + " is not known (1 to 3)");
    }
    cursor.at("the tensor count");
    long tensorCount = cursor.count(version);
    cursor.check(tensorCount, MIN_TENSOR, "tensors");
    cursor.at("the metadata count");
    long keyCount = cursor.count(version);
    cursor.check(keyCount, MIN_KEY, "metadata keys");
    for (long i = 0; i < keyCount; i++) {
      readKey(i);
    }
    long alignment = alignment();
    List<Entry> entries = new ArrayList<>();
    for (long i = 0; i < tensorCount; i++) {
      entries.add(readEntry(i));
    }
    place(entries, alignment);
  }

  private void readKey(long index) throws IOException {
    cursor.at("metadata key " + index);
    String key = cursor.text(version);
    if (key.isEmpty()) {
      throw cursor.bad("metadata key " + index + " is empty");
    }
    cursor.at(quoted("metadata key ", key));
    if (metadata.containsKey(key)) {
      throw cursor.bad(quoted("metadata key ", key) + " occurs twice");
    }
    Value.Type type = type(key);
    metadata.put(key, type == Value.Type.ARRAY ? array(key) : new Value(type, scalar(type, key)));
  }

  private Value.Type type(String key) throws IOException {
    int number = cursor.u32();
    Value.Type[] types = Value.Type.values();
    if (number < 0 || number >= types.length) {
      throw cursor.bad(
          quoted("metadata key ", key)
              + " has the unknown type "
              + Integer.toUnsignedString(number)
              + " (0 to "
              + (types.length - 1)
              + ")");
    }
    return types[number];
  }

  private Object scalar(Value.Type type, String key) throws IOException {
    return switch (type) {
      case UINT8 -> (long) (cursor.u8() & 0xFF);
      case INT8 -> (long) cursor.u8();
      case UINT16 -> (long) (cursor.u16() & 0xFFFF);
      case INT16 -> (long) cursor.u16();
      case UINT32 -> Integer.toUnsignedLong(cursor.u32());
      case INT32 -> (long) cursor.u32();
      case UINT64, INT64 -> cursor.u64();
      // The shortest decimal of the float, such as 1e-5, not its exact expansion.
      case FLOAT32 -> Double.parseDouble(Float.toString(Float.intBitsToFloat(cursor.u32())));
      case FLOAT64 -> Double.longBitsToDouble(cursor.u64());
      case BOOL -> {
        byte value = cursor.u8();
        if (value != 0 && value != 1) {
          throw cursor.bad(
              quoted("metadata key ", key) + " is the bool " + (value & 0xFF) + ", not 0 or 1");
        }
        yield value == 1;
      }
      case STRING -> cursor.text(version);
      case ARRAY -> throw cursor.bad(quoted("metadata key ", key) + " is an array of arrays");
    };
  }

  /** Skips an array, and checks that it lies within the file. */
  private Value array(String key) throws IOException {
    Value.Type type = type(key);
    if (type == Value.Type.ARRAY) {
      throw cursor.bad(quoted("metadata key ", key) + " is an array of arrays");
    }
    long count = cursor.count(version);
    int bytes = type == Value.Type.STRING && version == 1 ? 4 : type.bytes;
    cursor.check(count, bytes, "elements of type " + type);
    Value array = new Value(type, new Value.Span(cursor.position(), count));
    if (type == Value.Type.STRING) {
      for (long i = 0; i < count; i++) {
        cursor.skipText(version);
      }
    } else {
      cursor.skip(count * type.bytes);
    }
    return array;
  }

  /** The elements of an array of this file. */
  List<Object> elements(String key, Value array) {
    Value.Span span = (Value.Span) array.scalar();
    cursor.moveTo(span.position());
    cursor.at(quoted("metadata key ", key));
    List<Object> elements = new ArrayList<>();
    try {
      for (long i = 0; i < span.count(); i++) {
        elements.add(scalar(array.type(), key));
      }
    } catch (IOException e) {
      throw Cursor.bad(path, key, "cannot be read: " + e);
    }
    return elements;
  }

  private long alignment() {
    Value value = metadata.get(ALIGNMENT);
    if (value == null) {
      return DEFAULT_ALIGNMENT;
    }
    long alignment =
        value.type() == Value.Type.UINT32 && value.scalar() instanceof Long number ? number : 0;
    if (Long.bitCount(alignment) != 1) {
      throw cursor.bad(
          quoted("metadata key ", ALIGNMENT)
              + " is "
              + value.describe()
              + ", not a power of two of type UINT32");
    }
    return alignment;
  }

  /** An entry of the tensor table; its begin is still relative to the data. */
  private Entry readEntry(long index) throws IOException {
    cursor.at("tensor " + index);
    String name = cursor.text(version);
    int length = name.getBytes(StandardCharsets.UTF_8).length;
    if (length < 1 || length > MAX_NAME) {
      throw cursor.bad(
          "the name of tensor " + index + " has " + length + " bytes (1 to " + MAX_NAME + ")");
    }
    String tensor = quoted("tensor ", name);
    cursor.at(tensor);
    int dimensions = cursor.u32();
    if (dimensions < 1 || dimensions > MAX_DIMENSIONS) {
      throw cursor.bad(
          tensor
              + " has "
              + Integer.toUnsignedString(dimensions)
              + " dimensions (1 to "
              + MAX_DIMENSIONS
              + ")");
    }
    List<Long> shape = new ArrayList<>();
    for (int i = 0; i < dimensions; i++) {
      long size = cursor.count(version);
      if (size < 1) {
        throw cursor.bad(
            tensor + ": dimension " + i + " is " + Long.toUnsignedString(size) + ", out of range");
      }
      shape.add(0, size);
    }
    long typeNumber = Integer.toUnsignedLong(cursor.u32());
    GgmlType type = GgmlType.of(typeNumber);
    if (type == null) {
      throw Cursor.bad(
          path,
          null,
          tensor
              + " is of type "
              + GgmlType.describe(typeNumber)
              + ", which is not supported; supported are "
              + List.of(GgmlType.values()));
    }
    long offset = cursor.u64();
    Entry entry = new Entry(name, type, List.copyOf(shape), offset, this);
    if (entry.rowLength() % type.elements != 0) {
      throw cursor.bad(
          tensor
              + ": a row of "
              + entry.rowLength()
              + " is no multiple of the "
              + type.elements
              + " values in a block of "
              + type);
    }
    try {
      long elements = 1;
      for (long size : shape) {
        elements = Math.multiplyExact(elements, size);
      }
      // Types have at most 4 bytes per element.
      Math.multiplyExact(elements, 4);
    } catch (ArithmeticException e) {
      throw cursor.bad(tensor + ": shape " + shape + " overflows");
    }
    return entry;
  }

  /**
   * Tensors follow each other without overlap, and without gaps except padding, up to the end of
   * the file.
   */
  private void place(List<Entry> entries, long alignment) throws IOException {
    long size = channel.size();
    long dataStart = aligned(cursor.position(), alignment);
    long expected = 0;
    long end = dataStart;
    for (Entry entry : entries) {
      String tensor = quoted("tensor ", entry.name);
      if (entry.begin != expected) {
        throw cursor.bad(
            tensor
                + " has the offset "
                + Long.toUnsignedString(entry.begin)
                + ", expected "
                + expected
                + ": tensors must neither overlap nor leave gaps");
      }
      if (entry.bytes() > size - dataStart - expected) {
        throw cursor.bad(
            tensor
                + " ends at byte "
                + Long.toUnsignedString(dataStart + expected + entry.bytes())
                + ", but the file has "
                + size
                + " bytes: it is truncated");
      }
      Entry placed =
          new Entry(entry.name, entry.type, entry.shape, dataStart + expected, entry.file);
      if (tensors.put(entry.name, placed) != null) {
        throw cursor.bad(tensor + " occurs twice");
      }
      end = dataStart + expected + entry.bytes();
      expected = aligned(expected + entry.bytes(), alignment);
    }
    if (size > Math.max(dataStart + expected, end)) {
      throw cursor.bad(
          "its tensors end at byte "
              + end
              + " but the file has "
              + size
              + " bytes: it has extra bytes at its end");
    }
  }

  static long aligned(long position, long alignment) {
    return position + Math.floorMod(-position, alignment);
  }

  private static String quoted(String kind, String name) {
    return kind + "'" + (name.length() > 100 ? name.substring(0, 100) + "..." : name) + "'";
  }

  /**
   * Decodes values of a tensor.
   *
   * @param first of the tensor's elements, row by row; the first of a block
   * @param count a multiple of the type's block, at most 2^28 or so
   * @param target receives them from index 0
   */
  void read(Entry tensor, long first, int count, float[] target) {
    GgmlType type = tensor.type;
    ByteBuffer bytes =
        ByteBuffer.allocate(Math.multiplyExact(count / type.elements, type.bytes))
            .order(ByteOrder.LITTLE_ENDIAN);
    long at = tensor.begin + first / type.elements * type.bytes;
    try {
      while (bytes.hasRemaining()) {
        int read = channel.read(bytes, at);
        if (read < 0) {
          throw cursor.bad("ends at byte " + at + " while it is being read: was it replaced?");
        }
        at += read;
      }
    } catch (IOException e) {
      throw Cursor.bad(path, tensor.name, "cannot be read: " + e);
    }
    Blocks.decode(type, bytes, 0, target, count);
  }

  /** The bytes of a tensor, read-only; none if there are too many for one mapping. */
  @Nullable MappedByteBuffer map(Entry tensor) {
    if (tensor.bytes() > Integer.MAX_VALUE) {
      return null;
    }
    try {
      return channel.map(FileChannel.MapMode.READ_ONLY, tensor.begin(), tensor.bytes());
    } catch (IOException e) {
      throw Cursor.bad(path, null, "cannot be mapped into memory: " + e);
    }
  }

  @Override
  public void close() {
    try {
      channel.close();
    } catch (IOException e) {
      throw Cursor.bad(path, null, "cannot be closed: " + e);
    }
  }
}
