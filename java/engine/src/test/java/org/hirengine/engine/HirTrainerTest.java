package org.hirengine.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.hirengine.engine.config.ReplaySection;
import org.hirengine.engine.config.RewardSection;
import org.hirengine.engine.config.TrainConfig;
import org.hirengine.engine.model.ModelException;
import org.hirengine.engine.runs.HeldOut;
import org.hirengine.engine.runs.Metric;
import org.hirengine.engine.runs.MetricsLog;
import org.hirengine.engine.runs.RolloutDump;
import org.hirengine.engine.runs.RolloutRow;
import org.hirengine.engine.runs.RunException;
import org.hirengine.engine.runs.StepMetrics;
import org.hirengine.engine.runs.Summary;
import org.hirengine.engine.train.TrainingListener;
import org.hirengine.replay.DataException;
import org.hirengine.replay.Instruction;
import org.hirengine.replay.InstructionJson;
import org.hirengine.replay.JsonLines;
import org.hirengine.replay.Message;
import org.hirengine.replay.QType;
import org.hirengine.verify.ConstraintSpec;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class HirTrainerTest {

  @TempDir Path temp;
  private TinyWorld world;

  /** Records all events. */
  private static final class Recorder implements TrainingListener {
    final List<StepMetrics> steps = new ArrayList<>();
    final List<String> warnings = new ArrayList<>();
    final Map<Integer, HeldOut> evaluations = new HashMap<>();
    final List<Integer> checkpoints = new ArrayList<>();

    @Override
    public void step(StepMetrics metrics) {
      steps.add(metrics);
    }

    @Override
    public void warning(String message) {
      warnings.add(message);
    }

    @Override
    public void evaluated(int step, HeldOut measured) {
      evaluations.put(step, measured);
    }

    @Override
    public void checkpoint(int step, Path folder) {
      checkpoints.add(step);
    }
  }

  @BeforeEach
  void world() throws IOException {
    world = new TinyWorld(temp);
  }

  private static double value(StepMetrics step, Metric metric) {
    return step.get(metric).orElseThrow(() -> new AssertionError("no " + metric.key()));
  }

  /** Progress is reported for each part of a step, from its first response to its last. */
  @Test
  void progressWithinAStepIsTold() throws IOException {
    List<String> parts = new ArrayList<>();
    List<long[]> counts = new ArrayList<>();
    TrainingListener listener =
        new TrainingListener() {
          @Override
          public synchronized void progress(String part, long done, long of) {
            parts.add(part);
            counts.add(new long[] {done, of});
          }
        };
    TrainConfig config =
        world.config(
            "run", "algorithm=rl-cla", "train.steps=1", "train.epochs=2", "data.eval=null");
    StepMetrics step;
    try (HirTrainer trainer =
        HirTrainer.builder()
            .config(config)
            .listener(TrainingListener.all(List.of(listener)))
            .build()) {
      step = trainer.step();
    }
    assertEquals(List.of("rollout", "log-probs", "update"), parts.stream().distinct().toList());
    for (int i = 0; i < counts.size(); i++) {
      boolean first = i == 0 || !parts.get(i).equals(parts.get(i - 1));
      boolean last = i + 1 == counts.size() || !parts.get(i).equals(parts.get(i + 1));
      long done = counts.get(i)[0];
      long of = counts.get(i)[1];
      assertTrue(done > (first ? 0 : counts.get(i - 1)[0]), parts.get(i));
      assertEquals(last, done == of, parts.get(i) + " " + done + "/" + of);
      double rollouts = value(step, Metric.ROLLOUTS);
      assertEquals(parts.get(i).equals("update") ? 2 * rollouts : rollouts, of);
    }
  }

  /** Runs a preset, and recomputes metrics and advantages from the dumps. */
  @ParameterizedTest
  @CsvSource({
    "hir, train.mini_batch=2",
    "hir, replay.old_logprobs=rewritten",
    "hir, replay.scope=prompt",
    "hir, replay.selection=random",
    "hir, replay.selection=entropy",
    "hir, replay.selection=integrity",
    "hir, replay.eta=0",
    "hir, replay.sampled=8",
    "hir, replay.sampled=7",
    "hir, replay.sampled=2",
    "hir, reward=cla",
    "hir, kl.controller=adaptive",
    "hir-achieve, replay.max=2",
    "hir-achieve, kl.beta=0",
    "rl-ila, train.epochs=2",
    "rl-cla, kl.loss=k3",
    "rl-cla, advantage.gamma=0.5"
  })
  void everyPresetDoesWhatItSays(String algorithm, String setting) throws IOException {
    TrainConfig config =
        world.config("run", "algorithm=" + algorithm, setting, "limits.response=20");
    Recorder told = new Recorder();
    Summary summary;
    try (HirTrainer trainer = HirTrainer.builder().config(config).listener(told).build()) {
      summary = trainer.run();
    }
    int sampled = config.samplesPerPrompt();
    assertEquals(
        !algorithm.startsWith("hir") ? 8 : setting.startsWith("replay.sampled") ? sampled : 6,
        sampled);
    long rollouts = 0;
    int replays = 0;
    for (StepMetrics step : told.steps) {
      List<RolloutRow> rows =
          RolloutDump.read(temp.resolve("run/rollouts/step-" + step.step() + ".jsonl"));
      checkRows(rows, config, sampled);
      checkAdvantages(rows, config, step.get(Metric.KL_BETA).orElse(0));
      List<RolloutRow> originals = rows.stream().filter(r -> r.replay() == null).toList();
      assertEquals(rows.size() - originals.size(), value(step, Metric.REPLAYED));
      assertEquals(
          originals.stream().mapToDouble(r -> r.judge().cla()).average().orElseThrow(),
          value(step, Metric.CLA),
          1e-12);
      assertEquals(
          rows.stream().mapToDouble(RolloutRow::reward).average().orElseThrow(),
          value(step, Metric.REWARD),
          1e-12);
      assertTrue(step.get(Metric.LOGPROB_MISMATCH).orElse(0) < 1e-4);
      assertTrue(value(step, Metric.GRAD_NORM) > 0);
      rollouts += originals.size();
      replays += rows.size() - originals.size();
      assertEquals(rollouts, value(step, Metric.ROLLOUTS));
    }
    assertEquals(sampled < 8, replays > 0);
    assertEquals(4, summary.steps());
    assertEquals(rollouts, summary.rollouts());
    assertEquals(
        4L * config.train().epochs() * config.train().updatesPerEpoch(), summary.updates());
    assertEquals(told.evaluations.get(0), summary.before());
    assertEquals(told.evaluations.get(4), summary.after());
    assertEquals(List.of(2, 4), told.checkpoints);
    assertEquals(List.of(0, 2, 4), told.evaluations.keySet().stream().sorted().toList());
  }

  /** Order, rewards and log-probs of a step's rows. */
  private static void checkRows(List<RolloutRow> rows, TrainConfig config, int sampled) {
    Map<String, Integer> perPrompt = new HashMap<>();
    for (int i = 0; i < rows.size(); i++) {
      RolloutRow row = rows.get(i);
      assertEquals(i, row.index());
      if (row.replay() == null) {
        perPrompt.merge(row.promptId(), 1, Integer::sum);
        double expected =
            config.reward().kind() == RewardSection.RewardKind.CLA
                ? row.judge().cla()
                : row.judge().ila() ? 1 : 0;
        assertEquals(expected, row.reward());
        continue;
      }
      RolloutRow original = rows.get(row.replay().of());
      assertEquals(i - 1, original.index());
      assertFalse(original.judge().ila());
      assertEquals(1, row.reward());
      assertEquals(original.response(), row.response());
      assertNotEquals(original.prompt(), row.prompt());
      boolean kept = config.replay().oldLogprobs() == ReplaySection.OldLogprobs.ORIGINAL;
      assertEquals(kept, Arrays.equals(original.oldLogprobs(), row.oldLogprobs()));
    }
    assertEquals(config.train().prompts(), perPrompt.size());
    perPrompt.values().forEach(count -> assertTrue(count >= sampled));
    if (config.replay().rewrite() == ReplaySection.Rewrite.DROP) {
      assertTrue(rows.size() <= config.train().prompts() * config.train().group());
    }
  }

  /** REINFORCE++ computed from the dump's rewards and log-probs. */
  private static void checkAdvantages(List<RolloutRow> rows, TrainConfig config, double beta) {
    List<double[]> returns = new ArrayList<>();
    double sum = 0;
    int count = 0;
    for (RolloutRow row : rows) {
      double[] values = new double[row.responseIds().length];
      double running = 0;
      for (int t = values.length - 1; t >= 0; t--) {
        double reward = t == values.length - 1 ? row.reward() : 0;
        if (row.refLogprobs() != null) {
          reward -= beta * ((double) row.oldLogprobs()[t] - row.refLogprobs()[t]);
        }
        running = reward + config.advantage().gamma() * running;
        values[t] = running;
        sum += running;
        count++;
      }
      returns.add(values);
    }
    double mean = sum / count;
    double squares = 0;
    for (double[] values : returns) {
      for (double value : values) {
        squares += (value - mean) * (value - mean);
      }
    }
    double deviation = Math.sqrt(squares / (count - 1) + 1e-8);
    for (int i = 0; i < rows.size(); i++) {
      for (int t = 0; t < returns.get(i).length; t++) {
        assertEquals((returns.get(i)[t] - mean) / deviation, rows.get(i).advantages()[t], 1e-9);
      }
    }
    assertEquals(config.kl().needsReference(), rows.get(0).refLogprobs() != null);
  }

  @ParameterizedTest
  @ValueSource(strings = {"grpo", "rloo", "dr-grpo", "reinforce++-baseline"})
  void groupEstimatorsRunWithReplays(String estimator) throws IOException {
    Runs.run(world.config("run", "advantage=" + estimator, "train.steps=1", "data.eval=null"));
    List<RolloutRow> rows = RolloutDump.read(temp.resolve("run/rollouts/step-1.jsonl"));
    RolloutRow replay = rows.stream().filter(r -> r.replay() != null).findFirst().orElseThrow();
    assertTrue(replay.advantages()[0] > 0);
  }

  /** Replays are rewarded even if the reward of samples is all or nothing. */
  @ParameterizedTest
  @ValueSource(strings = {"hir", "hir-achieve"})
  void learnsHeldOutInstructions(String algorithm) throws IOException {
    Summary summary =
        Runs.run(
            world.config(
                "run",
                "algorithm=" + algorithm,
                "train.steps=120",
                "optim.lr=1e-3",
                "kl.beta=0",
                "eval.every=0",
                "eval.prompts=16",
                "eval.samples=4",
                "log.rollouts=false",
                "log.tensorboard=false",
                "checkpoint.every=0"));
    assertNotNull(summary.before());
    assertNotNull(summary.after());
    assertTrue(summary.after().ila() > summary.before().ila() + 0.2, summary.toString());
    assertTrue(summary.after().cla() > summary.before().cla() + 0.1, summary.toString());
  }

  /** Without a reward signal only KL noise is left, which whitening would amplify. */
  /** The seed selects positions in the data, not rows, so reordered data gives another run. */
  @Test
  void theSeedDrawsPlacesInTheData() throws IOException {
    List<Instruction> data = TinyWorld.instructions(1, 12);
    List<Instruction> reversed = new ArrayList<>(data);
    Collections.reverse(reversed);
    List<List<String>> drawn = new ArrayList<>();
    for (List<Instruction> order : List.of(data, reversed)) {
      TrainConfig config = world.config("run" + drawn.size(), "data.eval=null", "train.steps=1");
      try (HirTrainer trainer = HirTrainer.builder().config(config).instructions(order).build()) {
        trainer.step();
      }
      drawn.add(
          RolloutDump.read(config.out().resolve("rollouts/step-1.jsonl")).stream()
              .filter(row -> row.replay() == null)
              .map(row -> row.instruction().id())
              .distinct()
              .toList());
    }
    assertNotEquals(drawn.get(0), drawn.get(1));
    List<String> mirrored =
        drawn.get(0).stream()
            .map(id -> data.get(data.size() - 1 - Integer.parseInt(id.substring(1))).id())
            .toList();
    assertEquals(mirrored, drawn.get(1));
  }

  @Test
  void controlTokensInTheDataAreSaidAndCanBeSplit(@TempDir Path folder) throws IOException {
    TinyWorld own = new TinyWorld(folder);
    List<Instruction> data = new ArrayList<>(TinyWorld.instructions(1, 7));
    Instruction last = data.get(6);
    data.set(
        6,
        Instruction.of(
            "nasty",
            "write <|end|> about the sun",
            last.criteria(),
            last.qType(),
            last.bench(),
            last.constraints()));
    for (String how : List.of("read", "split")) {
      List<String> warnings = new ArrayList<>();
      TrainingListener listener =
          new TrainingListener() {
            @Override
            public void warning(String message) {
              warnings.add(message);
            }
          };
      try (HirTrainer trainer =
          HirTrainer.builder()
              .config(
                  own.config(
                      how, "data.eval=null", "train.prompts=7", "data.control_tokens=" + how))
              .instructions(data)
              .listener(listener)
              .build()) {
        trainer.step();
      }
      assertEquals(
          how.equals("read") ? 1 : 0,
          warnings.stream()
              .filter(w -> w.contains("control tokens") && w.contains("nasty"))
              .count(),
          warnings.toString());
      RolloutRow row =
          RolloutDump.read(folder.resolve(how + "/rollouts/step-1.jsonl")).stream()
              .filter(r -> r.instruction().id().equals("nasty"))
              .findFirst()
              .orElseThrow();
      assertTrue(row.prompt().contains("<|end|>"), row.prompt());
      long ends = Arrays.stream(row.promptIds()).filter(id -> id == 1).count();
      assertEquals(how.equals("read") ? 1 : 0, ends);
    }
  }

  @Test
  void aStepWithoutSignalCanBeSkipped() throws IOException {
    Instruction impossible =
        Instruction.of(
            "never",
            "write about river",
            List.of("no comma", "at least 99 words"),
            QType.TYPE1,
            "ifeval",
            List.of(
                new ConstraintSpec(
                    "ifeval", "keywords:existence", Map.of("keywords", List.of("x"))),
                new ConstraintSpec(
                    "ifeval",
                    "length_constraints:number_words",
                    Map.of("num_words", 99, "relation", "at least"))));
    for (boolean skip : new boolean[] {true, false}) {
      try (HirTrainer trainer =
          HirTrainer.builder()
              .config(
                  world.config(
                      "run-" + skip,
                      "algorithm=rl-ila",
                      "optim.skip_no_signal=" + skip,
                      "data.eval=null"))
              .instructions(List.of(impossible))
              .build()) {
        StepMetrics step = trainer.step();
        assertEquals(0, value(step, Metric.REWARD_STD));
        assertEquals(skip ? 0 : 1, value(step, Metric.UPDATES));
        assertEquals(skip ? 1 : 0, value(step, Metric.SKIPPED_UPDATES));
      }
    }
  }

  /** Candidates below the floor are counted, and all others are replayed as before. */
  @Test
  void responsesBelowTheFloorAreNotReplayed() throws IOException {
    List<Instruction> instructions =
        List.of(
            Instruction.of(
                "river",
                "write about river",
                List.of("use the sun"),
                QType.TYPE1,
                "ifeval",
                List.of(
                    new ConstraintSpec(
                        "ifeval", "keywords:existence", Map.of("keywords", List.of("sun"))))));
    double candidates = 0;
    for (String floor : List.of("none", "topic")) {
      try (HirTrainer trainer =
          HirTrainer.builder()
              .config(
                  world.config(
                      floor,
                      "algorithm=hir-achieve",
                      "replay.floor=" + floor,
                      "replay.max=1000",
                      "limits.response=40",
                      "data.eval=null"))
              .instructions(instructions)
              .build()) {
        StepMetrics step = trainer.step();
        double chosen = value(step, Metric.REPLAYED) + value(step, Metric.SKIPPED_ROWS);
        if (floor.equals("none")) {
          assertEquals(0, value(step, Metric.BELOW_FLOOR));
          candidates = chosen;
        } else {
          assertTrue(value(step, Metric.BELOW_FLOOR) > 0);
          assertEquals(candidates, chosen + value(step, Metric.BELOW_FLOOR));
        }
      }
    }
  }

  /** A row without a verdict is left out or trained on, as configured. */
  @Test
  void rowsWithoutAVerdictAreTrainedOnWhereAsked() throws IOException {
    List<Instruction> instructions =
        List.of(
            Instruction.of(
                "half",
                "write about river",
                List.of("no comma", "use the sun"),
                QType.TYPE1,
                "ifeval",
                List.of(
                    new ConstraintSpec("ifeval", "punctuation:no_comma", Map.of()),
                    new ConstraintSpec("ifeval", "unheard:of", Map.of()))),
            Instruction.of(
                "whole",
                "write about river",
                List.of("no comma"),
                QType.TYPE1,
                "ifeval",
                List.of(new ConstraintSpec("ifeval", "punctuation:no_comma", Map.of()))));
    for (String way : List.of("skip", "violated")) {
      try (HirTrainer trainer =
          HirTrainer.builder()
              .config(
                  world.config(
                      way, "algorithm=rl-cla", "verify.no_verdict=" + way, "data.eval=null"))
              .instructions(instructions)
              .build()) {
        StepMetrics step = trainer.step();
        boolean skipped = way.equals("skip");
        assertEquals(skipped ? 16 : 32, value(step, Metric.TRAINED_ROWS));
        assertEquals(skipped ? 16 : 0, value(step, Metric.SKIPPED_ROWS));
      }
    }
    DataException none =
        assertThrows(
            DataException.class,
            () ->
                HirTrainer.builder()
                    .config(world.config("none", "data.eval=null"))
                    .instructions(instructions.subList(0, 1))
                    .build());
    assertTrue(none.getMessage().contains("no row that can be checked"), none.getMessage());
    assertFalse(Files.exists(temp.resolve("none")));
  }

  @Test
  void theSameSeedGivesTheSameRunAndAnotherSeedAnother() throws IOException {
    Runs.run(world.config("one"));
    Runs.run(world.config("two", "verify.threads=1", "train.micro_tokens=16384"));
    Runs.assertSame(temp.resolve("one"), temp.resolve("two"), 4);
    Runs.run(world.config("three", "train.seed=6"));
    assertNotEquals(
        Runs.metrics(temp.resolve("one")).get(0), Runs.metrics(temp.resolve("three")).get(0));
  }

  @Test
  void rolloutsEndTheRunAndAreNeverExceeded() throws IOException {
    Summary summary =
        Runs.run(
            world.config("run", "train.max_rollouts=80", "train.steps=50", "replay.sampled=4"));
    assertTrue(summary.rollouts() <= 80 && summary.rollouts() > 64, summary.toString());
    assertTrue(summary.steps() < 6);
  }

  @Test
  void evaluationNeverTouchesTraining() throws IOException {
    Runs.run(world.config("with", "eval.every=1"));
    Runs.run(world.config("without", "data.eval=null"));
    for (int step = 1; step <= 4; step++) {
      String dump = "rollouts/step-" + step + ".jsonl";
      assertEquals(
          Files.readString(temp.resolve("with").resolve(dump)),
          Files.readString(temp.resolve("without").resolve(dump)));
    }
    assertNull(Summary.read(temp.resolve("without/summary.json")).before());
    assertNotNull(Summary.read(temp.resolve("with/summary.json")).after());
  }

  /**
   * Probes are answered greedily, so the seed changes nothing; a loaded reference scores them, too.
   */
  @Test
  void probesAreAskedAtEveryEvaluation() throws IOException {
    Path probes = temp.resolve("probes.jsonl");
    List<String> lines = new ArrayList<>();
    for (String answer : List.of("unspoken", "the", "sun")) {
      lines.add(
          JsonLines.write(
              InstructionJson.write(TinyWorld.instructions(7, 1).get(0)).put("answer", answer)));
    }
    Files.write(probes, lines);
    String asked = "eval.probes=" + probes;
    Summary summary = Runs.run(world.config("run", asked, "kl.beta=0.001"));
    for (HeldOut measured : List.of(summary.before(), summary.after())) {
      double kept = measured.get(Metric.EVAL_PROBES_KEPT).getAsDouble();
      assertTrue(kept == 0 || kept == 1, "one request under three names: " + kept);
      assertTrue(measured.get(Metric.EVAL_PROBES_ANSWERED).getAsDouble() <= 2 * kept / 3);
      assertTrue(measured.get(Metric.EVAL_REF_LOGPROB).getAsDouble() < 0);
      assertTrue(measured.get(Metric.EVAL_TOKENS).getAsDouble() <= 12);
    }
    List<StepMetrics> steps = MetricsLog.read(temp.resolve("run/metrics.jsonl"));
    assertEquals(
        summary.after().get(Metric.EVAL_SOUND_ILA), steps.get(3).get(Metric.EVAL_SOUND_ILA));
    assertTrue(steps.get(2).get(Metric.EVAL_PROBES_KEPT).isEmpty());
    Summary other = Runs.run(world.config("other", asked, "eval.seed=9", "kl.beta=0.001"));
    for (Metric probe : List.of(Metric.EVAL_PROBES_KEPT, Metric.EVAL_PROBES_ANSWERED)) {
      assertEquals(summary.after().get(probe), other.after().get(probe));
    }
    DataException missing =
        assertThrows(
            DataException.class,
            () -> Runs.run(world.config("none", "eval.probes=" + temp.resolve("train.jsonl"))));
    assertTrue(missing.getMessage().contains("answer"), missing.getMessage());
  }

  /** An instruction that is too long, one that no verifier supports, and bad lines. */
  @Test
  void whatCannotBeUsedIsCountedAndSaid() throws IOException {
    Path data = temp.resolve("train.jsonl");
    List<String> lines = new ArrayList<>(Files.readAllLines(data).subList(0, 6));
    lines.add(lines.get(0).replace("write about", "write about " + "a ".repeat(60)));
    lines.add(lines.get(1).replace("punctuation:no_comma", "punctuation:unheard_of"));
    lines.add("{\"id\": \"torn");
    Files.write(data, lines);
    TrainConfig refused = world.config("run", "data.eval=null");
    DataException torn =
        assertThrows(DataException.class, () -> HirTrainer.builder().config(refused).build());
    assertTrue(torn.getMessage().contains("train.jsonl:9"), torn.getMessage());

    Recorder told = new Recorder();
    try (HirTrainer trainer =
        HirTrainer.builder()
            .config(world.config("run", "data.eval=null", "data.bad_rows=skip", "train.prompts=8"))
            .listener(told)
            .build()) {
      StepMetrics step = trainer.step();
      assertTrue(value(step, Metric.SKIPPED_ROWS) >= 6);
      trainer.step();
      assertTrue(Files.readString(temp.resolve("run/bad_rows.jsonl")).contains("torn"));
    }
    assertTrue(told.warnings.stream().anyMatch(w -> w.startsWith("1 training instructions")));
    assertTrue(told.warnings.stream().anyMatch(w -> w.startsWith("1 lines of data were left out")));
    assertEquals(1, told.warnings.stream().filter(w -> w.contains("over limits.prompt")).count());
    for (RolloutRow row : RolloutDump.read(temp.resolve("run/rollouts/step-1.jsonl"))) {
      assertTrue(row.judge().decided());
      assertTrue(row.promptIds().length <= 40);
    }
  }

  /** A replay has the same conversation and the same options of the template. */
  @ParameterizedTest
  @ValueSource(strings = {"hir", "hir-achieve"})
  void systemPromptHistoryAndOptionsSurviveAReplay(String algorithm) throws IOException {
    Path settings = world.model().resolve("tokenizer_config.json");
    String plain = Files.readString(settings);
    String head = "{% if add_generation_prompt %} <|assistant|>";
    assertTrue(plain.contains(head));
    Files.writeString(
        settings,
        plain.replace(
            head,
            head + "{% if enable_thinking is defined and not enable_thinking %} no{% endif %}"));
    List<Instruction> instructions =
        TinyWorld.instructions(1, 8).stream()
            .map(
                x ->
                    new Instruction(
                        x.id(),
                        x.question(),
                        x.criteria(),
                        x.qType(),
                        x.bench(),
                        x.constraints(),
                        "use the moon",
                        List.of(
                            new Message("user", "the tree"), new Message("assistant", "the sun")),
                        Map.of("enable_thinking", false),
                        Map.of()))
            .toList();
    try (HirTrainer trainer =
        HirTrainer.builder()
            .config(
                world.config(
                    "run", "algorithm=" + algorithm, "data.eval=null", "limits.response=40"))
            .instructions(instructions)
            .build()) {
      trainer.step();
    }
    int replays = 0;
    for (RolloutRow row : RolloutDump.read(temp.resolve("run/rollouts/step-1.jsonl"))) {
      assertTrue(
          row.prompt()
              .startsWith(
                  "<|assistant|> use the moon <|end|><|user|> the tree<|assistant|> the sun"
                      + " <|end|><|user|> write about "),
          row.prompt());
      assertTrue(row.prompt().endsWith(" <|assistant|> no"), row.prompt());
      replays += row.replay() == null ? 0 : 1;
    }
    assertTrue(replays > 0);
  }

  @Test
  void refusesWhatCannotWork() throws IOException {
    Runs.run(world.config("run", "train.steps=1"));
    RunException taken =
        assertThrows(
            RunException.class, () -> HirTrainer.builder().config(world.config("run")).build());
    assertTrue(taken.remedy().contains("--resume"));
    ModelException positions =
        assertThrows(
            ModelException.class,
            () ->
                HirTrainer.builder().config(world.config("other", "limits.response=4096")).build());
    assertTrue(positions.getMessage().contains("limits.response"));
    Instruction free =
        Instruction.of("free", "write", List.of(), QType.TYPE1, null, List.<ConstraintSpec>of());
    assertThrows(
        DataException.class,
        () ->
            HirTrainer.builder().config(world.config("third")).instructions(List.of(free)).build());
  }
}
