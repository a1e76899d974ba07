package org.hirengine.verify;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;
import org.hirengine.testing.SharedData;

/** Compares verdicts with the reference's, line by line, and counts them by type. */
final class Conformance {

  private static final ObjectMapper JSON = new ObjectMapper();

  /** Agreement on a type: equal verdicts, all verdicts, and the first differences. */
  static final class Tally {
    int equal;
    int all;
    final List<String> differences = new ArrayList<>();

    double rate() {
      return all == 0 ? 1 : (double) equal / all;
    }

    Tally plus(Tally other) {
      Tally sum = new Tally();
      sum.equal = equal + other.equal;
      sum.all = all + other.all;
      sum.differences.addAll(differences);
      sum.differences.addAll(other.differences);
      return sum;
    }

    @Override
    public String toString() {
      return equal + "/" + all + (differences.isEmpty() ? "" : " " + differences);
    }
  }

  private Conformance() {}

  /** Verifiers with the reference's text data, laid out in {@code folder} as NLTK does. */
  static Verifiers withReferenceTextData(Path folder) throws IOException {
    Path tokenizers = Files.createDirectories(folder.resolve("tokenizers/punkt_tab"));
    Path english = Files.createDirectories(tokenizers.resolve("english"));
    try (Stream<Path> files = Files.list(SharedData.require("conformance/punkt_tab/english"))) {
      for (Path file : files.toList()) {
        Files.copy(file, english.resolve(file.getFileName()));
      }
    }
    copy("stopwords_english.txt", folder.resolve("corpora/stopwords/english"));
    copy("syllapy_0.7.2_words.csv", folder.resolve("syllapy/words.csv"));
    return Verifiers.builder().textData(folder).build();
  }

  private static void copy(String resource, Path target) throws IOException {
    Files.createDirectories(target.getParent());
    Files.copy(SharedData.require("conformance/resources/" + resource), target);
  }

  static List<JsonNode> lines(String file) throws IOException {
    return linesOf("conformance/" + file + ".jsonl.gz");
  }

  /** The lines of a compressed file of the shared data. */
  static List<JsonNode> linesOf(String file) throws IOException {
    Path path = SharedData.require(file);
    List<JsonNode> lines = new ArrayList<>();
    try (BufferedReader reader =
        new BufferedReader(
            new InputStreamReader(
                new GZIPInputStream(Files.newInputStream(path)), StandardCharsets.UTF_8))) {
      for (String line; (line = reader.readLine()) != null; ) {
        lines.add(JSON.readTree(line));
      }
    }
    return lines;
  }

  /**
   * Compares strict and loose verdicts of a file of instruction lists, by type, without
   * nondeterministic ones.
   */
  static Map<String, Tally> compare(Verifiers verifiers, String file) throws IOException {
    return compare(verifiers, file, "", "strict", "loose");
  }

  static Map<String, Tally> compare(
      Verifiers verifiers, String file, String benchSuffix, String strictField, String looseField)
      throws IOException {
    Map<String, Tally> tallies = new TreeMap<>();
    int cases = 0;
    for (JsonNode line : lines(file)) {
      String bench = line.get("bench").asText() + benchSuffix;
      Response response = Response.of(line.get("response").asText());
      List<Integer> nondet = new ArrayList<>();
      line.path("nondet").forEach(index -> nondet.add(index.asInt()));
      JsonNode ids = line.get("instruction_id_list");
      for (int i = 0; i < ids.size(); i++) {
        if (nondet.contains(i)) {
          continue;
        }
        Map<String, Object> kwargs =
            JSON.convertValue(line.get("kwargs").get(i), new TypeReference<>() {});
        ConstraintSpec spec = new ConstraintSpec(bench, ids.get(i).asText(), kwargs);
        Tally tally = tallies.computeIfAbsent(spec.id(), id -> new Tally());
        for (Strictness strictness : Strictness.values()) {
          JsonNode expected =
              line.get(strictness == Strictness.STRICT ? strictField : looseField).get(i);
          Verdict verdict = verifiers.judge(spec, response, strictness);
          tally.all++;
          cases++;
          if (verdict.decided() && verdict.satisfied() == expected.asBoolean(false)) {
            tally.equal++;
          } else if (tally.differences.size() < 3) {
            tally.differences.add(
                line.get("key").asText()
                    + " "
                    + strictness
                    + " expected "
                    + expected
                    + ": "
                    + verdict);
          }
        }
      }
    }
    SharedData.counted("verify." + file + benchSuffix, cases);
    return tallies;
  }
}
