package org.hirengine.engine.gguf;

import static org.hirengine.engine.gguf.GgufBytes.ARRAY;
import static org.hirengine.engine.gguf.GgufBytes.STRING;
import static org.hirengine.engine.gguf.GgufBytes.UINT32;
import static org.hirengine.engine.gguf.GgufBytes.header;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.hirengine.replay.DataException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The container: reading, and refusals. */
class GgufFileTest {

  private static final int F32 = 0;
  private static final int Q4_K = 12;
  private static final long NONE = 0;

  @TempDir Path folder;

  /** Files that lie about a size, and what the error must say. */
  private static Map<String, GgufBytes> attacks() {
    Map<String, GgufBytes> files = new LinkedHashMap<>();
    long huge = 1L << 63;
    files.put("does not begin with", new GgufBytes().text("no such thing"));
    files.put("version 4", new GgufBytes().u32(0x46554747).u32(4).zeros(40));
    files.put("version 0", new GgufBytes().u32(0x46554747).u32(0).zeros(40));
    files.put("big-endian", new GgufBytes().u32(0x46554747).u32(0x03000000).zeros(40));
    files.put("the tensor count: ends", new GgufBytes().u32(0x46554747).u32(3).u32(1));
    files.put("4611686018427387904 metadata keys", header(0, 1L << 62).zeros(100));
    files.put("18446744073709551615 metadata keys", header(0, -1).zeros(100));
    files.put("4611686018427387904 tensors", header(1L << 62, 0).zeros(100));
    files.put("18446744073709551615 tensors", header(-1, 0).zeros(100));
    files.put("9223372036854775808 bytes of text", header(0, 1).u64(huge).zeros(120));
    files.put("2147483648 bytes of text", header(0, 1).u64(1L << 31).zeros(120));
    files.put(
        "metadata key 'k': 1073741824 bytes of text",
        header(0, 1).text("k").u32(STRING).u64(1 << 30).zeros(120));
    files.put(
        "2305843009213693952 elements of type UINT32",
        header(0, 1).text("k").u32(ARRAY).u32(UINT32).u64(1L << 61).zeros(120));
    files.put(
        "18446744073709551615 elements of type STRING",
        header(0, 1).text("k").u32(ARRAY).u32(STRING).u64(-1).zeros(120));
    files.put(
        "'strings': 9223372036854775807 bytes of text",
        header(0, 1)
            .text("strings")
            .u32(ARRAY)
            .u32(STRING)
            .u64(2)
            .text("a")
            .u64(huge - 1)
            .zeros(9));
    files.put("array of arrays", header(0, 1).text("k").u32(ARRAY).u32(ARRAY).u64(1).zeros(40));
    files.put("unknown type 13", header(0, 1).text("k").u32(13).zeros(40));
    files.put("unknown type 4294967295", header(0, 1).text("k").u32(-1).zeros(40));
    files.put("is the bool 2", header(0, 1).text("k").u32(7).u8(2).zeros(40));
    files.put("key 0 is empty", header(0, 1).text("").u32(UINT32).u32(1).zeros(40));
    files.put(
        "'k' occurs twice",
        header(0, 2).text("k").u32(UINT32).u32(1).text("k").u32(UINT32).u32(1).zeros(40));
    files.put("not UTF-8", header(0, 1).u64(1).u8(0xFF).u32(UINT32).u32(1).zeros(40));
    for (long alignment : new long[] {0, 24, 3}) {
      files.put(
          "is " + alignment + " (UINT32), not a power of two",
          header(0, 1).text("general.alignment").u32(UINT32).u32(alignment).zeros(40));
    }
    files.put(
        "(UINT64), not a power of two of type UINT32",
        header(0, 1).text("general.alignment").u32(10).u64(32).zeros(40));
    files.put(
        "name of tensor 0 has 64 bytes", header(1, 0).tensor("n".repeat(64), F32, 0, 1).zeros(40));
    files.put("name of tensor 0 has 0 bytes", header(1, 0).tensor("", F32, 0, 1).zeros(40));
    files.put("has 5 dimensions", header(1, 0).tensor("t", F32, 0, 1, 1, 1, 1, 1).zeros(40));
    files.put("has 0 dimensions", header(1, 0).tensor("t", F32, 0).zeros(40));
    files.put("has 2147483648 dimensions", header(1, 0).text("t").u32(1L << 31).u64(1).zeros(60));
    files.put("dimension 0 is 0", header(1, 0).tensor("t", F32, 0, 0).zeros(40));
    files.put(
        "dimension 0 is 9223372036854775808", header(1, 0).tensor("t", F32, 0, huge).zeros(60));
    files.put(
        "dimension 0 is 18446744073709551615", header(1, 0).tensor("t", F32, 0, -1, 2).zeros(60));
    files.put(
        "'wraps': shape [4611686018427387904, 4] overflows",
        header(1, 0).tensor("wraps", F32, 0, 4, 1L << 62).zeros(60));
    files.put("'t4' is of type 4,", header(1, 0).tensor("t4", 4, 0, 32).zeros(60));
    files.put("'t31' is of type 31,", header(1, 0).tensor("t31", 31, 0, 32).zeros(60));
    files.put("'t99' is of type 99,", header(1, 0).tensor("t99", 99, 0, 32).zeros(60));
    files.put("is of type 16 (IQ2_XXS)", header(1, 0).tensor("t", 16, 0, 256).zeros(60));
    files.put(
        "a row of 128 is no multiple of the 256 values in a block of Q4_K",
        header(1, 0).tensor("t", Q4_K, 0, 128).zeros(300));
    files.put(
        "'large' ends at byte 17592186044484",
        header(1, 0).tensor("large", F32, 0, (1L << 42) + 1).pad(32).zeros(64));
    files.put("'cut' ends at byte", header(1, 0).tensor("cut", F32, 0, 9).pad(32).zeros(32));
    files.put(
        "'off' has the offset 1024, expected 0",
        header(1, 0).tensor("off", F32, 1024, 8).pad(32).zeros(32));
    files.put(
        "'wide' has the offset 18446744073709551584, expected 0",
        header(1, 0).tensor("wide", F32, -32, 8).pad(32).zeros(32));
    files.put(
        "'b' has the offset 0, expected 32",
        header(2, 0).tensor("a", F32, 0, 8).tensor("b", F32, 0, 8).pad(32).zeros(64));
    files.put(
        "'twin' occurs twice",
        header(2, 0).tensor("twin", F32, 0, 8).tensor("twin", F32, 32, 8).pad(32).zeros(64));
    files.put("extra bytes at its end", header(1, 0).tensor("t", F32, 0, 8).pad(32).zeros(32 + 1));
    return files;
  }

  private String refusal(Path file) {
    DataException e = assertThrows(DataException.class, () -> GgufFile.open(file).close());
    String message = String.valueOf(e.getMessage());
    assertTrue(message.startsWith(file.toString()), message);
    assertEquals(1, message.lines().count(), message);
    return message;
  }

  @Test
  void sizesThatLieAreNamed() throws IOException {
    for (Map.Entry<String, GgufBytes> attack : attacks().entrySet()) {
      String message = refusal(attack.getValue().write(folder.resolve("attack.gguf")));
      assertTrue(message.contains(attack.getKey()), attack.getKey() + " | " + message);
    }
  }

  /** Runs in another process with little memory, which no length in a file may use up. */
  @Test
  void refusalsTakeLittleMemory() throws IOException, InterruptedException {
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx24m",
                "-XX:+UseSerialGC",
                "-cp",
                System.getProperty("java.class.path"),
                Probe.class.getName()));
    int count = 0;
    for (GgufBytes attack : attacks().values()) {
      command.add(attack.write(folder.resolve("attack" + count++ + ".gguf")).toString());
    }
    // A sparse file makes every length plausible without using disk space.
    Path sparse = header(0, 1).text("k").u32(STRING).u64(1L << 33).write(folder.resolve("s.gguf"));
    try (var out = new RandomAccessFile(sparse.toFile(), "rw")) {
      out.setLength(1L << 34);
    }
    command.add(sparse.toString());
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, process.waitFor(), output);
    assertEquals(count + 1, output.lines().filter(line -> line.equals("refused")).count(), output);
  }

  /** Opens each file; anything but a refusal ends the process with an error. */
  static final class Probe {
    private Probe() {}

    public static void main(String[] files) {
      for (String file : files) {
        try {
          GgufFile.open(Path.of(file)).close();
        } catch (DataException e) {
          System.out.println("refused");
        }
      }
    }
  }

  /** Whatever bytes of a real file are changed, the result is a file or a refusal. */
  @Test
  void damagedFilesNeverFailInAnotherWay() throws IOException {
    Path whole =
        header(2, 3)
            .text("general.architecture")
            .u32(STRING)
            .text("llama")
            .text("tokens")
            .u32(ARRAY)
            .u32(STRING)
            .u64(3)
            .text("a")
            .text("bc")
            .text("")
            .text("size")
            .u32(UINT32)
            .u32(7)
            .tensor("token_embd.weight", F32, 0, 4, 6)
            .tensor("output_norm.weight", F32, 96, 4)
            .pad(32)
            .zeros(128)
            .write(folder.resolve("whole.gguf"));
    byte[] bytes = Files.readAllBytes(whole);
    int header = bytes.length - 128;
    Random random = new Random(7);
    int opened = 0;
    for (int round = 0; round < 4000; round++) {
      byte[] damaged = bytes.clone();
      for (int i = random.nextInt(3); i >= 0; i--) {
        damaged[random.nextInt(header)] = (byte) random.nextInt();
      }
      int length = round % 4 == 0 ? random.nextInt(bytes.length) : bytes.length;
      Path file = Files.write(folder.resolve("damaged.gguf"), Arrays.copyOf(damaged, length));
      try (Gguf gguf = Gguf.open(file)) {
        gguf.texts("tokens");
        gguf.tensors()
            .values()
            .forEach(t -> t.file().read(t, 0, (int) t.elements(), new float[64]));
        opened++;
      } catch (DataException e) {
        assertEquals(1, String.valueOf(e.getMessage()).lines().count());
      } catch (ArrayIndexOutOfBoundsException e) {
        // More values than the whole file's 24 do not fit into the test's array.
        assertTrue(String.valueOf(e.getMessage()).contains("64"), e::toString);
      }
    }
    assertTrue(opened > 100, "opened " + opened);
  }

  @Test
  void versionsOneAndTwoAreRead() throws IOException {
    GgufBytes first = new GgufBytes().u32(0x46554747).u32(1).u32(1).u32(1);
    first.u32(1).raw((byte) 'k').u32(STRING).u32(2).raw((byte) 'o', (byte) 'k');
    first.u32(1).raw((byte) 't').u32(2).u32(2).u32(3).u32(F32).u64(0).pad(32).zeros(24);
    GgufBytes second = new GgufBytes().u32(0x46554747).u32(2).u64(1).u64(1);
    second.text("k").u32(STRING).text("ok").tensor("t", F32, 0, 2, 3).pad(32).zeros(24);
    for (GgufBytes bytes : List.of(first, second)) {
      try (Gguf gguf = Gguf.open(bytes.write(folder.resolve("v.gguf")))) {
        assertEquals("ok", gguf.text("k"));
        assertEquals(List.of(3L, 2L), gguf.tensor("t").shape());
      }
    }
  }

  @Test
  void alignmentIsTheFilesOwn() throws IOException {
    Path file =
        header(2, 1)
            .text("general.alignment")
            .u32(UINT32)
            .u32(256)
            .tensor("a", F32, 0, 1)
            .tensor("b", F32, 256, 1)
            .pad(256)
            .u32(Float.floatToIntBits(1.5f))
            .pad(256)
            .u32(Float.floatToIntBits(-2))
            .write(folder.resolve("aligned.gguf"));
    try (Gguf gguf = Gguf.open(file)) {
      float[] value = new float[1];
      gguf.tensor("b").file().read(gguf.tensor("b"), NONE, 1, value);
      assertArrayEquals(new float[] {-2}, value);
    }
  }

  // Split sets

  private Path shard(String name, int number, long count, long total, String tensor)
      throws IOException {
    return header(1, 4)
        .text("split.no")
        .u32(2)
        .raw((byte) number, (byte) 0)
        .text("split.count")
        .u32(2)
        .raw((byte) count, (byte) 0)
        .text("split.tensors.count")
        .u32(5)
        .u32(total)
        .text("general.name")
        .u32(STRING)
        .text("part " + number)
        .tensor(tensor, F32, 0, 1)
        .pad(32)
        .u32(Float.floatToIntBits(number))
        .write(folder.resolve(name));
  }

  private Path set() throws IOException {
    shard("m-00001-of-00003.gguf", 0, 3, 3, "a");
    shard("m-00003-of-00003.gguf", 2, 3, 3, "c");
    return shard("m-00002-of-00003.gguf", 1, 3, 3, "b");
  }

  @Test
  void anyPartOpensTheWholeSet() throws IOException {
    set();
    for (int i = 1; i <= 3; i++) {
      try (Gguf gguf = Gguf.open(folder.resolve("m-0000" + i + "-of-00003.gguf"))) {
        assertEquals(List.of("a", "b", "c"), List.copyOf(gguf.tensors().keySet()));
        assertEquals("part 0", gguf.text("general.name"));
        for (int part = 0; part < 3; part++) {
          GgufFile.Entry tensor = List.copyOf(gguf.tensors().values()).get(part);
          float[] value = new float[1];
          tensor.file().read(tensor, 0, 1, value);
          assertEquals(part, value[0]);
        }
      }
    }
  }

  @Test
  void incompleteAndMixedSetsAreRefused() throws IOException {
    Path part = set();
    Files.delete(folder.resolve("m-00003-of-00003.gguf"));
    DataException e = assertThrows(DataException.class, () -> Gguf.open(part));
    assertTrue(String.valueOf(e.getMessage()).contains("m-00003-of-00003.gguf"), e::getMessage);
    refusedSet("m-00003-of-00003.gguf", 1, 3, 3, "c", "'split.no': is 1", "says 2");
    refusedSet("m-00003-of-00003.gguf", 2, 4, 3, "c", "'split.count': says 4", "name 3");
    refusedSet("m-00003-of-00003.gguf", 2, 3, 9, "c", "'split.tensors.count': is 9", "hold 3");
    refusedSet("m-00003-of-00003.gguf", 2, 3, 3, "a", "'a' is in", "m-00001");
    Path lone = shard("lone.gguf", 1, 3, 3, "b");
    e = assertThrows(DataException.class, () -> Gguf.open(lone));
    assertTrue(String.valueOf(e.getMessage()).contains("says 3 parts"), e::getMessage);
  }

  private void refusedSet(
      String name, int number, long count, long total, String tensor, String... words)
      throws IOException {
    shard(name, number, count, total, tensor);
    Path any = folder.resolve("m-00002-of-00003.gguf");
    DataException e = assertThrows(DataException.class, () -> Gguf.open(any));
    for (String word : words) {
      assertTrue(String.valueOf(e.getMessage()).contains(word), word + " | " + e.getMessage());
    }
  }

  @Test
  void aSetOfOneIsAFile() throws IOException {
    Path file =
        header(1, 0)
            .tensor("a", F32, 0, 1)
            .pad(32)
            .zeros(4)
            .write(folder.resolve("m-00001-of-00001.gguf"));
    try (Gguf gguf = Gguf.open(file)) {
      assertEquals(1, gguf.tensors().size());
    }
  }
}
