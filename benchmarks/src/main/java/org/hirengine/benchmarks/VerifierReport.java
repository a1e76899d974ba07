package org.hirengine.benchmarks;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import org.hirengine.verify.ConstraintJson;
import org.hirengine.verify.ConstraintSpec;
import org.hirengine.verify.ConstraintType;
import org.hirengine.verify.Response;
import org.hirengine.verify.Strictness;
import org.hirengine.verify.Verifiers;
import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.CommandLineOptionException;
import org.openjdk.jmh.runner.options.CommandLineOptions;
import org.openjdk.jmh.runner.options.OptionsBuilder;

/**
 * Verdicts per second and thread and bytes allocated for each, of every benchmark and of the ten
 * slowest types on a response of 500 words: first in processor time, then by JMH, whose options it
 * takes; {@code quick} skips JMH.
 *
 * <p>How to run: {@code java -Dhir.shared=../shared -cp benchmarks/target/benchmarks.jar
 * org.hirengine.benchmarks.VerifierReport}
 */
public final class VerifierReport {

  private static final int SLOWEST = 10;
  private static final double PASSES_MICROS = 4e6;
  private static final Set<String> LANGUAGE =
      Set.of(
          "language:response_language",
          "change_case:english_capital",
          "change_case:english_lowercase");

  private VerifierReport() {}

  public static void main(String[] args)
      throws RunnerException, CommandLineOptionException, IOException {
    benches();
    String[] slowest = slowest().toArray(String[]::new);
    if (List.of(args).equals(List.of("quick"))) {
      return;
    }
    OptionsBuilder run = new OptionsBuilder();
    run.parent(new CommandLineOptions(args));
    run.include("VerifierBenchmark").param("type", slowest).addProfiler(GCProfiler.class);
    print(new Runner(run.build()).run());
  }

  /** The cost of a check in each benchmark, and in IFEval without its language types. */
  private static void benches() throws IOException {
    Verifiers verifiers = Verifiers.standard();
    for (String bench : verifiers.benches()) {
      List<VerifierInputs.Line> lines = VerifierInputs.lines(verifiers, bench);
      bench(verifiers, bench, lines);
      if (bench.equals("ifeval")) {
        bench(verifiers, "ifeval without language types", withoutLanguage(lines));
      }
    }
  }

  private static List<VerifierInputs.Line> withoutLanguage(List<VerifierInputs.Line> lines) {
    List<VerifierInputs.Line> others = new ArrayList<>();
    for (VerifierInputs.Line line : lines) {
      List<ConstraintSpec> kept =
          line.constraints().stream().filter(c -> !LANGUAGE.contains(c.id())).toList();
      if (!kept.isEmpty()) {
        others.add(new VerifierInputs.Line(line.response(), kept));
      }
    }
    return others;
  }

  /**
   * The processor's time of a check in the best of the passes over the lines that fit into some
   * seconds: strict and loose verdicts, or for MulDimIF the only kind.
   */
  private static void bench(Verifiers verifiers, String what, List<VerifierInputs.Line> lines) {
    boolean both = !what.equals(ConstraintJson.MULDIMIF);
    int constraints = lines.stream().mapToInt(line -> line.constraints().size()).sum();
    int checks = both ? 2 * constraints : constraints;
    double best = Double.POSITIVE_INFINITY;
    long bytes = 0;
    double begin = processorMicros();
    for (int pass = 0; pass < 10 || processorMicros() - begin < PASSES_MICROS; pass++) {
      double start = processorMicros();
      long allocated = allocatedBytes();
      for (VerifierInputs.Line line : lines) {
        Response response = Response.of(line.response());
        if (both) {
          verifiers.judgeBoth(line.constraints(), response);
        } else {
          verifiers.judge(line.constraints(), response);
        }
      }
      bytes = allocatedBytes() - allocated;
      best = Math.min(best, processorMicros() - start);
    }
    System.out.printf(
        Locale.ROOT,
        "%8.1f us of processor time and %,7d bytes a check, %s%n",
        best / checks,
        bytes / checks,
        what);
  }

  /** What this thread has allocated so far. */
  private static long allocatedBytes() {
    return ((com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean())
        .getThreadAllocatedBytes(Thread.currentThread().getId());
  }

  /** This thread's processor time, which other programs on the machine do not lengthen much. */
  private static double processorMicros() {
    return ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime() / 1e3;
  }

  /** The slowest types, by a quick measurement of all of them after warm-up. */
  private static List<String> slowest() throws IOException {
    Verifiers verifiers = Verifiers.standard();
    List<String> texts = VerifierInputs.texts(verifiers);
    Map<String, Double> micros = new HashMap<>();
    for (int pass = 0; pass < 30; pass++) {
      Set<ConstraintType> seen = new HashSet<>();
      for (String bench : verifiers.benches()) {
        for (ConstraintType type : verifiers.types(bench)) {
          if (seen.add(type)) { // IFTrain has IFEval's types too
            micros.merge(bench + " " + type.id(), micros(verifiers, bench, type, texts), Math::min);
          }
        }
      }
    }
    List<String> types = new ArrayList<>(micros.keySet());
    types.sort(Comparator.comparing(micros::get, Comparator.reverseOrder()));
    List<String> slowest = types.subList(0, SLOWEST);
    slowest.forEach(
        type ->
            System.out.printf(
                Locale.ROOT, "%8.0f us of processor time %s%n", micros.get(type), type));
    return slowest;
  }

  private static double micros(
      Verifiers verifiers, String bench, ConstraintType type, List<String> texts) {
    ConstraintSpec spec = VerifierInputs.constraint(bench, type, new SplittableRandom(3));
    double start = processorMicros();
    texts.forEach(text -> verifiers.judge(spec, Response.of(text), Strictness.STRICT));
    return (processorMicros() - start) / texts.size();
  }

  private static void print(Collection<RunResult> results) {
    System.out.printf("%n%-50s %12s %12s %12s%n", "what", "checks/s", "us a check", "bytes");
    for (RunResult result : results) {
      var more = result.getSecondaryResults();
      String bench = result.getParams().getParam("bench");
      double operations = result.getPrimaryResult().getScore();
      double checks = bench == null ? operations : more.get("checks").getScore();
      double bytes = more.get("gc.alloc.rate.norm").getScore() * operations / checks;
      System.out.printf(
          Locale.ROOT,
          "%-50s %,12.0f %12.1f %,12.0f%n",
          bench == null ? result.getParams().getParam("type") : bench,
          checks,
          1e6 * result.getParams().getThreads() / checks,
          bytes);
    }
  }
}
