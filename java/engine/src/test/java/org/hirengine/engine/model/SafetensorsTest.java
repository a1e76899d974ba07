package org.hirengine.engine.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.hirengine.engine.runtime.Tensors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SafetensorsTest {

  @TempDir Path folder;

  private Path file(String header, int dataBytes) throws IOException {
    return file(header.getBytes(StandardCharsets.UTF_8), dataBytes);
  }

  private Path file(byte[] header, int dataBytes) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.write(ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(header.length).array());
    out.write(header);
    out.write(new byte[dataBytes]);
    Path path = folder.resolve("model.safetensors");
    Files.write(path, out.toByteArray());
    return path;
  }

  private static String tensor(String name, String dtype, String shape, String offsets) {
    return "\"%s\":{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":%s}"
        .formatted(name, dtype, shape, offsets);
  }

  private static void assertRefused(Path path, String... said) {
    ModelException e = assertThrows(ModelException.class, () -> Safetensors.open(path).close());
    assertTrue(e.getMessage().contains(path.getFileName().toString()), e.getMessage());
    for (String text : said) {
      assertTrue(e.getMessage().contains(text), e.getMessage());
    }
  }

  @Test
  void readsWhatTheFormatDescribes() throws IOException {
    Path path =
        file(
            "{\"__metadata__\":{\"format\":\"pt\"},"
                + tensor("b", "I64", "[1]", "[12,20]")
                + ","
                + tensor("a", "F32", "[3]", "[0,12]")
                + ","
                + tensor("scalar", "F32", "[]", "[20,24]")
                + ","
                + tensor("empty", "F32", "[0,7]", "[24,24]")
                + "}   ",
            24);
    try (Safetensors tensors = Safetensors.open(path);
        Tensor a = tensors.tensor("a");
        Tensor scalar = tensors.tensor("scalar");
        Tensor empty = tensors.tensor("empty")) {
      assertEquals(Map.of("format", "pt"), tensors.metadata());
      assertEquals(4, tensors.names().size());
      assertArrayEquals(new float[3], Tensors.floats(a));
      assertEquals(0, scalar.dim());
      assertArrayEquals(new long[] {0, 7}, Tensors.shape(empty));
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "overlap | F32 | [2] | [0,8] | F32 | [1] | [4,8] | overlap",
        "gap | F32 | [1] | [0,4] | F32 | [1] | [8,12] | gaps",
        "gap at the start | F32 | [1] | [4,8] | F32 | [1] | [8,12] | gaps",
        "wrong size | F32 | [3] | [0,8] | F32 | [1] | [8,12] | do not fit",
        "backwards | F32 | [1] | [4,0] | F32 | [1] | [8,12] | do not fit",
        "negative offset | F32 | [1] | [-4,0] | F32 | [1] | [0,4] | not a size",
        "negative shape | F32 | [-1] | [0,4] | F32 | [1] | [4,8] | not a size",
        "fraction | F32 | [1.5] | [0,6] | F32 | [1] | [6,10] | not a size",
        "beyond 64 bit | F32 | [99999999999999999999] | [0,4] | F32 | [1] | [4,8] | not a size",
        "product overflows | F32 | [4294967296,4294967296] | [0,0] | F32 | [1] | [0,4] | overflows",
        "offset overflows | U8 | [9223372036854775807] | [0,9223372036854775807] | F32 | [1] |"
            + " [0,4] | overflow",
        "unknown type | F31 | [1] | [0,4] | F32 | [1] | [4,8] | unknown dtype",
        "three offsets | F32 | [1] | [0,4,8] | F32 | [1] | [4,8] | data_offsets",
      })
  void refusesTensorsThatLie(
      String what,
      String type1,
      String shape1,
      String at1,
      String type2,
      String shape2,
      String at2,
      String said)
      throws IOException {
    String header =
        "{"
            + tensor("first", type1, shape1, at1)
            + ","
            + tensor("second", type2, shape2, at2)
            + "}";
    assertRefused(file(header, 12), said);
  }

  @Test
  void refusesDataThatIsShortOrHasMoreBytes() throws IOException {
    String header = "{" + tensor("a", "F32", "[3]", "[0,12]") + "}";
    assertRefused(file(header, 11), "truncated");
    assertRefused(file(header, 13), "truncated or has extra bytes");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        " {}",
        "[]",
        "{\"a\":1}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]},"
            + "\"a\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]}}",
        "{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]}}",
        "{\"__metadata__\":{\"a\":\"1\",\"a\":\"2\"}}",
        "{\"__metadata__\":{\"a\":1}}",
        "{\"__metadata__\":[]}",
        "{} {}",
        "{\"a\":",
      })
  void refusesHeaders(String header) throws IOException {
    assertRefused(file(header, 0));
  }

  @Test
  void refusesHeadersInOtherEncodings() throws IOException {
    assertRefused(file(new byte[] {'{', '"', (byte) 0xC3, '"', ':', '1', '}'}, 0), "UTF-8");
    assertRefused(file("{}".getBytes(StandardCharsets.UTF_16LE), 0));
  }

  @ParameterizedTest
  @ValueSource(longs = {100_000_001L, Long.MAX_VALUE, -1L, Long.MIN_VALUE})
  void refusesHugeHeaderLengthsWithoutReadingThem(long length) throws IOException {
    Path path = folder.resolve("huge.safetensors");
    try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
      file.write(ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(length).array());
      file.setLength(200_000_000);
    }
    assertRefused(path, "header length");
  }

  @Test
  void refusesFilesTooShortForTheirHeader() throws IOException {
    Path path = folder.resolve("short.safetensors");
    Files.write(path, new byte[7]);
    assertRefused(path, "too short");
    Files.write(path, new byte[] {100, 0, 0, 0, 0, 0, 0, 0, '{', '}'});
    assertRefused(path, "beyond");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"../x.safetensors", "/etc/x.safetensors", "a/b.safetensors", "..", "", "a\\\\b"})
  void refusesShardsOutsideOfTheFolder(String shard) throws IOException {
    Path index = folder.resolve("model.safetensors.index.json");
    Files.writeString(index, "{\"weight_map\":{\"a\":\"" + shard + "\"}}");
    assertRefused(index, "plain file names");
  }

  @Test
  void namesAMissingShardTensorAndFolder() throws IOException {
    file("{" + tensor("a", "F32", "[0]", "[0,0]") + "}", 0);
    Path index = folder.resolve("other.index.json");
    Files.writeString(index, "{\"weight_map\":{\"b\":\"model.safetensors\"}}");
    assertRefused(index, "b", "model.safetensors");
    Files.writeString(index, "{\"weight_map\":{\"b\":\"absent.safetensors\"}}");
    ModelException e = assertThrows(ModelException.class, () -> Safetensors.open(index));
    assertTrue(e.getMessage().contains("absent.safetensors"), e.getMessage());
    Path bare = Files.createDirectory(folder.resolve("bare"));
    assertRefused(bare, "save_pretrained");
  }

  @Test
  void writesTheSameBytesWhateverTheOrderAndReadsThemBack() throws IOException {
    try (PointerScope scope = new PointerScope()) {
      Tensor floats = Tensors.of(1f, -0f, Float.NaN, Float.MIN_VALUE, 3.1415927f, 1e38f);
      Tensor half = floats.to(ScalarType.Half);
      Tensor brain = floats.to(ScalarType.BFloat16);
      Tensor ids = Tensors.of(Long.MIN_VALUE, 7L);
      Map<String, Tensor> one = new LinkedHashMap<>();
      one.put("brain", brain);
      one.put("matrix", floats.view(2, 3).t());
      one.put("ids", ids);
      one.put("half", half);
      Map<String, Tensor> other = new LinkedHashMap<>();
      List.of("half", "ids", "matrix", "brain").forEach(name -> other.put(name, one.get(name)));
      Path first = folder.resolve("first.safetensors");
      Path second = folder.resolve("second.safetensors");
      SafetensorsWriter.write(first, one, Map.of("format", "pt", "a", "b"));
      SafetensorsWriter.write(second, other, Map.of("a", "b", "format", "pt"));
      assertArrayEquals(Files.readAllBytes(first), Files.readAllBytes(second));
      try (Safetensors read = Safetensors.open(first)) {
        assertEquals(Map.of("format", "pt", "a", "b"), read.metadata());
        assertArrayEquals(new long[] {3, 2}, read.info("matrix").shape());
        assertArrayEquals(
            Tensors.floats(floats.view(2, 3).t()), Tensors.floats(read.tensor("matrix")));
        assertArrayEquals(Tensors.longs(ids), Tensors.longs(read.tensor("ids")));
        assertEquals(ScalarType.BFloat16, Tensors.dtype(read.tensor("brain")));
        Tensor widened = Tensors.empty(ScalarType.Float, 6);
        read.copyInto("half", widened);
        assertArrayEquals(Tensors.floats(half.to(ScalarType.Float)), Tensors.floats(widened));
        read.copyInto("brain", widened);
        assertArrayEquals(Tensors.floats(brain.to(ScalarType.Float)), Tensors.floats(widened));
        ModelException e =
            assertThrows(
                ModelException.class,
                () -> read.copyInto("half", Tensors.empty(ScalarType.Float, 7)));
        assertTrue(e.getMessage().contains("half"), e.getMessage());
      }
    }
  }

  @Test
  void convertsLargeTensorsInPieces() {
    try (PointerScope scope = new PointerScope()) {
      int count = 9_000_001;
      float[] values = new float[count];
      for (int i = 0; i < count; i++) {
        values[i] = i % 251;
      }
      Tensor brain = Tensors.of(values).to(ScalarType.BFloat16);
      Path path = folder.resolve("large.safetensors");
      SafetensorsWriter.write(path, Map.of("x", brain), Map.of());
      try (Safetensors read = Safetensors.open(path)) {
        Tensor target = Tensors.empty(ScalarType.Float, count);
        read.copyInto("x", target);
        assertArrayEquals(values, Tensors.floats(target));
      }
    }
  }
}
