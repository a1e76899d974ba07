package org.hirengine.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.hirengine.engine.config.TrainConfig;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Checks that the files, classes and commands that documents name exist. */
class DocumentsTest {

  private static final Path ROOT = Path.of(System.getProperty("hir.root"));

  private static final Pattern LINK = Pattern.compile("\\]\\(([^)\\s#]+)(#[^)]*)?\\)");

  /** A class in code type, with or without a member: {@code `Kernels.policyLoss`}. */
  private static final Pattern CLASS = Pattern.compile("`([A-Z][a-z]\\w*)(\\.\\w+)?`");

  /** A command line in a code block or within a sentence. */
  private static final Pattern COMMAND =
      Pattern.compile(
          "^(?:torchrun .*)?java/hir +([a-z].*)$|`java/hir ([a-z][^`]*)`", Pattern.MULTILINE);

  @ParameterizedTest
  @ValueSource(
      strings = {
        "README.md",
        "CHANGELOG.md",
        ".github/CONTRIBUTING.md",
        ".github/SECURITY.md",
        "native/README.md",
        "native/ops/README.md",
        "java/ARCHITECTURE.md",
        "java/engine/ALGORITHM.md",
        "java/testdata/README.md",
        "java/verify/README.md",
        "data/demo/README.md",
        "data/real/README.md",
        "benchmarks/RESULTS.md",
        "benchmarks/gpu/README.md",
        "benchmarks/sample-efficiency/REPORT.md"
      })
  void linksLeadToFiles(String document) throws IOException {
    Path file = ROOT.resolve(document);
    List<String> broken =
        LINK.matcher(Files.readString(file))
            .results()
            .map(link -> link.group(1))
            .filter(target -> !target.contains("://"))
            .filter(target -> !Files.exists(file.resolveSibling(target)))
            .toList();
    assertEquals(List.of(), broken);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {".github/CONTRIBUTING.md", "java/ARCHITECTURE.md", "java/engine/ALGORITHM.md"})
  void classesExist(String document) throws IOException {
    Set<String> missing =
        CLASS
            .matcher(Files.readString(ROOT.resolve(document)))
            .results()
            .map(name -> name.group(1))
            .collect(Collectors.toCollection(TreeSet::new));
    missing.remove("ServiceLoader");
    try (Stream<Path> files = Files.walk(ROOT.resolve("java"))) {
      files
          .map(file -> file.getFileName().toString().replace(".java", ""))
          .forEach(missing::remove);
    }
    try (Stream<Path> files = Files.walk(ROOT.resolve("benchmarks/src"))) {
      files
          .map(file -> file.getFileName().toString().replace(".java", ""))
          .forEach(missing::remove);
    }
    assertEquals(Set.of(), missing);
  }

  @Test
  void theTableOfCommandsIsComplete() throws IOException {
    String readme = Files.readString(ROOT.resolve("README.md"));
    Set<String> told =
        Pattern.compile("^\\| `hir ([a-z-]+)", Pattern.MULTILINE)
            .matcher(readme)
            .results()
            .map(row -> row.group(1))
            .collect(Collectors.toCollection(TreeSet::new));
    Set<String> commands = new TreeSet<>(Hir.commandLine().getSubcommands().keySet());
    commands.remove("help");
    assertEquals(commands, told);
  }

  @Test
  void theConfigurationOfTheReadmeIsOne(@TempDir Path folder) throws IOException {
    MatchResult block =
        Pattern.compile("```yaml\\n(.*?)```", Pattern.DOTALL)
            .matcher(Files.readString(ROOT.resolve("README.md")))
            .results()
            .findFirst()
            .orElseThrow();
    Path file = Files.writeString(folder.resolve("first.yaml"), block.group(1));
    TrainConfig config = TrainConfig.load(file, List.of());
    assertEquals(folder.resolve("runs/first"), config.out());
  }

  /**
   * Checks the options of every command line in the documents, and that the files of the repository
   * that they name exist.
   */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "README.md",
        ".github/CONTRIBUTING.md",
        "benchmarks/gpu/README.md",
        "benchmarks/sample-efficiency/REAL.md",
        "data/demo/README.md",
        "data/real/README.md",
        "java/verify/README.md"
      })
  void commandLinesParse(String document) throws IOException {
    List<String> lines =
        COMMAND
            .matcher(Files.readString(ROOT.resolve(document)))
            .results()
            .map(line -> line.group(1) == null ? line.group(2) : line.group(1))
            .toList();
    assertFalse(lines.isEmpty(), document);
    for (String line : lines) {
      List<String> words = List.of(line.replaceAll("\\s+#.*", "").trim().split("\\s+"));
      assertTrue(Hir.commandLine().getSubcommands().containsKey(words.get(0)), line);
      if (words.size() > 1) {
        Hir.commandLine().parseArgs(words.toArray(String[]::new));
      }
      words.stream()
          .filter(word -> word.startsWith("data/"))
          .forEach(word -> assertTrue(Files.exists(ROOT.resolve(word)), line));
    }
  }
}
