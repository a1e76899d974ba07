package org.hirengine.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Commands that need no model load no native code: neither LibTorch nor the kernels. */
class WithoutNativeCodeTest {

  @TempDir Path folder;

  @Test
  void rewriteLoadsNone() throws Exception {
    Path in =
        Files.writeString(
            folder.resolve("in.jsonl"),
            "{\"question\": \"Q\", \"criteria\": [\"A.\", \"B.\"], \"judge_list\": [true,"
                + " false]}\n");
    assertNoNativeCode("rewrite", "--in", in.toString(), "--out", "-");
  }

  @Test
  void reportLoadsNone() throws Exception {
    Files.writeString(folder.resolve("metrics.jsonl"), "{\"step\":1,\"ila\":0.5}\n");
    assertNoNativeCode("report", folder.toString());
  }

  @Test
  void verifyAndEvaluateLoadNone() throws Exception {
    Path in =
        Files.writeString(
            folder.resolve("in.jsonl"),
            "{\"bench\": \"ifeval\", \"prompt\": \"p\", \"response\": \"Hello there!\","
                + " \"instruction_id_list\": [\"language:response_language\"],"
                + " \"kwargs\": [{\"language\": \"en\"}]}\n");
    assertNoNativeCode("verify", "--in", in.toString(), "--out", "-");
    assertNoNativeCode("evaluate", "--bench", "ifeval", "--responses", in.toString());
  }

  @Test
  void convertLoadsNone() throws Exception {
    Path model = DemoPolicy.in(folder);
    String out = folder.resolve("copy").toString();
    assertNoNativeCode("convert", model.toString(), out, "--type", "BF16");
  }

  @Test
  void helpLoadsNone() throws Exception {
    assertNoNativeCode("--help");
  }

  @Test
  void theProbeWouldSeeIt() throws Exception {
    assertTrue(
        foreign(HirProcess.java("", List.of(), MapsProbe.class.getName(), "--load-native")).stream()
            .anyMatch(library -> library.contains("jnijavacpp")));
  }

  private static void assertNoNativeCode(String... args) throws Exception {
    HirProcess.Result run = HirProcess.java("", List.of(), MapsProbe.class.getName(), args);
    assertEquals(0, run.exit(), run.err());
    assertEquals(List.of(), foreign(run));
  }

  /** Mapped libraries that belong neither to the Java runtime nor to the C library. */
  private static List<String> foreign(HirProcess.Result run) {
    List<String> mapped =
        run.err().lines().filter(l -> l.startsWith("mapped:")).map(l -> l.substring(7)).toList();
    assertTrue(mapped.stream().anyMatch(l -> l.endsWith("/libjvm.so")), "the probe works");
    String runtime = Path.of(System.getProperty("java.home")).toAbsolutePath().toString();
    return mapped.stream()
        .filter(l -> !l.startsWith(runtime))
        .filter(l -> !l.matches("/(usr/)?lib(64)?/.*") || l.matches(".*(torch|blas|gomp|hir).*"))
        .toList();
  }
}
