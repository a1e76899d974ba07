package org.hirengine.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Verdicts on our own texts (java/testdata/conformance) equal those of the reference code, with the
 * built-in text data that every user has.
 */
class OwnConformanceTest {

  @ParameterizedTest
  @CsvSource({
    "ifeval, '', strict, loose, 22",
    "ifbench, '', strict, loose, 56",
    "ifbench, -r2, strict_r2, loose_r2, 56",
    "iftrain, '', strict, loose, 29"
  })
  void verdictsEqualTheReference(
      String bench, String suffix, String strict, String loose, int types) throws IOException {
    Verifiers verifiers = Verifiers.builder().build();
    Map<String, Conformance.Tally> tallies =
        Conformance.compare(verifiers, bench + ".own", suffix, strict, loose);
    assertEquals(types, tallies.size());
    tallies.forEach((type, tally) -> assertEquals(tally.all, tally.equal, type + ": " + tally));
  }
}
