package org.hirengine.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Even a failing virtual machine prints the error on one line and the remedy on another. */
class HirTest {

  @TempDir Path folder;

  @Test
  void outOfMemory() throws Exception {
    Path in = folder.resolve("in.jsonl");
    try (RandomAccessFile file = new RandomAccessFile(in.toFile(), "rw")) {
      file.setLength(256L << 20); // a single line, far larger than the heap
    }
    Path out = folder.resolve("out.jsonl");
    HirProcess.Result run =
        HirProcess.java(
            "",
            List.of("-Xmx48m"),
            Hir.class.getName(),
            "verify",
            "--in",
            in.toString(),
            "--out",
            out.toString());
    assertTroubleIsTold(run, "OutOfMemoryError", "HIR_JAVA_OPTS=-Xmx");
    assertTrue(Files.notExists(out));
  }

  @Test
  void nativesThatDoNotLoad() throws Exception {
    Path in =
        Files.writeString(
            folder.resolve("in.jsonl"), "{\"input_ids\": [1, 2], \"response_start\": 1}\n");
    HirProcess.Result run =
        HirProcess.java(
            "",
            List.of("-Dorg.bytedeco.javacpp.platform=linux-unknown"),
            Hir.class.getName(),
            "score",
            "--model",
            DemoPolicy.in(folder).toString(),
            "--in",
            in.toString(),
            "--out",
            "-");
    assertTroubleIsTold(run, "native libraries for linux-unknown", "classifier linux-unknown");
  }

  private static void assertTroubleIsTold(HirProcess.Result run, String problem, String remedy) {
    assertEquals(1, run.exit(), run.err());
    assertEquals("", run.out());
    List<String> lines = run.err().lines().toList();
    int last = lines.size() - 1; // libraries may log before it
    assertTrue(lines.get(last).startsWith("hint: ") && lines.get(last).contains(remedy), run.err());
    String error = lines.get(last - 1);
    assertTrue(error.startsWith("error: ") && error.contains(problem), run.err());
    assertFalse(run.err().contains("\tat "), "no stack trace");
  }
}
