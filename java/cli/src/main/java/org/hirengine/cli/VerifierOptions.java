package org.hirengine.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ForkJoinPool;
import java.util.function.Function;
import org.hirengine.verify.Verifiers;
import org.hirengine.verify.judge.JudgeOptions;
import org.hirengine.verify.judge.ModelJudge;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What commands that verify are told of the verifiers: text data, and how to ask a judge. */
final class VerifierOptions {

  @Option(
      names = "--text-data",
      paramLabel = "DIR",
      description = "Text data in NLTK's layout (default: the environment's NLTK_DATA).")
  private @Nullable Path textData;

  @Option(
      names = "--judge-cache",
      paramLabel = "DIR",
      description = "Keep the verdicts of the judge that HIR_JUDGE_URL names in this folder.")
  private @Nullable Path judgeCache;

  @Option(
      names = "--judge-template",
      paramLabel = "FILE",
      description = "The judge's prompt, with {criterion}, {response} and, if wanted, {question}.")
  private @Nullable Path judgeTemplate;

  @Option(
      names = "--judge-parallel",
      paramLabel = "N",
      description = "Requests to the judge at once (default: ${DEFAULT-VALUE}).")
  private int judgeParallel = JudgeOptions.DEFAULT.parallel();

  @Option(
      names = "--judge-timeout",
      paramLabel = "SECONDS",
      description = "How long an answer of the judge may take (default: ${DEFAULT-VALUE}).")
  private double judgeTimeout = JudgeOptions.DEFAULT.timeoutSeconds();

  @Option(
      names = "--judge-retries",
      paramLabel = "N",
      description =
          "How often a request to the judge that failed is tried again (default:"
              + " ${DEFAULT-VALUE}).")
  private int judgeRetries = JudgeOptions.DEFAULT.retries();

  private int threads = Runtime.getRuntime().availableProcessors();

  /** All verifiers, and the judge that the environment names, if any. */
  Verifiers verifiers() throws IOException {
    Optional<ModelJudge> judge;
    try {
      judge =
          new JudgeOptions(judgeCache, judgeTemplate, judgeParallel, judgeTimeout, judgeRetries)
              .judge(System.getenv());
    } catch (IllegalArgumentException e) {
      throw new Failure(
          String.valueOf(e.getMessage()),
          "see --judge-... in hir verify --help, and set what lacks");
    }
    if (textData == null && judge.isEmpty()) {
      return Verifiers.standard();
    }
    Verifiers.Builder builder = Verifiers.builder();
    if (textData != null) {
      builder.textData(textData);
    }
    if (judge.isPresent()) {
      builder.judge(judge.get());
      threads = Math.max(threads, judgeParallel); // they wait most of the time
    }
    return builder.build();
  }

  /** Results in the order of the tasks, on all cores, or on as many threads as a judge serves. */
  <T, R> List<R> sideBySide(List<T> tasks, Function<T, R> work) {
    ForkJoinPool pool = new ForkJoinPool(threads);
    try {
      return pool.submit(() -> tasks.parallelStream().map(work).toList()).join();
    } finally {
      pool.shutdown();
    }
  }
}
