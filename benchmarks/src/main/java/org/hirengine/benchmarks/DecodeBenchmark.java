package org.hirengine.benchmarks;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.javacpp.Pointer;
import org.hirengine.kernels.DType;
import org.hirengine.kernels.DecodeKernel;
import org.hirengine.kernels.Device;
import org.hirengine.kernels.ModelKernel;
import org.hirengine.kernels.ModelShape;
import org.hirengine.kernels.WeightAddresses;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * One decode step of a batch, groups of 8 after prompts of 64 tokens, over their first 32 tokens:
 * {@code rows} divided by the time is tokens per second, without sampling.
 *
 * <p>How to run: {@code java -jar benchmarks/target/benchmarks.jar DecodeBenchmark}
 */
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 1, time = 1)
@Measurement(iterations = 3, time = 1)
@Fork(1)
@State(Scope.Thread)
public class DecodeBenchmark {

  private static final int PROMPT = 64;
  private static final int GENERATED = 32;
  private static final int GROUP = 8;

  @Param({"avx512", "avx2"})
  String provider;

  @Param({"demo-2m", "tiny-12m", "half-0.25b"})
  String model;

  @Param({"FLOAT32", "BFLOAT16"})
  DType dtype;

  @Param({"1", "16", "64"})
  int rows;

  private final List<Pointer> owned = new ArrayList<>();
  private final Random random = new Random(1);
  private ModelShape shape;
  private ModelKernel packed;
  private DecodeKernel kernel;
  private long prompt;
  private LongPointer tokens;
  private FloatPointer logits;

  @Setup(Level.Trial)
  public void load() {
    shape =
        switch (model) {
          case "demo-2m" -> new ModelShape(4, 192, 512, 6, 2, 32, 1024, 1e-6, dtype);
          case "tiny-12m" -> new ModelShape(6, 384, 1024, 6, 2, 64, 8192, 1e-6, dtype);
          case "half-0.25b" -> new ModelShape(12, 896, 2432, 14, 2, 64, 32000, 1e-6, dtype);
          default -> throw new IllegalArgumentException(model);
        };
    packed = KernelInputs.kernels(provider).model(Device.CPU, shape).orElseThrow();
    kernel = packed.decoder();
    packed.setWeights(weights());
    int half = shape.headDim() / 2;
    long positions = PROMPT + GENERATED + 1;
    packed.setRotary(floats(positions * half), floats(positions * half), positions);
    int width = shape.kvHeads() * shape.headDim();
    long keyValues = floats((long) shape.layers() * PROMPT * 2 * width);
    prompt =
        kernel.storePrompt(
            keyValues,
            keyValues + 4L * width,
            2L * PROMPT * width,
            2L * width,
            PROMPT,
            DType.FLOAT32);
    tokens = own(new LongPointer(rows));
    for (int r = 0; r < rows; r++) {
      tokens.put(r, random.nextInt(shape.vocab()));
    }
    logits = own(new FloatPointer((long) rows * shape.vocab()));
  }

  private WeightAddresses weights() {
    long hidden = shape.hidden();
    long query = (long) shape.heads() * shape.headDim();
    long qkv = query + 2L * shape.kvHeads() * shape.headDim();
    long embedding = elements(shape.vocab() * hidden);
    List<WeightAddresses.Layer> layers = new ArrayList<>();
    for (int i = 0; i < shape.layers(); i++) {
      layers.add(
          new WeightAddresses.Layer(
              elements(hidden),
              elements(qkv * hidden),
              0,
              elements(shape.headDim()),
              elements(shape.headDim()),
              elements(hidden * query),
              elements(hidden),
              elements(2L * shape.intermediate() * hidden),
              elements(hidden * shape.intermediate())));
    }
    return new WeightAddresses(embedding, elements(hidden), embedding, layers);
  }

  private <P extends Pointer> P own(P pointer) {
    owned.add(pointer);
    return pointer;
  }

  private long floats(long count) {
    FloatPointer values = own(new FloatPointer(count));
    for (long i = 0; i < count; i++) {
      values.put(i, random.nextFloat() - 0.5f);
    }
    return values.address();
  }

  private long elements(long count) {
    if (dtype == DType.FLOAT32) {
      return floats(count);
    }
    BytePointer values = own(new BytePointer(2 * count));
    for (long i = 0; i < count; i++) {
      int bits = Float.floatToRawIntBits(random.nextFloat() - 0.5f);
      values.putShort(2 * i, (short) (bits >>> 16));
    }
    return values.address();
  }

  /** The first tokens of every row; one of them is one operation. */
  @Benchmark
  @OperationsPerInvocation(GENERATED)
  public void step() {
    kernel.keep(0);
    for (int first = 0; first < rows; first += GROUP) {
      kernel.admit(prompt, first, Math.min(GROUP, rows - first));
    }
    for (int i = 0; i < GENERATED; i++) {
      kernel.step(tokens.address(), rows, logits.address(), shape.vocab());
    }
  }

  @TearDown(Level.Trial)
  public void free() {
    kernel.freePrompt(prompt);
    kernel.close();
    packed.close();
    owned.forEach(Pointer::close);
  }
}
