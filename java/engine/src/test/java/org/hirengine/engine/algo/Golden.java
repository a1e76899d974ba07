package org.hirengine.engine.algo;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.hirengine.testing.SharedData;

/** Padded golden matrices as ragged rows. */
final class Golden {

  private Golden() {}

  static double[][] matrix(JsonNode node) {
    double[][] rows = new double[node.size()][];
    for (int i = 0; i < rows.length; i++) {
      rows[i] = new double[node.get(i).size()];
      for (int t = 0; t < rows[i].length; t++) {
        rows[i][t] = SharedData.number(node.get(i).get(t));
      }
    }
    return rows;
  }

  /** Each row's unmasked entries, with holes closed. */
  static double[][] unmasked(JsonNode values, JsonNode mask) {
    double[][] padded = matrix(values);
    double[][] rows = new double[padded.length][];
    for (int i = 0; i < padded.length; i++) {
      List<Double> kept = new ArrayList<>();
      for (int t = 0; t < padded[i].length; t++) {
        if (mask.get(i).get(t).asInt() == 1) {
          kept.add(padded[i][t]);
        }
      }
      rows[i] = kept.stream().mapToDouble(Double::doubleValue).toArray();
    }
    return rows;
  }

  /**
   * Runs of unmasked entries, each as a row of its own. This is a row with holes for algorithms in
   * which no value crosses a hole: returns start anew behind it.
   */
  static double[][] runs(JsonNode values, JsonNode mask) {
    double[][] padded = matrix(values);
    List<double[]> runs = new ArrayList<>();
    for (int i = 0; i < padded.length; i++) {
      List<Double> run = new ArrayList<>();
      for (int t = 0; t <= padded[i].length; t++) {
        if (t < padded[i].length && mask.get(i).get(t).asInt() == 1) {
          run.add(padded[i][t]);
        } else if (!run.isEmpty()) {
          runs.add(run.stream().mapToDouble(Double::doubleValue).toArray());
          run.clear();
        }
      }
    }
    return runs.toArray(double[][]::new);
  }

  static int[] lengths(double[][] rows) {
    int[] lengths = new int[rows.length];
    for (int i = 0; i < rows.length; i++) {
      lengths[i] = rows[i].length;
    }
    return lengths;
  }

  static int[] groups(JsonNode index) {
    Map<String, Integer> ids = new HashMap<>();
    int[] groups = new int[index.size()];
    for (int i = 0; i < groups.length; i++) {
      groups[i] = ids.computeIfAbsent(index.get(i).asText(), k -> ids.size());
    }
    return groups;
  }

  /**
   * Relative to the expected number, or to 1e-3 if that is larger: results near 0 have no exact
   * digits.
   */
  static void assertClose(double expected, double actual, String what) {
    assertEquals(expected, actual, 1e-6 * Math.max(Math.abs(expected), 1e-3), what);
  }

  /** Relative to the matrix's largest number, because the reference counts in float32. */
  static void assertClose(double[][] expected, double[][] actual, String what) {
    assertEquals(expected.length, actual.length, what);
    double largest =
        Arrays.stream(expected).flatMapToDouble(Arrays::stream).map(Math::abs).max().orElse(0);
    for (int i = 0; i < expected.length; i++) {
      assertArrayEquals(expected[i], actual[i], 1e-6 * Math.max(largest, 1e-3), what + " row " + i);
    }
  }
}
