package org.hirengine.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code hir train --nproc}: processes of this machine that train together. */
class LocalRanksTest {

  /** For the ranks too: the launcher passes its options on. */
  private static final List<String> OPTIONS = List.of("-XX:TieredStopAtLevel=1");

  private static final long LIMIT_SECONDS = 120;

  @TempDir Path folder;
  private Path config;

  @BeforeEach
  void prepare() throws IOException {
    DemoPolicy.in(folder);
    Files.write(folder.resolve("train.jsonl"), DemoPolicy.requests("med/train.jsonl", 16));
    Files.write(folder.resolve("eval.jsonl"), DemoPolicy.requests("med/eval.jsonl", 8));
    // Two parts of every mini-batch have the same bits on one rank and on two.
    config =
        Files.writeString(
            folder.resolve("config.yaml"),
            """
            model: model
            out: one
            threads: 1
            algorithm: hir
            data: {train: train.jsonl, eval: eval.jsonl}
            train: {steps: 10, prompts: 4, group: 4, seed: 3}
            replay: {sampled: 3}
            limits: {prompt: 96, response: 16}
            eval: {every: 0}
            checkpoint: {every: 1}
            log: {tensorboard: false}
            distributed: {parts: 2}
            """);
  }

  private String[] onTwo(String... words) {
    List<String> command = new ArrayList<>();
    command.addAll(List.of("train", config.toString(), "out=" + folder.resolve("two")));
    command.addAll(List.of("--nproc", "2"));
    command.addAll(List.of(words));
    return command.toArray(String[]::new);
  }

  /** Whichever rank is killed: the other and the launcher end, with one line that names it. */
  @Test
  void aKilledRankEndsAllAndTheResumedRunGivesTheTablesOfOneProcess() throws Exception {
    Path errors = folder.resolve("errors");
    Process launcher =
        new ProcessBuilder(HirProcess.java(OPTIONS, Hir.class.getName(), onTwo()))
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .redirectError(errors.toFile())
            .start();
    HirConsole one;
    try {
      killARank(launcher, errors);
      one = HirConsole.run("train", config).succeeds(); // while the other rank looks for its reason
      assertTrue(launcher.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS), "the launcher goes on");
    } finally {
      launcher.descendants().forEach(ProcessHandle::destroyForcibly);
      launcher.destroyForcibly();
    }
    assertEquals(1, launcher.exitValue());
    List<String> told =
        Files.readAllLines(errors).stream().filter(line -> line.startsWith("error: ")).toList();
    assertEquals(1, told.size(), told.toString());
    assertTrue(told.get(0).matches("error: rank [01] of 2.*"), told.get(0));
    HirProcess.Result two = HirProcess.java("", OPTIONS, Hir.class.getName(), onTwo("--resume"));
    assertEquals(0, two.exit(), two.err());
    assertTrue(Files.exists(folder.resolve("two/ranks/rank-1.log")));
    assertEquals(tables(one.out()), tables(two.out()));
    String weights = "checkpoints/step-10/model.safetensors";
    assertEquals(
        -1,
        Files.mismatch(
            folder.resolve("one").resolve(weights), folder.resolve("two").resolve(weights)));
  }

  private void killARank(Process launcher, Path errors) throws InterruptedException {
    Path first = folder.resolve("two/checkpoints/step-1/trainer.json");
    while (!Files.exists(first)) {
      assertTrue(launcher.isAlive(), () -> "ended before its first checkpoint: " + errors);
      Thread.sleep(2);
    }
    launcher.children().findAny().orElseThrow().destroyForcibly();
  }

  /** What is printed below the line with counts and seconds. */
  private static String tables(String out) {
    int table = out.indexOf("held-out prompts");
    assertTrue(table >= 0, out);
    return out.substring(table);
  }
}
