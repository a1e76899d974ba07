package org.hirengine.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Runs the command in a separate Java virtual machine, as a user does. */
final class HirProcess {

  private static final long LIMIT_SECONDS = 120;

  private HirProcess() {}

  /** The exit code and output of a process. */
  record Result(int exit, String out, String err) {}

  /** Runs {@code hir args} with {@code input} on its standard input. */
  static Result run(String input, String... args) throws IOException, InterruptedException {
    return java(input, List.of(), Hir.class.getName(), args);
  }

  /** Runs a main class of the test class path with further environment variables. */
  static Result run(Map<String, String> environment, String mainClass, String... args)
      throws IOException, InterruptedException {
    ProcessBuilder builder = new ProcessBuilder(java(List.of(), mainClass, args));
    builder.environment().putAll(environment);
    return command("", builder);
  }

  /** A condition to wait for. */
  interface Event {

    boolean happened() throws IOException;
  }

  /** Runs {@code hir args}, and kills it as {@code kill -9} does once a condition holds. */
  static void killedOnce(Event event, String... args) throws IOException, InterruptedException {
    List<String> command = java(List.of(), Hir.class.getName(), args);
    Process process =
        new ProcessBuilder(command)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(LIMIT_SECONDS);
    try {
      while (!event.happened()) {
        if (!process.isAlive() || System.nanoTime() > end) {
          throw new AssertionError("never happened in " + command);
        }
        Thread.sleep(2);
      }
    } finally {
      process.destroyForcibly().waitFor();
    }
  }

  /** Runs any main class of the test class path. */
  static Result java(String input, List<String> options, String mainClass, String... args)
      throws IOException, InterruptedException {
    return command(input, new ProcessBuilder(java(options, mainClass, args)));
  }

  /** The words of a command that runs any main class of the test class path. */
  static List<String> java(List<String> options, String mainClass, String... args) {
    List<String> command = new ArrayList<>();
    command.add(javaCommand());
    command.addAll(options);
    command.add("-cp");
    command.add(classPath());
    command.add(mainClass);
    command.addAll(List.of(args));
    return command;
  }

  static String javaCommand() {
    return ProcessHandle.current().info().command().orElse("java");
  }

  /** The class path of the tests. */
  static String classPath() {
    return System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
  }

  /** Runs any command to its end. */
  static Result command(String input, ProcessBuilder builder)
      throws IOException, InterruptedException {
    Path folder = Files.createTempDirectory("hir-process");
    Path in = Files.writeString(folder.resolve("in"), input);
    Path out = folder.resolve("out");
    Path err = folder.resolve("err");
    Process process =
        builder
            .redirectInput(in.toFile())
            .redirectOutput(out.toFile())
            .redirectError(err.toFile())
            .start();
    if (!process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS)) {
      process.destroyForcibly();
      throw new AssertionError("still running after " + LIMIT_SECONDS + " s: " + builder.command());
    }
    Result result =
        new Result(
            process.exitValue(),
            Files.readString(out, StandardCharsets.UTF_8),
            Files.readString(err, StandardCharsets.UTF_8));
    for (Path file : List.of(in, out, err, folder)) {
      Files.delete(file);
    }
    return result;
  }
}
