package org.hirengine.benchmarks.study;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** Runs {@code hir} commands, each in its own process with this process's class path. */
final class RunProcess {

  private static final Set<Process> RUNNING = ConcurrentHashMap.newKeySet();

  static {
    // A run must not outlive an interrupted study: it would block the next one.
    Runtime.getRuntime().addShutdownHook(new Thread(() -> RUNNING.forEach(Process::destroy)));
  }

  private RunProcess() {}

  /** Makes training and held-out requests, unless they exist. */
  static void makeRequests(Path folder, StudyPlan.Setting setting, StudyPlan.Requests r, long seed)
      throws IOException, InterruptedException {
    if (Files.isRegularFile(folder.resolve("train.jsonl"))
        && Files.isRegularFile(folder.resolve("eval.jsonl"))) {
      return;
    }
    Files.createDirectories(folder);
    List<String> command = new ArrayList<>(List.of("demo-data"));
    command.addAll(setting.requests());
    command.addAll(
        List.of(
            "--seed", Long.toString(seed),
            "--train", Integer.toString(r.train()),
            "--eval", Integer.toString(r.heldOut()),
            "--out", folder.toString()));
    hir(command, folder.resolve("demo-data.log"));
  }

  /** Trains a cell; a run that was interrupted starts over. */
  static void train(StudyPlan plan, StudyPlan.Cell cell, Path requests)
      throws IOException, InterruptedException {
    Path run = cell.folder(plan.out());
    Files.createDirectories(run.getParent());
    List<String> command = new ArrayList<>();
    command.add("train");
    command.add(plan.settings().get(cell.setting()).config().toString());
    command.addAll(plan.methods().get(cell.method()).set());
    command.addAll(
        List.of(
            "optim.lr=" + cell.learningRate(),
            "train.seed=" + cell.seed(),
            "train.steps=1000000",
            "train.max_rollouts=" + plan.rollouts(cell.method()),
            "data.train=" + requests.resolve("train.jsonl"),
            "data.eval=" + requests.resolve("eval.jsonl"),
            "eval.every=" + plan.evaluateEvery(cell.method()),
            "eval.prompts=" + plan.requests().heldOut(),
            "threads=1",
            "log.rollouts=false",
            "log.tensorboard=false",
            "checkpoint.every=0",
            "out=" + run,
            "--overwrite"));
    hir(command, run.resolveSibling(run.getFileName() + ".log"));
  }

  private static void hir(List<String> arguments, Path log)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("-Xmx2g");
    command.add("-cp");
    command.add(System.getProperty("java.class.path"));
    command.add("org.hirengine.cli.Hir");
    command.addAll(arguments);
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(log.toFile())
            .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
            .start();
    RUNNING.add(process);
    try {
      if (process.waitFor() != 0) {
        throw new IOException("hir " + arguments.get(0) + " failed; its output is " + log);
      }
    } finally {
      process.destroy();
      RUNNING.remove(process);
    }
  }
}
