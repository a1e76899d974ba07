package org.hirengine.replay;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.json.JsonWriteFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectWriter;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * Reads JSON Lines strictly, one object per line: valid UTF-8, no duplicate fields, nothing after
 * the object. Blank lines are skipped; a byte order mark at the start is allowed.
 */
public final class JsonLines {

  /** The mapper that lines are read and written with. */
  public static final ObjectMapper MAPPER =
      JsonMapper.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  private static final ObjectWriter ASCII_WRITER =
      MAPPER.writer().with(JsonWriteFeature.ESCAPE_NON_ASCII);

  private final String name;
  private final InputStream in;
  private final byte[] buffer = new byte[1 << 16];
  private int at;
  private int end;
  private long count;

  /**
   * Reads from {@code in}, which the caller closes.
   *
   * @param name the file as the user named it, for errors
   */
  public JsonLines(InputStream in, String name) {
    this.in = in;
    this.name = name;
  }

  /** One line of the file, still unread. */
  public static final class Line {

    private final long number;
    private final byte[] bytes;

    private Line(long number, byte[] bytes) {
      this.number = number;
      this.bytes = bytes;
    }

    /** Its number from 1. */
    public long number() {
      return number;
    }

    private boolean isBlank() {
      return (bytes.length == 0 || bytes[0] != '{') && text().isBlank();
    }

    private boolean beginsArray() {
      return number == 1 && text().stripLeading().startsWith("[");
    }

    /** Its text, with U+FFFD where it is not UTF-8. */
    public String text() {
      return new String(bytes, StandardCharsets.UTF_8);
    }
  }

  /** The next line that is not blank, or null at the end. */
  public @Nullable Line next() throws IOException {
    Line line;
    do {
      byte[] bytes = nextBytes();
      if (bytes == null) {
        return null;
      }
      line = new Line(count, bytes);
    } while (line.isBlank());
    return line;
  }

  /**
   * The line as an object.
   *
   * @throws DataException when it is not one JSON object in UTF-8
   */
  public ObjectNode parse(Line line) {
    JsonNode node;
    try {
      node = MAPPER.readTree(decode(line));
    } catch (JsonProcessingException e) {
      String where = e.getLocation() == null ? "" : " at column " + e.getLocation().getColumnNr();
      throw line.beginsArray()
          ? array(line)
          : fault(
              line,
              "is not valid JSON" + where + ": " + JsonFault.describe(e),
              "write one JSON object per line");
    }
    if (node instanceof ObjectNode object) {
      return object;
    }
    throw line.beginsArray()
        ? array(line)
        : fault(
            line,
            "is not a JSON object",
            "write one JSON object per line, such as {\"question\": \"...\"}");
  }

  /**
   * {@code row} as one line of JSON without its line break. Half surrogate pairs, which UTF-8
   * cannot hold, are kept as escapes.
   */
  public static String write(JsonNode row) {
    try {
      String text = MAPPER.writeValueAsString(row);
      return StandardCharsets.UTF_8.newEncoder().canEncode(text)
          ? text
          : ASCII_WRITER.writeValueAsString(row);
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException("cannot be written as JSON: " + e.getOriginalMessage(), e);
    }
  }

  private byte @Nullable [] nextBytes() throws IOException {
    if (!fill()) {
      return null;
    }
    count++;
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    do {
      int from = at;
      while (at < end && buffer[at] != '\n') {
        at++;
      }
      bytes.write(buffer, from, at - from);
    } while (at == end && fill());
    at++; // after the line break
    return bytes.toByteArray();
  }

  /** Whether there are bytes left to read; then the buffer holds some of them. */
  private boolean fill() throws IOException {
    if (at >= end) {
      at = 0;
      end = Math.max(0, in.read(buffer));
    }
    return at < end;
  }

  private String decode(Line line) {
    try {
      String text =
          StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(line.bytes)).toString();
      return line.number == 1 && text.startsWith("\uFEFF") ? text.substring(1) : text;
    } catch (CharacterCodingException e) {
      String other = line.number == 1 ? otherFormat(line.bytes) : null;
      throw other == null
          ? fault(line, "is not valid UTF-8", "save the file with UTF-8 encoding")
          : new DataException(
              name,
              0,
              null,
              "is " + other + ", not JSON Lines",
              "give one JSON object per line, as text in UTF-8");
    }
  }

  /** The kind of file that begins like this, if known. */
  private static @Nullable String otherFormat(byte[] start) {
    return startsWith(start, 'P', 'A', 'R', '1')
        ? "a Parquet table"
        : startsWith(start, 0x1F, 0x8B)
            ? "packed by gzip"
            : startsWith(start, 0x28, 0xB5, 0x2F, 0xFD)
                ? "packed by zstd"
                : startsWith(start, 'P', 'K', 3, 4)
                    ? "a zip archive"
                    : startsWith(start, 0xFF, 0xFE) || startsWith(start, 0xFE, 0xFF)
                        ? "text in UTF-16"
                        : null;
  }

  private static boolean startsWith(byte[] bytes, int... start) {
    for (int i = 0; i < start.length; i++) {
      if (i >= bytes.length || (bytes[i] & 0xFF) != start[i]) {
        return false;
      }
    }
    return true;
  }

  private DataException array(Line line) {
    return fault(
        line,
        "begins a JSON array, where JSON Lines are read",
        "write one JSON object per line; jq -c '.[]' makes them of an array");
  }

  private DataException fault(Line line, String problem, String remedy) {
    return new DataException(name, line.number, null, problem, remedy);
  }
}
