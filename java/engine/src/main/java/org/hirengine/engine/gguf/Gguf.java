package org.hirengine.engine.gguf;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.hirengine.replay.DataException;
import org.jspecify.annotations.Nullable;

/** The metadata and tensors of a GGUF model: one file, or the whole set of a split one. */
final class Gguf implements AutoCloseable {

  private static final Pattern SHARD = Pattern.compile("(.*)-(\\d{5})-of-(\\d{5})\\.gguf");

  private final List<GgufFile> files = new ArrayList<>();
  private final Map<String, GgufFile.Entry> tensors = new LinkedHashMap<>();

  private Gguf() {}

  /**
   * Opens a file, or, given any file of a split set, the whole set in order.
   *
   * @throws DataException naming the file, and the key or tensor at fault
   */
  static Gguf open(Path path) {
    Gguf set = new Gguf();
    try {
      for (Path file : shards(path)) {
        set.files.add(GgufFile.open(file));
      }
      set.checkSplit();
      set.collect();
      return set;
    } catch (RuntimeException e) {
      set.close();
      throw e;
    }
  }

  /** The files of the set that a file belongs to, derived from its name. */
  static List<Path> shards(Path path) {
    Matcher name = SHARD.matcher(path.getFileName().toString());
    if (!name.matches()) {
      return List.of(path);
    }
    int count = Integer.parseInt(name.group(3));
    List<Path> shards = new ArrayList<>();
    for (int i = 1; i <= count; i++) {
      Path shard =
          path.resolveSibling(String.format("%s-%05d-of-%05d.gguf", name.group(1), i, count));
      if (!Files.exists(shard)) {
        throw new DataException(
            shard.toString(),
            0,
            null,
            "not found, part " + i + " of " + count + " of a split model",
            "put all parts into one folder, under the names they were published with");
      }
      shards.add(shard);
    }
    if (shards.isEmpty()) {
      return List.of(path);
    }
    return shards;
  }

  private void checkSplit() {
    for (int i = 0; i < files.size(); i++) {
      GgufFile file = files.get(i);
      long parts = whole(file, "split.count", 1);
      if (parts != files.size()) {
        throw split(file, "split.count", "says " + parts + " parts, but its name " + files.size());
      }
      long number = whole(file, "split.no", 0);
      if (number != i) {
        throw split(file, "split.no", "is " + number + ", but its name says " + i + " (from 0)");
      }
    }
    int held = files.stream().mapToInt(file -> file.tensors().size()).sum();
    for (GgufFile file : files) {
      long total = whole(file, "split.tensors.count", held);
      if (total != held) {
        throw split(
            file,
            "split.tensors.count",
            "is " + total + ", but the parts hold " + held + " tensors");
      }
    }
  }

  private static DataException split(GgufFile file, String key, String problem) {
    return new DataException(
        file.path().toString(),
        0,
        key,
        problem,
        "put the parts of one model into one folder, under the names they were published with");
  }

  private void collect() {
    for (GgufFile file : files) {
      for (GgufFile.Entry tensor : file.tensors().values()) {
        GgufFile.Entry other = tensors.put(tensor.name(), tensor);
        if (other != null) {
          throw Cursor.bad(
              file.path(),
              null,
              "tensor '" + tensor.name() + "' is in " + other.file().path() + " too");
        }
      }
    }
  }

  /** The file that was named first in the set: the one with the metadata. */
  Path path() {
    return first().path();
  }

  private GgufFile first() {
    return files.get(0);
  }

  /** All tensors of the set by name. */
  Map<String, GgufFile.Entry> tensors() {
    return Collections.unmodifiableMap(tensors);
  }

  boolean has(String key) {
    return first().metadata().containsKey(key);
  }

  /** A text, or null where the key is absent. */
  @Nullable String text(String key) {
    Value value = first().metadata().get(key);
    if (value == null) {
      return null;
    }
    if (value.scalar() instanceof String text) {
      return text;
    }
    throw bad(key, "is " + value.describe() + ", not a text");
  }

  /** A whole number, or {@code absent}. */
  long whole(String key, long absent) {
    return whole(first(), key, absent);
  }

  private static long whole(GgufFile file, String key, long absent) {
    Value value = file.metadata().get(key);
    if (value == null) {
      return absent;
    }
    if (value.scalar() instanceof Long number && number >= 0) {
      return number;
    }
    throw bad(file, key, "is " + value.describe() + ", not a whole number");
  }

  /** A number, or {@code absent}. */
  double number(String key, double absent) {
    Value value = first().metadata().get(key);
    if (value == null) {
      return absent;
    }
    if (value.scalar() instanceof Number number && Double.isFinite(number.doubleValue())) {
      return number.doubleValue();
    }
    throw bad(key, "is " + value.describe() + ", not a number");
  }

  /** A switch, or {@code absent}. */
  boolean flag(String key, boolean absent) {
    Value value = first().metadata().get(key);
    if (value == null) {
      return absent;
    }
    if (value.scalar() instanceof Boolean flag) {
      return flag;
    }
    throw bad(key, "is " + value.describe() + ", not true or false");
  }

  /** An array of texts, or null where the key is absent. */
  @Nullable List<String> texts(String key) {
    return array(key, String.class, "texts");
  }

  /** An array of whole numbers, or null where the key is absent. */
  @Nullable List<Long> wholes(String key) {
    return array(key, Long.class, "whole numbers");
  }

  /** An array of floats, or null where the key is absent. */
  @Nullable List<Double> numbers(String key) {
    return array(key, Double.class, "floats");
  }

  private <T> @Nullable List<T> array(String key, Class<T> type, String kind) {
    Value value = first().metadata().get(key);
    if (value == null) {
      return null;
    }
    boolean fits =
        switch (value.type()) {
          case STRING -> type == String.class;
          case FLOAT32, FLOAT64 -> type == Double.class;
          case BOOL, ARRAY -> false;
          default -> type == Long.class;
        };
    if (!value.isArray() || !fits) {
      throw bad(key, "is " + value.describe() + ", not an array of " + kind);
    }
    return first().elements(key, value).stream().map(type::cast).toList();
  }

  /** Elements of an array; 0 where the key is absent. */
  long count(String key) {
    Value value = first().metadata().get(key);
    if (value == null) {
      return 0;
    }
    if (value.scalar() instanceof Value.Span span) {
      return span.count();
    }
    throw bad(key, "is " + value.describe() + ", not an array");
  }

  /** A fault of this model, with the key at fault. */
  DataException bad(@Nullable String key, String problem) {
    return bad(first(), key, problem);
  }

  private static DataException bad(GgufFile file, @Nullable String key, String problem) {
    return Cursor.bad(file.path(), key, problem);
  }

  /** A required tensor. */
  GgufFile.Entry tensor(String name) {
    return Objects.requireNonNull(tensors.get(name), name);
  }

  @Override
  public void close() {
    files.forEach(GgufFile::close);
  }
}
