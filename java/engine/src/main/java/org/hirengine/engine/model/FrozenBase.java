package org.hirengine.engine.model;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.hirengine.engine.gguf.GgmlType;
import org.hirengine.engine.runtime.Tensors;
import org.hirengine.kernels.DType;
import org.hirengine.kernels.FrozenMatrix;
import org.hirengine.kernels.FrozenMatrix.Storage;
import org.jspecify.annotations.Nullable;

/**
 * The matrices of a frozen model, for kernels: mapped from the model's files without a copy, in the
 * stored type, or in a buffer. Files must not be written to while they are mapped; replacing them
 * by new files is harmless.
 */
final class FrozenBase implements AutoCloseable {

  private final Map<String, FrozenMatrix> matrices = new HashMap<>();

  /** Owners of the memory that the addresses point into. */
  private final List<AutoCloseable> memory = new ArrayList<>();

  private FrozenBase() {}

  /** The matrices of a flat buffer. */
  static FrozenBase of(ParameterLayout layout, Tensor flat, DType type) {
    FrozenBase base = new FrozenBase();
    layout
        .slices()
        .forEach(
            (name, slice) ->
                base.matrices.put(
                    name,
                    FrozenMatrix.plain(
                        Tensors.address(flat) + slice.offset() * type.bytes,
                        Storage.of(type),
                        false,
                        0)));
    return base;
  }

  /**
   * The matrices of a model's files. Those of types that kernels do not read become copies.
   *
   * @param type of the copies
   */
  static FrozenBase of(StoredModel model, DType type) {
    FrozenBase base = new FrozenBase();
    try {
      model
          .shapes()
          .forEach(
              (name, shape) -> {
                if (shape.size() == 2) {
                  base.matrices.put(name, base.matrix(model, name, shape, type));
                }
              });
      return base;
    } catch (RuntimeException e) {
      base.close();
      throw e;
    }
  }

  /** Bytes of the copies that {@link #of(StoredModel, DType)} makes. */
  static long copied(StoredModel model, DType type) {
    long bytes = 0;
    for (Map.Entry<String, List<Long>> matrix : model.shapes().entrySet()) {
      List<Long> shape = matrix.getValue();
      if (shape.size() == 2
          && storage(model.weights().stored(model.tensor(matrix.getKey()))) == null) {
        bytes += shape.get(0) * shape.get(1) * type.bytes;
      }
    }
    return bytes;
  }

  private FrozenMatrix matrix(StoredModel model, String name, List<Long> shape, DType type) {
    String tensor = model.tensor(name);
    Storage storage = storage(model.weights().stored(tensor));
    if (storage != null) {
      ModelWeights.Mapped mapped = model.weights().map(tensor);
      if (mapped != null) {
        memory.add(mapped);
        return FrozenMatrix.plain(mapped.address(), storage, true, mapped.head());
      }
    }
    ScalarType scalar = type == DType.FLOAT32 ? ScalarType.Float : ScalarType.BFloat16;
    Tensor copy;
    try (PointerScope scope = new PointerScope()) {
      copy = Tensors.own(Tensors.empty(scalar, shape.get(0), shape.get(1)));
    }
    memory.add(copy);
    model.weights().copyInto(tensor, copy);
    return FrozenMatrix.plain(Tensors.address(copy), Storage.of(type), false, 0);
  }

  private static @Nullable Storage storage(GgmlType type) {
    return switch (type) {
      case F32 -> Storage.FLOAT32;
      case F16 -> Storage.FLOAT16;
      case BF16 -> Storage.BFLOAT16;
      case Q8_0 -> Storage.Q8_0;
      case Q4_0 -> Storage.Q4_0;
      case Q4_K -> Storage.Q4_K;
      case Q6_K -> Storage.Q6_K;
      default -> null;
    };
  }

  /**
   * All matrices in the order of {@link org.hirengine.kernels.ModelKernel#setFrozen}.
   *
   * @param lora the adapter on them, or none
   */
  List<FrozenMatrix> matrices(ModelConfig config, @Nullable Lora lora) {
    List<FrozenMatrix> all = new ArrayList<>();
    FrozenMatrix embedding = matrix(ParameterLayout.EMBEDDING);
    all.add(embedding);
    all.add(config.tied() ? embedding : matrix(ParameterLayout.HEAD));
    for (int i = 0; i < config.layers(); i++) {
      for (String name : ParameterLayout.projections(i)) {
        all.add(lora == null ? matrix(name) : lora.on(matrix(name), name));
      }
    }
    return all;
  }

  private FrozenMatrix matrix(String name) {
    return Objects.requireNonNull(matrices.get(name), name);
  }

  @Override
  public void close() {
    for (AutoCloseable piece : memory) {
      try {
        piece.close();
      } catch (Exception e) {
        throw new IllegalStateException(e); // neither kind throws
      }
    }
    memory.clear();
  }
}
