package org.hirengine.engine.model;

import java.io.IOException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.bytedeco.pytorch.Tensor;
import org.hirengine.engine.gguf.GgmlType;
import org.hirengine.engine.runtime.Tensors;
import org.hirengine.kernels.Device;
import org.jspecify.annotations.Nullable;

/**
 * A model's weights with an adapter's part added, W + scale B A, a few rows at a time. W is what
 * the adapter was trained on: for a quantized model, the decoded values. The sum is rounded to
 * float32 once; {@link #copyInto} and {@link #map} are only for unchanged weights.
 */
final class MergedWeights implements ModelWeights {

  private record Part(float[] a, float[] b, int rank, int columns, double scale) {}

  private final ModelWeights base;
  private final Map<String, Part> parts = new HashMap<>();

  /**
   * @param base remains the caller's to close
   */
  MergedWeights(ModelWeights base, ModelConfig config, Lora.Source adapter) {
    this.base = base;
    try (Lora lora = adapter.open(config, Device.CPU, false)) {
      lora.parts()
          .forEach(
              (name, part) ->
                  parts.put(
                      name,
                      new Part(
                          Tensors.floats(part.a()),
                          Tensors.floats(part.b()),
                          part.target().rank(),
                          Math.toIntExact(part.target().columns()),
                          part.target().scale())));
    }
  }

  @Override
  public Set<String> names() {
    return base.names();
  }

  @Override
  public List<Long> shape(String name) {
    return base.shape(name);
  }

  @Override
  public GgmlType stored(String name) {
    return base.stored(name);
  }

  @Override
  public int rowStep(String name) {
    return base.rowStep(name);
  }

  @Override
  public float[] read(String name, long first, int rows) throws IOException {
    float[] values = base.read(name, first, rows);
    Part part = parts.get(name);
    if (part == null) {
      return values;
    }
    double[] sum = new double[part.columns];
    for (int row = 0; row < rows; row++) {
      Arrays.fill(sum, 0);
      int ofB = Math.toIntExact((first + row) * part.rank);
      for (int j = 0; j < part.rank; j++) {
        double factor = part.scale * part.b[ofB + j];
        int ofA = j * part.columns;
        for (int c = 0; c < part.columns; c++) {
          sum[c] += factor * part.a[ofA + c];
        }
      }
      for (int c = 0; c < part.columns; c++) {
        int at = row * part.columns + c;
        values[at] = (float) (values[at] + sum[c]);
      }
    }
    return values;
  }

  @Override
  public void copyInto(String name, Tensor target) {
    refuse(name);
    base.copyInto(name, target);
  }

  @Override
  public @Nullable Mapped map(String name) {
    refuse(name);
    return base.map(name);
  }

  private void refuse(String name) {
    if (parts.containsKey(name)) {
      throw new IllegalStateException(name + " has an adapter: read it row by row");
    }
  }

  @Override
  public void close() {
    base.close();
  }
}
