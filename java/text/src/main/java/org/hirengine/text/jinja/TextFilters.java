package org.hirengine.text.jinja;

import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.hirengine.text.PyText;
import org.hirengine.text.jinja.CallArguments.Bound;
import org.jspecify.annotations.Nullable;

/** Filters from text to text. */
final class TextFilters {

  private static final Pattern WORD_START = Pattern.compile("[-\\s({\\[<]+");
  private static final Pattern WORD = Pattern.compile("\\w+", Pattern.UNICODE_CHARACTER_CLASS);

  /** jinja2 lets a text be this much longer before truncating it. */
  private static final int TRUNCATE_LEEWAY = 5;

  private TextFilters() {}

  static void register(Map<String, Filters.Filter> filters) {
    simple(filters, "upper", PyText::upper);
    simple(filters, "lower", PyText::lower);
    simple(filters, "capitalize", PyText::capitalize);
    simple(filters, "title", TextFilters::title);
    simple(filters, "wordcount", text -> WORD.matcher(text).results().count());
    filters.put("string", (value, arguments, scope) -> string(value, scope));
    filters.put(
        "safe", (value, arguments, scope) -> new Markup(PyString.of(value, scope.budget())));
    filters.put("escape", (value, arguments, scope) -> Markup.escape(value, scope.budget()));
    filters.put("e", (value, arguments, scope) -> Markup.escape(value, scope.budget()));
    filters.put(
        "forceescape",
        (value, arguments, scope) ->
            Markup.escape(PyString.of(value, scope.budget()), scope.budget()));
    filters.put("trim", TextFilters::trim);
    filters.put("replace", TextFilters::replace);
    filters.put("indent", TextFilters::indent);
    filters.put("truncate", TextFilters::truncate);
    filters.put("format", TextFilters::format);
    filters.put("center", TextFilters::center);
  }

  private static void simple(
      Map<String, Filters.Filter> filters, String name, Function<String, Object> function) {
    filters.put(
        name,
        (value, arguments, scope) -> {
          arguments.bind(name, 0);
          return function.apply(text(value, scope));
        });
  }

  private static String text(@Nullable Object value, Scope scope) {
    String text = PyString.of(value, scope.budget());
    scope.budget().spendText(text.length());
    return text;
  }

  private static Object string(@Nullable Object value, Scope scope) {
    return value instanceof Markup ? value : PyString.of(value, scope.budget());
  }

  private static String title(String text) {
    StringBuilder out = new StringBuilder(text.length());
    Matcher separator = WORD_START.matcher(text);
    int start = 0;
    while (separator.find()) {
      out.append(word(text.substring(start, separator.start()))).append(separator.group());
      start = separator.end();
    }
    return out.append(word(text.substring(start))).toString();
  }

  private static String word(String word) {
    if (word.isEmpty()) {
      return word;
    }
    int end = word.offsetByCodePoints(0, 1);
    return PyText.upper(word.substring(0, end)) + PyText.lower(word.substring(end));
  }

  private static String trim(@Nullable Object value, CallArguments arguments, Scope scope) {
    Bound bound = arguments.bind("trim", 0, "chars");
    String characters = bound.get(0, null) == null ? null : bound.text(0);
    return StringMethods.strip(text(value, scope), characters, true, true);
  }

  private static String replace(@Nullable Object value, CallArguments arguments, Scope scope) {
    Bound bound = arguments.bind("replace", 2, "old", "new", "count");
    long most = bound.get(2, null) == null ? -1 : bound.integer(2, -1);
    Budget budget = scope.budget();
    return StringMethods.replace(
        text(value, scope),
        PyString.of(bound.get(0), budget),
        PyString.of(bound.get(1), budget),
        most,
        budget);
  }

  private static String indent(@Nullable Object value, CallArguments arguments, Scope scope) {
    Bound bound = arguments.bind("indent", 0, "width", "first", "blank");
    Budget budget = scope.budget();
    if (!(value instanceof String || value instanceof Markup)) {
      throw value instanceof Undefined undefined
          ? undefined.fault()
          : new RenderError("indent needs a text, not " + Values.typeName(value));
    }
    String indentation;
    if (bound.get(0, null) instanceof String given) {
      indentation = given;
    } else {
      long width = Math.max(0, bound.integer(0, 4));
      budget.spendText(width);
      indentation = " ".repeat((int) width);
    }
    List<@Nullable Object> lines = StringMethods.lines(PyString.of(value, budget) + "\n", budget);
    StringBuilder out = new StringBuilder(bound.truth(1) ? indentation : "");
    for (int i = 0; i < lines.size(); i++) {
      String line = String.valueOf(lines.get(i));
      boolean indented = i > 0 && (bound.truth(2) || !line.isEmpty());
      budget.spendText((long) line.length() + indentation.length());
      out.append(i > 0 ? "\n" : "").append(indented ? indentation : "").append(line);
    }
    return out.toString();
  }

  private static @Nullable Object truncate(
      @Nullable Object value, CallArguments arguments, Scope scope) {
    Bound bound = arguments.bind("truncate", 0, "length", "killwords", "end", "leeway");
    long length = bound.integer(0, 255);
    String end = bound.has(2) ? bound.text(2) : "...";
    long leeway = bound.get(3, null) == null ? TRUNCATE_LEEWAY : bound.integer(3, 0);
    long endLength = Values.length(end);
    if (length < endLength || leeway < 0) {
      throw new RenderError(
          "truncate needs a length of at least " + endLength + " and a leeway of at least 0");
    }
    if (Values.length(value) <= length + leeway) {
      return value;
    }
    if (!(value instanceof String || value instanceof Markup)) {
      throw new RenderError("truncate needs a text, not " + Values.typeName(value));
    }
    String text = text(value, scope);
    String kept = text.substring(0, text.offsetByCodePoints(0, (int) (length - endLength)));
    int space = kept.lastIndexOf(' ');
    return (bound.truth(1) || space < 0 ? kept : kept.substring(0, space)) + end;
  }

  private static String format(@Nullable Object value, CallArguments arguments, Scope scope) {
    if (!arguments.positional().isEmpty() && !arguments.named().isEmpty()) {
      throw new RenderError("can't handle positional and keyword arguments at the same time");
    }
    Object values =
        arguments.named().isEmpty() ? new PyTuple(arguments.positional()) : arguments.named();
    return PyFormat.percent(text(value, scope), values, scope.budget());
  }

  private static @Nullable Object center(
      @Nullable Object value, CallArguments arguments, Scope scope) {
    long width = arguments.bind("center", 0, "width").integer(0, 80);
    PyCallable center = StringMethods.find(text(value, scope), "center");
    return center == null ? null : center.call(new CallArguments(List.of(width), Map.of()), scope);
  }
}
