package org.hirengine.engine.model;

import java.nio.file.Path;
import java.util.Arrays;
import org.bytedeco.pytorch.Tensor;
import org.hirengine.engine.runtime.Tensors;
import org.hirengine.testing.SharedData;

/**
 * A folder in golden/models: the results of transformers for two rows of {@value #LENGTH} tokens,
 * padded on the left.
 *
 * @param batch the rows without their padding, packed
 * @param first index of each row's first token behind the padding
 */
public record GoldenModel(Path folder, Safetensors values, PackedBatch batch, int[] first)
    implements AutoCloseable {

  public static final int ROWS = 2;
  public static final int LENGTH = 28;

  /** Opens a golden model, or skips the test if it is absent. */
  public static GoldenModel open(String name) {
    Path folder = SharedData.require("golden/models/" + name);
    Safetensors values = Safetensors.open(folder.resolve("golden.safetensors"));
    long[] ids = longs(values, "input_ids");
    long[] mask = longs(values, "attention_mask");
    int[] first = new int[ROWS];
    int[] lengths = new int[ROWS];
    int[] packed = new int[ROWS * LENGTH];
    int count = 0;
    for (int row = 0; row < ROWS; row++) {
      first[row] = LENGTH;
      for (int t = LENGTH - 1; t >= 0 && mask[row * LENGTH + t] == 1; t--) {
        first[row] = t;
      }
      lengths[row] = LENGTH - first[row];
      for (int t = first[row]; t < LENGTH; t++) {
        packed[count++] = (int) ids[row * LENGTH + t];
      }
    }
    PackedBatch batch = new PackedBatch(Arrays.copyOf(packed, count), lengths);
    return new GoldenModel(folder, values, batch, first);
  }

  /** A row's tokens, without its padding. */
  public int[] tokens(int row) {
    int start = row == 0 ? 0 : batch.lengths()[0];
    return Arrays.copyOfRange(batch.ids(), start, start + batch.lengths()[row]);
  }

  public float[] floats(String name) {
    return floats(values, name);
  }

  public long[] longs(String name) {
    return longs(values, name);
  }

  /** Values of a golden tensor [2, 28, width] at the packed rows. */
  float[] packed(float[] padded, int offset, int width) {
    float[] kept = new float[batch.tokens() * width];
    int at = 0;
    for (int row = 0; row < ROWS; row++) {
      int count = batch.lengths()[row] * width;
      System.arraycopy(padded, offset + (row * LENGTH + first[row]) * width, kept, at, count);
      at += count;
    }
    return kept;
  }

  static long[] longs(Safetensors file, String name) {
    try (Tensor tensor = file.tensor(name)) {
      return Tensors.longs(tensor);
    }
  }

  static float[] floats(Safetensors file, String name) {
    try (Tensor tensor = file.tensor(name)) {
      return Tensors.floats(tensor);
    }
  }

  @Override
  public void close() {
    values.close();
  }
}
