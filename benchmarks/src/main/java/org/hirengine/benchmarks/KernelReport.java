package org.hirengine.benchmarks;

import java.util.Collection;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import org.openjdk.jmh.infra.BenchmarkParams;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.CommandLineOptionException;
import org.openjdk.jmh.runner.options.CommandLineOptions;
import org.openjdk.jmh.runner.options.OptionsBuilder;

/**
 * The machine's ceilings, the kernels and the optimizer in one run, as one table: fastest and
 * median time of a call, bytes and exponentials per second, and their share of the binding ceiling.
 * Takes JMH's options.
 *
 * <p>How to run: {@code java -cp benchmarks/target/benchmarks.jar
 * org.hirengine.benchmarks.KernelReport -p vocab=151936}
 */
public final class KernelReport {

  private KernelReport() {}

  public static void main(String[] args) throws RunnerException, CommandLineOptionException {
    CommandLineOptions options = new CommandLineOptions(args);
    OptionsBuilder run = new OptionsBuilder();
    run.parent(options);
    if (options.getIncludes().isEmpty()) {
      run.include("CeilingBenchmark").include("KernelBenchmark").include("OptimizerBenchmark");
    }
    print(new Runner(run.build()).run());
  }

  private static void print(Collection<RunResult> results) {
    Map<String, Double> perSecond = new HashMap<>();
    for (RunResult result : results) {
      String what = result.getParams().getParam("what");
      if (what != null) {
        double bytes = what.equals("read") ? 4 : what.equals("exp") ? 1 : 8;
        perSecond.put(what, CeilingBenchmark.FLOATS * bytes / seconds(result, 0));
      }
    }
    System.out.println("\nceilings");
    perSecond.forEach(
        (what, rate) ->
            System.out.printf(
                Locale.ROOT,
                "  %-9s %7.2f %s%n",
                what,
                rate / 1e9,
                what.equals("exp") ? "G exponentials/s" : "GB/s"));
    System.out.printf(
        "%n%-28s %-9s %-9s %5s %7s | %9s %9s | %7s %7s | %s%n",
        "kernel",
        "provider",
        "dtype",
        "rows",
        "vocab",
        "best ms",
        "median",
        "GB/s",
        "Gexp/s",
        "of ceiling");
    for (RunResult result : results) {
      if (result.getParams().getParam("what") == null) {
        print(result, perSecond);
      }
    }
  }

  private static void print(RunResult result, Map<String, Double> perSecond) {
    BenchmarkParams params = result.getParams();
    String name = params.getBenchmark().replaceAll(".*\\.", "");
    String filters = params.getParam("filters");
    double best = seconds(result, 0);
    double bytes;
    double exponentials = 0;
    String rows = "";
    String vocab = "";
    if (params.getParam("count") != null) {
      // AdamW reads parameter, gradient and two moments, and writes all but the gradient.
      bytes = Double.parseDouble(params.getParam("count")) * (name.equals("adamw") ? 28 : 4);
    } else {
      rows = params.getParam("rows");
      vocab = params.getParam("vocab");
      double cells = Double.parseDouble(rows) * Double.parseDouble(vocab);
      boolean loss = name.equals("policyLoss");
      bytes = cells * ("FLOAT32".equals(params.getParam("dtype")) ? 4 : 2) * (loss ? 2 : 1);
      exponentials = cells * (loss ? 2 : 1);
    }
    String bandwidth =
        bytes > 0 && (name.equals("policyLoss") || name.equals("adamw")) ? "in-place" : "read";
    double ofBandwidth = bytes / best / perSecond.getOrDefault(bandwidth, Double.NaN);
    double ofExp = exponentials / best / perSecond.getOrDefault("exp", Double.NaN);
    boolean expBinds = ofExp > ofBandwidth;
    System.out.printf(
        Locale.ROOT,
        "%-28s %-9s %-9s %5s %7s | %9.3f %9.3f | %7.2f %7.2f | %.0f%% of %s%n",
        name + (filters == null ? "" : " " + filters),
        params.getParam("provider"),
        params.getParam("dtype") == null ? "FLOAT32" : params.getParam("dtype"),
        rows,
        vocab,
        best * 1e3,
        seconds(result, 0.5) * 1e3,
        bytes / best / 1e9,
        exponentials / best / 1e9,
        100 * (expBinds ? ofExp : ofBandwidth),
        expBinds ? "exp" : bandwidth);
  }

  /** Time of a call, in seconds, at a quantile; 0 is the fastest. */
  private static double seconds(RunResult result, double quantile) {
    return result.getPrimaryResult().getStatistics().getPercentile(100 * quantile) / 1e3;
  }
}
