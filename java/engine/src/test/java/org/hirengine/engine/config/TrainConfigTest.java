package org.hirengine.engine.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.hirengine.engine.algo.AdvantageEstimator;
import org.hirengine.engine.config.ReplaySection.Rewrite;
import org.hirengine.engine.config.RewardSection.RewardKind;
import org.hirengine.verify.judge.JudgeOptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TrainConfigTest {

  private static final String MINIMAL = "model: policy\nout: run\ndata:\n  train: train.jsonl\n";

  @TempDir Path folder;

  private Path write(String yaml) throws IOException {
    return Files.writeString(folder.resolve("run.yaml"), yaml);
  }

  private TrainConfig load(String yaml, String... overrides) throws IOException {
    return TrainConfig.load(write(yaml), List.of(overrides));
  }

  private String error(String yaml, String... overrides) {
    return assertThrows(ConfigException.class, () -> load(yaml, overrides)).getMessage();
  }

  @Test
  void defaultsAreTheReferences() throws IOException {
    TrainConfig config = load(MINIMAL);
    assertEquals(64, config.train().prompts());
    assertEquals(8, config.train().group());
    assertEquals(6, config.samplesPerPrompt());
    assertEquals(2048, config.limits().prompt());
    assertEquals(4096, config.limits().response());
    assertEquals(2.0, config.replay().lambda0());
    assertEquals(0.05, config.replay().eta());
    assertEquals(0.001, config.kl().beta());
    assertEquals(1e-6, config.optim().lr());
    assertEquals(0.01, config.optim().weightDecay());
    assertEquals(3, config.loss().clipDual());
    assertEquals(RewardKind.ILA, config.reward().kind());
    assertNull(config.train().maxRollouts());
  }

  @Test
  void theJudgeIsAskedAsTheFileSays() throws IOException {
    JudgeSection judge = load(MINIMAL).verify().judge();
    assertNull(judge.cache());
    assertEquals(JudgeOptions.DEFAULT.parallel(), judge.parallel());
    assertEquals(JudgeOptions.DEFAULT.timeoutSeconds(), judge.timeoutS());
    assertEquals(JudgeOptions.DEFAULT.retries(), judge.retries());
    JudgeSection set =
        load(
                MINIMAL + "verify:\n  judge:\n    cache: kept\n    template: prompt.txt\n",
                "verify.judge.timeout_s=2.5",
                "verify.judge.parallel=32",
                "verify.judge.retries=0")
            .verify()
            .judge();
    assertEquals(folder.resolve("kept"), set.cache());
    assertEquals(folder.resolve("prompt.txt"), set.template());
    assertEquals(2.5, set.timeoutS());
    assertEquals(32, set.parallel());
    assertEquals(0, set.retries());
    assertTrue(error(MINIMAL, "verify.judge.parallel=0").contains("verify.judge.parallel"));
  }

  @Test
  void presetsAreWeakerThanKeysAndOverridesAreStronger() throws IOException {
    TrainConfig achieve = load(MINIMAL + "algorithm: hir-achieve\n");
    assertEquals(Rewrite.ACHIEVE, achieve.replay().rewrite());
    assertEquals(ReplaySection.Goal.HARDEST, achieve.replay().goal());
    assertEquals(RewardKind.CLA, achieve.reward().kind());
    TrainConfig set = load(MINIMAL + "algorithm: hir-achieve\nreward: ila\n");
    assertEquals(RewardKind.ILA, set.reward().kind());
    TrainConfig grpo = load(MINIMAL + "algorithm: hir\n", "algorithm=grpo", "train.seed=7");
    assertEquals(AdvantageEstimator.GRPO, grpo.advantage().estimator());
    assertEquals(8, grpo.samplesPerPrompt());
    assertEquals(7, grpo.train().seed());
    TrainConfig plain = load(MINIMAL, "advantage=reinforce++-baseline", "loss.clip_dual=null");
    assertEquals(AdvantageEstimator.REINFORCE_PLUS_PLUS_BASELINE, plain.advantage().estimator());
    assertNull(plain.loss().clipDual());
  }

  @Test
  void aFileBuildsOnItsBase() throws IOException {
    Files.createDirectories(folder.resolve("shared"));
    Files.writeString(folder.resolve("shared/root.yaml"), MINIMAL + "optim: {lr: 2e-4, clip: 3}\n");
    Files.writeString(folder.resolve("base.yaml"), "train: {seed: 4}\nbase: shared/root.yaml\n");
    TrainConfig config = load("optim:\n  lr: 5e-4\nbase: base.yaml\nout: here\n", "train.seed=5");
    assertEquals(5e-4, config.optim().lr());
    assertEquals(3, config.optim().clip());
    assertEquals(5, config.train().seed());
    assertEquals(folder.resolve("shared/policy"), config.model().path());
    assertEquals(folder.resolve("here"), config.out());
  }

  @Test
  void saysWhatIsWrongWithABase() throws IOException {
    assertTrue(error("base: absent.yaml\n").endsWith("absent.yaml: no such config file"));
    assertTrue(error("base: run.yaml\n").contains("run.yaml: is its own base"));
    assertTrue(error("base: [1]\n").contains("run.yaml:1: base must be the path"));
    Files.writeString(folder.resolve("base.yaml"), "optim: {learning_rate: 1}\n");
    String unknown = error(MINIMAL + "base: base.yaml\n");
    assertTrue(unknown.contains("base.yaml:1: unknown key \"optim.learning_rate\""), unknown);
  }

  @Test
  void pathsAreRelativeToTheFileOrToTheWorkingDirectory() throws IOException {
    TrainConfig config = load(MINIMAL, "out=elsewhere");
    assertEquals(folder.resolve("policy").toAbsolutePath(), config.model().path());
    assertEquals(folder.resolve("train.jsonl").toAbsolutePath(), config.data().train().path());
    assertEquals(Path.of("elsewhere").toAbsolutePath(), config.out());
    assertNull(config.data().eval());
  }

  @Test
  void whatIsWrittenReadsBackTheSameAndExplainsEveryKey() throws IOException {
    TrainConfig config =
        load(
            MINIMAL + "algorithm: hir-achieve\n",
            "train.max_rollouts=7680",
            "loss.clip_dual=null",
            "optim.lr=5e-4",
            "out=folder with \"quotes\" # and: more");
    Path written = Files.writeString(folder.resolve("resolved.yaml"), config.toYaml());
    assertEquals(config, TrainConfig.load(written, List.of()));
    List<String> lines = Files.readAllLines(written);
    for (int i = 0; i < lines.size(); i++) {
      if (lines.get(i).matches(" *[a-z0-9_]+: .+")) {
        assertTrue(lines.get(i - 1).strip().startsWith("# "), lines.get(i));
      }
    }
  }

  @Test
  void everyKeyIsDocumentedOnceAndItsDefaultIsInRange() {
    for (Class<? extends Record> type : List.of(TrainConfig.class, SftConfig.class)) {
      Set<String> docs = new HashSet<>();
      for (ConfigKeys.Leaf leaf : new ConfigKeys(type).leaves()) {
        String doc = leaf.key().doc();
        assertTrue(doc.length() >= 15 && doc.endsWith("."), leaf.name() + ": " + doc);
        assertTrue(docs.add(doc), leaf.name() + " has another key's documentation");
        assertTrue(leaf.required() || !leaf.key().value().isEmpty(), leaf.name());
      }
    }
    assertNotNull(TrainConfig.of(List.of("model=a", "out=b", "data.train=c")));
    assertNotNull(SftConfig.of(List.of("model=a", "out=b", "data=c")));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          replay: {lamda0: 1}           | run.yaml:5 | "replay.lamda0" | "replay.lambda0"
          lr: 1e-4                      | run.yaml:5 | "lr"            | "optim.lr"
          trian.steps: 3                | run.yaml:5 | "trian.steps"   | "train.steps"
          optimizer: {lr: 1}            | run.yaml:5 | "optimizer"     | "optim
          train: {steps: many}          | run.yaml:5 | train.steps     | a whole number from 0
          train: {steps: 2.5}           | run.yaml:5 | train.steps     | not 2.5
          train: {group: 0}             | run.yaml:5 | train.group     | from 1 to
          train: {seed: }               | run.yaml:5 | train.seed      | a whole number
          algorithm: ppo                | run.yaml:5 | algorithm       | hir, hir-achieve, rl-ila, rl-cla, grpo
          data: [1]                     | run.yaml:5 | Duplicate field | data
          log: {rollouts: 1}            | run.yaml:5 | log.rollouts    | true or false
          limits: 5                     | run.yaml:5 | limits          | is a section
          replay: {sampled: 9}          | run.yaml:5 | replay.sampled  | train.group (8)
          loss: {clip_dual: 1}          | run.yaml:5 | loss.clip_dual  | greater than 1
          kl: {beta: .nan}              | run.yaml:5 | run.yaml        | .nan
          """)
  void errorsNameFileLineKeyAndRemedy(String line, String a, String b, String c) {
    String message = error(MINIMAL + line + "\n");
    for (String part : List.of(a, b, c)) {
      assertTrue(message.contains(part), message);
    }
  }

  @Test
  void overridesAndFilesThatCannotBeUsed() throws IOException {
    assertTrue(error(MINIMAL, "train.steps").contains("not of the form key=value"));
    assertTrue(error(MINIMAL, "train.stepz=3").startsWith("command line: unknown key"));
    assertTrue(error("out: run\ndata: {train: x}\n").contains("key model is required"));
    assertTrue(error("- 1\n").contains("expected keys and values"));
    assertTrue(error("model: [\n").contains("run.yaml:"));
    assertTrue(
        assertThrows(
                ConfigException.class,
                () -> TrainConfig.load(folder.resolve("none.yaml"), List.of()))
            .getMessage()
            .contains("no such config file"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/tmp/x/o #1",
        "a: b",
        "[x]",
        "{y}",
        "2026",
        "yes",
        "'quoted'",
        "\"double",
        "back\\slash",
        "50% & *all",
        " leading and trailing ",
        "- dash",
        "key=value",
        "Stra\u00dfe \u2028 \u6f22"
      })
  void pathsOnTheCommandLineAreTakenAsTheyAre(String name) throws IOException {
    TrainConfig config =
        load(MINIMAL, "out=" + name, "data.eval=" + name, "replay.drop_types=" + name);
    Path expected = Path.of("").toAbsolutePath().resolve(name);
    assertEquals(expected, config.out());
    assertEquals(expected, config.data().eval().path());
    assertEquals(name, config.replay().dropTypes());
    Path written = Files.writeString(folder.resolve("resolved.yaml"), config.toYaml());
    assertEquals(config, TrainConfig.load(written, List.of()));
  }

  @ParameterizedTest
  @CsvSource({"sampling.top_k, 20", "sampling.top_p, 0.95", "sampling.min_p, 0.1"})
  void filtersAreRefusedInTraining(String key, String value) throws IOException {
    String message = error(MINIMAL, key + "=" + value);
    assertTrue(
        message.startsWith("command line: " + key + " (" + value + ") must be off"), message);
    // Written by a run before this rule.
    load(MINIMAL, "sampling.top_k=0", "sampling.top_p=1.0", "sampling.min_p=0.0");
  }

  @Test
  void theRunsDateIsADate() throws IOException {
    assertEquals("2026-01-31T12:00", load(MINIMAL, "data.now=2026-01-31T12:00").data().now());
    for (String wrong : List.of("yesterday", "2026-01-31", "2026-02-30T00:00")) {
      String message = error(MINIMAL, "data.now=" + wrong);
      assertTrue(message.contains("data.now must be a local date and time"), message);
    }
    assertThrows(
        ConfigException.class, () -> SftConfig.of(List.of("data=a", "out=b", "model=c", "now=1")));
  }

  @Test
  void nullAndNothingAreNoPaths() throws IOException {
    assertNull(
        load(MINIMAL + "verify: {text_data: x}\n", "verify.text_data=null").verify().textData());
    assertNull(load(MINIMAL + "verify: {text_data: x}\n", "verify.text_data=").verify().textData());
    assertEquals(Path.of("x").toAbsolutePath(), load(MINIMAL, "out = x").out());
    assertTrue(error(MINIMAL, "out=").contains("out must be a path"));
  }

  @Test
  void aFileThatIsNotUtf8() throws IOException {
    Path file = folder.resolve("run.yaml");
    Files.write(file, (MINIMAL + "# a\n# caf\u00e9\n").getBytes(StandardCharsets.ISO_8859_1));
    String message =
        assertThrows(ConfigException.class, () -> TrainConfig.load(file, List.of())).getMessage();
    assertTrue(message.contains("run.yaml:6: is not UTF-8 text"), message);
    assertTrue(message.contains("save the file in UTF-8"), message);
    Files.writeString(file, "\uFEFF" + MINIMAL);
    assertEquals(folder.resolve("run"), TrainConfig.load(file, List.of()).out());
  }

  @ParameterizedTest
  @CsvSource({
    "optim.learning_rate, optim.lr",
    "learning_rate, optim.lr",
    "optim.max_grad_norm, optim.clip",
    "train.num_generations, train.group",
    "batch_size, train.prompts",
    "output_dir, out",
    "model_name_or_path, model",
    "limits.max_new_tokens, limits.response",
    "gradient-checkpointing, train.recompute",
    "kl_coef, kl.beta",
    "save_steps, checkpoint.every",
    "optim.warmupp, optim.warmup",
    "optim.weight-decay, optim.weight_decay",
  })
  void namesOfOtherTrainersAreUnderstood(String unknown, String key) {
    String message = error(MINIMAL, unknown + "=1");
    assertTrue(message.endsWith("did you mean \"" + key + "\"?"), message);
  }

  @Test
  void sftStartsFromAModelOrFromAConfig() {
    assertThrows(ConfigException.class, () -> SftConfig.of(List.of("data=a", "out=b")));
    assertThrows(
        ConfigException.class, () -> SftConfig.of(List.of("data=a", "out=b", "model=c", "init=d")));
    SftConfig config =
        SftConfig.of(List.of("data=a", "out=b", "init=d", "optim.schedule=cosine", "steps=5"));
    assertEquals(OptimSection.Schedule.COSINE, config.optim().schedule());
    assertEquals(5, config.steps());
  }
}
