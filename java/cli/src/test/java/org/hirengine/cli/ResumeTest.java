package org.hirengine.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Commands that are killed and resumed write the same output as uninterrupted ones. */
class ResumeTest {

  @TempDir Path folder;
  private Path model;
  private Path in;
  private Path out;
  private Path part;

  @BeforeEach
  void prepare() throws IOException {
    model = DemoPolicy.in(folder);
    in = Files.write(folder.resolve("in.jsonl"), DemoPolicy.requests("hard/eval.jsonl", 160));
    out = folder.resolve("out.jsonl");
    part = folder.resolve("out.jsonl.part");
  }

  @Test
  void generateIsKilledTwice() throws Exception {
    List<Object> command =
        command("generate", "--model", model, "--in", in, "--n", 6, "--max-tokens", 160);
    byte[] undisturbed = undisturbed(command);
    command.addAll(List.of("--out", out));
    killAfter(20, command);
    assertWholePrefix(undisturbed);
    tear();
    command.add("--resume");
    killAfter(400, command);
    assertWholePrefix(undisturbed);
    HirConsole run = HirConsole.run(command.toArray()).succeeds();
    assertArrayEquals(undisturbed, Files.readAllBytes(out));
    assertTrue(run.out().startsWith("responses 960, tokens "), run.out());
    assertOnlyTheOutput();
    assertTrue(HirConsole.run(command.toArray()).succeeds().err().contains("is complete"));
    assertArrayEquals(undisturbed, Files.readAllBytes(out));
  }

  @Test
  void evaluateIsKilled() throws Exception {
    Path bench =
        Files.write(folder.resolve("bench.jsonl"), DemoPolicy.requests("hard/train.jsonl", 600));
    List<Object> command =
        command("evaluate", "--bench", bench, "--model", model, "--json", "--max-tokens", 160);
    byte[] undisturbed = undisturbed(command);
    String report = HirConsole.run(command.toArray()).succeeds().out();
    command.addAll(List.of("--out", out));
    killAfter(300, command);
    assertWholePrefix(undisturbed);
    tear();
    HirConsole.run(with(command, "--resume", "--strip-thinking"))
        .failsWith(1, "another strip_thinking: false, not true");
    HirConsole run = HirConsole.run(with(command, "--resume")).succeeds();
    assertArrayEquals(undisturbed, Files.readAllBytes(out));
    assertEquals(report, run.out());
  }

  @Test
  void scoreIsKilled() throws Exception {
    Path responses = folder.resolve("responses.jsonl");
    HirConsole.run(
            "generate", "--model", model, "--in", in, "--out", responses, "--n", 12, "--seed", 4)
        .succeeds();
    Files.write(in, Files.readAllLines(responses).subList(0, 1500));
    Files.delete(responses);
    List<Object> command = command("score", "--model", model, "--in", in);
    byte[] undisturbed = undisturbed(command);
    command.addAll(List.of("--out", out));
    killAfter(100, command);
    assertWholePrefix(undisturbed);
    tear();
    HirConsole run = HirConsole.run(with(command, "--resume")).succeeds();
    assertArrayEquals(undisturbed, Files.readAllBytes(out));
    long tokens = 0;
    for (String line : Files.readAllLines(out)) {
      tokens += new ObjectMapper().readTree(line).get("logprobs").size();
    }
    assertTrue(run.out().startsWith("rows 1500, tokens " + tokens), run.out());
  }

  /** The killed run reads from a pipe that the test keeps open. */
  @Test
  void verifyIsKilled() throws Exception {
    List<String> lines = new ArrayList<>();
    for (int i = 0; i < 400; i++) {
      lines.add(
          i % 50 == 7
              ? "{\"bench\": \"ifeval\", \"number\": " + i + "}"
              : ("{\"bench\": \"ifeval\", \"response\": \"a%s %d\", \"instruction_id_list\":"
                      + " [\"punctuation:no_comma\", \"no:such\"], \"kwargs\": [{}, null]}")
                  .formatted(i % 3 == 0 ? "," : "", i));
    }
    Files.write(in, lines);
    List<Object> command = new ArrayList<>(List.of("verify", "--skip-bad", "--in", in));
    byte[] undisturbed = undisturbed(command);
    byte[] bad = Files.readAllBytes(folder.resolve("whole.jsonl.bad.jsonl"));
    String report = HirConsole.run(with(command, "--out", out)).succeeds().out();
    Files.delete(out);

    Path pipe = folder.resolve("pipe");
    assertEquals(0, new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor());
    Thread feeding =
        new Thread(
            () -> {
              try (Writer writer = Files.newBufferedWriter(pipe)) {
                for (String line : lines) {
                  writer.write(line + "\n");
                  writer.flush();
                  Thread.sleep(5);
                }
              } catch (IOException | InterruptedException e) {
                // the reader was killed
              }
            });
    feeding.start();
    killAfter(60, List.of("verify", "--skip-bad", "--in", pipe, "--out", out));
    feeding.join();
    assertWholePrefix(undisturbed);
    tear();
    Files.writeString(in, "{\"bench\": \"ifeval\"}\n" + Files.readString(in).substring(10));
    HirConsole.run(with(command, "--out", out, "--resume"))
        .failsWith(1, "were not made from this input");
    Files.write(in, lines);
    HirConsole run = HirConsole.run(with(command, "--out", out, "--resume")).succeeds();
    assertArrayEquals(undisturbed, Files.readAllBytes(out));
    assertArrayEquals(bad, Files.readAllBytes(folder.resolve("out.jsonl.bad.jsonl")));
    assertEquals(report, run.out());
  }

  /** A resumed command refuses other options, another model and other input. */
  @Test
  void anotherRunIsNotContinued() throws Exception {
    List<Object> command = command("generate", "--model", model, "--in", in, "--max-tokens", 8);
    byte[] undisturbed = undisturbed(command);
    command.addAll(List.of("--out", out));
    int half = undisturbed.length / 2;
    leave(command, new String(undisturbed, 0, half, StandardCharsets.UTF_8));
    HirConsole.run(command.toArray()).failsWith(1, "holds rows of an unfinished run");
    HirConsole.run(with(command, "--resume", "--seed", 1))
        .failsWith(1, "was made with another seed: 0, not 1");
    HirConsole.run(with(command, "--resume", "--temperature", 0.5))
        .failsWith(1, "another temperature: 1.0, not 0.5");
    HirConsole.run(with(command, "--resume", "--n", 2)).failsWith(1, "another n: 1, not 2");
    HirConsole.run(with(command, "--resume", "--dtype", "bfloat16")).failsWith(1, "another dtype");
    String requests = Files.readString(in);
    Files.writeString(in, requests.replaceFirst("e", "é"));
    HirConsole.run(with(command, "--resume")).failsWith(1, "another input");
    Files.writeString(in, requests);
    Path weights = model.resolve("model.safetensors");
    FileTime time = Files.getLastModifiedTime(weights);
    Files.setLastModifiedTime(weights, FileTime.fromMillis(1));
    HirConsole.run(with(command, "--resume")).failsWith(1, "another weights");
    Files.setLastModifiedTime(weights, time);
    HirConsole.run(with(command, "--resume")).succeeds();
    assertArrayEquals(undisturbed, Files.readAllBytes(out));
    HirConsole.run(with(command.subList(0, command.size() - 1), "-", "--resume"))
        .failsWith(1, "--resume needs an output file");
  }

  /** A run that fails before its first row leaves no files. */
  @Test
  void whatNeverBeganLeavesNothing() throws Exception {
    Files.delete(model.resolve("tokenizer.json"));
    List<Object> command = command("generate", "--model", model, "--in", in, "--out", out);
    HirConsole.run(command.toArray()).failsWith(1, "tokenizer.json");
    assertFalse(Files.exists(part));
    assertFalse(Files.exists(folder.resolve("out.jsonl.part.json")));
  }

  private static List<Object> command(Object... words) {
    List<Object> command = new ArrayList<>(List.of(words));
    command.addAll(List.of("--threads", 1));
    return command;
  }

  private static Object[] with(List<Object> command, Object... more) {
    List<Object> all = new ArrayList<>(command);
    all.addAll(List.of(more));
    return all.toArray();
  }

  /** The output of an uninterrupted run. */
  private byte[] undisturbed(List<Object> command) throws IOException {
    Path whole = folder.resolve("whole.jsonl");
    HirConsole.run(with(command, "--out", whole)).succeeds();
    byte[] bytes = Files.readAllBytes(whole);
    Files.delete(whole);
    return bytes;
  }

  /** Runs the command in a separate process, and kills it after a number of rows. */
  private void killAfter(int rows, List<Object> command) throws Exception {
    HirProcess.killedOnce(
        () -> Files.exists(part) && Files.readString(part).lines().count() >= rows,
        command.stream().map(Object::toString).toArray(String[]::new));
    assertFalse(Files.exists(out), "it was done before it could be killed");
  }

  private void assertWholePrefix(byte[] undisturbed) throws IOException {
    String kept = Files.readString(part);
    String whole = new String(undisturbed, StandardCharsets.UTF_8);
    assertTrue(whole.startsWith(kept), "not a prefix: " + kept.length() + " characters");
    assertTrue(kept.length() < whole.length());
  }

  /** A machine failure leaves half a line. */
  private void tear() throws IOException {
    Files.writeString(part, "{\"id\": \"x\", \"resp", StandardOpenOption.APPEND);
  }

  /** Leaves rows like an unfinished run, whose setup comes from a run that is killed. */
  private void leave(List<Object> command, String rows) throws Exception {
    HirProcess.killedOnce(
        () -> Files.exists(part), command.stream().map(Object::toString).toArray(String[]::new));
    Files.deleteIfExists(out);
    Files.writeString(part, rows);
    assertTrue(Files.exists(folder.resolve("out.jsonl.part.json")));
  }

  private void assertOnlyTheOutput() throws IOException {
    try (var files = Files.list(folder)) {
      assertEquals(
          List.of("in.jsonl", "model", "out.jsonl"),
          files.map(file -> file.getFileName().toString()).sorted().toList());
    }
  }
}
