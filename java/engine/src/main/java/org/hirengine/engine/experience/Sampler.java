package org.hirengine.engine.experience;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.hirengine.engine.config.TrainConfig;
import org.hirengine.engine.experience.Stopwatch.Part;
import org.hirengine.engine.experience.Verification.Judged;
import org.hirengine.engine.model.ResponseBatch.Sequence;
import org.hirengine.engine.model.Scorer;
import org.hirengine.engine.rollout.Completion;
import org.hirengine.engine.rollout.Prompt;
import org.hirengine.engine.rollout.RandomStream;
import org.hirengine.engine.rollout.RolloutEngine;
import org.hirengine.engine.rollout.RolloutListener;
import org.hirengine.engine.rollout.RolloutParams;
import org.hirengine.engine.runtime.NativeExecutor;
import org.jspecify.annotations.Nullable;

/**
 * Samples responses, and has them verified while the native thread scores them (ALGORITHM 2.1,
 * 2.3).
 */
public final class Sampler {

  private final NativeExecutor executor;
  private final RolloutEngine engine;
  private final Scorer policy;
  private final @Nullable Scorer reference;
  private final Verification verification;
  private final TrainConfig config;
  private final Progress progress;

  /**
   * @param reference scores under the reference policy; null where there is none
   */
  public Sampler(
      NativeExecutor executor,
      RolloutEngine engine,
      Scorer policy,
      @Nullable Scorer reference,
      Verification verification,
      TrainConfig config,
      Progress progress) {
    this.executor = executor;
    this.engine = engine;
    this.policy = policy;
    this.reference = reference;
    this.verification = verification;
    this.config = config;
    this.progress = progress;
  }

  /**
   * Samples {@code n} responses per task for training.
   *
   * @param firstRow number of the first one; extra responses continue the numbers of the first ones
   * @return a task's responses together, in the order of the tasks
   */
  public List<Trajectory> trajectories(
      List<Task> tasks, int n, int firstRow, int step, Stopwatch watch) {
    RandomStream random = new RandomStream(config.train().seed(), RandomStream.TRAINING, step);
    TrainConfig.Sampling sampling = config.sampling();
    RolloutParams params =
        new RolloutParams(
            config.limits().response(),
            sampling.temperature(),
            sampling.topK(),
            sampling.topP(),
            sampling.minP());
    List<Completion> completions = generate(tasks, n, firstRow, params, random, watch);

    long began = System.nanoTime();
    List<Future<Judged>> verdicts = new ArrayList<>(completions.size());
    List<Sequence> sequences = new ArrayList<>(completions.size());
    for (int i = 0; i < completions.size(); i++) {
      Task task = tasks.get(i / n);
      verdicts.add(verification.submit(completions.get(i), task.instruction()));
      sequences.add(Sequence.of(task.promptIds(), completions.get(i).tokens()));
    }
    Scored scored = score(sequences, watch);
    List<Judged> judged = Verification.await(verdicts);
    watch.add(Part.VERIFY, began, judged.stream().mapToLong(Judged::endedAt).max().orElse(began));

    List<Trajectory> trajectories = new ArrayList<>(completions.size());
    for (int i = 0; i < completions.size(); i++) {
      trajectories.add(
          new Trajectory(
              tasks.get(i / n),
              i / n,
              completions.get(i),
              judged.get(i).response(),
              judged.get(i).judges(),
              scored.policy.get(i).logprobs(),
              scored.policy.get(i).entropies(),
              scored.ref(i),
              null));
    }
    return trajectories;
  }

  /** Samples and verifies responses, for evaluation. */
  public List<Judged> judged(
      List<Task> tasks, int n, double temperature, RandomStream random, Stopwatch watch) {
    RolloutParams params = RolloutParams.sampling(config.limits().response(), temperature);
    List<Completion> completions = generate(tasks, n, 0, params, random, watch);
    List<Future<Judged>> verdicts = new ArrayList<>(completions.size());
    for (int i = 0; i < completions.size(); i++) {
      verdicts.add(verification.submit(completions.get(i), tasks.get(i / n).instruction()));
    }
    return Verification.await(verdicts);
  }

  private List<Completion> generate(
      List<Task> tasks,
      int n,
      int firstRow,
      RolloutParams params,
      RandomStream random,
      Stopwatch watch) {
    long began = System.nanoTime();
    List<Prompt> prompts =
        tasks.stream().map(task -> new Prompt(task.draw(), task.promptIds())).toList();
    List<Completion> completions =
        executor.call(
            () ->
                engine.generate(
                    prompts, n, firstRow, params, random, counting(prompts.size() * n)));
    watch.add(Part.ROLLOUT, began);
    return completions;
  }

  /** Reports how many of the responses have been sampled. */
  private RolloutListener counting(int responses) {
    AtomicInteger done = new AtomicInteger();
    return new RolloutListener() {
      @Override
      public void completed(int index, Completion completion) {
        progress.advanced("rollout", done.incrementAndGet(), responses);
      }
    };
  }

  /** Scores of sequences under the policy and, where there is one, the reference policy. */
  record Scored(List<Scorer.Scores> policy, @Nullable List<Scorer.Scores> reference) {

    float @Nullable [] ref(int i) {
      return reference == null ? null : reference.get(i).logprobs();
    }
  }

  /** Log-probs at the sampling temperature. */
  Scored score(List<Sequence> sequences, Stopwatch watch) {
    long began = System.nanoTime();
    double temperature = config.sampling().temperature();
    int tokens = config.train().microTokens();
    boolean share = config.train().sharePrompts();
    Scored scored =
        executor.call(
            () ->
                new Scored(
                    policy.score(
                        sequences,
                        temperature,
                        tokens,
                        share,
                        done -> progress.advanced("log-probs", done, sequences.size())),
                    reference == null
                        ? null
                        : reference.score(sequences, temperature, tokens, share)));
    watch.add(Part.LOGPROB, began);
    return scored;
  }
}
