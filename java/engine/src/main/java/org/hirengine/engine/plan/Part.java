package org.hirengine.engine.plan;

import java.util.EnumMap;
import java.util.Map;

/**
 * One thing that takes memory.
 *
 * @param key its name in JSON, such as {@code kv_cache}
 * @param what it is, in words
 * @param bytes by phase, at most; phases that do not need it are absent
 */
public record Part(String key, String what, Map<Phase, Long> bytes) {

  /** The same in all phases. */
  static Part always(String key, String what, long bytes) {
    Map<Phase, Long> all = new EnumMap<>(Phase.class);
    for (Phase phase : Phase.values()) {
      all.put(phase, bytes);
    }
    return new Part(key, what, all);
  }

  /** In these phases alone. */
  static Part of(String key, String what, Map<Phase, Long> bytes) {
    return new Part(key, what, new EnumMap<>(bytes));
  }

  public long in(Phase phase) {
    return bytes.getOrDefault(phase, 0L);
  }

  /** In the phase that needs most of it. */
  public long most() {
    return bytes.values().stream().mapToLong(Long::longValue).max().orElse(0);
  }
}
