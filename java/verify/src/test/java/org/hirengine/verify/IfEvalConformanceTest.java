package org.hirengine.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Our strict and loose verdicts equal every published one of IFEval's reference. */
class IfEvalConformanceTest {

  /** Types that depend on language identification; the reference's library is a port of ours. */
  private static final Set<String> LANGUAGE =
      Set.of(
          "change_case:english_capital",
          "change_case:english_lowercase",
          "language:response_language");

  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(strings = {"ifeval.real", "ifeval.adversarial"})
  void verdictsEqualTheReference(String file) throws IOException {
    Verifiers verifiers = Conformance.withReferenceTextData(folder);
    Map<String, Conformance.Tally> tallies = Conformance.compare(verifiers, file);
    assertEquals(25, tallies.size());
    assertEquals(25, verifiers.types("ifeval").size());
    tallies.forEach(
        (type, tally) -> {
          if (LANGUAGE.contains(type)) {
            assertTrue(tally.rate() >= 0.99, type + ": " + tally);
          } else {
            assertEquals(tally.all, tally.equal, type + ": " + tally);
          }
        });
  }
}
