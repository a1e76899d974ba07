package org.hirengine.engine.model;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.bytedeco.pytorch.Tensor;
import org.hirengine.engine.gguf.GgmlType;
import org.hirengine.engine.gguf.GgufModel;

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

  /** {@link #read} takes multiples of this many rows, and the last rows. */
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

  @Override
  void close();
}
