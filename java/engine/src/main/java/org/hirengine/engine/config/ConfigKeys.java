package org.hirengine.engine.config;

import java.lang.reflect.RecordComponent;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import org.hirengine.engine.hub.Location;
import org.hirengine.text.Similar;
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

    /** Whether its value is one text, which includes paths and names. */
    boolean isText() {
      return (type == String.class && !key.names()) || type == Path.class || type == Location.class;
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

  /** The leaf that a name refers to, including short forms. */
  @Nullable Leaf find(String name) {
    return leaves.get(shorthands.getOrDefault(name, name));
  }

  boolean isSection(String name) {
    return leaves.keySet().stream().anyMatch(key -> key.startsWith(name + "."));
  }

  /**
   * The key that was probably meant: the one that other trainers call by this name, else the most
   * similar one, by whole name or, if the section is wrong, by its last part. Keys of an existing
   * section come first.
   */
  String nearest(String unknown) {
    String best = "";
    double bestDistance = Double.MAX_VALUE;
    for (Leaf leaf : leaves.values()) {
      double distance = distance(unknown, leaf);
      if (!section(unknown).equals(section(leaf.name())) && isSection(section(unknown))) {
        distance += 2;
      }
      if (distance < bestDistance) {
        bestDistance = distance;
        best = leaf.name();
      }
    }
    return best;
  }

  private static double distance(String unknown, Leaf leaf) {
    String last = lastPart(unknown);
    if (Arrays.asList(leaf.key().elsewhere()).contains(last.replace('-', '_'))) {
      return 0;
    }
    return Math.min(
        Similar.distance(unknown, leaf.name()),
        0.5 + Similar.distance(last, lastPart(leaf.name())));
  }

  private static String section(String key) {
    return key.substring(0, Math.max(0, key.lastIndexOf('.')));
  }

  private static String lastPart(String key) {
    return key.substring(key.lastIndexOf('.') + 1);
  }
}
