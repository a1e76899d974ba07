package org.hirengine.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** The policy that ships with the project, a complete model folder in every checkout. */
final class DemoPolicy {

  private static final Path DEMO = Path.of(System.getProperty("hir.root"), "data", "demo");

  private DemoPolicy() {}

  /** Copies the policy to {@code parent/model}. */
  static Path in(Path parent) throws IOException {
    Path folder = Files.createDirectories(parent.resolve("model"));
    try (Stream<Path> files = Files.list(DEMO.resolve("policy"))) {
      for (Path file : (Iterable<Path>) files::iterator) {
        Files.copy(file, folder.resolve(file.getFileName()));
      }
    }
    return folder;
  }

  /** Returns the first requests of a demo file, such as {@code med/eval.jsonl}, as JSON lines. */
  static List<String> requests(String file, int count) throws IOException {
    try (Stream<String> lines = Files.lines(DEMO.resolve(file))) {
      return lines.limit(count).toList();
    }
  }
}
