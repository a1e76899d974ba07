package org.hirengine.testing;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.DoubleStream;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/**
 * Reference data: golden vectors and conformance lines. Our own is in {@code java/testdata}; more
 * may be outside the project ({@code -Dhir.shared}, by default the folder {@code shared} beside the
 * checkout). A test that needs a file in neither place is skipped with a message.
 *
 * <p>Every test that compares with it calls {@link #counted}: the build prints how many reference
 * cases ran, and fails if none did.
 */
public final class SharedData {

  private static final ObjectMapper JSON = new ObjectMapper();

  private SharedData() {}

  /** Finds {@code relative}: in our own data first, then outside the project. */
  public static List<Path> all(String relative) {
    Path own = Path.of(System.getProperty("hir.root", "../.."), "java", "testdata");
    Path shared = Path.of(System.getProperty("hir.shared", "../shared"));
    return Stream.of(own, shared).map(f -> f.resolve(relative)).filter(Files::exists).toList();
  }

  /** The file or folder at {@code relative}; skips the calling test if it is absent. */
  public static Path require(String relative) {
    List<Path> found = all(relative);
    assumeTrue(
        !found.isEmpty(),
        () -> "skipped: reference data not found: " + relative + " (set -Dhir.shared)");
    return found.get(0);
  }

  /** A golden JSON file as a tree; skips the calling test if it is absent. */
  public static JsonNode json(String relative) {
    return read(require(relative));
  }

  /** Every golden JSON file at {@code relative}; skips the calling test if there is none. */
  public static List<JsonNode> jsons(String relative) {
    require(relative);
    return all(relative).stream().map(SharedData::read).toList();
  }

  /** The {@code cases} of every golden JSON file at {@code relative}. */
  public static List<JsonNode> cases(String relative) {
    List<JsonNode> cases = new ArrayList<>();
    jsons(relative).forEach(file -> file.get("cases").forEach(cases::add));
    return cases;
  }

  private static JsonNode read(Path file) {
    try {
      return JSON.readTree(file.toFile());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A golden number: a JSON number, or one of the strings "nan", "inf" and "-inf". */
  public static double number(JsonNode node) {
    if (node.isNumber()) {
      return node.asDouble();
    }
    return switch (node.asText()) {
      case "nan" -> Double.NaN;
      case "inf" -> Double.POSITIVE_INFINITY;
      case "-inf" -> Double.NEGATIVE_INFINITY;
      default -> throw new IllegalArgumentException("not a golden number: " + node);
    };
  }

  /** Nested lists of golden numbers, flattened. */
  public static double[] doubles(JsonNode node) {
    return flattened(node).toArray();
  }

  private static DoubleStream flattened(JsonNode node) {
    return node.isArray()
        ? StreamSupport.stream(node.spliterator(), false).flatMapToDouble(SharedData::flattened)
        : DoubleStream.of(number(node));
  }

  /** {@link #doubles} in single precision. */
  public static float[] floats(JsonNode node) {
    double[] wide = doubles(node);
    float[] values = new float[wide.length];
    for (int i = 0; i < wide.length; i++) {
      values[i] = (float) wide[i];
    }
    return values;
  }

  /**
   * Records that {@code cases} reference cases of {@code name} were compared; at its end the build
   * sums them up.
   */
  public static synchronized void counted(String name, long cases) {
    String folder = System.getProperty("hir.cases");
    if (folder == null) {
      return;
    }
    try {
      Path file =
          Files.createDirectories(Path.of(folder)).resolve(ProcessHandle.current().pid() + ".tsv");
      Files.writeString(
          file, name + "\t" + cases + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
