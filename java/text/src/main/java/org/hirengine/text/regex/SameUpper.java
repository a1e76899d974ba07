package org.hirengine.text.regex;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Lower-case characters with a common upper case, computed from the character database. */
final class SameUpper {

  static final Map<Integer, int[]> TABLE = table();

  private SameUpper() {}

  private static Map<Integer, int[]> table() {
    Map<Integer, List<Integer>> byUpper = new HashMap<>();
    for (int c = 'a'; c < 0x10000; c++) {
      if (Character.toLowerCase(c) == c && Character.toUpperCase(c) != c) {
        byUpper.computeIfAbsent(Character.toUpperCase(c), upper -> new ArrayList<>(1)).add(c);
      }
    }
    // Pairs whose common upper case is a string of several characters.
    byUpper.put(-1, List.of(0x390, 0x1FD3));
    byUpper.put(-2, List.of(0x3B0, 0x1FE3));
    byUpper.put(-3, List.of(0xFB05, 0xFB06));
    Map<Integer, int[]> table = new HashMap<>();
    for (List<Integer> same : byUpper.values()) {
      for (int c : same) {
        if (same.size() > 1) {
          table.put(c, same.stream().mapToInt(Integer::intValue).filter(o -> o != c).toArray());
        }
      }
    }
    return Map.copyOf(table);
  }
}
