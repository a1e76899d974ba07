package org.hirengine.engine.model;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Supplier;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.hirengine.engine.runtime.GradMode;
import org.hirengine.engine.runtime.Tensors;

/**
 * Writes safetensors files. The same tensors always give the same bytes: wider types first, then by
 * name, so that every tensor is aligned to its own element size.
 */
public final class SafetensorsWriter {

  private static final int CHUNK = 64 << 20;

  /** The bytes of a tensor, computed when they are written. */
  public interface Content {

    /** Writes them all, little-endian, row by row. */
    void writeTo(WritableByteChannel out) throws IOException;
  }

  /** A tensor to write. */
  public record Source(TensorType type, long[] shape, Content content) {

    long bytes() {
      return Arrays.stream(shape).reduce(type.bytes, Math::multiplyExact);
    }
  }

  private SafetensorsWriter() {}

  /**
   * A tensor that is made when it is written, and converted to {@code type}: one at a time.
   *
   * @param tensor makes it; closed when written
   */
  public static Source source(ScalarType type, long[] shape, Supplier<Tensor> tensor) {
    return new Source(
        TensorType.of(type),
        shape,
        out -> {
          try (GradMode off = GradMode.disabled();
              Tensor made = tensor.get();
              Tensor converted = made.to(type)) {
            writeTensor(out, converted);
          }
        });
  }

  /**
   * Writes {@code tensors} in their own types to {@code path}: first under a temporary name, then
   * synced and renamed, so readers see the old file or the new one.
   */
  public static void write(Path path, Map<String, Tensor> tensors, Map<String, String> metadata) {
    Map<String, Source> sources = new LinkedHashMap<>();
    tensors.forEach(
        (name, tensor) ->
            sources.put(
                name,
                new Source(
                    TensorType.of(Tensors.dtype(tensor)),
                    Tensors.shape(tensor),
                    out -> writeTensor(out, tensor))));
    writeSources(path, sources, metadata);
  }

  /** Writes tensors whose bytes are computed on the way, like {@link #write}. */
  public static void writeSources(
      Path path, Map<String, Source> tensors, Map<String, String> metadata) {
    List<String> names = order(tensors);
    Path aside = path.resolveSibling(path.getFileName() + ".tmp");
    try {
      try (FileChannel out =
          FileChannel.open(
              aside,
              StandardOpenOption.CREATE,
              StandardOpenOption.WRITE,
              StandardOpenOption.TRUNCATE_EXISTING)) {
        writeFully(out, header(names, tensors, metadata));
        for (String name : names) {
          tensors.get(name).content().writeTo(out);
        }
        out.force(true);
      }
      Files.move(aside, path, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      throw ModelException.unwritable(path, e);
    }
  }

  /** In which order tensors are written, and made. */
  public static List<String> order(Map<String, Source> tensors) {
    List<String> names = new ArrayList<>(tensors.keySet());
    names.sort(
        Comparator.<String>comparingInt(name -> -tensors.get(name).type().bytes)
            .thenComparing(Comparator.naturalOrder()));
    return names;
  }

  private static ByteBuffer header(
      List<String> names, Map<String, Source> tensors, Map<String, String> metadata)
      throws JsonProcessingException {
    ObjectMapper json = new ObjectMapper();
    ObjectNode root = json.createObjectNode();
    if (!metadata.isEmpty()) {
      ObjectNode notes = root.putObject("__metadata__");
      new TreeMap<>(metadata).forEach(notes::put);
    }
    long offset = 0;
    for (String name : names) {
      Source tensor = tensors.get(name);
      ObjectNode entry = root.putObject(name);
      entry.put("dtype", tensor.type().name());
      ArrayNode shape = entry.putArray("shape");
      for (long size : tensor.shape()) {
        shape.add(size);
      }
      long end = offset + tensor.bytes();
      entry.putArray("data_offsets").add(offset).add(end);
      offset = end;
    }
    byte[] text = json.writeValueAsBytes(root);
    int padded = (text.length + 7) / 8 * 8;
    ByteBuffer header = ByteBuffer.allocate(8 + padded).order(ByteOrder.LITTLE_ENDIAN);
    header.putLong(padded).put(text);
    header.put(" ".repeat(padded - text.length).getBytes(StandardCharsets.US_ASCII));
    return header.flip();
  }

  private static void writeTensor(WritableByteChannel out, Tensor tensor) throws IOException {
    try (GradMode off = GradMode.disabled();
        PointerScope scope = new PointerScope()) {
      Tensor data = tensor.cpu().contiguous();
      long bytes = data.numel() * data.element_size();
      for (long at = 0; at < bytes; at += CHUNK) {
        writeFully(out, Tensors.bytes(data, at, (int) Math.min(CHUNK, bytes - at)));
      }
    }
  }

  private static void writeFully(WritableByteChannel out, ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      out.write(bytes);
    }
  }
}
