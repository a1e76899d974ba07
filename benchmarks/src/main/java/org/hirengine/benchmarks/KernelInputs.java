package org.hirengine.benchmarks;

import java.util.Random;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.IntPointer;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.javacpp.Pointer;
import org.hirengine.engine.runtime.NativeRuntime;
import org.hirengine.kernels.DType;
import org.hirengine.kernels.Device;
import org.hirengine.kernels.KernelProvider;
import org.hirengine.kernels.KernelRegistry;
import org.hirengine.kernels.Kernels;
import org.hirengine.kernels.Rows;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** Logits and the per-token inputs of the kernels, from a normal distribution of spread 3. */
@State(Scope.Thread)
public class KernelInputs {

  @Param({"libtorch", "avx512"})
  String provider;

  @Param({"FLOAT32", "BFLOAT16"})
  DType dtype;

  @Param({"512"})
  int rows;

  @Param({"32000", "151936"})
  int vocab;

  Kernels kernels;
  Rows logits;
  FloatPointer floats;
  LongPointer longs;
  IntPointer counters;
  private BytePointer memory;
  private BytePointer pristine;

  static Kernels kernels(String name) {
    NativeRuntime.load();
    for (KernelProvider provider : KernelRegistry.providers()) {
      if (provider.name().equals(name)) {
        provider.unusable().ifPresent(KernelInputs::refuse);
        return provider.kernels();
      }
    }
    throw new IllegalArgumentException("no provider is called '" + name + "'");
  }

  private static void refuse(String reason) {
    throw new IllegalStateException(reason);
  }

  @Setup(Level.Trial)
  public void allocate() {
    kernels = kernels(provider);
    long bytes = (long) rows * vocab * dtype.bytes;
    memory = new BytePointer(bytes);
    pristine = new BytePointer(bytes);
    // One row's worth of random numbers at a time, shifted from row to row.
    Random random = new Random(1);
    int period = vocab + 977;
    float[] values = new float[period];
    for (int i = 0; i < period; i++) {
      values[i] = (float) (3 * random.nextGaussian());
    }
    FloatPointer wide = new FloatPointer(pristine); // a view: closing it would free the memory
    for (int r = 0; r < rows; r++) {
      for (int j = 0; j < vocab; j++) {
        float value = values[(r * 31 + j) % period];
        long at = (long) r * vocab + j;
        if (dtype == DType.FLOAT32) {
          wide.put(at, value);
        } else {
          pristine.putShort(2 * at, (short) (Float.floatToRawIntBits(value) >>> 16));
        }
      }
    }
    restore();
    logits = new Rows(memory.address(), rows, vocab, vocab, dtype);
    floats = new FloatPointer(8L * rows);
    longs = new LongPointer(2L * rows);
    counters = new IntPointer(4L * rows);
    for (int r = 0; r < rows; r++) {
      longs.put(r, random.nextInt(vocab));
      floats.put(r, -10f); // old log-probs
      floats.put(rows + r, random.nextFloat() - 0.5f); // advantages
      floats.put(2L * rows + r, 1f / rows); // weights
      for (int i = 0; i < 4; i++) {
        counters.put(4L * r + i, random.nextInt());
      }
    }
  }

  /** Undoes what a kernel wrote over the logits. */
  void restore() {
    Pointer.memcpy(memory, pristine, memory.capacity());
  }

  /** Address of the n-th float[rows]. */
  long floats(int n) {
    return floats.address() + 4L * n * rows;
  }

  /** Address of the n-th int64[rows]. */
  long longs(int n) {
    return longs.address() + 8L * n * rows;
  }

  Device device() {
    return Device.CPU;
  }

  @TearDown(Level.Trial)
  public void free() {
    memory.close();
    pristine.close();
    floats.close();
    longs.close();
    counters.close();
  }
}
