package org.hirengine.verify.rule;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.hirengine.text.PyText;

/**
 * Which types cannot sensibly be combined, read from {@code clashes.txt}: a line names a type, then
 * those it clashes with ({@code *}: all in the file); clashes are symmetric.
 */
final class Clashes {

  private static final Map<String, Set<String>> TABLE = read();

  private Clashes() {}

  /** The ids that clash with this one; none for a type the file does not name. */
  static Set<String> of(String id) {
    return TABLE.getOrDefault(id, Set.of());
  }

  private static Map<String, Set<String>> read() {
    Map<String, Set<String>> table = new HashMap<>();
    Set<String> exclusive = new HashSet<>();
    try (InputStream in = Clashes.class.getResourceAsStream("clashes.txt");
        BufferedReader reader =
            new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8))) {
      for (String line; (line = reader.readLine()) != null; ) {
        if (line.isBlank() || line.startsWith("#")) {
          continue;
        }
        String[] ids = PyText.split(line).toArray(String[]::new);
        table.computeIfAbsent(ids[0], id -> new HashSet<>());
        for (int i = 1; i < ids.length; i++) {
          if (ids[i].equals("*")) {
            exclusive.add(ids[0]);
          } else {
            clash(table, ids[0], ids[i]);
          }
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    for (String id : exclusive) {
      Set.copyOf(table.keySet()).forEach(other -> clash(table, id, other));
    }
    table.replaceAll((id, others) -> Set.copyOf(others));
    return Map.copyOf(table);
  }

  private static void clash(Map<String, Set<String>> table, String a, String b) {
    table.computeIfAbsent(a, id -> new HashSet<>()).add(b);
    table.computeIfAbsent(b, id -> new HashSet<>()).add(a);
  }
}
