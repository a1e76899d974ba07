package org.hirengine.engine.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.bytedeco.pytorch.Scalar;
import org.hirengine.engine.HirTrainer;
import org.hirengine.engine.Runs;
import org.hirengine.engine.TinyWorld;
import org.hirengine.engine.config.TrainConfig;
import org.hirengine.engine.config.VerifySection;
import org.hirengine.engine.distributed.ProcessGroup;
import org.hirengine.engine.model.InitialWeights;
import org.hirengine.engine.model.ModelConfig;
import org.hirengine.engine.model.Policy;
import org.hirengine.engine.model.PolicyFiles;
import org.hirengine.engine.model.Safetensors;
import org.hirengine.engine.model.TensorType;
import org.hirengine.engine.runs.RolloutDump;
import org.hirengine.engine.runs.RunException;
import org.hirengine.engine.runs.RunFolder;
import org.hirengine.engine.runs.StepMetrics;
import org.hirengine.engine.runs.Summary;
import org.hirengine.kernels.DType;
import org.hirengine.replay.DropRewriter;
import org.hirengine.verify.Verifiers;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** An interrupted run, however abruptly it ended, gives the results of an uninterrupted one. */
class ResumeTest {

  private static final String[] SETTINGS = {
    "train.steps=6",
    "kl.controller=adaptive",
    "kl.target=0.01",
    "kl.horizon=100",
    "optim.schedule=cosine",
    "train.mini_batch=2",
    "checkpoint.every=2"
  };

  @TempDir Path temp;
  private TinyWorld world;

  @BeforeEach
  void world() throws IOException {
    world = new TinyWorld(temp);
  }

  private TrainConfig config(String out, String... more) {
    return world.config(out, Stream.of(SETTINGS, more).flatMap(Stream::of).toArray(String[]::new));
  }

  @ParameterizedTest
  @ValueSource(strings = {"hir", "hir-achieve"})
  void stoppedBetweenCheckpointsAndContinued(String algorithm) throws IOException {
    String preset = "algorithm=" + algorithm;
    Runs.run(config("whole", preset));
    Runs.leftAfter(3, config("parts", preset)); // the last checkpoint is that of step 2
    try (HirTrainer trainer = Runs.open(config("parts", preset))) {
      assertEquals(2, trainer.steps());
      trainer.step();
      trainer.save();
    }
    Summary summary = Runs.run(config("parts", preset));
    assertEquals(6, summary.steps());
    Runs.assertSame(temp.resolve("whole"), temp.resolve("parts"), 6);
    assertEquals(Summary.read(temp.resolve("whole/summary.json")).after(), summary.after());
  }

  /** Matrices that are large enough for moments in blocks. */
  private void largerModel() throws IOException {
    Path file = world.model().resolve("config.json");
    ObjectNode json = (ObjectNode) new ObjectMapper().readTree(file.toFile());
    json.put("hidden_size", 64).put("intermediate_size", 128);
    try (Policy policy =
        InitialWeights.random(ModelConfig.parse("larger", json), Policy.Options.FROZEN, 11)) {
      PolicyFiles.save(policy, DType.FLOAT32, world.model());
    }
  }

  @ParameterizedTest
  @CsvSource({
    "float32, float32",
    "float32, split",
    "bfloat16, float32",
    "bfloat16, split",
    "int8, float32",
    "int8, split"
  })
  void narrowStateIsContinuedBitForBit(String moments, String masters) throws IOException {
    largerModel();
    String[] state = {
      "dtype=bfloat16",
      "optim.moments=" + moments,
      "optim.masters=" + masters,
      "train.steps=4",
      "data.eval=null"
    };
    Runs.run(config("whole", state));
    Runs.leftAfter(3, config("parts", state)); // the third step is lost
    Path saved = temp.resolve("parts/checkpoints/step-2/optimizer.safetensors");
    try (Safetensors file = Safetensors.open(saved)) {
      TensorType type =
          switch (moments) {
            case "float32" -> TensorType.F32;
            case "bfloat16" -> TensorType.BF16;
            default -> TensorType.U8;
          };
      assertEquals(type, file.info("v").type());
      assertEquals(moments.equals("int8"), file.contains("v_scales"));
    }
    Runs.run(config("parts", state));
    Runs.assertSame(temp.resolve("whole"), temp.resolve("parts"), 4);

    // Where the state is makes no difference to it, nor to what is saved.
    String[] away =
        Stream.concat(Stream.of(state), Stream.of("optim.offload=cpu")).toArray(String[]::new);
    Runs.leftAfter(3, config("away", away));
    Runs.run(config("away", state));
    Runs.assertSame(temp.resolve("whole"), temp.resolve("away"), 4);
    Runs.leftAfter(3, config("back", state));
    Runs.run(config("back", away));
    Runs.assertSame(temp.resolve("whole"), temp.resolve("back"), 4);

    String other = moments.equals("int8") ? "bfloat16" : "int8";
    state[1] = "optim.moments=" + other;
    RunException e = assertThrows(RunException.class, () -> Runs.open(config("parts", state)));
    assertTrue(e.getMessage().contains("optim.moments " + moments), e.getMessage());
    assertTrue(e.getMessage().contains("says " + other), e.getMessage());
  }

  @Test
  void theMicroBatchIsRecordedAndKept() throws IOException {
    Runs.run(config("run", "train.steps=2"));
    Path written = temp.resolve("run/config.yaml");
    String yaml = Files.readString(written);
    assertTrue(yaml.contains("micro_tokens: 16384\n"), yaml);
    // As if the run had started on a smaller machine.
    Files.writeString(written, yaml.replace("micro_tokens: 16384\n", "micro_tokens: 64\n"));
    Runs.run(config("run", "train.steps=4"));
    assertTrue(Files.readString(written).contains("micro_tokens: 64\n"));
    Runs.run(config("run", "train.steps=4", "train.micro_tokens=128"));
    assertTrue(Files.readString(written).contains("micro_tokens: 128\n"));
  }

  @Test
  void keepsTheNewestCheckpointsAndPassesOverTornOnes() throws IOException {
    Runs.run(config("run", "checkpoint.keep=2"));
    Path checkpoints = temp.resolve("run/checkpoints");
    assertEquals(List.of("step-4", "step-6"), names(checkpoints));
    Files.createDirectories(checkpoints.resolve(".tmp-step-8"));
    Files.writeString(checkpoints.resolve(".tmp-step-8/model.safetensors"), "half");
    Files.delete(checkpoints.resolve("step-6/trainer.json"));
    try (HirTrainer trainer = Runs.open(config("run"))) {
      assertEquals(4, trainer.steps());
      assertFalse(Files.exists(checkpoints.resolve(".tmp-step-8")));
    }
    assertEquals(4, Runs.metrics(temp.resolve("run")).size());
  }

  /** Otherwise a template that names the day would change its prompts at midnight. */
  @Test
  void aResumedRunKeepsItsDate() throws IOException {
    Files.writeString(
        world.model().resolve("chat_template.jinja"),
        "{{ strftime_now('%d.%m.%Y %H:%M') }}{% for m in messages %} {{ m['content'] }}"
            + "{% endfor %} <|assistant|>");
    Runs.run(config("run", "train.steps=2"));
    Path state = temp.resolve("run/checkpoints/step-2/trainer.json");
    ObjectMapper json = new ObjectMapper();
    ObjectNode saved = (ObjectNode) json.readTree(state.toFile());
    assertTrue(
        LocalDateTime.parse(saved.get("now").asText())
            .isBefore(LocalDateTime.now(ZoneId.systemDefault())));
    // As if the run had started long ago.
    json.writeValue(state.toFile(), saved.put("now", "2001-02-03T04:05:06"));
    Runs.run(config("run", "train.steps=4"));
    String prompt = RolloutDump.read(temp.resolve("run/rollouts/step-4.jsonl")).get(0).prompt();
    assertTrue(prompt.startsWith("03.02.2001 04:05 "), prompt);
    JsonNode again = json.readTree(temp.resolve("run/checkpoints/step-4/trainer.json").toFile());
    assertEquals("2001-02-03T04:05:06", again.get("now").asText());

    Runs.run(config("dated", "train.steps=1", "data.now=1999-12-31T23:59"));
    prompt = RolloutDump.read(temp.resolve("dated/rollouts/step-1.jsonl")).get(0).prompt();
    assertTrue(prompt.startsWith("31.12.1999 23:59 "), prompt);
    // A checkpoint from before the date was saved.
    saved.remove("now");
    json.writeValue(state.toFile(), saved);
    try (HirTrainer trainer = Runs.open(config("run"))) {
      assertEquals(4, trainer.steps());
    }
  }

  @Test
  void aCheckpointThatCannotBeWrittenIsNamedAndTheRunGoesOn() throws IOException {
    Path checkpoints = temp.resolve("run/checkpoints");
    try (HirTrainer trainer = Runs.open(config("run", "checkpoint.every=0"))) {
      trainer.step();
      Files.delete(checkpoints);
      Files.writeString(checkpoints, "in the way");
      RunException e = assertThrows(RunException.class, trainer::save);
      assertTrue(e.getMessage().contains("checkpoint of step 1 into " + checkpoints), e.toString());
      assertTrue(e.remedy().contains("--resume"), e.remedy());
      Files.delete(checkpoints);
      Files.createDirectory(checkpoints);
      trainer.save();
      trainer.step();
    }
    assertEquals(List.of("step-1"), names(checkpoints));
  }

  private static List<String> names(Path folder) throws IOException {
    try (Stream<Path> entries = Files.list(folder)) {
      return entries.map(e -> e.getFileName().toString()).sorted().toList();
    }
  }

  @Test
  void refusesAnotherReferencePolicy() throws IOException {
    Runs.run(config("run", "train.steps=2"));
    Path weights = world.model().resolve("model.safetensors");
    byte[] bytes = Files.readAllBytes(weights);
    bytes[bytes.length - 1] ^= 1;
    Files.write(weights, bytes);
    RunException e = assertThrows(RunException.class, () -> Runs.open(config("run")));
    assertTrue(e.getMessage().contains("reference policy"), e.getMessage());
  }

  private Process child(String out, String doom) throws IOException {
    String path =
        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
    return new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-Xmx1g",
            "-cp",
            path,
            ResumeTestChild.class.getName(),
            temp.toString(),
            out,
            doom)
        .directory(temp.toFile())
        .redirectErrorStream(true)
        .redirectOutput(temp.resolve(out + ".log").toFile())
        .start();
  }

  private String log(String out) throws IOException {
    return Files.readString(temp.resolve(out + ".log"));
  }

  /** SIGKILL in the middle of a step, and in the middle of writing a checkpoint. */
  @ParameterizedTest
  @ValueSource(strings = {"step", "checkpoint"})
  void killedAndContinued(String moment) throws Exception {
    Process child = child("killed", moment);
    assertTrue(child.waitFor(120, TimeUnit.SECONDS), "the child did not end");
    assertEquals(137, child.exitValue(), log("killed"));
    try (HirTrainer trainer = Runs.open(ResumeTestChild.config(world, "killed"))) {
      // A checkpoint about to be renamed is either complete or absent.
      boolean made = moment.equals("checkpoint") && trainer.steps() == 4;
      assertTrue(made || trainer.steps() == 2, log("killed"));
    }
    Runs.run(ResumeTestChild.config(world, "killed"));
    Runs.run(ResumeTestChild.config(world, "whole"));
    Runs.assertSame(temp.resolve("whole"), temp.resolve("killed"), 6);
  }

  /** SIGTERM: finishes the step, writes a checkpoint, and exits without a native crash. */
  @Test
  void terminatedCleanly() throws Exception {
    Process child = child("stopped", "terminate");
    assertTrue(child.waitFor(120, TimeUnit.SECONDS), "the child did not end");
    assertEquals(143, child.exitValue(), log("stopped"));
    int steps = Summary.read(temp.resolve("stopped/summary.json")).steps();
    assertTrue(steps >= 3 && steps < 1000, log("stopped"));
    assertTrue(Files.exists(temp.resolve("stopped/checkpoints/step-" + steps + "/trainer.json")));
    assertEquals(steps, Runs.metrics(temp.resolve("stopped")).size());
    try (Stream<Path> files = Files.list(temp)) {
      assertTrue(files.noneMatch(f -> f.getFileName().toString().startsWith("hs_err")));
    }
  }

  /** Gradients that are not finite do not change the weights; three in a row end the run. */
  @Test
  void stopsAfterThreeUpdatesThatAreNotFinite() throws Exception {
    TrainConfig config = config("run", "log.rollouts=false", "train.mini_batch=4");
    TrainingRun[] run = new TrainingRun[1];
    TrainingListener poison =
        new TrainingListener() {
          private boolean poisoned;

          @Override
          public void step(StepMetrics metrics) {
            poisoned = true;
          }

          /** Called on the native thread after every micro-batch, before the gradient is used. */
          @Override
          public void progress(String part, long done, long of) {
            if (poisoned && part.equals("update")) {
              run[0].engine().policy.gradients().fill_(new Scalar(Float.NaN));
            }
          }
        };
    TrainingData data =
        TrainingData.of(
            TinyWorld.instructions(1, 8), Verifiers.standard(), VerifySection.NoVerdict.SKIP);
    run[0] =
        TrainingRun.open(
            new TrainingRun.Parts(
                config,
                RunFolder.Existing.REFUSE,
                Verifiers.standard(),
                new DropRewriter(),
                data,
                null,
                List.of(),
                poison,
                ProcessGroup.ALONE));
    try (TrainingRun running = run[0]) {
      TrainingStoppedException stopped = assertThrows(TrainingStoppedException.class, running::run);
      assertTrue(stopped.getMessage().contains("checkpoints/step-4"), stopped.getMessage());
    }
    List<String> metrics = Runs.metrics(temp.resolve("run"));
    assertEquals(4, metrics.size());
    assertTrue(metrics.get(3).contains("\"updates\":1"), metrics.get(3));
    assertTrue(metrics.get(3).contains("\"skipped_updates\":1"), metrics.get(3));
    assertTrue(Files.exists(temp.resolve("run/rollouts/step-4.jsonl")));
    assertFalse(Files.exists(temp.resolve("run/rollouts/step-1.jsonl")));
  }
}
