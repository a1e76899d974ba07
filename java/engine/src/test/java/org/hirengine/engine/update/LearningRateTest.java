package org.hirengine.engine.update;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.hirengine.engine.config.SftConfig;
import org.junit.jupiter.api.Test;

class LearningRateTest {

  private static LearningRate rate(long updates, String... settings) {
    List<String> all = new ArrayList<>(List.of("model=m", "data=d", "out=o"));
    all.addAll(List.of(settings));
    return new LearningRate(SftConfig.of(all).optim(), updates);
  }

  @Test
  void constantAfterALinearRise() {
    LearningRate rate = rate(100, "optim.lr=0.1", "optim.warmup=4");
    assertArrayEquals(
        new double[] {0.025, 0.05, 0.075, 0.1, 0.1, 0.1},
        IntStream.of(1, 2, 3, 4, 5, 100).mapToDouble(rate::at).toArray(),
        1e-15);
  }

  @Test
  void cosineAndLinearEndAtTheirFinalFraction() {
    LearningRate cosine = rate(11, "optim.lr=2", "optim.schedule=cosine");
    assertEquals(2, cosine.at(1), 1e-15);
    assertEquals(1, cosine.at(6), 1e-12);
    assertEquals(0, cosine.at(11), 1e-12);
    assertEquals(0, cosine.at(500), 1e-12);
    LearningRate linear =
        rate(
            13,
            "optim.lr=2",
            "optim.schedule=linear",
            "optim.final_fraction=0.5",
            "optim.warmup=2");
    assertEquals(2, linear.at(3), 1e-15);
    assertEquals(1.5, linear.at(8), 1e-12);
    assertEquals(1, linear.at(13), 1e-12);
    assertEquals(2, rate(1, "optim.lr=2", "optim.schedule=cosine").at(1), 1e-15);
  }
}
