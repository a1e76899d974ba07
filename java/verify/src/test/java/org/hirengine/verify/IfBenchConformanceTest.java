package org.hirengine.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.hirengine.verify.ifbench.Revision;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Our strict and loose verdicts equal every published one of IFBench's reference, in both
 * revisions.
 */
class IfBenchConformanceTest {

  /** The reference data has no tagger model, so a lexicon stands in for it. */
  private static final String START_VERB = "words:start_verb";

  @TempDir Path folder;

  private static Map<String, Conformance.Tally> compare(
      Verifiers verifiers, String file, Revision revision) throws IOException {
    return revision == Revision.R1
        ? Conformance.compare(verifiers, file)
        : Conformance.compare(verifiers, file, "-r2", "strict_r2", "loose_r2");
  }

  @ParameterizedTest
  @CsvSource({
    "ifbench.real, R1",
    "ifbench.adversarial, R1",
    "ifbench.real, R2",
    "ifbench.adversarial, R2"
  })
  void verdictsEqualTheReference(String file, Revision revision) throws IOException {
    Verifiers verifiers = Conformance.withReferenceTextData(folder);
    Map<String, Conformance.Tally> tallies = compare(verifiers, file, revision);
    Set<String> ids =
        verifiers.types(revision.bench()).stream()
            .map(ConstraintType::id)
            .collect(Collectors.toSet());
    assertEquals(58, ids.size());
    assertTrue(ids.containsAll(tallies.keySet()));
    assertEquals(file.endsWith("real") ? 53 : 58, tallies.size());
    tallies.remove(START_VERB);
    tallies.forEach((type, tally) -> assertEquals(tally.all, tally.equal, type + ": " + tally));
  }

  /** The stand-ins for external data, and the agreement that each must reach. */
  @ParameterizedTest
  @EnumSource(Revision.class)
  void builtInsAgreeWithTheReference(Revision revision) throws IOException {
    Verifiers verifiers = Verifiers.builder().textData(folder).build();
    Map<String, Conformance.Tally> tallies = new TreeMap<>();
    for (String file : List.of("ifbench.real", "ifbench.adversarial")) {
      compare(verifiers, file, revision)
          .forEach((type, tally) -> tallies.merge(type, tally, Conformance.Tally::plus));
    }
    assertEquals(58, tallies.size());
    tallies.forEach(
        (type, tally) ->
            assertTrue(
                tally.rate() >= (type.equals(START_VERB) ? 0.8 : 0.98), type + ": " + tally));
  }
}
