package org.hirengine.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import picocli.CommandLine;

/** Runs the command inside this process, and keeps what it printed. */
public record HirConsole(int exit, String out, String err) {

  public static HirConsole run(Object... args) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    CommandLine command = Hir.commandLine();
    command.setOut(new PrintWriter(out, true));
    command.setErr(new PrintWriter(err, true));
    String[] words = List.of(args).stream().map(Object::toString).toArray(String[]::new);
    int exit = command.execute(words);
    return new HirConsole(exit, out.toString(), err.toString());
  }

  /**
   * Checks what every failure must have: its exit code, one line that contains {@code text}, one
   * hint.
   */
  public HirConsole failsWith(int code, String text) {
    assertEquals(code, exit, this::toString);
    List<String> lines = err.lines().toList();
    assertEquals(2, lines.size(), err);
    assertTrue(lines.get(0).startsWith("error: ") && lines.get(0).contains(text), err);
    assertTrue(lines.get(1).matches("hint: \\S.{9,}"), err);
    return this;
  }

  public HirConsole succeeds() {
    assertEquals(0, exit, this::toString);
    return this;
  }
}
