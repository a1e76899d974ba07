package org.hirengine.engine.experience;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicInteger;
import org.hirengine.engine.config.RewardSection.VerdictMode;
import org.hirengine.engine.config.TrainConfig;
import org.hirengine.engine.rollout.Completion;
import org.hirengine.engine.tokens.Tokenizer;
import org.hirengine.replay.Instruction;
import org.hirengine.verify.JudgeList;
import org.hirengine.verify.Response;
import org.hirengine.verify.Strictness;
import org.hirengine.verify.Thinking;
import org.hirengine.verify.Verifiers;
import org.hirengine.verify.judge.ModelJudge;

/** Verifies responses on its own threads, in parallel with the native thread. */
public final class Verification implements AutoCloseable {

  private final Verifiers verifiers;
  private final Tokenizer tokenizer;
  private final boolean stripThinking;
  private final Strictness strictness;
  private final ExecutorService pool;

  /**
   * @param processes how many like this one share the machine
   */
  public Verification(Verifiers verifiers, Tokenizer tokenizer, TrainConfig config, int processes) {
    this.verifiers = verifiers;
    this.tokenizer = tokenizer;
    stripThinking = config.verify().stripThinking();
    strictness = config.reward().mode() == VerdictMode.LOOSE ? Strictness.LOOSE : Strictness.STRICT;
    pool = Executors.newFixedThreadPool(threads(verifiers, config, processes), daemons());
  }

  /**
   * One per core of a fair share of the machine; with a judge, whose answers the threads wait for,
   * as many as its parallel requests.
   */
  private static int threads(Verifiers verifiers, TrainConfig config, int processes) {
    Integer asked = config.verify().threads();
    int cores = Math.max(1, Runtime.getRuntime().availableProcessors() / processes);
    boolean judged = verifiers.benches().contains(ModelJudge.BENCH);
    int threads = judged ? Math.max(cores, config.verify().judge().parallel()) : cores;
    return asked == null ? threads : asked;
  }

  private static ThreadFactory daemons() {
    AtomicInteger number = new AtomicInteger();
    return task -> {
      Thread thread = new Thread(task, "hir-verify-" + number.incrementAndGet());
      thread.setDaemon(true);
      return thread;
    };
  }

  /**
   * A verified response.
   *
   * @param endedAt {@link System#nanoTime} when all verdicts were known
   */
  public record Judged(Response response, JudgeList judges, long endedAt) {}

  /** Starts verifying a response. No failure of a verifier becomes an exception here. */
  Future<Judged> submit(Completion completion, Instruction instruction) {
    return pool.submit(() -> judge(completion, instruction));
  }

  private Judged judge(Completion completion, Instruction instruction) {
    Response response = Response.of(text(completion));
    JudgeList judges = verifiers.judge(instruction.constraints(), response, strictness);
    return new Judged(response, judges, System.nanoTime());
  }

  /** The verified text: tokens before the stop id, special ones skipped, thinking left out. */
  private String text(Completion completion) {
    int[] ids = Arrays.copyOf(completion.tokens(), completion.textTokens());
    String text = tokenizer.decode(ids, true);
    return stripThinking ? Thinking.strip(text) : text;
  }

  /** Verdicts that failed so far, by "bench/id": exceptions and spent budgets. */
  public Map<String, Long> failures() {
    return verifiers.failures();
  }

  /**
   * What went wrong with the judge so far, as text for people; empty if every question got an
   * answer.
   */
  public String judgeProblem() {
    return verifiers.judge().map(ModelJudge::failures).orElse("");
  }

  /** Runs tasks in parallel and returns their results in order. */
  <T> List<T> all(List<Callable<T>> tasks) {
    List<Future<T>> futures = new ArrayList<>(tasks.size());
    for (Callable<T> task : tasks) {
      futures.add(pool.submit(task));
    }
    return await(futures);
  }

  /**
   * Waits for results, in order. An interrupt does not end the wait; it is kept for the run, which
   * stops at the end of the step.
   */
  static <T> List<T> await(List<Future<T>> futures) {
    List<T> results = new ArrayList<>(futures.size());
    boolean interrupted = false;
    try {
      while (results.size() < futures.size()) {
        try {
          results.add(futures.get(results.size()).get());
        } catch (InterruptedException e) {
          interrupted = true;
        } catch (ExecutionException e) {
          throw new IllegalStateException("verification failed: " + e.getCause(), e.getCause());
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
    return results;
  }

  @Override
  public void close() {
    pool.shutdownNow();
  }
}
