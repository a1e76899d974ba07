package org.hirengine.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class NativeEnvTest {

  @Test
  void variablesAreSetWhereTheUserHasNot() {
    boolean threadsGiven = System.getenv("OMP_NUM_THREADS") != null;
    NativeEnv.prepare(2);
    assertEquals(
        threadsGiven ? System.getenv("OMP_NUM_THREADS") : "2",
        NativeEnv.get("OMP_NUM_THREADS").orElseThrow());
    assertTrue(NativeEnv.get("OPENBLAS_NUM_THREADS").isPresent());
    // Variables that are set stay, so nothing is left to set.
    assertEquals(0, NativeEnv.prepare(7));
    assertTrue(NativeEnv.get("NO_SUCH_VARIABLE_ANYWHERE").isEmpty());
  }
}
