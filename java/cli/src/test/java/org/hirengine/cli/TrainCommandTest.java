package org.hirengine.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code hir train} as a user sees it: what it writes, prints and refuses. */
class TrainCommandTest {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String ROW =
      "{\"question\": \"Write about ID.\", \"criteria\": [\"No commas.\", \"Add a title.\"],"
          + " \"q_type\": \"type4\", \"bench\": \"ifeval\", \"instruction_id_list\":"
          + " [\"punctuation:no_comma\", \"detectable_format:title\"], \"kwargs\": [{}, {}]}";

  @TempDir Path folder;
  private Path config;
  private Path out;

  @BeforeEach
  void prepare() throws IOException {
    DemoPolicy.in(folder);
    for (String file : List.of("train.jsonl", "eval.jsonl")) {
      List<String> rows = new ArrayList<>();
      for (int i = 0; i < 4; i++) {
        rows.add(ROW.replace("ID", file + i));
      }
      Files.write(folder.resolve(file), rows);
    }
    out = folder.resolve("run");
    config =
        Files.writeString(
            folder.resolve("config.yaml"),
            """
            model: model
            out: run
            threads: 1
            algorithm: hir
            data:
              train: train.jsonl
              eval: eval.jsonl
            train:
              steps: 2
              prompts: 2
              group: 3
            replay:
              sampled: 2
            limits:
              prompt: 400
              response: 6
            optim:
              lr: 1e-4
            """);
  }

  /** Data that no verifier can check is refused, because training on it teaches nothing. */
  @Test
  void dataThatNobodyCanCheckAreRefused() throws IOException {
    String mistyped = ROW.replace("detectable_format:title", "detectible_format:title");
    Files.write(folder.resolve("train.jsonl"), List.of(mistyped, mistyped));
    HirConsole.run("train", config)
        .failsWith(1, "train.jsonl: holds no row that can be checked: 2 constraints of an unknown")
        .failsWith(1, "did you mean 'detectable_format:title'?");
    assertFalse(Files.exists(out), "nothing is begun");
    HirConsole run = HirConsole.run("train", config, "verify.no_verdict=violated").succeeds();
    assertEquals(2, run.err().lines().filter(l -> l.startsWith("warning: ")).count(), run.err());
  }

  @Test
  void whatCannotBeCheckedIsToldOnceForEachKind() throws IOException {
    String mistyped = ROW.replace("detectable_format:title", "detectible_format:title");
    String empty =
        ROW.replace("punctuation:no_comma", "keywords:existence")
            .replace("[{}, {}]", "[{\"keywords\": []}, {}]");
    Files.write(
        folder.resolve("train.jsonl"), List.of(ROW, mistyped, mistyped, empty, empty, empty));
    HirConsole run = HirConsole.run("train", config).succeeds();
    List<String> warnings =
        run.err().lines().filter(l -> l.matches("warning: .*constraint.*")).toList();
    assertEquals(3, warnings.size(), run.err());
    assertTrue(
        warnings.get(0).contains("2 constraints of an unknown type in 2 rows, the first: ")
            && warnings.get(0).contains("train.jsonl:2: row '2', constraint 2 (detectible_"),
        warnings.get(0));
    assertTrue(
        warnings.get(1).contains("3 constraints with kwargs that cannot be used in 3 rows")
            && warnings.get(1).contains("kwarg 'keywords' is empty"),
        warnings.get(1));
    assertTrue(warnings.get(2).contains("5 training instructions have such"), warnings.get(2));
  }

  @Test
  void writesTheRunFolderAndPrintsBeforeAndAfter() throws IOException {
    HirConsole run = HirConsole.run("train", config).succeeds();
    assertTrue(run.out().contains("hir, seed 0: 2 steps"), run.out());
    assertTrue(run.out().matches("(?s).*before +after +change.*ILA %.*CLA %.*"), run.out());
    assertTrue(run.err().contains("held-out after step 0: ILA"), run.err());
    assertTrue(run.err().contains("train 2/2"), run.err());
    assertEquals(2, Files.readAllLines(out.resolve("metrics.jsonl")).size());
    JsonNode summary = JSON.readTree(out.resolve("summary.json").toFile());
    assertEquals(2, summary.get("steps").asInt());
    for (String file :
        List.of("config.yaml", "rollouts/step-1.jsonl", "checkpoints/step-2/model.safetensors")) {
      assertTrue(Files.exists(out.resolve(file)), file);
    }

    HirConsole.run("train", config).failsWith(1, out + " is not empty");
    HirConsole more = HirConsole.run("train", config, "--resume", "train.steps=3", "--json");
    assertEquals(3, JSON.readTree(more.succeeds().out()).get("steps").asInt());
    assertEquals(3, Files.readAllLines(out.resolve("metrics.jsonl")).size());
    HirConsole.run("train", config, "--overwrite", "train.steps=1").succeeds();
    assertEquals(1, Files.readAllLines(out.resolve("metrics.jsonl")).size());
  }

  @Test
  void withoutAGpuTheDeviceIsRefusedInOneLine() {
    assumeFalse(
        Files.exists(Path.of("/proc/driver/nvidia/version")), "skipped: this machine has a GPU");
    HirConsole run = HirConsole.run("train", config, "device=cuda");
    run.failsWith(1, "device cuda cannot be used: this machine has no NVIDIA driver");
    assertTrue(run.err().contains("hint: take device=cpu"), run.err());
  }

  @Test
  void aStepIsRepeatedFromItsDump() throws IOException {
    HirConsole.run("train", config).succeeds();
    Path dump = out.resolve("rollouts/step-2.jsonl");
    HirConsole console = HirConsole.run("audit-step", dump, "--json").succeeds();
    JsonNode report = JSON.readTree(console.out());
    assertEquals(1, report.get("carried").asInt());
    assertEquals(report.at("/logged/loss"), report.get("loss"));
    assertEquals(report.at("/logged/grad_norm"), report.get("grad_norm"));
    assertEquals(Files.readAllLines(dump).size(), report.get("rows").size());
    String table = HirConsole.run("audit-step", dump, "--rows", "2").succeeds().out();
    assertTrue(table.contains("carried over 1 steps: 1 updates"), table);
    HirConsole.run("audit-step", dump.resolveSibling("step-9.jsonl")).failsWith(1, "step-9.jsonl");
  }

  @Test
  void seedsRunOneAfterAnother() throws IOException {
    HirConsole run =
        HirConsole.run("train", config, "--seeds", "3,5", "--json", "train.steps=1").succeeds();
    JsonNode report = JSON.readTree(run.out());
    assertEquals(3, report.at("/runs/0/seed").asInt());
    assertEquals(5, report.at("/runs/1/seed").asInt());
    double mean =
        (report.at("/runs/0/after/cla").asDouble() + report.at("/runs/1/after/cla").asDouble()) / 2;
    assertEquals(mean, report.at("/after/cla/mean").asDouble(), 1e-12);
    assertTrue(Files.exists(out.resolve("seed-3/summary.json")));
    assertTrue(Files.exists(out.resolve("seed-5/summary.json")));
  }

  @Test
  void badConfigurationsAreNamed() throws IOException {
    HirConsole.run("train", config, "train.stepz=3").failsWith(2, "train.steps");
    HirConsole.run("train", config, "train.steps=many").failsWith(2, "train.steps");
    HirConsole.run("train", folder.resolve("none.yaml")).failsWith(2, "none.yaml");
    HirConsole.run("train", config, "--resume", "--overwrite").failsWith(2, "exclude each other");
    HirConsole.run("train").failsWith(2, "CONFIG.yaml");
    HirConsole.run("train", config, "replay.sampled=4").failsWith(2, "replay.sampled");
    assertFalse(Files.exists(out));
  }

  @Test
  void missingAndBrokenDataAreNamed() throws IOException {
    Path train = folder.resolve("train.jsonl");
    List<String> good = Files.readAllLines(train);
    HirConsole.run("train", config, "data.train=" + folder + "/none.jsonl")
        .failsWith(1, "none.jsonl: no such file");
    Files.writeString(train, "\n");
    HirConsole.run("train", config).failsWith(1, train + ": holds no rows");
    Files.write(train, List.of(good.get(0), "{\"question\": "));
    HirConsole.run("train", config).failsWith(1, train + ":2: is not valid JSON");
    Files.write(train, List.of(good.get(0), good.get(1).replace("type4", "type9")));
    HirConsole.run("train", config).failsWith(1, train + ":2: field 'q_type'");
    Files.write(train, good);
    HirConsole.run("train", config, "model=" + folder + "/none").failsWith(1, "none");
    assertFalse(Files.exists(out), "nothing is written before everything is known to be there");
    Files.writeString(out, "a file is in the way");
    HirConsole.run("train", config).failsWith(1, out.toString());
    assertEquals("a file is in the way", Files.readString(out));
  }

  /** Refuses before it writes anything, and says what to change. */
  @Test
  void aRunThatCannotFitIsRefused() {
    HirConsole refused =
        HirConsole.run("train", config, "train.prompts=1000000", "train.micro_tokens=1000000000")
            .failsWith(1, "GiB in its update phase");
    assertTrue(refused.err().contains("train.micro_tokens="), refused.err());
    assertFalse(Files.exists(out));
  }

  /** Broken weights are found late; the run folder can then be used again. */
  @Test
  void aBrokenModelCostsNoRun() throws IOException {
    HirConsole.run("train", config, "train.steps=1").succeeds();
    HirConsole.run("train", config, "--overwrite", "model=" + folder + "/none")
        .failsWith(1, "none");
    assertTrue(Files.exists(out.resolve("summary.json")), "the old run is still there");

    Path weights = folder.resolve("model/model.safetensors");
    byte[] whole = Files.readAllBytes(weights);
    Files.write(weights, Arrays.copyOf(whole, whole.length / 2));
    HirConsole.run("train", config, "out=" + folder + "/new").failsWith(1, weights.toString());
    Files.write(weights, whole);
    HirConsole.run("train", config, "out=" + folder + "/new", "train.steps=1").succeeds();
  }

  /** Ctrl-C finishes the current step and saves a checkpoint, from which the run can be resumed. */
  @Test
  void anInterruptSavesAndTheRunCanGoOn() throws Exception {
    ProcessBuilder builder =
        new ProcessBuilder(
            ProcessHandle.current().info().command().orElse("java"),
            "-cp",
            System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
            Hir.class.getName(),
            "train",
            config.toString(),
            "train.steps=100000",
            "eval.every=0",
            "data.eval=null");
    Process process =
        builder.redirectErrorStream(true).redirectOutput(folder.resolve("log").toFile()).start();
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(90);
    Path metrics = out.resolve("metrics.jsonl");
    while (!(Files.exists(metrics) && Files.size(metrics) > 0)) {
      assertTrue(process.isAlive(), () -> "ended early: " + log());
      assertTrue(System.nanoTime() < deadline, () -> "no step: " + log());
      Thread.sleep(50);
    }
    // A build in the background of a shell ignores Ctrl-C, and so do its children.
    String signal = interruptsAreIgnored() ? "-TERM" : "-INT";
    new ProcessBuilder("kill", signal, Long.toString(process.pid())).start().waitFor();
    assertTrue(process.waitFor(60, TimeUnit.SECONDS), () -> "does not stop: " + log());
    assertEquals(signal.equals("-INT") ? 130 : 143, process.exitValue(), this::log);
    assertTrue(log().contains("continue with --resume"), this::log);
    assertFalse(log().contains("\tat "), this::log);
    int steps = Files.readAllLines(metrics).size();
    assertTrue(Files.isDirectory(out.resolve("checkpoints/step-" + steps)), this::log);
    HirConsole.run("train", config, "--resume", "train.steps=" + (steps + 1), "data.eval=null")
        .succeeds();
    assertEquals(steps + 1, Files.readAllLines(metrics).size());
  }

  /** Whether this process ignores SIGINT: bit 1 of its mask of ignored signals. */
  private static boolean interruptsAreIgnored() throws IOException {
    return Files.readAllLines(Path.of("/proc/self/status")).stream()
        .filter(line -> line.startsWith("SigIgn:"))
        .anyMatch(line -> (Long.parseUnsignedLong(line.substring(7).strip(), 16) >> 1 & 1) == 1);
  }

  private String log() {
    try {
      return Files.readString(folder.resolve("log"));
    } catch (IOException e) {
      return e.toString();
    }
  }
}
