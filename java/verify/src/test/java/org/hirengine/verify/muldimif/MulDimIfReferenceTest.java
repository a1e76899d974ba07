package org.hirengine.verify.muldimif;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.zip.GZIPInputStream;
import org.hirengine.testing.SharedData;
import org.hirengine.verify.ConstraintSpec;
import org.hirengine.verify.Response;
import org.hirengine.verify.Strictness;
import org.hirengine.verify.Verdict;
import org.hirengine.verify.Verifiers;
import org.junit.jupiter.api.Test;

/**
 * Verdicts on our own sentences and texts, drawn at random around the wordings that the reference
 * looks for, compared with those of its Python code (sastpg/HIR a06c51f, {@code
 * evaluation/MulDimIF}; Python 3.11, zhconv 1.4.2, nltk 3.10.3). The first line has the texts. Each
 * other line has a constraint, the numbers of its texts, and for each 1, 0, or e if the reference
 * raises an error.
 */
class MulDimIfReferenceTest {

  private static final ObjectMapper JSON = new ObjectMapper();

  private static List<JsonNode> lines() throws IOException {
    InputStream file =
        MulDimIfReferenceTest.class.getResourceAsStream(
            "/org/hirengine/verify/muldimif/reference-verdicts.jsonl.gz");
    List<JsonNode> lines = new ArrayList<>();
    try (BufferedReader reader =
        new BufferedReader(
            new InputStreamReader(
                new GZIPInputStream(Objects.requireNonNull(file)), StandardCharsets.UTF_8))) {
      for (String line; (line = reader.readLine()) != null; ) {
        lines.add(JSON.readTree(line));
      }
    }
    return lines;
  }

  private static char letter(Verdict verdict) {
    return switch (verdict.outcome()) {
      case SATISFIED -> '1';
      case VIOLATED -> '0';
      case FAILED -> 'e';
      case NO_VERDICT -> '-';
    };
  }

  @Test
  void verdictsOnNewSentencesEqualTheReference() throws IOException {
    List<JsonNode> lines = lines();
    List<Response> texts = new ArrayList<>();
    lines.get(0).get("texts").forEach(text -> texts.add(Response.of(text.asText())));
    List<String> differences = new ArrayList<>();
    int cases = 0;
    for (JsonNode line : lines.subList(1, lines.size())) {
      JsonNode constraint = line.get("constraint");
      ConstraintSpec spec =
          new ConstraintSpec(
              "muldimif",
              constraint.get(0).asText() + "_" + constraint.get(1).asText(),
              Map.of("constraint", constraint.get(2).asText()));
      String expected = line.get("verdicts").asText();
      for (int i = 0; i < expected.length(); i++) {
        Response text = texts.get(line.get("texts").get(i).asInt());
        Verdict verdict = Verifiers.standard().judge(spec, text, Strictness.STRICT);
        cases++;
        if (letter(verdict) != expected.charAt(i)) {
          differences.add(
              constraint + " on '" + text + "' is " + expected.charAt(i) + ": " + verdict);
        }
      }
    }
    assertTrue(cases > 50_000, cases + " cases");
    SharedData.counted("verify.muldimif.own", cases);
    assertEquals(List.of(), differences.subList(0, Math.min(10, differences.size())));
  }
}
