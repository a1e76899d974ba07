package org.hirengine.replay;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.hirengine.verify.ConstraintSpec;
import org.hirengine.verify.Verifiers;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ComposerTest {

  private static final Verifiers VERIFIERS = Verifiers.standard();
  private static final Instruction SEED =
      Instruction.of("s", "Name three uses of copper.", List.of(), QType.TYPE1, null, List.of());

  private static List<Instruction> compose(String bench, int least, int most, long seed) {
    Composer composer = new Composer(VERIFIERS, bench, least, most);
    List<Instruction> composed = new ArrayList<>();
    for (int i = 0; i < 200; i++) {
      composer.compose("c" + i, SEED, new SplittableRandom(seed + i)).ifPresent(composed::add);
    }
    return composed;
  }

  @ParameterizedTest
  @ValueSource(strings = {"ifeval", "iftrain"})
  void countsAreInRangeAndNothingClashes(String bench) {
    List<Instruction> composed = compose(bench, 2, 6, 1);
    assertTrue(composed.size() > 150, "only " + composed.size());
    for (Instruction x : composed) {
      int n = x.constraints().size();
      assertTrue(n >= 2 && n <= 6 && x.criteria().size() == n, x.toString());
      for (ConstraintSpec a : x.constraints()) {
        assertTrue(VERIFIERS.parse(a).unread().isEmpty(), a.toString());
      }
      for (int i = 0; i < n; i++) {
        for (int j = 0; j < n; j++) {
          String a = x.constraints().get(i).id();
          String b = x.constraints().get(j).id();
          assertFalse(
              i != j
                  && (a.equals(b) || VERIFIERS.type(bench, a).orElseThrow().clashes().contains(b)),
              a + " beside " + b);
        }
      }
    }
    assertTrue(composed.stream().map(x -> x.constraints().size()).distinct().count() == 5);
  }

  @Test
  void everyRowReadsBackAndASeedRepeats() {
    List<Instruction> composed = compose("iftrain", 1, 4, 7);
    for (Instruction x : composed) {
      assertEquals(x, InstructionJson.read(InstructionJson.write(x), "f", 1, null));
    }
    assertEquals(composed, compose("iftrain", 1, 4, 7));
    assertNotEquals(composed, compose("iftrain", 1, 4, 8));
  }

  @Test
  void wrongRangesAndBenchesAreNamed() {
    assertThrows(IllegalArgumentException.class, () -> new Composer(VERIFIERS, "ifeval", 0, 3));
    assertThrows(IllegalArgumentException.class, () -> new Composer(VERIFIERS, "ifeval", 3, 2));
    String unknown =
        assertThrows(IllegalArgumentException.class, () -> new Composer(VERIFIERS, "x", 1, 2))
            .getMessage();
    assertTrue(unknown.contains("'x'") && unknown.contains("ifeval"), unknown);
  }
}
