package org.hirengine.text.jinja;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Predicate;
import org.hirengine.text.PyText;
import org.hirengine.text.jinja.CallArguments.Bound;
import org.jspecify.annotations.Nullable;

/** Filters over elements. Where jinja2 gives a generator, they do, made element by element. */
final class SequenceFilters {

  private SequenceFilters() {}

  static void register(Map<String, Filters.Filter> filters) {
    filters.put("length", (value, arguments, scope) -> length(value, arguments));
    filters.put("count", (value, arguments, scope) -> length(value, arguments));
    filters.put("list", (value, arguments, scope) -> Values.list(value, scope.budget()));
    filters.put("first", (value, arguments, scope) -> first(value, scope));
    filters.put("last", (value, arguments, scope) -> last(value, scope));
    filters.put("items", (value, arguments, scope) -> items(value, scope));
    filters.put("join", SequenceFilters::join);
    filters.put("reverse", (value, arguments, scope) -> reverse(value, scope));
    filters.put("map", SequenceFilters::map);
    filters.put(
        "select", (value, arguments, scope) -> select(value, arguments, scope, true, false));
    filters.put(
        "reject", (value, arguments, scope) -> select(value, arguments, scope, false, false));
    filters.put(
        "selectattr", (value, arguments, scope) -> select(value, arguments, scope, true, true));
    filters.put(
        "rejectattr", (value, arguments, scope) -> select(value, arguments, scope, false, true));
    filters.put("sort", SequenceFilters::sort);
    filters.put("dictsort", SequenceFilters::dictSort);
    filters.put("unique", SequenceFilters::unique);
    filters.put("min", (value, arguments, scope) -> extreme("min", value, arguments, scope));
    filters.put("max", (value, arguments, scope) -> extreme("max", value, arguments, scope));
    filters.put("sum", SequenceFilters::sum);
    filters.put("batch", SequenceFilters::batch);
    filters.put("slice", SequenceFilters::slice);
  }

  private static long length(@Nullable Object value, CallArguments arguments) {
    arguments.bind("length", 0);
    return Values.length(value);
  }

  private static @Nullable Object first(@Nullable Object value, Scope scope) {
    Iterator<@Nullable Object> items = Values.iterate(value, scope.budget());
    return items.hasNext() ? items.next() : Undefined.because("No first item, sequence was empty.");
  }

  private static @Nullable Object last(@Nullable Object value, Scope scope) {
    if (value instanceof PyGenerator) {
      throw new RenderError("'generator' object is not reversible");
    }
    List<@Nullable Object> items = Values.list(value, scope.budget());
    return items.isEmpty()
        ? Undefined.because("No last item, sequence was empty.")
        : items.get(items.size() - 1);
  }

  private static PyGenerator items(@Nullable Object value, Scope scope) {
    return PyGenerator.of(
        () -> {
          if (value instanceof Undefined) {
            return Collections.emptyIterator();
          }
          if (!(value instanceof Map<?, ?> dict)) {
            throw new RenderError("Can only get item pairs from a mapping.");
          }
          return Attributes.pairs(dict, scope.budget()).iterator();
        });
  }

  private static String join(@Nullable Object value, CallArguments arguments, Scope scope) {
    Bound bound = arguments.bind("join", 0, "d", "attribute");
    Budget budget = scope.budget();
    String delimiter = PyString.of(bound.get(0, ""), budget);
    List<Object> path = Filters.path(bound.get(1, null));
    StringBuilder out = new StringBuilder();
    Iterator<@Nullable Object> items = Values.iterate(value, budget);
    while (items.hasNext()) {
      String text = PyString.of(Filters.follow(items.next(), path, budget), budget);
      budget.spendText((long) text.length() + delimiter.length());
      out.append(text).append(items.hasNext() ? delimiter : "");
    }
    return out.toString();
  }

  private static Object reverse(@Nullable Object value, Scope scope) {
    if (value instanceof String || value instanceof Markup) {
      String text = PyString.of(value, scope.budget());
      scope.budget().spendText(text.length());
      return new Slice(null, null, -1L).of(text);
    }
    List<@Nullable Object> items = Values.list(value, scope.budget());
    Collections.reverse(items);
    return value instanceof PyGenerator ? items : PyGenerator.of(items::iterator);
  }

  private static PyGenerator map(@Nullable Object value, CallArguments arguments, Scope scope) {
    return PyGenerator.of(
        () ->
            Values.truth(value)
                ? PyGenerator.mapped(
                    Values.iterate(value, scope.budget()), mapping(arguments, scope))
                : Collections.emptyIterator());
  }

  private static Function<@Nullable Object, @Nullable Object> mapping(
      CallArguments arguments, Scope scope) {
    Budget budget = scope.budget();
    if (arguments.positional().isEmpty() && arguments.named().containsKey("attribute")) {
      Bound bound = arguments.bind("map", 0, "attribute", "default");
      List<Object> path = Filters.path(bound.get(0));
      return item -> withDefault(item, path, bound.get(1, null), budget);
    }
    if (arguments.positional().isEmpty()) {
      throw new RenderError("map requires a filter argument");
    }
    String name = PyString.of(arguments.positional().get(0), budget);
    CallArguments rest = arguments.without(1);
    return item -> {
      budget.spend(1);
      return Filters.apply(name, item, rest, scope);
    };
  }

  /** As in jinja2, the default replaces whatever part of the path is missing. */
  private static @Nullable Object withDefault(
      @Nullable Object item, List<Object> path, @Nullable Object otherwise, Budget budget) {
    Object found = item;
    for (Object part : path) {
      found = Attributes.item(found, part, budget);
      if (otherwise != null && found instanceof Undefined) {
        found = otherwise;
      }
    }
    return found;
  }

  private static PyGenerator select(
      @Nullable Object value,
      CallArguments arguments,
      Scope scope,
      boolean wanted,
      boolean ofAttribute) {
    return PyGenerator.of(
        () -> {
          if (!Values.truth(value)) {
            return Collections.emptyIterator();
          }
          Predicate<@Nullable Object> test = test(arguments, ofAttribute, scope.budget());
          return PyGenerator.filtered(
              Values.iterate(value, scope.budget()), item -> test.test(item) == wanted);
        });
  }

  private static Predicate<@Nullable Object> test(
      CallArguments arguments, boolean ofAttribute, Budget budget) {
    List<@Nullable Object> given = arguments.positional();
    if (ofAttribute && given.isEmpty()) {
      throw new RenderError("Missing parameter for attribute name");
    }
    List<Object> path = ofAttribute ? Filters.path(given.get(0)) : List.of();
    int offset = ofAttribute ? 1 : 0;
    if (given.size() == offset) {
      return item -> Values.truth(Filters.follow(item, path, budget));
    }
    String name = PyString.of(given.get(offset), budget);
    CallArguments rest = arguments.without(offset + 1);
    return item -> {
      budget.spend(1);
      return Tests.holds(name, Filters.follow(item, path, budget), rest, budget);
    };
  }

  /** What a sort compares: lower case unless it is case-sensitive. */
  private static @Nullable Object key(@Nullable Object value, boolean caseSensitive) {
    return !caseSensitive && value instanceof String text ? PyText.lower(text) : value;
  }

  private static List<@Nullable Object> sort(
      @Nullable Object value, CallArguments arguments, Scope scope) {
    Bound bound = arguments.bind("sort", 0, "reverse", "case_sensitive", "attribute");
    Budget budget = scope.budget();
    Object attribute = bound.get(2, null);
    List<List<Object>> paths =
        attribute instanceof String names
            ? Arrays.stream(names.split(",", -1)).map(Filters::path).toList()
            : List.of(Filters.path(attribute));
    boolean caseSensitive = bound.truth(1);
    return sorted(
        Values.list(value, budget),
        item -> {
          List<@Nullable Object> keys = new ArrayList<>();
          for (List<Object> path : paths) {
            keys.add(key(Filters.follow(item, path, budget), caseSensitive));
          }
          return keys;
        },
        bound.truth(0),
        budget);
  }

  private static List<@Nullable Object> dictSort(
      @Nullable Object value, CallArguments arguments, Scope scope) {
    Bound bound = arguments.bind("dictsort", 0, "case_sensitive", "by", "reverse");
    String by = bound.has(1) ? bound.text(1) : "key";
    if (!by.equals("key") && !by.equals("value")) {
      throw new RenderError("You can only sort by either \"key\" or \"value\"");
    }
    if (!(value instanceof Map<?, ?> dict)) {
      throw value instanceof Undefined undefined
          ? undefined.fault()
          : new RenderError("dictsort needs a mapping, not " + Values.typeName(value));
    }
    int part = by.equals("key") ? 0 : 1;
    return sorted(
        Attributes.pairs(dict, scope.budget()),
        pair -> pair instanceof PyTuple tuple ? key(tuple.items().get(part), bound.truth(0)) : null,
        bound.truth(2),
        scope.budget());
  }

  /** A stable sort; in reverse, too, equal elements keep their order, as in Python. */
  private static List<@Nullable Object> sorted(
      List<@Nullable Object> items,
      Function<@Nullable Object, @Nullable Object> key,
      boolean reverse,
      Budget budget) {
    record Keyed(@Nullable Object key, @Nullable Object item) {}
    Comparator<Keyed> order = (a, b) -> Comparison.order(a.key(), b.key(), budget);
    List<Keyed> keyed = new ArrayList<>();
    for (Object item : items) {
      keyed.add(new Keyed(key.apply(item), item));
    }
    keyed.sort(reverse ? order.reversed() : order);
    List<@Nullable Object> sorted = new ArrayList<>();
    keyed.forEach(entry -> sorted.add(entry.item()));
    return sorted;
  }

  private static PyGenerator unique(@Nullable Object value, CallArguments arguments, Scope scope) {
    Bound bound = arguments.bind("unique", 0, "case_sensitive", "attribute");
    List<Object> path = Filters.path(bound.get(1, null));
    Set<@Nullable Object> seen = new HashSet<>();
    return PyGenerator.of(
        () ->
            PyGenerator.filtered(
                Values.iterate(value, scope.budget()),
                item -> {
                  Object found = Filters.follow(item, path, scope.budget());
                  return seen.add(Values.dictKey(key(found, bound.truth(0))));
                }));
  }

  private static @Nullable Object extreme(
      String name, @Nullable Object value, CallArguments arguments, Scope scope) {
    Bound bound = arguments.bind(name, 0, "case_sensitive", "attribute");
    Budget budget = scope.budget();
    List<Object> path = Filters.path(bound.get(1, null));
    List<@Nullable Object> items = Values.list(value, budget);
    if (items.isEmpty()) {
      return Undefined.because("No aggregated item, sequence was empty.");
    }
    Object best = items.get(0);
    Object bestKey = key(Filters.follow(best, path, budget), bound.truth(0));
    for (Object item : items.subList(1, items.size())) {
      Object itemKey = key(Filters.follow(item, path, budget), bound.truth(0));
      if (Comparison.ordered(name.equals("min") ? "<" : ">", itemKey, bestKey, budget)) {
        best = item;
        bestKey = itemKey;
      }
    }
    return best;
  }

  private static @Nullable Object sum(
      @Nullable Object value, CallArguments arguments, Scope scope) {
    Bound bound = arguments.bind("sum", 0, "attribute", "start");
    List<Object> path = Filters.path(bound.get(0, null));
    Object total = bound.get(1, 0L);
    if (total instanceof String) {
      throw new RenderError("sum() can't sum strings [use ''.join(seq) instead]");
    }
    for (Object item : Values.list(value, scope.budget())) {
      Object found = Filters.follow(item, path, scope.budget());
      total = Arithmetic.apply("+", total, found, scope.budget());
    }
    return total;
  }

  private static PyGenerator batch(@Nullable Object value, CallArguments arguments, Scope scope) {
    Bound bound = arguments.bind("batch", 1, "linecount", "fill_with");
    return PyGenerator.of(() -> batches(value, bound, scope).iterator());
  }

  private static List<@Nullable Object> batches(@Nullable Object value, Bound bound, Scope scope) {
    long size = bound.integer(0, 0);
    List<@Nullable Object> batches = new ArrayList<>();
    List<@Nullable Object> batch = new ArrayList<>();
    for (Object item : Values.list(value, scope.budget())) {
      if (batch.size() == size) {
        batches.add(batch);
        batch = new ArrayList<>();
      }
      batch.add(item);
    }
    if (!batch.isEmpty()) {
      fill(batch, size - batch.size(), bound.get(1, null), scope.budget());
      batches.add(batch);
    }
    return batches;
  }

  private static void fill(
      List<@Nullable Object> list, long missing, @Nullable Object with, Budget budget) {
    if (with != null && missing > 0) {
      budget.spend(missing);
      for (long i = 0; i < missing; i++) {
        list.add(with);
      }
    }
  }

  private static PyGenerator slice(@Nullable Object value, CallArguments arguments, Scope scope) {
    Bound bound = arguments.bind("slice", 1, "slices", "fill_with");
    return PyGenerator.of(() -> columns(value, bound, scope).iterator());
  }

  private static List<@Nullable Object> columns(@Nullable Object value, Bound bound, Scope scope) {
    long slices = bound.integer(0, 0);
    if (slices <= 0) {
      throw new RenderError("slice needs at least one slice");
    }
    List<@Nullable Object> items = Values.list(value, scope.budget());
    scope.budget().spend(slices);
    List<@Nullable Object> columns = new ArrayList<>();
    int start = 0;
    for (long i = 0; i < slices; i++) {
      boolean extra = i < items.size() % slices;
      int end = start + (int) (items.size() / slices) + (extra ? 1 : 0);
      List<@Nullable Object> column = new ArrayList<>(items.subList(start, end));
      if (!extra) {
        fill(column, 1, bound.get(1, null), scope.budget());
      }
      columns.add(column);
      start = end;
    }
    return columns;
  }
}
