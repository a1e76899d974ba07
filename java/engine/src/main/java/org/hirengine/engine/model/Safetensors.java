package org.hirengine.engine.model;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.MappedByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.hirengine.engine.gguf.GgmlType;
import org.hirengine.engine.runtime.GradMode;
import org.hirengine.engine.runtime.NativeRuntime;
import org.hirengine.engine.runtime.Tensors;
import org.jspecify.annotations.Nullable;

/**
 * The tensors of a checkpoint: one safetensors file, or many with an index. Values are copied,
 * never mapped, so the files may be replaced or removed after this is closed.
 */
public final class Safetensors implements ModelWeights {

  static final String SINGLE = "model.safetensors";
  static final String INDEX = "model.safetensors.index.json";

  /** Bytes read at a time if the element type must be converted. */
  private static final long CHUNK = 16L << 20;

  /** A tensor's description in a checkpoint. */
  public record Info(TensorType type, long[] shape, Path file) {}

  private final Path source;
  private final Map<String, SafetensorsFile> files = new LinkedHashMap<>();
  private final Map<String, String> fileOfTensor = new LinkedHashMap<>();

  private Safetensors(Path source) {
    this.source = source;
  }

  /**
   * Opens a {@code .safetensors} file, an index, or a model folder that holds either.
   *
   * @throws ModelException naming the file and what is wrong with it
   */
  public static Safetensors open(Path path) {
    Path file = Files.isDirectory(path) ? inFolder(path) : path;
    Safetensors checkpoint = new Safetensors(file);
    try {
      if (file.getFileName().toString().endsWith(".index.json")) {
        checkpoint.openShards();
      } else {
        SafetensorsFile only = SafetensorsFile.open(file);
        checkpoint.files.put("", only);
        only.entries().keySet().forEach(name -> checkpoint.fileOfTensor.put(name, ""));
      }
      return checkpoint;
    } catch (RuntimeException e) {
      checkpoint.close();
      throw e;
    }
  }

  private static Path inFolder(Path folder) {
    for (String name : new String[] {SINGLE, INDEX}) {
      Path file = folder.resolve(name);
      if (Files.exists(file)) {
        return file;
      }
    }
    throw new ModelException(
        folder
            + " holds neither "
            + SINGLE
            + " nor "
            + INDEX
            + "; weights in other formats need saving again with transformers:"
            + " model.save_pretrained(folder, safe_serialization=True)");
  }

  private void openShards() {
    JsonNode map;
    try {
      map = new ObjectMapper().readTree(source.toFile()).path("weight_map");
    } catch (IOException e) {
      throw new ModelException(source + ": cannot be read as JSON: " + e.getMessage(), e);
    }
    if (!map.isObject()) {
      throw new ModelException(source + ": has no weight_map object");
    }
    for (Map.Entry<String, JsonNode> field : map.properties()) {
      String shard = field.getValue().asText();
      if (!field.getValue().isTextual() || !isPlainName(shard)) {
        throw new ModelException(
            source
                + ": weight_map."
                + field.getKey()
                + " names the shard "
                + field.getValue()
                + "; only plain file names beside the index are read");
      }
      if (!files.containsKey(shard)) {
        files.put(shard, SafetensorsFile.open(source.resolveSibling(shard)));
      }
      if (!files.get(shard).entries().containsKey(field.getKey())) {
        throw new ModelException(
            source + ": tensor " + field.getKey() + " is not in its shard " + shard);
      }
      fileOfTensor.put(field.getKey(), shard);
    }
  }

  private static boolean isPlainName(String shard) {
    return !shard.isEmpty()
        && !shard.equals(".")
        && !shard.contains("..")
        && shard.indexOf('/') < 0
        && shard.indexOf('\\') < 0
        && shard.indexOf('\0') < 0;
  }

  @Override
  public Set<String> names() {
    return Collections.unmodifiableSet(fileOfTensor.keySet());
  }

  public boolean contains(String name) {
    return fileOfTensor.containsKey(name);
  }

  /** The file's metadata; that of the first shard if there are several. */
  public Map<String, String> metadata() {
    return files.isEmpty()
        ? Map.of()
        : Collections.unmodifiableMap(files.values().iterator().next().metadata());
  }

  public Info info(String name) {
    SafetensorsFile.Entry entry = entry(name);
    return new Info(entry.type(), shape(entry), file(name).path());
  }

  @Override
  public List<Long> shape(String name) {
    return entry(name).shape();
  }

  @Override
  public GgmlType stored(String name) {
    return switch (entry(name).type()) {
      case F32 -> GgmlType.F32;
      case F16 -> GgmlType.F16;
      case BF16 -> GgmlType.BF16;
      default -> throw unreadable(name);
    };
  }

  @Override
  public int rowStep(String name) {
    return 1;
  }

  @Override
  public float[] read(String name, long first, int rows) throws IOException {
    SafetensorsFile.Entry entry = entry(name);
    GgmlType type = stored(name);
    List<Long> shape = entry.shape();
    long width = shape.size() < 2 ? 1 : shape.get(shape.size() - 1);
    int count = Math.toIntExact(rows * width);
    ByteBuffer bytes =
        ByteBuffer.allocate(Math.multiplyExact(count, type.bytes)).order(ByteOrder.LITTLE_ENDIAN);
    file(name).readFully(bytes, entry.begin() + first * width * type.bytes);
    float[] values = new float[count];
    type.decode(bytes, values, count);
    return values;
  }

  /** A copy on the CPU in the file's own type; the caller closes it. */
  public Tensor tensor(String name) {
    NativeRuntime.load();
    SafetensorsFile.Entry entry = entry(name);
    Tensor tensor = Tensors.empty(scalarType(name), shape(entry));
    copyInto(name, tensor);
    return tensor;
  }

  @Override
  public void copyInto(String name, Tensor target) {
    NativeRuntime.load();
    SafetensorsFile.Entry entry = entry(name);
    long[] shape = Tensors.shape(target);
    if (!Arrays.equals(shape, shape(entry))) {
      throw new ModelException(
          file(name).path()
              + ": tensor "
              + name
              + " has shape "
              + entry.shape()
              + ", expected "
              + Arrays.toString(shape));
    }
    copy(name, 0, target);
  }

  /**
   * Copies consecutive elements of a tensor.
   *
   * @param size elements that the tensor must have
   * @param first the first one copied
   * @param target as many as are copied; converted where it has another type
   */
  public void copyPart(String name, long size, long first, Tensor target) {
    NativeRuntime.load();
    SafetensorsFile.Entry entry = entry(name);
    if (!entry.shape().equals(List.of(size))) {
      throw new ModelException(
          "%s: tensor %s has shape %s, expected [%d]"
              .formatted(file(name).path(), name, entry.shape(), size));
    }
    copy(name, first, target);
  }

  private void copy(String name, long first, Tensor target) {
    SafetensorsFile.Entry entry = entry(name);
    ScalarType type = scalarType(name);
    long elements = target.numel();
    long begin = entry.begin() + first * entry.type().bytes;
    long step = CHUNK / entry.type().bytes;
    try (GradMode off = GradMode.disabled();
        PointerScope scope = new PointerScope()) {
      Tensor flat = target.view(-1);
      boolean direct = Tensors.dtype(target) == type && target.is_cpu() && target.is_contiguous();
      Tensor staging = direct ? flat : Tensors.empty(type, Math.min(step, elements));
      for (long at = 0; at < elements; at += step) {
        long count = Math.min(step, elements - at);
        long offset = direct ? at * entry.type().bytes : 0;
        int length = Math.toIntExact(count * entry.type().bytes);
        file(name)
            .readFully(Tensors.bytes(staging, offset, length), begin + at * entry.type().bytes);
        if (!direct) {
          try (Tensor part = flat.narrow(0, at, count);
              Tensor read = staging.narrow(0, 0, count)) {
            part.copy_(read);
          }
        }
      }
    } catch (IOException e) {
      throw new ModelException(file(name).path() + ": tensor " + name + ": " + e, e);
    }
  }

  @Override
  public @Nullable Mapped map(String name) {
    NativeRuntime.load();
    SafetensorsFile.Entry entry = entry(name);
    MappedByteBuffer bytes = file(name).map(entry);
    return bytes == null ? null : new Mapped(new BytePointer(bytes), 0);
  }

  /** Whether two tensors have the same shape and the same bytes. */
  boolean same(String one, String other) {
    SafetensorsFile.Entry a = entry(one);
    SafetensorsFile.Entry b = entry(other);
    if (a.type() != b.type() || !a.shape().equals(b.shape())) {
      return false;
    }
    long bytes = a.length();
    int step = (int) Math.min(CHUNK, bytes);
    ByteBuffer left = ByteBuffer.allocateDirect(step);
    ByteBuffer right = ByteBuffer.allocateDirect(step);
    try {
      for (long at = 0; at < bytes; at += step) {
        int length = (int) Math.min(step, bytes - at);
        file(one).readFully(left.clear().limit(length), a.begin() + at);
        file(other).readFully(right.clear().limit(length), b.begin() + at);
        if (!left.flip().equals(right.flip())) {
          return false;
        }
      }
      return true;
    } catch (IOException e) {
      throw new ModelException(source + ": tensors " + one + " and " + other + ": " + e, e);
    }
  }

  private ScalarType scalarType(String name) {
    SafetensorsFile.Entry entry = entry(name);
    if (entry.type().scalarType == null) {
      throw unreadable(name);
    }
    return entry.type().scalarType;
  }

  private ModelException unreadable(String name) {
    return new ModelException(
        file(name).path()
            + ": tensor "
            + name
            + " is of type "
            + entry(name).type()
            + ", which is not supported; save the model in bfloat16, float16 or float32");
  }

  private SafetensorsFile.Entry entry(String name) {
    return file(name).entries().get(name);
  }

  private SafetensorsFile file(String name) {
    String shard = fileOfTensor.get(name);
    if (shard == null) {
      throw new ModelException(source + ": holds no tensor " + name);
    }
    return files.get(shard);
  }

  private static long[] shape(SafetensorsFile.Entry entry) {
    return entry.shape().stream().mapToLong(Long::longValue).toArray();
  }

  @Override
  public void close() {
    files.values().forEach(SafetensorsFile::close);
  }
}
