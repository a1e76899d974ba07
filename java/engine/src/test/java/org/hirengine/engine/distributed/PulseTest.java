package org.hirengine.engine.distributed;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import org.hirengine.engine.runtime.NativeRuntime;
import org.junit.jupiter.api.Test;

/** What a group of three says of its third rank, which never gave a sign of life. */
class PulseTest {

  private static final Duration TIMEOUT = Duration.ofSeconds(60);

  /** Otherwise the second rank would find the store gone, and blame the first. */
  @Test
  void theRankThatHoldsTheStoreStaysUntilTheOthersHaveReadTheFailure() throws Exception {
    NativeRuntime.load(1);
    int port = Ranks.freePort();
    Launch first = Launch.of(Ranks.environment(0, 3, port)).orElseThrow();
    Launch second = Launch.of(Ranks.environment(1, 3, port)).orElseThrow();
    try (RankStore held = RankStore.join(first, TIMEOUT);
        Pulse holder = new Pulse(first, RankStore.again(first, TIMEOUT), TIMEOUT);
        Pulse other = new Pulse(second, RankStore.again(second, TIMEOUT), TIMEOUT)) {
      holder.exchange("weights");
      other.exchange("weights");
      DistributedException found = holder.explain(new IllegalStateException("broken"));
      assertTrue(other.failed());
      DistributedException told =
          assertThrows(DistributedException.class, () -> other.exchange("metrics"));
      assertEquals(
          "rank 2 of 3 ended or hangs: no sign of life while rank 0 of 3 waited for 'weights'",
          found.getMessage());
      assertEquals(found.getMessage(), told.getMessage());
      assertFalse(found.toldByAnother());
      assertTrue(told.toldByAnother());
    }
  }
}
