package org.hirengine.engine.config;

import com.fasterxml.jackson.core.io.JsonStringEncoder;
import com.fasterxml.jackson.databind.JsonNode;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.RecordComponent;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;
import org.hirengine.engine.config.Settings.Setting;
import org.hirengine.engine.hub.Location;
import org.jspecify.annotations.Nullable;

/** Builds a configuration record from settings, and YAML from a configuration record. */
final class Binder {

  private final ConfigKeys keys;
  private final Map<String, Setting> settings;

  Binder(ConfigKeys keys, Settings settings) {
    this.keys = keys;
    this.settings = settings.all();
  }

  <T extends Record> T bind(Class<T> type) {
    return type.cast(bind(type, ""));
  }

  private Object bind(Class<?> type, String prefix) {
    RecordComponent[] components = type.getRecordComponents();
    @Nullable Object[] values = new Object[components.length];
    for (int i = 0; i < components.length; i++) {
      String name = prefix + ConfigKeys.name(components[i]);
      values[i] =
          components[i].getType().isRecord()
              ? bind(components[i].getType(), name + ".")
              : leaf(name);
    }
    return create(type, values, this::located);
  }

  /** Builds a record from its components. */
  private static Object create(
      Class<?> type, @Nullable Object[] values, UnaryOperator<String> describe) {
    RecordComponent[] components = type.getRecordComponents();
    try {
      var constructor =
          type.getDeclaredConstructor(
              Arrays.stream(components).map(RecordComponent::getType).toArray(Class<?>[]::new));
      return constructor.newInstance(values);
    } catch (InvocationTargetException e) {
      if (e.getCause() instanceof IllegalArgumentException invalid) {
        throw new ConfigException(describe.apply(String.valueOf(invalid.getMessage())), invalid);
      }
      throw new IllegalStateException(e.getCause());
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Prefixes a message that begins with a key with the place where the key was set. */
  private String located(String text) {
    Setting setting = settings.get(text.split("[^a-z0-9_.]", 2)[0]);
    return setting == null ? text : setting.origin() + ": " + text;
  }

  private @Nullable Object leaf(String name) {
    ConfigKeys.Leaf leaf = keys.find(name);
    Setting setting = settings.get(name);
    if (leaf == null || setting == null) {
      throw new ConfigException("key " + name + " is required: " + description(name));
    }
    JsonNode value = setting.value();
    if (value.isNull() || (leaf.optional() && isNone(value, leaf.key()))) {
      if (leaf.optional()) {
        return null;
      }
      throw wrong(leaf, setting);
    }
    Class<?> type = leaf.type();
    if (type.isEnum()) {
      String named = named(value, leaf.key());
      for (Object constant : type.getEnumConstants()) {
        if (enumName(constant).equals(named)) {
          return constant;
        }
      }
    } else if (type == Path.class && value.isTextual() && !value.asText().isEmpty()) {
      return setting.folder().resolve(value.asText()).normalize();
    } else if (type == Location.class && value.isTextual() && !value.asText().isEmpty()) {
      try {
        return Location.parse(value.asText(), setting.folder(), leaf.key().kind());
      } catch (IllegalArgumentException e) {
        throw new ConfigException(setting.origin() + ": " + leaf.name() + ": " + e.getMessage(), e);
      }
    } else if (type == String.class && value.isTextual()) {
      return value.asText();
    } else if (leaf.key().names() && value.isArray() && texts(value)) {
      return StreamSupport.stream(value.spliterator(), false)
          .map(JsonNode::asText)
          .collect(Collectors.joining(","));
    } else if (type == boolean.class && value.isBoolean()) {
      return value.asBoolean();
    } else if (isWhole(type)) {
      Long number = whole(value);
      if (number != null && number >= leaf.key().min() && number <= leaf.key().max()) {
        if (type == long.class || type == Long.class) {
          return number;
        }
        if (number == number.intValue()) {
          return number.intValue();
        }
      }
    } else if (type == double.class || type == Double.class) {
      Double number = real(value);
      if (number != null && number >= leaf.key().min() && number <= leaf.key().max()) {
        return number;
      }
    }
    throw wrong(leaf, setting);
  }

  private static boolean texts(JsonNode list) {
    return StreamSupport.stream(list.spliterator(), false).allMatch(JsonNode::isTextual);
  }

  /** A word such as {@code auto}; "null" as text is none. */
  private static boolean isNone(JsonNode value, Key key) {
    return !key.none().equals("null") && value.isTextual() && value.asText().equals(key.none());
  }

  /** The name of a choice, aliases replaced by what they mean. */
  private static @Nullable String named(JsonNode value, Key key) {
    for (String alias : key.aliases()) {
      int equals = alias.indexOf('=');
      if (value.asText().equals(alias.substring(0, equals))) {
        return alias.substring(equals + 1);
      }
    }
    return value.isTextual() ? value.asText() : null;
  }

  private static boolean isWhole(Class<?> type) {
    return type == int.class || type == long.class || type == Integer.class || type == Long.class;
  }

  /** Whole numbers may be written 5, 5.0 or 5e3. */
  private static @Nullable Long whole(JsonNode value) {
    Double number = real(value);
    if (value.isIntegralNumber() && value.canConvertToLong()) {
      return value.longValue();
    }
    return number != null && number == Math.rint(number) && Math.abs(number) < 1e15
        ? Long.valueOf(number.longValue())
        : null;
  }

  /** Numbers, and the forms that YAML 1.2 calls numbers but the parser calls text (1e-6). */
  private static @Nullable Double real(JsonNode value) {
    if (value.isNumber()) {
      return value.doubleValue();
    }
    if (value.isTextual()
        && value.asText().matches("[-+]?(\\d+\\.?\\d*|\\.\\d+)([eE][-+]?\\d+)?")) {
      return Double.valueOf(value.asText());
    }
    return null;
  }

  private ConfigException wrong(ConfigKeys.Leaf leaf, Setting setting) {
    return new ConfigException(
        setting.origin()
            + ": "
            + leaf.name()
            + " must be "
            + allowed(leaf)
            + ", not "
            + setting.value());
  }

  private String description(String name) {
    ConfigKeys.Leaf leaf = keys.find(name);
    return leaf == null ? name : leaf.key().doc();
  }

  /** What a key takes, in words. */
  static String allowed(ConfigKeys.Leaf leaf) {
    Class<?> type = leaf.type();
    String what;
    if (type.isEnum()) {
      what =
          "one of "
              + Arrays.stream(type.getEnumConstants())
                  .map(Binder::enumName)
                  .collect(Collectors.joining(", "));
    } else if (type == boolean.class) {
      what = "true or false";
    } else if (type == Path.class) {
      what = "a path";
    } else if (type == Location.class) {
      what =
          leaf.key().kind() == Location.Kind.MODEL
              ? "a path, or a model's name on the Hugging Face Hub (OWNER/NAME)"
              : "a path, or hf://datasets/OWNER/NAME/FILE";
    } else if (type == String.class) {
      what = leaf.key().names() ? "names, with commas or as a list" : "text";
    } else {
      what = (isWhole(type) ? "a whole number" : "a number") + range(leaf.key());
    }
    return leaf.optional() ? what + ", or " + leaf.key().none() : what;
  }

  private static String range(Key key) {
    if (Double.isInfinite(key.min()) && Double.isInfinite(key.max())) {
      return "";
    }
    if (Double.isInfinite(key.max())) {
      return " of at least " + number(key.min());
    }
    return " from " + number(key.min()) + " to " + number(key.max());
  }

  private static String number(double x) {
    return x == Math.rint(x) && Math.abs(x) < 1e16 ? Long.toString((long) x) : Double.toString(x);
  }

  /** {@code REINFORCE_PLUS_PLUS_BASELINE} is {@code reinforce++-baseline} in YAML. */
  static String enumName(Object constant) {
    return ((Enum<?>) constant)
        .name()
        .toLowerCase(Locale.ROOT)
        .replace("_plus_plus", "++")
        .replace('_', '-');
  }

  /** The same configuration with each location replaced, at any depth. */
  static <T extends Record> T locate(T config, UnaryOperator<Location> find) {
    RecordComponent[] components = config.getClass().getRecordComponents();
    @Nullable Object[] values = new Object[components.length];
    for (int i = 0; i < components.length; i++) {
      Object value = get(config, components[i]);
      values[i] =
          value instanceof Location location
              ? find.apply(location)
              : value instanceof Record section ? locate(section, find) : value;
    }
    @SuppressWarnings("unchecked") // create makes the class that it is given
    T located = (T) create(config.getClass(), values, UnaryOperator.identity());
    return located;
  }

  /** The same configuration with one key's value replaced. */
  static <T extends Record> T with(T config, String key, Object replacement) {
    RecordComponent[] components = config.getClass().getRecordComponents();
    @Nullable Object[] values = new Object[components.length];
    String first = key.split("[.]", 2)[0];
    for (int i = 0; i < components.length; i++) {
      Object value = get(config, components[i]);
      boolean meant = ConfigKeys.name(components[i]).equals(first);
      values[i] =
          !meant
              ? value
              : value instanceof Record section
                  ? with(section, key.substring(first.length() + 1), replacement)
                  : replacement;
    }
    @SuppressWarnings("unchecked") // create makes the class that it is given
    T changed = (T) create(config.getClass(), values, UnaryOperator.identity());
    return changed;
  }

  /** The record as YAML, each key preceded by a comment on what it does and takes. */
  static String yaml(Record config) {
    StringBuilder yaml = new StringBuilder();
    write(config, "", yaml);
    return yaml.toString();
  }

  private static void write(Record section, String indent, StringBuilder yaml) {
    for (RecordComponent component : section.getClass().getRecordComponents()) {
      Object value = get(section, component);
      String name = ConfigKeys.name(component);
      if (value instanceof Record nested) {
        yaml.append('\n').append(indent).append(name).append(":\n");
        write(nested, indent + "  ", yaml);
        continue;
      }
      ConfigKeys.Leaf leaf = ConfigKeys.Leaf.of(name, component);
      yaml.append(indent).append("# ").append(leaf.key().doc());
      yaml.append(" Takes ").append(allowed(leaf));
      yaml.append(".\n").append(indent).append(name).append(": ");
      yaml.append(value == null ? leaf.key().none() : text(value));
      yaml.append('\n');
    }
  }

  /** The values as YAML has them, by dotted key; files and folders are left out. */
  static Map<String, String> values(Record config) {
    Map<String, String> values = new LinkedHashMap<>();
    collect(config, "", values);
    return values;
  }

  private static void collect(Record section, String prefix, Map<String, String> values) {
    for (RecordComponent component : section.getClass().getRecordComponents()) {
      Object value = get(section, component);
      String name = prefix + ConfigKeys.name(component);
      if (value instanceof Record nested && !(value instanceof Location)) {
        collect(nested, name + ".", values);
      } else if (component.getType() != Path.class && component.getType() != Location.class) {
        String none = ConfigKeys.Leaf.of(name, component).key().none();
        values.put(name, value == null ? none : text(value));
      }
    }
  }

  private static String text(Object value) {
    if (value instanceof Number || value instanceof Boolean) {
      return String.valueOf(value);
    }
    return value instanceof Enum<?> ? enumName(value) : quoted(value.toString());
  }

  private static String quoted(String text) {
    String json = String.valueOf(JsonStringEncoder.getInstance().quoteAsString(text));
    // Line breaks to YAML, though not to JSON; a byte order mark is lost by readers.
    for (char c : new char[] {0x85, 0x2028, 0x2029, 0xFEFF}) {
      json = json.replace(String.valueOf(c), "\\u%04x".formatted((int) c));
    }
    return '"' + json + '"';
  }

  private static @Nullable Object get(Record section, RecordComponent component) {
    try {
      return component.getAccessor().invoke(section);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(e);
    }
  }
}
