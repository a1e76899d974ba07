package org.hirengine.engine.train;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import org.hirengine.engine.config.EvalSection;
import org.hirengine.engine.experience.Answer;
import org.hirengine.engine.experience.Sampler;
import org.hirengine.engine.experience.Stopwatch;
import org.hirengine.engine.experience.Task;
import org.hirengine.engine.experience.TaskSource;
import org.hirengine.engine.rollout.RandomStream;
import org.hirengine.engine.runs.HeldOut;
import org.hirengine.engine.runs.Metric;
import org.hirengine.replay.DataException;
import org.hirengine.replay.Flaw;
import org.hirengine.replay.Instruction;
import org.hirengine.replay.Probe;
import org.hirengine.replay.Topic;
import org.jspecify.annotations.Nullable;

/**
 * What the policy makes of held-out instructions, sampled with a separate seed and purpose: every
 * evaluation of a run uses the same random numbers, and training uses others. Beside accuracy it
 * says whether the answers are answers at all, and asks {@link Probe}s.
 */
final class Evaluation {

  private final EvalSection config;
  private final Sampler sampler;
  private final List<Task> tasks = new ArrayList<>();
  private final List<Task> probeTasks = new ArrayList<>();
  private final List<Probe> probes;
  private int tooLong;

  /**
   * @param source encodes prompts of instructions
   */
  Evaluation(
      EvalSection config,
      Sampler sampler,
      TaskSource source,
      List<Instruction> heldOut,
      List<Probe> probes) {
    this.config = config;
    this.sampler = sampler;
    this.probes = probes;
    for (int i = 0; i < heldOut.size(); i++) {
      if (config.prompts() != null && tasks.size() >= config.prompts()) {
        break;
      }
      source.task(i, heldOut.get(i)).ifPresentOrElse(tasks::add, () -> tooLong++);
    }
    if (tasks.isEmpty()) {
      throw new DataException(
          "held-out data",
          0,
          null,
          "holds no prompt within limits.prompt",
          "raise limits.prompt, or leave data.eval out");
    }
    for (int i = 0; i < probes.size(); i++) {
      Instruction probe = probes.get(i).instruction();
      probeTasks.add(
          source
              .task(i, probe)
              .orElseThrow(
                  () ->
                      new DataException(
                          "probe '" + probe.id() + "'",
                          0,
                          null,
                          "exceeds limits.prompt",
                          "raise limits.prompt, or leave eval.probes out")));
    }
  }

  /** Held-out prompts left out because they exceed the limit. */
  int tooLong() {
    return tooLong;
  }

  /**
   * Samples, judges and measures. Responses without a verdict on some constraint count for no
   * accuracy, which is 0 where no response got all its verdicts.
   */
  HeldOut run() {
    RandomStream random = new RandomStream(config.seed(), RandomStream.EVALUATION, 0);
    Map<Metric, Double> values =
        measured(
            sampler.answers(
                tasks, config.samples(), config.temperature(), random, new Stopwatch()));
    if (!probes.isEmpty()) {
      measureProbes(values, sampler.answers(probeTasks, 1, 0, random, new Stopwatch()));
    }
    return new HeldOut(values);
  }

  /** Everything but probes. */
  static Map<Metric, Double> measured(List<Answer> answers) {
    List<@Nullable Flaw> flaws =
        answers.stream()
            .map(a -> Flaw.of(a.task().instruction().question(), a.response()).orElse(null))
            .toList();
    int[] decided =
        IntStream.range(0, answers.size()).filter(i -> answers.get(i).judges().decided()).toArray();
    double cla =
        IntStream.of(decided).mapToDouble(i -> answers.get(i).judges().cla()).average().orElse(0);
    int satisfied = 0;
    int sound = 0;
    for (int i : decided) {
      boolean ila = answers.get(i).judges().ila();
      satisfied += ila ? 1 : 0;
      sound += ila && flaws.get(i) == null ? 1 : 0;
    }
    int of = Math.max(1, decided.length);
    Map<Metric, Double> values = new EnumMap<>(Metric.class);
    values.put(Metric.EVAL_ILA, (double) satisfied / of);
    values.put(Metric.EVAL_CLA, cla);
    values.put(Metric.EVAL_SOUND_ILA, (double) sound / of);
    values.put(Metric.EVAL_HOLLOW, (double) (satisfied - sound) / of);
    values.put(Metric.EVAL_EMPTY, share(flaws, Flaw.EMPTY::equals));
    values.put(Metric.EVAL_MARKUP, share(flaws, Flaw.MARKUP::equals));
    values.put(Metric.EVAL_REPETITION, share(flaws, Flaw.REPETITION::equals));
    values.put(Metric.EVAL_OFF_TOPIC, share(flaws, Flaw.OFF_TOPIC::equals));
    values.put(Metric.EVAL_TRUNCATED, share(answers, answer -> !answer.stopped()));
    long tokens = answers.stream().mapToLong(Answer::tokens).sum();
    values.put(Metric.EVAL_TOKENS, (double) tokens / answers.size());
    values.put(Metric.EVAL_DISTINCT, distinctTrigrams(answers));
    double reference = 0;
    for (Answer answer : answers) {
      Double logprob = answer.refLogprob();
      if (logprob == null) {
        return values;
      }
      reference += logprob;
    }
    values.put(Metric.EVAL_REF_LOGPROB, reference / tokens);
    return values;
  }

  private void measureProbes(Map<Metric, Double> values, List<Answer> answers) {
    int kept = 0;
    int answered = 0;
    for (int i = 0; i < probes.size(); i++) {
      Answer answer = answers.get(i);
      if (answer.judges().ila()) {
        kept++;
        answered += probes.get(i).answered(answer.response()) ? 1 : 0;
      }
    }
    values.put(Metric.EVAL_PROBES_KEPT, (double) kept / probes.size());
    values.put(Metric.EVAL_PROBES_ANSWERED, (double) answered / probes.size());
  }

  private static <T> double share(List<T> all, Predicate<T> which) {
    return (double) all.stream().filter(which).count() / all.size();
  }

  /** Distinct-3 (arXiv 1510.03055): 0 where no answer has three words. */
  private static double distinctTrigrams(List<Answer> answers) {
    Set<List<String>> different = new HashSet<>();
    long all = 0;
    for (Answer answer : answers) {
      List<String> words = Topic.words(answer.response().text());
      for (int i = 0; i + 3 <= words.size(); i++) {
        different.add(List.copyOf(words.subList(i, i + 3)));
        all++;
      }
    }
    return all == 0 ? 0 : (double) different.size() / all;
  }
}
