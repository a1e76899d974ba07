package org.hirengine.engine.model;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One safetensors file: a little-endian 64-bit header length, the header in JSON, the data. Passes
 * every check of the format's reference reader (safetensors, {@code tensor.rs}) before any tensor
 * is read: an untrusted file cannot make the reader allocate without bound or read outside the
 * file.
 */
final class SafetensorsFile implements AutoCloseable {

  /** Longest header accepted, as in the reference. */
  static final long MAX_HEADER = 100_000_000;

  private static final JsonMapper JSON =
      JsonMapper.builder()
          .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  /**
   * A tensor's location.
   *
   * @param begin first byte, from the start of the file
   * @param length in bytes
   */
  record Entry(String name, TensorType type, List<Long> shape, long begin, long length) {}

  private final Path path;
  private final FileChannel channel;
  private final Map<String, String> metadata = new LinkedHashMap<>();
  private final Map<String, Entry> entries = new LinkedHashMap<>();

  private SafetensorsFile(Path path, FileChannel channel) {
    this.path = path;
    this.channel = channel;
  }

  static SafetensorsFile open(Path path) {
    try {
      FileChannel channel = FileChannel.open(path, StandardOpenOption.READ);
      try {
        SafetensorsFile file = new SafetensorsFile(path, channel);
        file.parse();
        return file;
      } catch (IOException | RuntimeException e) {
        channel.close();
        throw e;
      }
    } catch (IOException e) {
      throw new ModelException(path + ": cannot be read: " + e, e);
    }
  }

  Path path() {
    return path;
  }

  Map<String, String> metadata() {
    return metadata;
  }

  Map<String, Entry> entries() {
    return entries;
  }

  private void parse() throws IOException {
    long size = channel.size();
    if (size < 8) {
      throw bad("is " + size + " bytes long, too short for the 8-byte header length");
    }
    ByteBuffer prefix = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
    readFully(prefix, 0);
    long headerLength = prefix.getLong(0);
    if (headerLength < 0 || headerLength > MAX_HEADER) {
      throw bad(
          "header length "
              + Long.toUnsignedString(headerLength)
              + " is over the limit of "
              + MAX_HEADER
              + " bytes");
    }
    if (8 + headerLength > size) {
      throw bad("header length " + headerLength + " reaches beyond the file's " + size + " bytes");
    }
    ByteBuffer header = ByteBuffer.allocate((int) headerLength);
    readFully(header, 8);
    JsonNode root = parseJson(header.flip());
    for (Map.Entry<String, JsonNode> field : root.properties()) {
      if (field.getKey().equals("__metadata__")) {
        readMetadata(field.getValue());
      } else {
        Entry entry = readEntry(field.getKey(), field.getValue(), 8 + headerLength);
        entries.put(entry.name(), entry);
      }
    }
    checkCoverage(8 + headerLength, size);
  }

  private JsonNode parseJson(ByteBuffer header) {
    String text;
    try {
      text = StandardCharsets.UTF_8.newDecoder().decode(header).toString();
    } catch (CharacterCodingException e) {
      throw new ModelException(path + ": the header is not valid UTF-8", e);
    }
    if (!text.startsWith("{")) {
      throw bad("the header does not begin with '{'");
    }
    try {
      return JSON.readTree(text);
    } catch (JsonProcessingException e) {
      throw new ModelException(
          path + ": the header is not valid JSON: " + e.getOriginalMessage(), e);
    }
  }

  private void readMetadata(JsonNode node) {
    if (!node.isObject()) {
      throw bad("__metadata__ is not an object");
    }
    for (Map.Entry<String, JsonNode> field : node.properties()) {
      if (!field.getValue().isTextual()) {
        throw bad("__metadata__." + field.getKey() + " is not a string");
      }
      metadata.put(field.getKey(), field.getValue().textValue());
    }
  }

  private Entry readEntry(String name, JsonNode node, long dataStart) {
    JsonNode typeNode = node.path("dtype");
    JsonNode shapeNode = node.path("shape");
    JsonNode offsets = node.path("data_offsets");
    if (!typeNode.isTextual()
        || !shapeNode.isArray()
        || !offsets.isArray()
        || offsets.size() != 2) {
      throw bad("tensor " + name + " lacks dtype, shape or a pair of data_offsets");
    }
    TensorType type;
    try {
      type = TensorType.valueOf(typeNode.textValue());
    } catch (IllegalArgumentException e) {
      throw new ModelException(
          path + ": tensor " + name + " has the unknown dtype " + typeNode.textValue(), e);
    }
    List<Long> shape = new ArrayList<>();
    long bytes = type.bytes;
    try {
      for (JsonNode size : shapeNode) {
        shape.add(unsigned(size, name, "shape"));
        bytes = Math.multiplyExact(bytes, shape.get(shape.size() - 1));
      }
    } catch (ArithmeticException e) {
      throw new ModelException(path + ": tensor " + name + ": shape " + shape + " overflows", e);
    }
    long begin = unsigned(offsets.get(0), name, "data_offsets");
    long end = unsigned(offsets.get(1), name, "data_offsets");
    if (end < begin || end - begin != bytes) {
      throw bad(
          "tensor "
              + name
              + ": data_offsets ["
              + begin
              + ", "
              + end
              + "] do not fit dtype "
              + type
              + " and shape "
              + shape
              + " ("
              + bytes
              + " bytes)");
    }
    if (end > Long.MAX_VALUE - dataStart) {
      throw bad("tensor " + name + ": data_offsets overflow");
    }
    return new Entry(name, type, List.copyOf(shape), dataStart + begin, bytes);
  }

  private long unsigned(JsonNode node, String name, String field) {
    if (!node.isIntegralNumber() || !node.canConvertToLong() || node.longValue() < 0) {
      throw bad("tensor " + name + ": " + field + " holds " + node + ", not a size");
    }
    return node.longValue();
  }

  /** Tensors cover the data part without gap or overlap, up to the file's last byte. */
  private void checkCoverage(long dataStart, long size) {
    List<Entry> ordered = new ArrayList<>(entries.values());
    ordered.sort(Comparator.comparingLong(Entry::begin).thenComparingLong(Entry::length));
    long expected = dataStart;
    for (Entry entry : ordered) {
      if (entry.begin() != expected) {
        throw bad(
            "tensor "
                + entry.name()
                + " begins at data offset "
                + (entry.begin() - dataStart)
                + ", expected "
                + (expected - dataStart)
                + ": tensors must neither overlap nor leave gaps");
      }
      expected = entry.begin() + entry.length();
    }
    if (expected != size) {
      throw bad(
          "its tensors end at byte "
              + expected
              + " but the file has "
              + size
              + " bytes: it is truncated or has extra bytes at its end; fetch it again");
    }
  }

  /** Fills {@code target} with the file's bytes from {@code position} on. */
  void readFully(ByteBuffer target, long position) throws IOException {
    long at = position;
    while (target.hasRemaining()) {
      int count = channel.read(target, at);
      if (count < 0) {
        throw bad("ends at byte " + at + " while it is being read: was it replaced?");
      }
      at += count;
    }
  }

  /** The bytes of a tensor, read-only; none if it is too large for one mapping. */
  @Nullable MappedByteBuffer map(Entry entry) {
    if (entry.length() > Integer.MAX_VALUE) {
      return null;
    }
    try {
      return channel.map(FileChannel.MapMode.READ_ONLY, entry.begin(), entry.length());
    } catch (IOException e) {
      throw new ModelException(path + ": cannot be mapped into memory: " + e, e);
    }
  }

  private ModelException bad(String what) {
    return new ModelException(path + ": not a valid safetensors file: " + what);
  }

  @Override
  public void close() {
    try {
      channel.close();
    } catch (IOException e) {
      throw new ModelException(path + ": cannot be closed: " + e, e);
    }
  }
}
