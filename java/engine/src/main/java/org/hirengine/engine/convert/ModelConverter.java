package org.hirengine.engine.convert;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.hirengine.engine.gguf.GgmlType;
import org.hirengine.engine.gguf.GgufWriter;
import org.hirengine.engine.gguf.RopeFactors;
import org.hirengine.engine.gguf.TensorNames;
import org.hirengine.engine.model.CompanionFiles;
import org.hirengine.engine.model.Lora;
import org.hirengine.engine.model.ModelConfig;
import org.hirengine.engine.model.ModelException;
import org.hirengine.engine.model.ModelWeights;
import org.hirengine.engine.model.SafetensorsWriter;
import org.hirengine.engine.model.StoredModel;
import org.hirengine.engine.model.TensorType;
import org.jspecify.annotations.Nullable;

/**
 * Copies a model: from a Hugging Face folder or a GGUF file, to either. Weights are copied a few
 * rows at a time, so any model is copied in little memory, without LibTorch.
 */
public final class ModelConverter {

  private static final int CHUNK = 1 << 20;
  private static final String CONFIG = "config.json";
  private static final String WEIGHTS = "model.safetensors";
  private static final ObjectMapper JSON = new ObjectMapper();

  /** The type of matrices in the output. */
  public enum Storage {
    F32(GgmlType.F32, TensorType.F32, "float32", 0),
    F16(GgmlType.F16, TensorType.F16, "float16", 1),
    BF16(GgmlType.BF16, TensorType.BF16, "bfloat16", 32),
    /** Only in GGUF files: blocks of 32 bytes and a scale. */
    Q8_0(GgmlType.Q8_0, null, "", 7);

    final GgmlType gguf;
    final @Nullable TensorType folder;
    final String dtype;

    /** {@code general.file_type} of GGUF files. */
    final int number;

    Storage(GgmlType gguf, @Nullable TensorType folder, String dtype, int number) {
      this.gguf = gguf;
      this.folder = folder;
      this.dtype = dtype;
      this.number = number;
    }

    private static Storage of(String dtype) {
      return Arrays.stream(values()).filter(t -> t.dtype.equals(dtype)).findFirst().orElse(F32);
    }
  }

  private final StoredModel model;
  private final Path source;
  private final ModelConfig config;
  private final ModelWeights weights;
  private final Storage type;

  private ModelConverter(StoredModel model, Storage type) {
    this.model = model;
    this.source = model.source();
    this.config = model.config();
    this.weights = model.weights();
    this.type = type;
  }

  /** Whether a model is written to a path as one GGUF file, by its name. */
  public static boolean isGguf(Path target) {
    return target.getFileName().toString().toLowerCase(Locale.ROOT).endsWith(".gguf");
  }

  /**
   * Copies a model.
   *
   * @param source a folder or a GGUF file
   * @param target a folder, created if missing, or a name that ends in {@code .gguf}
   * @param type what matrices are written as; null keeps the type that the model is stored in, with
   *     float32 for anything quantized, so that no value changes
   * @return the type written
   * @throws ModelException or {@link org.hirengine.replay.DataException} when the model cannot be
   *     read, or does not fit the target
   */
  public static Storage convert(Path source, Path target, @Nullable Storage type)
      throws IOException {
    return convert(source, target, type, null);
  }

  /**
   * Copies a model with an adapter merged into its weights, as {@link #convert(Path, Path,
   * Storage)} does. The sums are made of the values that the adapter was trained on, decoded ones
   * where the model is quantized, and rounded to the written type once.
   *
   * @param adapter none for the model alone
   */
  public static Storage convert(
      Path source, Path target, @Nullable Storage type, Lora.@Nullable Source adapter)
      throws IOException {
    try (StoredModel stored = StoredModel.open(source)) {
      StoredModel model = adapter == null ? stored : stored.merged(adapter);
      Storage written = type == null ? Storage.of(model.config().dtype()) : type;
      ModelConverter converter = new ModelConverter(model, written);
      if (isGguf(target)) {
        converter.toGguf(target);
      } else {
        converter.toFolder(target);
      }
      return written;
    }
  }

  private void toFolder(Path target) throws IOException {
    TensorType stored = type.folder;
    if (stored == null) {
      throw new ModelException(
          target + ": a model folder holds F32, F16 or BF16; " + type + " is for .gguf files");
    }
    Files.createDirectories(target);
    Map<String, SafetensorsWriter.Source> tensors = new LinkedHashMap<>();
    model
        .shapes()
        .forEach(
            (name, shape) ->
                tensors.put(
                    name,
                    new SafetensorsWriter.Source(
                        stored,
                        shape.stream().mapToLong(Long::longValue).toArray(),
                        out -> copy(name, shape, out))));
    SafetensorsWriter.writeSources(target.resolve(WEIGHTS), tensors, Map.of("format", "pt"));
    CompanionFiles.read(source).write(target);
    // Written last: without it the folder is not a model.
    Files.writeString(target.resolve(CONFIG), configText());
  }

  private String configText() {
    ObjectNode json = config.json().deepCopy();
    json.put(json.has("torch_dtype") && !json.has("dtype") ? "torch_dtype" : "dtype", type.dtype);
    try {
      return JSON.writerWithDefaultPrettyPrinter().writeValueAsString(json) + "\n";
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e); // a tree of plain values
    }
  }

  private void copy(String parameter, List<Long> shape, WritableByteChannel out)
      throws IOException {
    String name = model.tensor(parameter);
    long rows = shape.get(0);
    long width = shape.size() == 1 ? 1 : shape.get(1);
    long unit = weights.rowStep(name);
    long step = Math.max(1, CHUNK / (width * unit)) * unit;
    for (long row = 0; row < rows; row += step) {
      float[] values = weights.read(name, row, (int) Math.min(step, rows - row));
      ByteBuffer bytes =
          ByteBuffer.allocate(values.length * type.gguf.bytes).order(ByteOrder.LITTLE_ENDIAN);
      encode(name, values, bytes);
      bytes.flip();
      while (bytes.hasRemaining()) {
        out.write(bytes);
      }
    }
  }

  private void encode(String name, float[] values, ByteBuffer target) {
    try {
      type.gguf.encode(values, target);
    } catch (IllegalArgumentException e) {
      throw new ModelException(source + ": tensor " + name + " " + e.getMessage(), e);
    }
  }

  private void toGguf(Path target) throws IOException {
    GgufWriter writer = new GgufWriter();
    new GgufMetadata(source, config).write(writer, type);
    if (config.ropeScaling() != null) {
      float[] factors = factors(config.ropeScaling());
      writer.tensor(
          TensorNames.ROPE_FACTORS,
          GgmlType.F32,
          List.of((long) factors.length),
          1,
          (first, rows) -> Arrays.copyOfRange(factors, (int) first, (int) first + rows));
    }
    model.shapes().forEach((name, shape) -> add(writer, name, shape));
    try {
      writer.write(target);
    } catch (IllegalArgumentException e) {
      throw new ModelException(source + ": " + e.getMessage(), e);
    }
  }

  private float[] factors(ModelConfig.RopeScaling scaling) {
    return new RopeFactors(
            scaling.factor(),
            scaling.lowFrequency(),
            scaling.highFrequency(),
            scaling.originalPositions())
        .values(config.ropeTheta(), config.headDim());
  }

  /**
   * Like llama.cpp's converter: vectors stay exact, and rows that are not whole blocks become half
   * floats.
   */
  private void add(GgufWriter writer, String parameter, List<Long> shape) {
    String name = model.tensor(parameter);
    GgmlType stored = type.gguf;
    if (shape.size() == 1) {
      stored = GgmlType.F32;
    } else if (shape.get(1) % stored.elements != 0) {
      stored = GgmlType.F16;
    }
    String ggufName = TensorNames.toGguf(parameter);
    if (ggufName == null) {
      throw new IllegalStateException("no GGUF name for " + parameter);
    }
    boolean pairs =
        GgufMetadata.architecture(config).equals("llama") && TensorNames.isQueryOrKey(name);
    int head = pairs ? config.headDim() : 1;
    int width = shape.size() == 1 ? 1 : Math.toIntExact(shape.get(1));
    writer.tensor(
        ggufName,
        stored,
        shape,
        Math.max(head, weights.rowStep(name)),
        (first, rows) -> paired(weights.read(name, first, rows), width, head));
  }

  /** Rows of each head from 0, 1, ..., h, h + 1, ... to 0, h, 1, h + 1, ... as llama files have. */
  private static float[] paired(float[] values, int width, int head) {
    if (head == 1) {
      return values;
    }
    float[] target = new float[values.length];
    int half = head / 2;
    for (int row = 0; row < values.length / width; row++) {
      int place = row % head;
      int from = row - place + place / 2 + (place % 2 == 0 ? 0 : half);
      System.arraycopy(values, from * width, target, row * width, width);
    }
    return target;
  }
}
