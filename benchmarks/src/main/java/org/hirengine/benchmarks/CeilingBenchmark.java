package org.hirengine.benchmarks;

import java.util.concurrent.TimeUnit;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Pointer;
import org.hirengine.engine.runtime.NativeRuntime;
import org.hirengine.kernels.testing.TestingLibrary.Ceiling;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * The machine's peak rates on {@link #FLOATS} floats: read them, copy them, change them in place,
 * and compute as many exponentials from cache.
 *
 * <p>How to run: {@code java -jar benchmarks/target/benchmarks.jar CeilingBenchmark}
 */
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 1, time = 1)
@Measurement(iterations = 3, time = 1)
@Fork(1)
@State(Scope.Thread)
public class CeilingBenchmark {

  /** 256 MB, larger than any cache. */
  static final long FLOATS = 1L << 26;

  @Param({"read", "copy", "in-place", "exp"})
  String what;

  private Ceiling ceiling;
  private FloatPointer x;
  private FloatPointer y;

  @Setup(Level.Trial)
  public void allocate() {
    NativeRuntime.load();
    ceiling =
        switch (what) {
          case "read" -> Ceiling.READ;
          case "copy" -> Ceiling.COPY;
          case "in-place" -> Ceiling.IN_PLACE;
          case "exp" -> Ceiling.EXP;
          default -> throw new IllegalArgumentException(what);
        };
    x = new FloatPointer(FLOATS);
    y = new FloatPointer(FLOATS);
    Pointer.memset(x, 0, 4 * FLOATS);
    Pointer.memset(y, 0, 4 * FLOATS);
  }

  @Benchmark
  public int best() {
    return ceiling.probe(x.address(), y.address(), FLOATS);
  }

  @TearDown(Level.Trial)
  public void free() {
    x.close();
    y.close();
  }
}
