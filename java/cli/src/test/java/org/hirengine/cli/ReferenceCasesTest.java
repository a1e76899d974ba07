package org.hirengine.cli;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;

/**
 * Runs as the last test of the last module: prints how many reference cases the build compared, and
 * fails if there were none, for example because the data was not found.
 */
@Order(Integer.MAX_VALUE)
class ReferenceCasesTest {

  @Test
  void someWereCompared() throws IOException {
    String folder = System.getProperty("hir.cases");
    assumeTrue(folder != null, "skipped: nothing counts reference cases (set -Dhir.cases)");
    Map<String, Long> counts = counts(Path.of(folder));
    counts.forEach((name, cases) -> System.out.printf("%8d  %s%n", cases, name));
    long all = counts.values().stream().mapToLong(Long::longValue).sum();
    System.out.println(all + " reference cases compared");
    assertTrue(all > 0, "no test compared with reference data; see java/testdata/README.md");
  }

  /** The sums of all counts that {@code SharedData.counted} wrote. */
  private static Map<String, Long> counts(Path folder) throws IOException {
    Map<String, Long> counts = new TreeMap<>();
    if (Files.isDirectory(folder)) {
      try (Stream<Path> files = Files.list(folder)) {
        for (Path file : files.toList()) {
          for (String line : Files.readAllLines(file)) {
            String[] fields = line.split("\t", -1);
            counts.merge(fields[0], Long.valueOf(fields[1]), Long::sum);
          }
        }
      }
    }
    return counts;
  }
}
