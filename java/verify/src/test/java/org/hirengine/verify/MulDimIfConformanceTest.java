package org.hirengine.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.hirengine.testing.SharedData;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Our verdict equals every published one of MulDimIF's reference. */
class MulDimIfConformanceTest {

  @TempDir Path folder;

  @ParameterizedTest
  @CsvSource({
    "conformance/muldimif.synthetic, 35",
    "conformance/muldimif.adversarial, 51",
    "cases/muldimif.constraints, 33"
  })
  void verdictsEqualTheReference(String file, int types) throws IOException {
    Verifiers verifiers = Conformance.withReferenceTextData(folder);
    Map<String, Conformance.Tally> tallies = new TreeMap<>();
    int cases = 0;
    for (JsonNode line : Conformance.linesOf(file + ".jsonl.gz")) {
      List<ConstraintSpec> constraints =
          ConstraintJson.read((ObjectNode) line, ConstraintJson.MULDIMIF);
      List<Integer> nondet = new ArrayList<>();
      line.path("nondet").forEach(index -> nondet.add(index.asInt()));
      Response response = Response.of(line.get("response").asText());
      JudgeList judges = verifiers.judge(constraints, response);
      for (int i = 0; i < constraints.size(); i++) {
        if (nondet.contains(i)) {
          continue;
        }
        ConstraintSpec spec = constraints.get(i);
        JsonNode expected = line.get("verdict").get(i);
        Verdict verdict = judges.verdicts().get(i);
        Conformance.Tally tally = tallies.computeIfAbsent(spec.id(), id -> new Conformance.Tally());
        tally.all++;
        cases++;
        boolean equal =
            expected.isObject()
                ? verdict.outcome() == Verdict.Outcome.FAILED
                : verdict.outcome()
                    == (expected.asInt() == 1
                        ? Verdict.Outcome.SATISFIED
                        : Verdict.Outcome.VIOLATED);
        if (equal) {
          tally.equal++;
        } else if (tally.differences.size() < 3) {
          tally.differences.add(
              line.path("id").asText()
                  + " '"
                  + spec.kwargs().get("constraint")
                  + "' expected "
                  + expected
                  + ": "
                  + verdict);
        }
      }
    }
    SharedData.counted("verify." + file, cases);
    assertEquals(types, tallies.size());
    tallies.forEach((type, tally) -> assertEquals(tally.all, tally.equal, type + ": " + tally));
  }
}
