package org.hirengine.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.hirengine.testing.SharedData;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ScoreCommandTest {

  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir Path folder;
  private Path model;

  @BeforeEach
  void copyModel() throws IOException {
    model = DemoPolicy.in(folder);
  }

  /** Row 0 of the golden batch, which has no padding: all of it, and from the middle on. */
  @ParameterizedTest
  @ValueSource(strings = {"qwen3-mini", "qwen3-tiny"})
  void scoresEqualTheGoldenOnes(String name) throws IOException {
    Path tiny = SharedData.require("golden/models/" + name);
    Golden golden = new Golden(tiny.resolve("golden.safetensors"));
    long[] ids = golden.longs("input_ids", 28);
    Path in = folder.resolve("in.jsonl");
    Files.write(in, List.of(row(ids, 1), row(ids, 20)));
    for (String suffix : List.of("", "_t0.7")) {
      Path out = folder.resolve("out.jsonl");
      List<Object> words =
          new ArrayList<>(
              List.of("score", "--model", tiny, "--in", in, "--out", out, "--threads", 1));
      if (!suffix.isEmpty()) {
        words.addAll(List.of("--temperature", 0.7));
      }
      HirConsole.run(words.toArray()).succeeds();
      List<String> lines = Files.readAllLines(out);
      for (int i = 0; i < 2; i++) {
        JsonNode row = JSON.readTree(lines.get(i));
        int start = row.get("response_start").asInt();
        assertClose(golden.floats("logprobs" + suffix, 27), start, row.get("logprobs"));
        assertClose(golden.floats("entropy" + suffix, 27), start, row.get("entropy"));
        assertEquals("kept", row.get("note").asText());
        SharedData.counted("models (hir score)", 1);
      }
    }
  }

  private static void assertClose(float[] golden, int start, JsonNode found) {
    assertEquals(28 - start, found.size());
    for (int i = 0; i < found.size(); i++) {
      assertEquals(golden[start - 1 + i], found.get(i).floatValue(), 1e-4, "token " + i);
    }
  }

  @Test
  void badRowsNameTheirPlace() throws IOException {
    String[][] faults = {
      {"{\"input_ids\": [1, 2, 3]}", ":1: field 'response_start': is missing for 3 token ids"},
      {"{\"input_ids\": [1, 2, 3], \"response_start\": 0}", "'response_start': is 0"},
      {"{\"input_ids\": [1, 2, 3], \"response_start\": 3}", "'response_start': is 3"},
      {"{\"input_ids\": [1, 293, 3], \"response_start\": 1}", "'input_ids': holds 293"},
      {"{\"input_ids\": [1, \"a\", 3], \"response_start\": 1}", "'input_ids': holds \"a\""},
      {"{\"input_ids\": [1, -1, 3], \"response_start\": 1}", "'input_ids': holds -1"},
      {"{\"prompt\": \"a\"}", "field 'response': is missing"},
      {"{\"prompt\": \"a\", \"response\": \"\"}", "field 'response': is empty"},
      {
        "{\"prompt\": \"" + "a b ".repeat(600) + "\", \"response\": \"c\"}",
        "the model has 512 positions"
      },
    };
    Path out = folder.resolve("out.jsonl");
    for (String[] fault : faults) {
      Path in = Files.writeString(folder.resolve("in.jsonl"), fault[0] + "\n");
      HirConsole.run("score", "--model", model, "--in", in, "--out", out).failsWith(1, fault[1]);
      assertTrue(Files.notExists(out));
    }
  }

  @Test
  void brokenModelsAreNamed() throws IOException {
    Path in =
        Files.writeString(
            folder.resolve("in.jsonl"), "{\"input_ids\": [1, 2], \"response_start\": 1}\n");
    Path out = folder.resolve("out.jsonl");
    HirConsole.run("score", "--model", folder.resolve("none"), "--in", in, "--out", out)
        .failsWith(1, folder.resolve("none") + ": no such model");

    Path weights = model.resolve("model.safetensors");
    byte[] whole = Files.readAllBytes(weights);
    Files.write(weights, Arrays.copyOf(whole, whole.length - 100));
    HirConsole.run("score", "--model", model, "--in", in, "--out", out)
        .failsWith(1, weights.toString());

    Files.delete(weights);
    HirConsole.run("score", "--model", model, "--in", in, "--out", out)
        .failsWith(1, model.toString());
    Files.write(weights, whole);

    Path config = model.resolve("config.json");
    ObjectNode shape = (ObjectNode) JSON.readTree(config.toFile());
    Files.writeString(config, shape.deepCopy().put("intermediate_size", 128).toString());
    HirConsole.run("score", "--model", model, "--in", in, "--out", out).failsWith(1, "mlp");
    Files.writeString(config, shape.deepCopy().put("model_type", "mamba").toString());
    HirConsole.run("score", "--model", model, "--in", in, "--out", out).failsWith(1, "mamba");
    Files.delete(config);
    HirConsole.run("score", "--model", model, "--in", in, "--out", out).failsWith(1, "config.json");
    assertTrue(Files.notExists(out));
  }

  private static String row(long[] ids, int start) {
    ObjectNode row = JSON.createObjectNode();
    ArrayNode list = row.putArray("input_ids");
    for (long id : ids) {
      list.add((int) id);
    }
    return row.put("response_start", start).put("note", "kept").toString();
  }

  /** Reads the first elements of golden tensors, without the engine's code. */
  private static final class Golden {

    private final Path file;
    private final JsonNode header;
    private final long data;

    Golden(Path file) throws IOException {
      this.file = file;
      try (RandomAccessFile in = new RandomAccessFile(file.toFile(), "r")) {
        int length = (int) Long.reverseBytes(in.readLong());
        byte[] json = new byte[length];
        in.readFully(json);
        header = JSON.readTree(new String(json, StandardCharsets.UTF_8));
        data = 8L + length;
      }
    }

    long[] longs(String name, int count) throws IOException {
      long[] values = new long[count];
      bytes(name, 8 * count).asLongBuffer().get(values);
      return values;
    }

    float[] floats(String name, int count) throws IOException {
      float[] values = new float[count];
      bytes(name, 4 * count).asFloatBuffer().get(values);
      return values;
    }

    private ByteBuffer bytes(String name, int length) throws IOException {
      byte[] bytes = new byte[length];
      try (RandomAccessFile in = new RandomAccessFile(file.toFile(), "r")) {
        in.seek(data + header.get(name).get("data_offsets").get(0).asLong());
        in.readFully(bytes);
      }
      return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }
  }
}
