package org.hirengine.engine.gguf;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import org.bytedeco.pytorch.Tensor;
import org.hirengine.engine.model.Safetensors;
import org.hirengine.engine.runtime.Tensors;
import org.hirengine.testing.SharedData;
import org.junit.jupiter.api.Test;

/** Tensors of reference files decode to the same bits as in gguf-py. */
class GgufGoldenTest {

  private static float[] all(GgufFile.Entry tensor) {
    int count = Math.toIntExact(tensor.elements());
    float[] values = new float[count];
    tensor.file().read(tensor, 0, count, values);
    return values;
  }

  @Test
  void everyTensorOfARealModel() throws IOException, NoSuchAlgorithmException {
    Path file = SharedData.require("models/smollm2/SmolLM2-135M-Instruct.Q4_1.gguf");
    List<String> lines = Files.readAllLines(SharedData.require("models/smollm2/tensors.jsonl"));
    ObjectMapper json = new ObjectMapper();
    try (Gguf gguf = Gguf.open(file)) {
      assertEquals(lines.size(), gguf.tensors().size());
      for (String line : lines) {
        JsonNode expected = json.readTree(line);
        String name = expected.path("name").asText();
        GgufFile.Entry tensor = gguf.tensors().get(name);
        assertEquals(expected.path("type").asText(), tensor.type().name(), name);
        assertEquals(expected.path("shape").toString(), json.writeValueAsString(tensor.shape()));
        assertEquals(expected.path("sha256").asText(), sha256(all(tensor)), name);
      }
    }
    SharedData.counted("models/smollm2 tensors", lines.size());
  }

  private static String sha256(float[] values) throws NoSuchAlgorithmException {
    ByteBuffer bytes = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(values);
    return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes.array()));
  }

  @Test
  void blocksOfEveryType() {
    Path file = SharedData.require("models/smollm2/blocks.gguf");
    try (Gguf gguf = Gguf.open(file);
        Safetensors expected = Safetensors.open(file.resolveSibling("blocks.safetensors"))) {
      assertEquals(GgmlType.values().length, gguf.tensors().size());
      for (GgufFile.Entry tensor : gguf.tensors().values()) {
        String name = tensor.type().name().toLowerCase(Locale.ROOT);
        assertEquals(List.of(6L, 512L), tensor.shape(), name);
        try (Tensor values = expected.tensor(name)) {
          assertArrayEquals(bits(Tensors.floats(values)), bits(all(tensor)), name);
        }
      }
      SharedData.counted("models/smollm2 block types", gguf.tensors().size());
    }
  }

  /** Compares the signs of zeros and the payloads of NaNs, too. */
  private static int[] bits(float[] values) {
    int[] bits = new int[values.length];
    for (int i = 0; i < bits.length; i++) {
      bits[i] = Float.floatToRawIntBits(values[i]);
    }
    return bits;
  }
}
