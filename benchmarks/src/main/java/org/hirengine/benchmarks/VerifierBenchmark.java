package org.hirengine.benchmarks;

import java.io.IOException;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.hirengine.benchmarks.VerifierInputs.Line;
import org.hirengine.verify.ConstraintJson;
import org.hirengine.verify.ConstraintSpec;
import org.hirengine.verify.Response;
import org.hirengine.verify.Strictness;
import org.hirengine.verify.Verdict;
import org.hirengine.verify.Verifiers;
import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;
import org.openjdk.jmh.infra.Blackhole;

/**
 * Verdicts per second on one thread ({@code -t max} for all cores). Every operation takes a new
 * {@link Response}, so the analysis of its text is included. {@link VerifierReport} finds the
 * slowest types and runs it on them.
 *
 * <p>How to run: {@code java -jar benchmarks/target/benchmarks.jar VerifierBenchmark -prof gc}
 */
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 2, time = 5)
@Measurement(iterations = 3, time = 3)
@Fork(1)
public class VerifierBenchmark {

  /** The lines of a benchmark, one after another. */
  @State(Scope.Thread)
  public static class Lines {
    @Param({"ifeval", "iftrain", "ifbench", "ifbench-r2", "muldimif"})
    String bench;

    final Verifiers verifiers = Verifiers.standard();
    List<Line> lines = List.of();
    int next;

    @Setup
    public void read() throws IOException {
      lines = VerifierInputs.lines(verifiers, bench);
    }

    Line next() {
      next = (next + 1) % lines.size();
      return lines.get(next);
    }
  }

  /** One type on responses of 500 words. */
  @State(Scope.Thread)
  public static class OneType {
    /** The benchmark and the id, such as "ifeval language:response_language". */
    @Param("ifeval language:response_language")
    String type;

    final Verifiers verifiers = Verifiers.standard();
    List<String> texts = List.of();
    List<ConstraintSpec> constraints = List.of();
    int next;

    @Setup
    public void read() throws IOException {
      String[] names = type.split(" ", 2);
      texts = VerifierInputs.texts(verifiers);
      var random = new SplittableRandom(3);
      var found = verifiers.type(names[0], names[1]).orElseThrow();
      constraints =
          texts.stream().map(t -> VerifierInputs.constraint(names[0], found, random)).toList();
    }
  }

  /** Verdicts, of which an operation gives as many as the line has constraints and modes. */
  @State(Scope.Thread)
  @AuxCounters(AuxCounters.Type.OPERATIONS)
  public static class Counter {
    public long checks;
  }

  /** All constraints of a line, strict and loose. */
  @Benchmark
  public void lines(Lines in, Counter counter, Blackhole verdicts) {
    Line line = in.next();
    Response response = Response.of(line.response());
    if (in.bench.equals(ConstraintJson.MULDIMIF)) { // has one kind of verdict
      verdicts.consume(in.verifiers.judge(line.constraints(), response));
      counter.checks += line.constraints().size();
    } else {
      verdicts.consume(in.verifiers.judgeBoth(line.constraints(), response));
      counter.checks += 2L * line.constraints().size();
    }
  }

  /** One strict verdict. */
  @Benchmark
  public Verdict type(OneType in) {
    in.next = (in.next + 1) % in.texts.size();
    Response response = Response.of(in.texts.get(in.next));
    return in.verifiers.judge(in.constraints.get(in.next), response, Strictness.STRICT);
  }
}
