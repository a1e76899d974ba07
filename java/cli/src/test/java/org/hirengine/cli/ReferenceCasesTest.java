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
 * Runs as the last test of the last module that has tests: prints how many reference cases the
 * build compared, and fails where there was none, as with a folder of data that nobody finds.
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

  /** The sums of every count that {@code SharedData.counted} has written. */
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
