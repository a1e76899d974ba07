package org.hirengine.benchmarks;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import java.util.zip.GZIPInputStream;
import org.hirengine.verify.ConstraintJson;
import org.hirengine.verify.ConstraintSpec;
import org.hirengine.verify.ConstraintType;
import org.hirengine.verify.Response;
import org.hirengine.verify.Verifiers;

/**
 * Inputs for timing the verifiers: lines of the reference data ({@code -Dhir.shared}) or, without
 * it, generated texts with sampled constraints.
 */
final class VerifierInputs {

  /** A response and its constraints. */
  record Line(String response, List<ConstraintSpec> constraints) {}

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String QUESTION = "Name three uses of copper and say why it suits them.";
  private static final Map<String, String> FILES =
      Map.of(
          "ifeval", "ifeval.real",
          "iftrain", "iftrain.adversarial",
          "ifbench", "ifbench.real",
          "ifbench-r2", "ifbench.real",
          "muldimif", "muldimif.synthetic");
  private static final String DEMAND =
      "Include the keyword 'river' under a level 2 heading, in at most 400 words.";

  private VerifierInputs() {}

  /** The lines of a benchmark. */
  static List<Line> lines(Verifiers verifiers, String bench) throws IOException {
    Path file = file(FILES.get(bench));
    List<Line> lines = new ArrayList<>();
    if (!Files.exists(file)) {
      RandomGenerator random = new SplittableRandom(1);
      for (int i = 0; i < 1000; i++) {
        List<ConstraintType> types = List.copyOf(verifiers.types(bench));
        ConstraintType type = types.get(random.nextInt(types.size()));
        lines.add(new Line(generated(random, 300), List.of(constraint(bench, type, random))));
      }
      return lines;
    }
    try (BufferedReader reader =
        new BufferedReader(
            new InputStreamReader(
                new GZIPInputStream(Files.newInputStream(file)), StandardCharsets.UTF_8))) {
      for (String text; (text = reader.readLine()) != null; ) {
        ObjectNode line = (ObjectNode) JSON.readTree(text);
        lines.add(new Line(line.get("response").asText(), ConstraintJson.read(line, bench)));
      }
    }
    return lines;
  }

  /** Real responses of 450 to 550 words, or generated ones of 500. */
  static List<String> texts(Verifiers verifiers) throws IOException {
    List<String> texts = new ArrayList<>();
    if (Files.exists(file(FILES.get("ifeval")))) {
      for (String bench : List.of("ifeval", "ifbench")) {
        for (Line line : lines(verifiers, bench)) {
          int words = Response.of(line.response).tokens().size();
          if (words >= 450 && words <= 550 && texts.size() < 64) {
            texts.add(line.response);
          }
        }
      }
    }
    RandomGenerator random = new SplittableRandom(2);
    while (texts.size() < 64) {
      texts.add(generated(random, 500));
    }
    return texts;
  }

  /** A constraint of this type with sampled kwargs. */
  static ConstraintSpec constraint(String bench, ConstraintType type, RandomGenerator random) {
    Optional<Map<String, Object>> kwargs = type.sample(random, QUESTION);
    return new ConstraintSpec(
        bench,
        type.id(),
        bench.equals(ConstraintJson.MULDIMIF)
            ? Map.of("constraint", DEMAND)
            : kwargs.orElse(Map.of()));
  }

  private static Path file(String name) {
    return Path.of(System.getProperty("hir.shared", "../shared"))
        .resolve("conformance/" + name + ".jsonl.gz");
  }

  /** Sentences, paragraphs, lists and headings of made-up words. */
  private static String generated(RandomGenerator random, int words) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < words; i++) {
      for (int n = 1 + random.nextInt(4); n > 0; n--) {
        text.append("bcdfghklmnprst".charAt(random.nextInt(14)));
        text.append("aeiou".charAt(random.nextInt(5)));
      }
      text.append(
          switch (random.nextInt(30)) {
            case 0, 1 -> ". The ";
            case 2 -> ", ";
            case 3 -> ".\n\n## Of the river\n\n";
            case 4 -> "\n* ";
            default -> " ";
          });
    }
    return text.toString();
  }
}
