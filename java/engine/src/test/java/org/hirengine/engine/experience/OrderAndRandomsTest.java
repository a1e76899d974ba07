package org.hirengine.engine.experience;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.hirengine.engine.experience.Randoms.Purpose;
import org.junit.jupiter.api.Test;

class OrderAndRandomsTest {

  @Test
  void everyPassVisitsEveryItemOnceInAnOrderOfItsOwn() {
    DataOrder order = new DataOrder(50, true, new Randoms(3));
    Set<List<Integer>> passes = new HashSet<>();
    for (int pass = 0; pass < 5; pass++) {
      int[] items = IntStream.range(0, 50).map(i -> order.next()).toArray();
      assertTrue(passes.add(Arrays.stream(items).boxed().toList()));
      Arrays.sort(items);
      assertArrayEquals(IntStream.range(0, 50).toArray(), items);
    }
    DataOrder plain = new DataOrder(3, false, new Randoms(3));
    assertArrayEquals(
        new int[] {0, 1, 2, 0, 1}, IntStream.range(0, 5).map(i -> plain.next()).toArray());
  }

  @Test
  void aRestoredPositionGoesOnWithTheSameItems() {
    DataOrder whole = new DataOrder(7, true, new Randoms(9));
    IntStream.range(0, 17).forEach(i -> whole.next());
    DataOrder resumed = new DataOrder(7, true, new Randoms(9));
    resumed.restore(whole.position());
    for (int i = 0; i < 30; i++) {
      assertEquals(whole.next(), resumed.next());
    }
  }

  @Test
  void streamsDifferByEveryPartOfTheirKey() {
    Set<Long> first = new HashSet<>();
    for (long seed = 0; seed < 4; seed++) {
      for (Purpose purpose : Purpose.values()) {
        for (long a = 0; a < 8; a++) {
          for (long b = 0; b < 8; b++) {
            assertTrue(first.add(new Randoms(seed).stream(purpose, a, b).nextLong()));
          }
        }
      }
    }
    assertEquals(
        new Randoms(1).stream(Purpose.REWRITE, 5).nextLong(),
        new Randoms(1).stream(Purpose.REWRITE, 5).nextLong());
    assertNotEquals(
        new Randoms(1).stream(Purpose.REWRITE, 5).nextLong(),
        new Randoms(1).stream(Purpose.REWRITE, 5, 0).nextLong());
  }
}
