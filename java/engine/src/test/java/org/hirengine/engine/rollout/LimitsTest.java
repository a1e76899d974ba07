package org.hirengine.engine.rollout;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.hirengine.engine.rollout.RolloutEngine.Limits;
import org.hirengine.engine.runtime.DeviceMemory;
import org.hirengine.kernels.Device;
import org.junit.jupiter.api.Test;

/** How much memory decoding needs, computed without a device. */
class LimitsTest {

  private static long cache(double freeGib) {
    return Limits.cacheBytes(
        new DeviceMemory((long) (freeGib * DeviceMemory.GIB), 140 * DeviceMemory.GIB));
  }

  @Test
  void aGpuGivesTwoFifthsOfWhatIsFreeInWholeGib() {
    assertEquals(52 * DeviceMemory.GIB, cache(131.7));
    assertEquals(52 * DeviceMemory.GIB, cache(130.1), "little else on the GPU changes nothing");
    assertEquals(DeviceMemory.GIB, cache(2.6));
    assertEquals(0.8 * DeviceMemory.GIB, cache(2), 2);
    assertEquals(0, cache(0));
  }

  @Test
  void whatIsAskedForIsTaken() {
    assertEquals(new Limits(7, DeviceMemory.GIB / 2), Limits.of(Device.CPU, 7, 0.5));
    assertEquals(new Limits(256, 4 * DeviceMemory.GIB, true), Limits.of(Device.CPU, null, null));
  }

  @Test
  void theLongestRowFits() {
    // 40 tokens of a prompt and 60 of a response, but for its last: four pages, and a copy of one.
    assertEquals(5, Limits.pagesAlone(40, 60));
    assertEquals(5, new Limits(7, 599).pages(100, 40, 60));
    assertEquals(5, new Limits(7, 100, true).pages(100, 40, 60));
    IllegalArgumentException e =
        assertThrows(
            IllegalArgumentException.class, () -> new Limits(7, 4L << 20).pages(1 << 20, 40, 60));
    assertTrue(
        e.getMessage().contains("cache of 0.0039 GiB")
            && e.getMessage().contains("which takes 0.0049 GiB"),
        e.getMessage());
  }

  @Test
  void memoryInUseIsThisProcesss() {
    long used = DeviceMemory.used(Device.CPU).orElseThrow();
    assertTrue(used > 20_000_000 && used < 1L << 40, used + " bytes");
  }
}
