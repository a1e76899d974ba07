package org.hirengine.engine.model;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.pytorch.Tensor;
import org.hirengine.engine.gguf.GgmlType;
import org.hirengine.engine.gguf.GgufModel;
import org.jspecify.annotations.Nullable;

/** The weights of a model on disk, by their Hugging Face names. */
public interface ModelWeights extends AutoCloseable {

  /**
   * Opens the weights of a model.
   *
   * @param model a folder or a GGUF file
   * @throws ModelException or {@link org.hirengine.replay.DataException} naming the file and what
   *     is wrong with it
   */
  static ModelWeights open(Path model) {
    return GgufModel.is(model) ? new GgufWeights(model) : Safetensors.open(model);
  }

  Set<String> names();

  /** Rows first. */
  List<Long> shape(String name);

  /** The stored element type. */
  GgmlType stored(String name);

  /** {@link #read} takes multiples of this many rows, or up to the last row. */
  int rowStep(String name);

  /**
   * Rows of a tensor as float32, concatenated; for a vector, its elements. Needs no LibTorch.
   *
   * @param first a multiple of {@link #rowStep}
   */
  float[] read(String name, long first, int rows) throws IOException;

  /**
   * Copies a tensor into {@code target}, which has its shape, on any device and of any floating
   * type (then converted, rounding to nearest even).
   */
  void copyInto(String name, Tensor target);

  /**
   * A tensor in a memory-mapped file.
   *
   * @param bytes keeps the mapping alive
   * @param head rows of a head whose two halves are interleaved, as for queries and keys in GGUF
   *     files of llama; 0 for rows in order
   */
  record Mapped(BytePointer bytes, int head) implements AutoCloseable {

    /** Address of the first byte. */
    long address() {
      return bytes.address();
    }

    @Override
    public void close() {
      bytes.close();
    }
  }

  /**
   * Maps a tensor as it is stored; none if it is too large for one mapping (2 GiB). The file must
   * not be written to while the mapping is in use; this object may be closed.
   */
  @Nullable Mapped map(String name);

  @Override
  void close();
}
