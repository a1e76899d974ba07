package org.hirengine.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Our strict and loose verdicts equal every published one of IFTrain's reference. */
class IfTrainConformanceTest {

  @TempDir Path folder;

  @Test
  void verdictsEqualTheReference() throws IOException {
    Verifiers verifiers = Conformance.withReferenceTextData(folder);
    Map<String, Conformance.Tally> tallies = Conformance.compare(verifiers, "iftrain.adversarial");
    assertEquals(29, tallies.size());
    Collection<ConstraintType> ifEval = verifiers.types("ifeval");
    assertEquals(29 + ifEval.size(), verifiers.types("iftrain").size());
    assertTrue(verifiers.types("iftrain").containsAll(ifEval));
    tallies.forEach((type, tally) -> assertEquals(tally.all, tally.equal, type + ": " + tally));
  }
}
