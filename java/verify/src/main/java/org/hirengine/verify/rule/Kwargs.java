package org.hirengine.verify.rule;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.hirengine.text.PyText;
import org.hirengine.text.Similar;

/**
 * The arguments of one constraint, read with checks: one that is missing, empty, out of range or of
 * the wrong type is an {@link IllegalArgumentException} that names it and says what it may be.
 *
 * <p>The references cannot check what is refused here either: for an argument that is missing,
 * empty or out of range they draw another at random, or raise.
 */
public final class Kwargs {

  private static final String TEXT = "a string";
  private static final String TEXTS = "a list of strings";
  private static final String CHARACTER = "a single character";

  private final String type;
  private final Map<String, Object> values;
  private final Set<String> taken = new HashSet<>();

  private Kwargs(String type, Map<String, Object> values) {
    this.type = type;
    this.values = values;
  }

  /**
   * @param type the constraint type's id, for messages
   */
  public static Kwargs of(String type, Map<String, Object> values) {
    return new Kwargs(type, values);
  }

  /** A whole number of at least {@code least}; {@code 5.0} is 5. */
  public int integer(String name, int least) {
    return integer(name, least, Integer.MAX_VALUE, "a whole number from " + least);
  }

  /** A whole number from {@code least} to {@code most}. */
  public int integer(String name, int least, int most) {
    return integer(name, least, most, "a whole number from " + least + " to " + most);
  }

  /** A position in a list or a text as in Python: negative ones count from the end. */
  public int index(String name) {
    return integer(name, Integer.MIN_VALUE, Integer.MAX_VALUE, "a whole number");
  }

  /** The end of a span that begins at {@code start}; not before it, where both count from 0. */
  public int index(String name, int start) {
    int end = index(name);
    return start >= 0 && end >= 0 ? integer(name, start) : end;
  }

  private int integer(String name, int least, int most, String wanted) {
    Object value = required(name, wanted);
    if (value instanceof Number number) {
      double d = number.doubleValue();
      if (d == Math.rint(d) && d >= least && d <= most) {
        return (int) d;
      }
    }
    throw wrong(name, wanted, value);
  }

  /** A string that is not blank. */
  public String text(String name) {
    return notBlank(name, TEXT);
  }

  /** A string that is not blank, or none if the argument is missing or blank. */
  public Optional<String> optionalText(String name) {
    Object value = values.get(name);
    return value == null || (value instanceof String text && PyText.isBlank(text))
        ? Optional.empty()
        : Optional.of(text(name));
  }

  /** A string of one character, ignoring white space around it. */
  public String character(String name) {
    String text = notBlank(name, CHARACTER);
    if (PyText.length(PyText.strip(text)) != 1) {
      throw wrong(name, CHARACTER, text);
    }
    return text;
  }

  private String notBlank(String name, String wanted) {
    Object value = required(name, wanted);
    if (!(value instanceof String text)) {
      throw wrong(name, wanted, value);
    }
    if (PyText.isBlank(text)) {
      throw lacks(name, "blank", wanted);
    }
    return text;
  }

  /** A list of strings, none of them blank: at least one. */
  public List<String> texts(String name) {
    Object value = required(name, TEXTS);
    if (!(value instanceof List<?> list)) {
      throw wrong(name, TEXTS, value);
    }
    if (list.isEmpty()) {
      throw lacks(name, "empty", TEXTS);
    }
    List<String> texts = new ArrayList<>(list.size());
    for (Object item : list) {
      if (!(item instanceof String text)) {
        throw wrong(name, TEXTS, value);
      }
      if (PyText.isBlank(text)) {
        throw wrong(name, TEXTS + ", none of them blank", value);
      }
      texts.add(text);
    }
    return List.copyOf(texts);
  }

  /**
   * The code of a language, one of {@code codes}: no detector can return a language outside this
   * list.
   */
  public String language(String name, Collection<String> codes) {
    String code = text(name);
    if (codes.contains(code)) {
      return code;
    }
    String wanted =
        Languages.code(code, codes)
            .map(found -> "a code such as '" + found + "'")
            .orElse("one of the codes " + String.join(", ", codes));
    throw wrong(name, wanted, code);
  }

  public Relation relation(String name) {
    String text = oneOf(name, Relation.LESS_THAN.text(), Relation.AT_LEAST.text());
    return text.equals(Relation.LESS_THAN.text()) ? Relation.LESS_THAN : Relation.AT_LEAST;
  }

  /** One of these strings. */
  public String oneOf(String name, String... choices) {
    String wanted = "'" + String.join("' or '", choices) + "'";
    Object value = required(name, wanted);
    for (String choice : choices) {
      if (choice.equals(value)) {
        return choice;
      }
    }
    throw wrong(name, wanted, value);
  }

  private Object required(String name, String wanted) {
    Object value = values.get(name);
    taken.add(name);
    if (value == null) {
      Set<String> others = new LinkedHashSet<>(values.keySet());
      others.removeAll(taken);
      throw lacks(
          name,
          "missing",
          wanted
              + Similar.to(name, others).map(found -> " (there is a '" + found + "')").orElse(""));
    }
    return value;
  }

  private IllegalArgumentException lacks(String name, String what, String wanted) {
    return new IllegalArgumentException(
        type + ": kwarg '" + name + "' is " + what + ", it must be " + wanted);
  }

  private IllegalArgumentException wrong(String name, String wanted, Object value) {
    boolean numberAsText = value instanceof String && wanted.startsWith("a whole number");
    return new IllegalArgumentException(
        type
            + ": kwarg '"
            + name
            + "' must be "
            + wanted
            + ", not "
            + (numberAsText ? "the string " : "")
            + Wording.brief(value));
  }
}
