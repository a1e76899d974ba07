package org.hirengine.text.jinja;

import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.hirengine.text.jinja.CallArguments.Bound;
import org.jspecify.annotations.Nullable;

/** The functions that every template has. */
final class Globals {

  /** jinja2's sandbox has the same bound on a range. */
  private static final long MAX_RANGE = 100_000;

  private static final Map<String, PyCallable> FUNCTIONS =
      Map.of(
          "range", Globals::range,
          "dict", Globals::dict,
          "namespace", Globals::namespace,
          "raise_exception", Globals::raiseException,
          "strftime_now", Globals::strftimeNow,
          "lipsum", unsupported("lipsum"),
          "cycler", unsupported("cycler"),
          "joiner", unsupported("joiner"));

  private Globals() {}

  /** The global of that name, or undefined. */
  static Object get(String name) {
    PyCallable function = FUNCTIONS.get(name);
    return function == null ? Undefined.name(name) : function;
  }

  private static PyCallable unsupported(String name) {
    return (arguments, scope) -> {
      throw RenderError.unsupported("the function " + name);
    };
  }

  private static PyView range(CallArguments arguments, Scope scope) {
    Bound bound = arguments.bind("range", 1, "start", "stop", "step");
    long start = bound.has(1) ? bound.integer(0, 0) : 0;
    long stop = bound.has(1) ? bound.integer(1, 0) : bound.integer(0, 0);
    long step = bound.integer(2, 1);
    if (step == 0) {
      throw new RenderError("range() arg 3 must not be zero");
    }
    double steps = Math.ceil(((double) stop - start) / step);
    if (steps > MAX_RANGE) {
      throw new RenderError(
          "Range too big. The sandbox blocks ranges larger than MAX_RANGE (" + MAX_RANGE + ").");
    }
    scope.budget().spend((long) Math.max(0, steps));
    List<@Nullable Object> items = new ArrayList<>();
    for (int i = 0; i < steps; i++) {
      items.add(start + i * step);
    }
    String repr = "range(" + start + ", " + stop + (step == 1 ? ")" : ", " + step + ")");
    return new PyView("range", items, repr);
  }

  private static Map<@Nullable Object, @Nullable Object> dict(
      CallArguments arguments, Scope scope) {
    if (arguments.positional().size() > 1) {
      throw new RenderError(
          "dict expected at most 1 argument, got " + arguments.positional().size());
    }
    Map<@Nullable Object, @Nullable Object> dict = new LinkedHashMap<>();
    for (Object source : arguments.positional()) {
      if (source instanceof Map<?, ?> map) {
        scope.budget().spend(map.size());
        dict.putAll(map);
        continue;
      }
      for (Object element : Values.list(source, scope.budget())) {
        List<@Nullable Object> pair = Values.list(element, scope.budget());
        if (pair.size() != 2) {
          throw new RenderError("dict() needs pairs, not " + pair.size() + " elements");
        }
        dict.put(Values.dictKey(pair.get(0)), pair.get(1));
      }
    }
    dict.putAll(arguments.named());
    return dict;
  }

  private static Namespace namespace(CallArguments arguments, Scope scope) {
    return new Namespace(dict(arguments, scope));
  }

  private static Object raiseException(CallArguments arguments, Scope scope) {
    Object message = arguments.bind("raise_exception", 1, "message").get(0);
    throw new RenderError(PyString.of(message, scope.budget()));
  }

  private static String strftimeNow(CallArguments arguments, Scope scope) {
    String format = arguments.bind("strftime_now", 1, "format").text(0);
    return Strftime.format(format, LocalDateTime.now(scope.rendering().clock()));
  }
}
