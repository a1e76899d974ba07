package org.hirengine.benchmarks;

import java.util.concurrent.TimeUnit;
import org.hirengine.kernels.Kernels.Filters;
import org.hirengine.kernels.Kernels.KlLoss;
import org.hirengine.kernels.Kernels.PolicyLossConfig;
import org.hirengine.kernels.Kernels.PolicyLossSums;
import org.hirengine.kernels.Kernels.TokenInputs;
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
import org.openjdk.jmh.annotations.Warmup;

/**
 * The kernels over a batch of logits, per provider: one call is one operation. {@link KernelReport}
 * runs it and compares the times with the machine's peak rates.
 *
 * <p>How to run: {@code java -jar benchmarks/target/benchmarks.jar KernelBenchmark.tokenLogprob -p
 * vocab=32000}
 */
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 1, time = 1)
@Measurement(iterations = 3, time = 1)
@Fork(1)
public class KernelBenchmark {

  static final PolicyLossConfig PPO = new PolicyLossConfig(1.0, 0.2, 0.2, 3.0, 0, KlLoss.NONE, 0);

  /** Logits that are restored for every call, since the kernel overwrites them. */
  @State(Scope.Thread)
  public static class Overwritten extends KernelInputs {
    @Setup(Level.Invocation)
    public void begin() {
      restore();
    }
  }

  /** Logits and a sampling configuration. */
  @State(Scope.Thread)
  public static class Sampled extends KernelInputs {
    @Param({"plain", "top-k", "top-p", "min-p", "all"})
    String filters;

    Filters parsed() {
      return switch (filters) {
        case "plain" -> new Filters(1, 0, 1, 0);
        case "greedy" -> new Filters(0, 0, 1, 0);
        case "top-k" -> new Filters(1, 50, 1, 0);
        case "top-p" -> new Filters(1, 0, 0.95, 0);
        case "min-p" -> new Filters(1, 0, 1, 0.05);
        case "all" -> new Filters(0.8, 50, 0.95, 0.01);
        default -> throw new IllegalArgumentException(filters);
      };
    }
  }

  @Benchmark
  public void tokenLogprob(KernelInputs in) {
    in.kernels.tokenLogprob(in.device(), in.logits, in.longs(0), 1.0, in.floats(3), in.floats(4));
  }

  @Benchmark
  public PolicyLossSums policyLoss(Overwritten in) {
    TokenInputs tokens = new TokenInputs(in.floats(0), 0, in.floats(1), in.floats(2));
    return in.kernels.policyLoss(in.device(), in.logits, in.longs(0), tokens, PPO, 0, 0);
  }

  @Benchmark
  public void sample(Sampled in) {
    in.kernels.sample(
        in.device(),
        in.logits,
        in.parsed(),
        7,
        in.counters.address(),
        in.longs(1),
        in.floats(5),
        0);
  }
}
