package org.hirengine.cli.report;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.hirengine.engine.runs.HeldOut;
import org.hirengine.engine.runs.Metric;
import org.hirengine.engine.runs.RolloutRow;
import org.hirengine.engine.runs.RunFolder;
import org.hirengine.engine.runs.RunFolder.Existing;
import org.hirengine.engine.runs.RunLog;
import org.hirengine.engine.runs.StepMetrics;
import org.hirengine.engine.runs.Summary;
import org.hirengine.replay.Instruction;
import org.hirengine.replay.Message;
import org.hirengine.replay.QType;
import org.hirengine.replay.Rewrite;
import org.hirengine.verify.ConstraintSpec;
import org.hirengine.verify.JudgeList;
import org.hirengine.verify.Verdict;
import org.jspecify.annotations.Nullable;

/** A run folder like that of a training run, made of random numbers. */
final class SampleRun {

  /** Texts that would break a page that pastes them into its markup. */
  static final String HOSTILE =
      "</script><script>document.title='pwned'</script><img src=x"
          + " onerror=\"document.title='pwned'\"> <!-- \u2028 ]]> & {{data}} \uD800 done";

  /** Texts that real models write: rows 2 to 4 of each prompt in step 2. */
  static final List<String> REAL =
      List.of(
          ("# Title\n\n**Bold** and `code`:\n\n| a | b |\n|---|---|\n" + "x".repeat(300)).repeat(9),
          "\u05e9\u05dc\u05d5\u05dd \u05e2\u05d5\u05dc\u05dd with English.\n\nAnd a paragraph.",
          "y".repeat(199) + "\ud83d\ude00\ud83d\ude00");

  private static final String[] WORDS = {
    "river", "golden", "morning", "stone", "quiet", "window", "paper", "harbor", "winter", "light"
  };
  private static final int PROMPTS = 4;
  private static final int SAMPLED = 6;

  private record Type(String id, Map<String, Object> kwargs, String sentence, double start) {}

  private static final List<Type> TYPES =
      List.of(
          new Type("punctuation:no_comma", Map.of(), "Do not use any commas.", 0.7),
          new Type(
              "length_constraints:number_words",
              Map.of("relation", "at least", "num_words", 12),
              "Use at least 12 words.",
              0.5),
          new Type(
              "keywords:existence",
              Map.of("keywords", List.of("golden")),
              "Include the word golden.",
              0.3),
          new Type("detectable_format:title", Map.of(), "Add a title in << and >>.", 0.1),
          new Type("change_case:english_lowercase", Map.of(), "Write all in lower case.", 0.4),
          new Type(
              "detectable_content:postscript",
              Map.of("postscript_marker", "P.S."),
              "End with a postscript that starts with P.S.",
              0.05));

  private final Random random = new Random(7);
  private final int steps;

  private SampleRun(int steps) {
    this.steps = steps;
  }

  /** Writes a finished run of {@code steps} steps into the new folder {@code out}. */
  static void write(Path out, int steps) {
    new SampleRun(steps).write(out);
  }

  private void write(Path out) {
    try (RunFolder folder = RunFolder.open(out, Existing.REFUSE);
        RunLog log = new RunLog(folder, 0, true, false)) {
      folder.writeConfig(
          "# Preset of reward, replay and advantage.\nalgorithm: hir\nnote: \"" + HOSTILE + "\"\n");
      for (int step = 1; step <= steps; step++) {
        List<RolloutRow> rows = rows(step);
        log.step(metrics(step, rows), rows);
      }
      folder.writeSummary(
          new Summary(
              "hir",
              3,
              steps,
              (long) steps * PROMPTS * SAMPLED,
              (long) steps * PROMPTS * SAMPLED * 20,
              2L * steps,
              93.4,
              HeldOut.of(0.0078, 0.44),
              HeldOut.of(0.245, 0.79)));
    }
  }

  private double skill(int step) {
    return 1 - Math.exp(-2.0 * step / steps);
  }

  private StepMetrics metrics(int step, List<RolloutRow> rows) {
    List<RolloutRow> sampled = rows.stream().filter(row -> row.replay() == null).toList();
    double skill = skill(step);
    StepMetrics metrics =
        new StepMetrics(step)
            .set(Metric.ILA, sampled.stream().filter(row -> row.judge().ila()).count() / 24.0)
            .set(Metric.CLA, sampled.stream().mapToDouble(row -> row.judge().cla()).sum() / 24)
            .set(Metric.REWARD, 0.25 + 0.2 * skill + noise(0.03))
            .set(Metric.REWARD_STD, 0.45 + noise(0.02))
            .set(Metric.KL, 0.4 * skill + noise(0.01))
            .set(Metric.ENTROPY, 1.6 - 1.1 * skill + noise(0.05))
            .set(Metric.CLIP_FRACTION, 0.002 + 0.005 * skill + Math.abs(noise(0.001)))
            .set(Metric.REPLAY_CLIP_FRACTION, 0.008 + noise(0.001))
            .set(Metric.GRAD_NORM, step == 9 ? Double.NaN : 0.8 + Math.exp(noise(0.5)))
            .set(Metric.LOSS, noise(0.05))
            .set(Metric.REPLAYED, rows.size() - sampled.size())
            .set(Metric.REPLAY_CLA, 0.6 + noise(0.05))
            .set(Metric.LAMBDA, 2 * Math.pow(1.05, step))
            .set(Metric.LOGPROB_MISMATCH, 1e-6 + Math.abs(noise(3e-7)))
            .set(Metric.LOGPROB_MISMATCH_MAX, 2e-5)
            .set(Metric.ROLLOUTS, (double) step * PROMPTS * SAMPLED)
            .set(Metric.GENERATED_TOKENS, step * PROMPTS * SAMPLED * 20.0)
            .set(Metric.RESPONSE_TOKENS, 18 + 6 * skill + noise(1))
            .set(Metric.RESPONSE_TOKENS_MAX, 40)
            .set(Metric.TRUNCATED, 0.1 * (1 - skill))
            .set(Metric.ALARM_ENTROPY, step > 0.9 * steps ? 1 : 0)
            .set(Metric.TOKENS_PER_S, 21_000 + noise(900))
            .set(Metric.SECONDS_ROLLOUT, 0.11 + Math.abs(noise(0.01)))
            .set(Metric.SECONDS_VERIFY, 0.01)
            .set(Metric.SECONDS_LOGPROB, 0.04)
            .set(Metric.SECONDS_UPDATE, 0.16 + Math.abs(noise(0.01)));
    if (step % 10 == 0) {
      metrics
          .set(Metric.EVAL_ILA, 0.25 * skill)
          .set(Metric.EVAL_CLA, 0.44 + 0.35 * skill)
          .set(Metric.EVAL_SOUND_ILA, 0.2 * skill)
          .set(Metric.EVAL_MARKUP, 0.3 * skill)
          .set(Metric.EVAL_HOLLOW, 0.05 * skill)
          .set(Metric.EVAL_PROBES_KEPT, 0.5)
          .set(Metric.EVAL_PROBES_ANSWERED, 0.25);
    }
    Map<String, int[]> counts = new TreeMap<>();
    for (RolloutRow row : sampled) {
      for (int i = 0; i < row.judge().size(); i++) {
        String type = "ifeval/" + row.instruction().constraints().get(i).id();
        int[] count = counts.computeIfAbsent(type, key -> new int[2]);
        count[0] += row.judge().satisfied(i) ? 1 : 0;
        count[1]++;
      }
    }
    counts.forEach((type, count) -> metrics.satisfied(type, (double) count[0] / count[1]));
    return metrics;
  }

  private double noise(double scale) {
    return scale * random.nextGaussian();
  }

  private List<RolloutRow> rows(int step) {
    List<RolloutRow> rows = new ArrayList<>();
    for (int prompt = 0; prompt < PROMPTS; prompt++) {
      Instruction instruction = instruction(step, prompt);
      for (int row = 0; row < SAMPLED; row++) {
        RolloutRow original = original(step, rows.size(), row, instruction);
        rows.add(original);
        JudgeList judge = original.judge();
        if (row < 2 && !judge.ila() && judge.cla() > 0) {
          rows.add(replay(rows.size(), original));
        }
      }
    }
    return rows;
  }

  private Instruction instruction(int step, int prompt) {
    List<Type> types = new ArrayList<>(TYPES);
    Collections.shuffle(types, random);
    types = types.subList(0, 3 + random.nextInt(3));
    boolean first = step == 1 && prompt == 0;
    return new Instruction(
        "demo-" + step + "-" + prompt,
        first ? HOSTILE : "write about " + WORDS[random.nextInt(WORDS.length)],
        types.stream().map(Type::sentence).toList(),
        QType.TYPE3,
        "ifeval",
        types.stream().map(type -> new ConstraintSpec("ifeval", type.id, type.kwargs)).toList(),
        first ? "You are a careful writer." : null,
        first ? List.of(new Message("user", "hi"), new Message("assistant", "hello")) : List.of(),
        Map.of(),
        Map.of());
  }

  private RolloutRow original(int step, int index, int row, Instruction instruction) {
    List<Verdict> verdicts = new ArrayList<>();
    for (ConstraintSpec spec : instruction.constraints()) {
      double start =
          TYPES.stream().filter(type -> type.id.equals(spec.id())).findFirst().orElseThrow().start;
      boolean good = random.nextDouble() < start + (0.95 - start) * 0.8 * skill(step);
      verdicts.add(Verdict.of(good, good ? "as asked" : "not found in the response"));
    }
    if (index == 3) {
      verdicts.set(0, Verdict.failed("step budget of 1,000,000 spent"));
    }
    int tokens = 8 + random.nextInt(30);
    StringBuilder response = new StringBuilder();
    for (int i = 0; i < tokens; i++) {
      response.append(i == 0 ? "" : " ").append(WORDS[random.nextInt(WORDS.length)]);
    }
    JudgeList judge = new JudgeList(verdicts);
    return row(
        index,
        row,
        instruction,
        null,
        step == 1 && index == 0
            ? HOSTILE
            : step == 2 && row >= 2 && row < 5
                ? REAL.get(row - 2)
                : index == 5 ? "" : response + ".",
        tokens,
        judge,
        judge.ila() ? 1 : 0,
        judge.cla() > 0 && judge.cla() < 1 ? 2 * judge.cla() + random.nextDouble() : null);
  }

  private RolloutRow replay(int index, RolloutRow original) {
    Instruction asked = original.instruction();
    List<String> criteria = new ArrayList<>();
    List<ConstraintSpec> constraints = new ArrayList<>();
    int relabelled = 0;
    for (int i = 0; i < asked.constraints().size(); i++) {
      ConstraintSpec spec = asked.constraints().get(i);
      if (original.judge().satisfied(i)) {
        criteria.add(asked.criteria().get(i));
        constraints.add(spec);
      } else if (spec.id().equals("length_constraints:number_words")) {
        criteria.add("Use at least 7 words.");
        constraints.add(
            new ConstraintSpec(
                "ifeval", spec.id(), Map.of("relation", "at least", "num_words", 7)));
        relabelled++;
      }
    }
    int dropped = asked.constraints().size() - constraints.size();
    return row(
        index,
        original.row(),
        asked,
        new RolloutRow.Replay(
            original.index(),
            new Rewrite.Rewritten(asked.with(criteria, constraints), relabelled, 0, dropped)),
        original.response(),
        original.responseIds().length,
        original.judge(),
        1,
        original.score());
  }

  private RolloutRow row(
      int index,
      int row,
      Instruction instruction,
      RolloutRow.@Nullable Replay replay,
      String response,
      int tokens,
      JudgeList judge,
      double reward,
      @Nullable Double score) {
    float[] logprobs = new float[tokens];
    for (int i = 0; i < tokens; i++) {
      logprobs[i] = -random.nextFloat() * 3;
    }
    return new RolloutRow(
        index,
        instruction.id(),
        row,
        "train",
        instruction,
        replay,
        "prompt",
        new int[] {1, 2, 3},
        response,
        random.ints(tokens, 0, 500).toArray(),
        tokens > 36 ? "length" : "stop",
        logprobs,
        logprobs,
        null,
        judge,
        reward,
        random.doubles(tokens, -1, 1.5).toArray(),
        random.nextDouble() * 1.5,
        score);
  }
}
