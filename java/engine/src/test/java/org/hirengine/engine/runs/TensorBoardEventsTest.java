package org.hirengine.engine.runs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Reads the files back according to the format's description, without the writer's code. */
final class TensorBoardEventsTest {

  private static final Clock CLOCK =
      Clock.fixed(Instant.ofEpochMilli(1_700_000_000_250L), ZoneOffset.UTC);

  @TempDir Path temp;

  @Test
  void crcIsThatOfTheFormat() {
    // The check value of CRC-32C.
    assertEquals(0xE3069283, crc32c("123456789".getBytes(StandardCharsets.US_ASCII), 0, 9));
  }

  @Test
  void scalarsAndTextsComeBack() throws IOException {
    Path file;
    try (TensorBoardEvents events = new TensorBoardEvents(temp, 1, CLOCK)) {
      file = events.file();
      events.scalar("loss/ä", -0.125, 3);
      events.text("config", "| a |\n|---|\n| 𝄞 |" + "x".repeat(300), 0);
      events.scalar("big", Double.POSITIVE_INFINITY, 2_000_000_000);
    }
    List<String> read = read(file);
    assertEquals(
        List.of(
            "1.70000000025E9 0 version brain.Event:2",
            "1.70000000025E9 1 start",
            "1.70000000025E9 3 loss/ä = -0.125",
            "1.70000000025E9 0 config text(text) | a |\n|---|\n| 𝄞 |" + "x".repeat(300),
            "1.70000000025E9 2000000000 big = Infinity"),
        read);
  }

  @Test
  void aStepIsOneEventWithAllItsMetrics() throws IOException {
    Path file;
    try (TensorBoardEvents events = new TensorBoardEvents(temp, 1, CLOCK)) {
      file = events.file();
      events.step(
          new StepMetrics(4)
              .set(Metric.EVAL_ILA, 0.5)
              .set(Metric.ILA, 0.25)
              .set(Metric.KL, Double.NaN)
              .satisfied("ifeval/a:b", 1));
    }
    assertEquals(
        "1.70000000025E9 4 train/ila = 0.25, train/kl = NaN, eval/ila = 0.5,"
            + " satisfied/ifeval/a:b = 1.0",
        read(file).get(2));
  }

  @Test
  void aResumedRunBeginsALaterFileThatPurges() throws IOException {
    Path first;
    Path second;
    try (TensorBoardEvents events = new TensorBoardEvents(temp, 1, CLOCK)) {
      first = events.file();
    }
    try (TensorBoardEvents events = new TensorBoardEvents(temp, 21, CLOCK)) {
      second = events.file();
    }
    assertTrue(first.toString().compareTo(second.toString()) < 0);
    assertEquals("1.70000000025E9 21 start", read(second).get(1));
  }

  private static List<String> read(Path file) throws IOException {
    ByteBuffer records = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
    List<String> events = new ArrayList<>();
    while (records.hasRemaining()) {
      int start = records.position();
      int length = Math.toIntExact(records.getLong());
      assertEquals(mask(crc32c(records.array(), start, 8)), records.getInt(), "CRC of a length");
      assertEquals(
          mask(crc32c(records.array(), start + 12, length)),
          records.getInt(start + 12 + length),
          "CRC of a record");
      events.add(event(message(records, length)));
      records.position(start + 12 + length + 4);
    }
    return events;
  }

  private static ByteBuffer message(ByteBuffer from, int length) {
    ByteBuffer message = from.slice(from.position(), length).order(ByteOrder.LITTLE_ENDIAN);
    from.position(from.position() + length);
    return message;
  }

  /** event.proto: wall_time 1, step 2, file_version 3, summary 5, session_log 7. */
  private static String event(ByteBuffer in) {
    String text = "";
    String sep = " ";
    while (in.hasRemaining()) {
      int tag = in.get();
      switch (tag) {
        case 1 << 3 | 1 -> text += in.getDouble();
        case 2 << 3 -> text += " " + varint(in);
        case 3 << 3 | 2 -> text += " version " + string(in);
        case 5 << 3 | 2 -> {
          ByteBuffer summary = message(in, (int) varint(in));
          while (summary.hasRemaining()) {
            assertEquals(1 << 3 | 2, summary.get()); // repeated Value value = 1
            text += sep + value(message(summary, (int) varint(summary)));
            sep = ", ";
          }
        }
        case 7 << 3 | 2 -> {
          ByteBuffer session = message(in, (int) varint(in));
          assertEquals(1 << 3, session.get()); // SessionStatus status = 1
          assertEquals(1, varint(session)); // START
          text += " start";
        }
        default -> throw new AssertionError("unexpected tag " + tag);
      }
    }
    return text;
  }

  /** summary.proto: tag 1, simple_value 2, tensor 8, metadata 9. */
  private static String value(ByteBuffer in) {
    String text = "";
    while (in.hasRemaining()) {
      int tag = in.get();
      switch (tag) {
        case 1 << 3 | 2 -> text += string(in);
        case 2 << 3 | 5 -> text += " = " + in.getFloat();
        case 9 << 3 | 2 -> {
          ByteBuffer metadata = message(in, (int) varint(in));
          assertEquals(1 << 3 | 2, metadata.get()); // plugin_data
          ByteBuffer plugin = message(metadata, (int) varint(metadata));
          assertEquals(1 << 3 | 2, plugin.get()); // plugin_name
          text += " text(" + string(plugin) + ")";
        }
        case 8 << 3 | 2 -> {
          ByteBuffer tensor = message(in, (int) varint(in));
          assertEquals(1 << 3, tensor.get()); // dtype
          assertEquals(7, varint(tensor)); // DT_STRING
          assertEquals(2 << 3 | 2, tensor.get()); // tensor_shape: a scalar
          assertEquals(0, varint(tensor));
          assertEquals(8 << 3 | 2, tensor.get()); // string_val
          text += " " + string(tensor);
        }
        default -> throw new AssertionError("unexpected tag " + tag);
      }
    }
    return text;
  }

  private static String string(ByteBuffer in) {
    byte[] bytes = new byte[(int) varint(in)];
    in.get(bytes);
    return new String(bytes, StandardCharsets.UTF_8);
  }

  private static long varint(ByteBuffer in) {
    long value = 0;
    for (int shift = 0; ; shift += 7) {
      byte b = in.get();
      value |= (long) (b & 0x7F) << shift;
      if (b >= 0) {
        return value;
      }
    }
  }

  private static int mask(int crc) {
    return (crc >>> 15 | crc << 17) + 0xa282ead8;
  }

  /** CRC-32C bit by bit, with the reflected Castagnoli polynomial. */
  private static int crc32c(byte[] data, int from, int length) {
    int crc = -1;
    for (int i = from; i < from + length; i++) {
      crc ^= data[i] & 0xFF;
      for (int bit = 0; bit < 8; bit++) {
        crc = (crc & 1) == 0 ? crc >>> 1 : crc >>> 1 ^ 0x82F63B78;
      }
    }
    return ~crc;
  }
}
