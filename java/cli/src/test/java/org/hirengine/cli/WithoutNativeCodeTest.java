package org.hirengine.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Commands that run no model load no native code: neither LibTorch nor the kernels. */
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

  /** A build without native code refuses a command that runs a model, and says why. */
  @Test
  void whatNeedsItSaysSoInOneLine() throws Exception {
    List<String> pure =
        Stream.of(HirProcess.classPath().split(File.pathSeparator))
            .filter(entry -> !entry.matches(".*-linux-x86_64(-gpu)?\\.jar"))
            .toList();
    HirProcess.Result run =
        HirProcess.command(
            "",
            new ProcessBuilder(
                HirProcess.javaCommand(),
                "-cp",
                String.join(File.pathSeparator, pure),
                Hir.class.getName(),
                "bench",
                "logprob"));
    assertEquals(1, run.exit(), run.out());
    assertEquals(2, run.err().lines().count(), run.err());
    assertTrue(run.err().startsWith("error: cannot load LibTorch's native libraries"), run.err());
    assertTrue(run.err().contains("\nhint: put org.bytedeco:pytorch, openblas"), run.err());
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
