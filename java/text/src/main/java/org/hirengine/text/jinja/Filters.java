package org.hirengine.text.jinja;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The filters used with {@code |}, by name. */
final class Filters {

  /** A filter: the value in, its arguments, the value out. */
  interface Filter {
    @Nullable Object apply(@Nullable Object value, CallArguments arguments, Scope scope);
  }

  /** jinja2's filters for web pages and for debugging, which prompts do not use. */
  private static final Set<String> UNSUPPORTED =
      Set.of(
          "filesizeformat",
          "groupby",
          "pprint",
          "random",
          "striptags",
          "urlencode",
          "urlize",
          "wordwrap",
          "xmlattr");

  private static final Map<String, Filter> FILTERS = new HashMap<>();

  static {
    TextFilters.register(FILTERS);
    NumberFilters.register(FILTERS);
    SequenceFilters.register(FILTERS);
    FILTERS.put("default", Filters::orDefault);
    FILTERS.put("d", Filters::orDefault);
    FILTERS.put("attr", Filters::attribute);
    FILTERS.put(
        "tojson", (value, arguments, scope) -> JsonText.of(value, arguments, scope.budget()));
  }

  private Filters() {}

  static boolean exists(String name) {
    return FILTERS.containsKey(name) || UNSUPPORTED.contains(name);
  }

  /**
   * Applies a filter.
   *
   * @throws RenderError for a filter that does not exist or is not supported
   */
  static @Nullable Object apply(
      String name, @Nullable Object value, CallArguments arguments, Scope scope) {
    Filter filter = FILTERS.get(name);
    if (filter == null) {
      throw UNSUPPORTED.contains(name)
          ? RenderError.unsupported("the filter '" + name + "'")
          : new RenderError("No filter named '" + name + "'.");
    }
    return filter.apply(value, arguments, scope);
  }

  private static @Nullable Object orDefault(
      @Nullable Object value, CallArguments arguments, Scope scope) {
    CallArguments.Bound bound = arguments.bind("default", 0, "default_value", "boolean");
    boolean missing = value instanceof Undefined || (bound.truth(1) && !Values.truth(value));
    return missing ? bound.get(0, "") : value;
  }

  private static @Nullable Object attribute(
      @Nullable Object value, CallArguments arguments, Scope scope) {
    String name = arguments.bind("attr", 1, "name").text(0);
    Object own = Attributes.own(value, name);
    return own == Attributes.NONE ? null : own == null ? Undefined.attribute(value, name) : own;
  }

  /** The parts of a dotted attribute, numbers as indices; none for None. */
  static List<Object> path(@Nullable Object attribute) {
    if (attribute instanceof String text) {
      return java.util.Arrays.stream(text.split("\\.", -1))
          .map(part -> part.matches("[0-9]{1,18}") ? (Object) Long.valueOf(part) : part)
          .toList();
    }
    return attribute == null ? List.of() : List.of(attribute);
  }

  /** The value at the end of a path from a value, item by item. */
  static @Nullable Object follow(@Nullable Object value, List<Object> path, Budget budget) {
    Object found = value;
    for (Object part : path) {
      found = Attributes.item(found, part, budget);
    }
    return found;
  }
}
