package org.hirengine.engine.config;

import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** The projections of a layer that can have an adapter, as configurations name them. */
public final class LoraTargets {

  /** In the order of a layer. */
  public static final List<String> ALL = List.of("q", "k", "v", "o", "gate", "up", "down");

  private LoraTargets() {}

  /**
   * The projections of a list.
   *
   * @param targets some of {@link #ALL}, separated by commas
   * @return them in the order of a layer
   * @throws IllegalArgumentException naming an unknown one
   */
  public static List<String> of(String targets) {
    Set<String> named = new HashSet<>();
    for (String target : targets.split(",", -1)) {
      String name = target.strip().replaceFirst("_proj$", "");
      if (!ALL.contains(name)) {
        throw new IllegalArgumentException(
            "lora.targets (%s) must be some of %s, divided by commas; \"%s\" is none of them"
                .formatted(targets, String.join(", ", ALL), target.strip()));
      }
      named.add(name);
    }
    return ALL.stream().filter(named::contains).toList();
  }
}
