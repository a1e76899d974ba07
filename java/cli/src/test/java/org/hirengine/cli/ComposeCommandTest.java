package org.hirengine.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.hirengine.replay.Instruction;
import org.hirengine.replay.InstructionReader;
import org.hirengine.verify.Verifiers;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ComposeCommandTest {

  @TempDir Path folder;

  @Test
  void composesTheSameFileForTheSameSeed() throws IOException {
    Path seeds =
        Files.write(
            folder.resolve("seeds.jsonl"),
            List.of("Write about rivers.", "{\"prompt\": \"Name a bird.\", \"id\": \"b\"}"));
    Path first = folder.resolve("first.jsonl");
    Path again = folder.resolve("again.jsonl");
    Path other = folder.resolve("other.jsonl");
    Object[][] runs = {{first, 5}, {again, 5}, {other, 6}};
    for (Object[] run : runs) {
      HirConsole.run(
              "compose", "--seeds", seeds, "--n", 30, "--min", 2, "--max", 4, "--seed", run[1],
              "--out", run[0])
          .succeeds();
    }
    assertEquals(Files.readString(first), Files.readString(again));
    assertNotEquals(Files.readString(first), Files.readString(other));
    List<Instruction> read =
        new InstructionReader().checking(Verifiers.standard()::parse).read(first).instructions();
    assertEquals(30, read.size());
    read.forEach(x -> assertTrue(x.constraints().size() >= 2 && x.constraints().size() <= 4));
  }

  @Test
  void othersMayReadWhatIsWritten() throws IOException {
    Path seeds = Files.write(folder.resolve("seeds.txt"), List.of("Write about rivers."));
    Path out = folder.resolve("out.jsonl");
    HirConsole.run("compose", "--seeds", seeds, "--n", 1, "--out", out).succeeds();
    assertEquals(Files.getPosixFilePermissions(seeds), Files.getPosixFilePermissions(out));
    try (Stream<Path> files = Files.list(folder)) {
      assertEquals(2, files.count());
    }
  }

  @Test
  void wrongUseIsNamed() throws IOException {
    Path seeds = Files.write(folder.resolve("s.txt"), List.of("Write."));
    Path out = folder.resolve("o.jsonl");
    HirConsole.run("compose", "--seeds", seeds, "--n", 0, "--out", out).failsWith(2, "--n 0");
    HirConsole.run("compose", "--seeds", seeds, "--n", 1, "--min", 0, "--out", out)
        .failsWith(2, "from 0 to 6");
    HirConsole.run("compose", "--seeds", seeds, "--n", 1, "--bench", "x", "--out", out)
        .failsWith(2, "unknown benchmark 'x'");
  }
}
