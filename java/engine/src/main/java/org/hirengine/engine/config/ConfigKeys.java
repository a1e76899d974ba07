package org.hirengine.engine.config;

import java.lang.reflect.RecordComponent;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import org.hirengine.verify.text.Similar;
import org.jspecify.annotations.Nullable;

/** All keys of a configuration record, by dotted name in declaration order. */
final class ConfigKeys {

  /** One leaf: its dotted name, Java type, whether it may be null, and annotation. */
  record Leaf(String name, Class<?> type, boolean optional, Key key) {

    static Leaf of(String name, RecordComponent component) {
      Key key = component.getAnnotation(Key.class);
      if (key == null) {
        throw new IllegalStateException(component + ": no @Key");
      }
      boolean optional = component.getAnnotatedType().isAnnotationPresent(Nullable.class);
      return new Leaf(name, component.getType(), optional, key);
    }

    boolean required() {
      return key.value().equals(Key.REQUIRED);
    }
  }

  private final Map<String, Leaf> leaves = new LinkedHashMap<>();
  private final Map<String, String> shorthands = new LinkedHashMap<>();

  ConfigKeys(Class<? extends Record> type) {
    collect(type, "");
  }

  private void collect(Class<?> type, String prefix) {
    for (RecordComponent component : type.getRecordComponents()) {
      String name = prefix + name(component);
      if (component.getType().isRecord()) {
        collect(component.getType(), name + ".");
        continue;
      }
      Leaf leaf = Leaf.of(name, component);
      leaves.put(name, leaf);
      if (leaf.key().shorthand()) {
        shorthands.put(prefix.substring(0, prefix.length() - 1), name);
      }
    }
  }

  /** {@code oldLogprobs} is {@code old_logprobs} in YAML. */
  static String name(RecordComponent component) {
    return component.getName().replaceAll("([a-z])([A-Z])", "$1_$2").toLowerCase(Locale.ROOT);
  }

  Collection<Leaf> leaves() {
    return leaves.values();
  }

  /** The leaf a name stands for, short forms included. */
  @Nullable Leaf find(String name) {
    return leaves.get(shorthands.getOrDefault(name, name));
  }

  boolean isSection(String name) {
    return leaves.keySet().stream().anyMatch(key -> key.startsWith(name + "."));
  }

  /** The key most like {@code unknown}: by whole name, or by last part where the section is off. */
  String nearest(String unknown) {
    String best = "";
    double bestDistance = Double.MAX_VALUE;
    for (String key : leaves.keySet()) {
      double distance =
          Math.min(
              Similar.distance(unknown, key),
              0.5 + Similar.distance(lastPart(unknown), lastPart(key)));
      if (distance < bestDistance) {
        bestDistance = distance;
        best = key;
      }
    }
    return best;
  }

  private static String lastPart(String key) {
    return key.substring(key.lastIndexOf('.') + 1);
  }
}
