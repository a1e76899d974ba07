package org.hirengine.engine.experience;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntConsumer;
import java.util.stream.IntStream;
import org.hirengine.engine.config.SamplingSection;
import org.hirengine.engine.config.TrainConfig;
import org.hirengine.engine.experience.Stopwatch.Part;
import org.hirengine.engine.experience.Verification.Judged;
import org.hirengine.engine.model.ResponseBatch.Sequence;
import org.hirengine.engine.model.Scorer;
import org.hirengine.engine.rollout.Completion;
import org.hirengine.engine.rollout.Prompt;
import org.hirengine.engine.rollout.RandomStream;
import org.hirengine.engine.rollout.RolloutCall;
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

  /** Every so many steps, what is decoded is scored as well, to see that both agree. */
  private static final int CHECKED = 16;

  private final NativeExecutor executor;
  private final RolloutEngine engine;
  private final Scorer policy;
  private final @Nullable Scorer reference;
  private final Verification verification;
  private final TrainConfig config;
  private final RankShares shares;
  private final Progress progress;

  /**
   * @param reference scores under the reference policy; null where there is none
   * @param shares deals prompts over the ranks
   */
  public Sampler(
      NativeExecutor executor,
      RolloutEngine engine,
      Scorer policy,
      @Nullable Scorer reference,
      Verification verification,
      TrainConfig config,
      RankShares shares,
      Progress progress) {
    this.executor = executor;
    this.engine = engine;
    this.policy = policy;
    this.reference = reference;
    this.verification = verification;
    this.config = config;
    this.shares = shares;
    this.progress = progress;
  }

  /**
   * Samples {@code n} responses per task for training, each rank those of its share of the tasks.
   *
   * @param firstRow number of the first one; extra responses continue the numbers of the first ones
   * @return a task's responses together, in the order of the tasks: of all ranks
   */
  public List<Trajectory> trajectories(
      List<Task> tasks, int n, int firstRow, int step, Stopwatch watch) {
    return shares.trajectories(tasks, n, share -> ownTrajectories(share, n, firstRow, step, watch));
  }

  private List<Trajectory> ownTrajectories(
      Share share, int n, int firstRow, int step, Stopwatch watch) {
    RandomStream random = new RandomStream(config.train().seed(), RandomStream.TRAINING, step);
    SamplingSection sampling = config.sampling();
    RolloutParams params =
        new RolloutParams(
            config.limits().response(),
            sampling.temperature(),
            sampling.topK(),
            sampling.topP(),
            sampling.minP(),
            decodes());
    List<Completion> completions = generate(share, n, firstRow, params, random, watch);
    List<Task> tasks = share.claimed().stream().map(share.tasks()::get).toList();

    long began = System.nanoTime();
    List<Future<Judged>> verdicts = new ArrayList<>(completions.size());
    List<Sequence> sequences = new ArrayList<>(completions.size());
    for (int i = 0; i < completions.size(); i++) {
      Task task = tasks.get(i / n);
      verdicts.add(verification.submit(completions.get(i), task.instruction()));
      sequences.add(Sequence.of(task.promptIds(), completions.get(i).tokens()));
    }
    List<Scorer.Scores> scored = decodes() && !checks(step) ? null : underPolicy(sequences, watch);
    List<float @Nullable []> references = underReference(sequences, watch);
    List<Judged> judged = Verification.await(verdicts);
    watch.add(Part.VERIFY, began, judged.stream().mapToLong(Judged::endedAt).max().orElse(began));

    List<Trajectory> trajectories = new ArrayList<>(completions.size());
    for (int i = 0; i < completions.size(); i++) {
      Completion completion = completions.get(i);
      Scorer.Scores scores = scored == null ? null : scored.get(i);
      boolean decoded = completion.entropies() != null;
      trajectories.add(
          new Trajectory(
              tasks.get(i / n),
              i / n,
              completion,
              judged.get(i).response(),
              judged.get(i).judges(),
              decoded ? completion.logprobs() : scores.logprobs(),
              decoded ? completion.entropies() : scores.entropies(),
              references.get(i),
              scores == null ? null : Mismatch.of(completion.logprobs(), scores.logprobs()),
              null));
    }
    return trajectories;
  }

  /** Whether old log-probs and entropies are the decoder's. */
  private boolean decodes() {
    return config.sampling().logprobs().decoded(engine.exact());
  }

  /** Whether a step scores what it decoded as well. It depends on nothing but its number. */
  private static boolean checks(int step) {
    return step % CHECKED == 1;
  }

  /**
   * Samples and judges {@code n} responses per task without training on them, each rank those of
   * its share of the tasks.
   *
   * @param temperature 0 is greedy
   * @return a task's responses together, in the order of the tasks: of all ranks
   */
  public List<Answer> answers(
      List<Task> tasks, int n, double temperature, RandomStream random, Stopwatch watch) {
    return shares.answers(tasks, n, share -> ownAnswers(share, n, temperature, random, watch));
  }

  private List<Answer> ownAnswers(
      Share share, int n, double temperature, RandomStream random, Stopwatch watch) {
    RolloutParams params = RolloutParams.sampling(config.limits().response(), temperature);
    List<Completion> completions = generate(share, n, 0, params, random, watch);
    List<Task> tasks = share.claimed().stream().map(share.tasks()::get).toList();
    List<Future<Judged>> verdicts = new ArrayList<>(completions.size());
    List<Sequence> sequences = new ArrayList<>(completions.size());
    for (int i = 0; i < completions.size(); i++) {
      Task task = tasks.get(i / n);
      verdicts.add(verification.submit(completions.get(i), task.instruction()));
      sequences.add(Sequence.of(task.promptIds(), completions.get(i).tokens()));
    }
    List<@Nullable Double> reference = referenceSums(sequences);
    List<Judged> judged = Verification.await(verdicts);
    List<Answer> answers = new ArrayList<>(completions.size());
    for (int i = 0; i < completions.size(); i++) {
      answers.add(
          new Answer(
              tasks.get(i / n),
              judged.get(i).response(),
              judged.get(i).judges(),
              completions.get(i).tokens().length,
              completions.get(i).finishReason() == Completion.FinishReason.STOP,
              reference.get(i)));
    }
    return answers;
  }

  /** Each sequence's log-prob under the reference policy; nulls where there is none. */
  private List<@Nullable Double> referenceSums(List<Sequence> sequences) {
    Scorer scorer = reference;
    if (scorer == null) {
      return Collections.nCopies(sequences.size(), null);
    }
    int tokens = config.train().microTokens();
    boolean share = config.train().sharePrompts();
    List<@Nullable Double> sums = new ArrayList<>(sequences.size());
    for (Scorer.Scores scores : executor.call(() -> scorer.score(sequences, 1, tokens, share))) {
      double sum = 0;
      for (float logprob : scores.logprobs()) {
        sum += logprob;
      }
      sums.add(sum);
    }
    return sums;
  }

  /** Responses to the tasks that this rank claims, in the order in which it does. */
  private List<Completion> generate(
      Share share,
      int n,
      int firstRow,
      RolloutParams params,
      RandomStream random,
      Stopwatch watch) {
    long began = System.nanoTime();
    List<Prompt> prompts =
        share.tasks().stream().map(task -> new Prompt(task.draw(), task.promptIds())).toList();
    RolloutCall call =
        new RolloutCall(prompts, n, firstRow, params, random)
            .heardBy(counting(share.own() * n))
            .sharedWith(share.own(), share::claim);
    List<@Nullable Completion> sampled = executor.call(() -> engine.generate(call));
    List<Completion> completions = new ArrayList<>();
    for (int task : share.claimed()) {
      for (int row = 0; row < n; row++) {
        completions.add(Objects.requireNonNull(sampled.get(task * n + row)));
      }
    }
    watch.add(Part.ROLLOUT, began);
    return completions;
  }

  /** Reports how many of the responses have been sampled. */
  private RolloutListener counting(int responses) {
    AtomicInteger done = new AtomicInteger();
    return new RolloutListener() {
      @Override
      public void completed(int index, Completion completion) {
        shares.checkOthers();
        int now = done.incrementAndGet();
        progress.advanced(
            "rollout", now, Math.max(now, responses)); // more, where others are behind
      }
    };
  }

  /**
   * Scores of a sequence.
   *
   * @param reference log-probs under the reference policy; null where there is none
   */
  record Scored(Scorer.Scores policy, float @Nullable [] reference) {}

  /** Log-probs at the sampling temperature, each rank those of its share of the sequences. */
  List<Scored> scoreShared(List<Sequence> sequences, Stopwatch watch) {
    return shares.scored(
        sequences,
        share -> {
          List<Scorer.Scores> policies = underPolicy(share, watch);
          List<float @Nullable []> references = underReference(share, watch);
          return IntStream.range(0, share.size())
              .mapToObj(i -> new Scored(policies.get(i), references.get(i)))
              .toList();
        });
  }

  private List<Scorer.Scores> underPolicy(List<Sequence> sequences, Stopwatch watch) {
    return scores(
        policy, sequences, done -> progress.advanced("log-probs", done, sequences.size()), watch);
  }

  /** Log-probs of each sequence; nulls where there is no reference policy. */
  private List<float @Nullable []> underReference(List<Sequence> sequences, Stopwatch watch) {
    List<float @Nullable []> logprobs = new ArrayList<>(sequences.size());
    if (reference == null) {
      sequences.forEach(sequence -> logprobs.add(null));
    } else {
      scores(reference, sequences, done -> {}, watch).forEach(s -> logprobs.add(s.logprobs()));
    }
    return logprobs;
  }

  private List<Scorer.Scores> scores(
      Scorer scorer, List<Sequence> sequences, IntConsumer counter, Stopwatch watch) {
    long began = System.nanoTime();
    double temperature = config.sampling().temperature();
    int tokens = config.train().tokensAtOnce();
    boolean share = config.train().sharePrompts();
    List<Scorer.Scores> scores =
        executor.call(() -> scorer.score(sequences, temperature, tokens, share, counter));
    watch.add(Part.LOGPROB, began);
    return scores;
  }
}
