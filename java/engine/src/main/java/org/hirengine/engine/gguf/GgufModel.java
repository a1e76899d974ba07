package org.hirengine.engine.gguf;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.MappedByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import org.hirengine.replay.DataException;
import org.jspecify.annotations.Nullable;

/**
 * A GGUF file read as a Hugging Face model folder: the folder's small files made from metadata, and
 * the weights by their Hugging Face names, decoded to float32.
 *
 * <p>Rows of queries and keys, which llama files hold in pairs for rotation (0, h, 1, h + 1, ...
 * for a head of 2 h), are returned in Hugging Face's order.
 */
public final class GgufModel implements AutoCloseable {

  /** Names that are allowed in a path. */
  private static final Pattern PLAIN = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9_.-]{0,60}");

  private static final String TEMPLATE = "tokenizer.chat_template";

  private final Gguf gguf;
  private final GgufConfig config;
  private final Map<String, GgufFile.Entry> weights = new LinkedHashMap<>();

  private GgufModel(Gguf gguf) {
    this.gguf = gguf;
    this.config = new GgufConfig(gguf);
    for (GgufFile.Entry tensor : gguf.tensors().values()) {
      String name = TensorNames.toHuggingFace(tensor.name());
      if (name != null) {
        weights.put(name, tensor);
      } else if (!tensor.name().equals(TensorNames.ROPE_FACTORS)) {
        throw gguf.bad(
            null, "tensor '" + tensor.name() + "' belongs to no model that the engine runs");
      }
    }
  }

  /** Whether a path is that of a GGUF file, by its name. */
  public static boolean is(Path path) {
    Path name = path.getFileName();
    return name != null
        && name.toString().toLowerCase(Locale.ROOT).endsWith(".gguf")
        && !Files.isDirectory(path);
  }

  /**
   * Opens a file, or the whole set that a part of a split model belongs to.
   *
   * @throws DataException naming the file, the key or tensor at fault, and what to do
   */
  public static GgufModel open(Path path) {
    Gguf gguf = Gguf.open(path);
    try {
      return new GgufModel(gguf);
    } catch (RuntimeException e) {
      gguf.close();
      throw e;
    }
  }

  /** The files of a GGUF model: one, or all parts in order. */
  public static List<Path> files(Path path) {
    return Gguf.shards(path);
  }

  /** Names of the chat templates beside the main one, in order. */
  List<String> templates() {
    String key = "tokenizer.chat_templates";
    List<String> names = gguf.texts(key);
    if (names == null) {
      return List.of();
    }
    for (String name : names) {
      if (!PLAIN.matcher(name).matches()) {
        throw gguf.bad(key, "holds '" + name + "', which is no name for a file");
      }
    }
    return names.stream().filter(name -> gguf.has(TEMPLATE + "." + name)).sorted().toList();
  }

  /** {@code config.json} as a tree. */
  public ObjectNode config() {
    return config.config();
  }

  /** One of the folder's small files, if the model has it. */
  public Optional<String> text(String name) {
    return switch (name) {
      case "config.json" -> Optional.of(write(config.config()));
      case "generation_config.json" -> Optional.of(write(config.generation()));
      case "tokenizer.json" -> Optional.of(write(new GgufTokenizer(gguf).json()));
      case "tokenizer_config.json" ->
          Optional.of(
              write(
                  new GgufTokenizer(gguf)
                      .settings(config.config().path("max_position_embeddings").asLong())));
      case "chat_template.jinja" -> Optional.ofNullable(gguf.text(TEMPLATE));
      default ->
          templates().stream()
              .filter(template -> ModelFiles.templateFile(template).equals(name))
              .findFirst()
              .map(template -> gguf.text(TEMPLATE + "." + template));
    };
  }

  private static String write(ObjectNode json) {
    try {
      return new ObjectMapper().writerWithDefaultPrettyPrinter().writeValueAsString(json) + "\n";
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e); // a tree of plain values
    }
  }

  /** Shapes of the weights by Hugging Face name. */
  public Map<String, List<Long>> shapes() {
    Map<String, List<Long>> shapes = new LinkedHashMap<>();
    weights.forEach((name, tensor) -> shapes.put(name, tensor.shape()));
    return Collections.unmodifiableMap(shapes);
  }

  /** The GGUF type of a weight. */
  public GgmlType type(String name) {
    return weights.get(name).type();
  }

  /**
   * Rows can be read in multiples of this, except the last ones. Queries and keys of llama models
   * are read in whole heads.
   */
  public int rowStep(String name) {
    return config.permuted() && TensorNames.isQueryOrKey(name) ? (int) config.headSize() : 1;
  }

  /**
   * Decodes rows of a weight (of a vector: elements).
   *
   * @param first a multiple of {@link #rowStep}
   * @param rows likewise
   * @return float32[rows * row length]
   */
  public float[] read(String name, long first, int rows) {
    GgufFile.Entry tensor = weights.get(name);
    int width = tensor.shape().size() == 1 ? 1 : Math.toIntExact(tensor.rowLength());
    int count = Math.multiplyExact(rows, width);
    float[] values = new float[count];
    tensor.file().read(tensor, first * width, count, values);
    int head = rowStep(name);
    return head == 1 ? values : unpaired(values, width, head);
  }

  /**
   * The bytes of a weight as stored in the file, read-only; none if there are too many for one
   * mapping.
   */
  public @Nullable MappedByteBuffer map(String name) {
    GgufFile.Entry tensor = weights.get(name);
    return tensor.file().map(tensor);
  }

  /** Rows of each head from 0, h, 1, h + 1, ... to 0, 1, ..., h, h + 1, ... */
  private static float[] unpaired(float[] values, int width, int head) {
    float[] target = new float[values.length];
    int half = head / 2;
    for (int row = 0; row < values.length / width; row++) {
      int place = row % head;
      int from = row - place + (place < half ? 2 * place : 2 * (place - half) + 1);
      System.arraycopy(values, from * width, target, row * width, width);
    }
    return target;
  }

  @Override
  public void close() {
    gguf.close();
  }
}
