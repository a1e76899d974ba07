package org.hirengine.engine.model;

import java.nio.FloatBuffer;
import java.nio.MappedByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.hirengine.engine.gguf.GgmlType;
import org.hirengine.engine.gguf.GgufModel;
import org.hirengine.engine.runtime.GradMode;
import org.hirengine.engine.runtime.NativeRuntime;
import org.hirengine.engine.runtime.Tensors;
import org.jspecify.annotations.Nullable;

/** The weights of a GGUF file, decoded a few rows at a time. */
final class GgufWeights implements ModelWeights {

  /** Values decoded at a time, or slightly more if one head of a projection has more. */
  private static final int CHUNK = 1 << 20;

  private final Path path;
  private final GgufModel model;

  GgufWeights(Path path) {
    this.path = path;
    this.model = GgufModel.open(path);
  }

  @Override
  public Set<String> names() {
    return model.shapes().keySet();
  }

  @Override
  public List<Long> shape(String name) {
    return Objects.requireNonNull(model.shapes().get(name), name);
  }

  @Override
  public GgmlType stored(String name) {
    return model.type(name);
  }

  @Override
  public int rowStep(String name) {
    return model.rowStep(name);
  }

  @Override
  public float[] read(String name, long first, int rows) {
    return model.read(name, first, rows);
  }

  @Override
  public void copyInto(String name, Tensor target) {
    NativeRuntime.load();
    List<Long> shape = shape(name);
    List<Long> expected = Arrays.stream(Tensors.shape(target)).boxed().toList();
    if (!expected.equals(shape)) {
      throw new ModelException(
          path + ": tensor " + name + " has shape " + shape + ", expected " + expected);
    }
    long rows = shape.get(0);
    long width = target.numel() / rows;
    long unit = model.rowStep(name);
    long step = Math.max(1, CHUNK / (width * unit)) * unit;
    try (GradMode off = GradMode.disabled();
        PointerScope scope = new PointerScope()) {
      Tensor staging = Tensors.empty(ScalarType.Float, Math.min(step, rows) * width);
      Tensor flat = target.view(-1);
      for (long row = 0; row < rows; row += step) {
        int count = (int) Math.min(step, rows - row);
        float[] values = model.read(name, row, count);
        FloatBuffer staged =
            Tensors.bytes(staging, 0, Math.multiplyExact(values.length, 4)).asFloatBuffer();
        staged.put(values);
        try (Tensor part = flat.narrow(0, row * width, values.length);
            Tensor read = staging.narrow(0, 0, values.length)) {
          part.copy_(read);
        }
      }
    }
  }

  @Override
  public @Nullable Mapped map(String name) {
    NativeRuntime.load();
    MappedByteBuffer bytes = model.map(name);
    int step = model.rowStep(name);
    return bytes == null ? null : new Mapped(new BytePointer(bytes), step == 1 ? 0 : step);
  }

  @Override
  public void close() {
    model.close();
  }
}
