package org.hirengine.text.jinja;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The evaluated arguments of a call.
 *
 * @param positional by position
 * @param named by name
 */
record CallArguments(List<@Nullable Object> positional, Map<String, @Nullable Object> named) {

  static final CallArguments NONE = new CallArguments(List.of(), Map.of());

  /**
   * Matches the arguments with a function's parameters.
   *
   * @param function the function's name, for errors
   * @param required how many of the parameters, from the first, must be given
   * @param parameters the parameters' names
   */
  Bound bind(String function, int required, String... parameters) {
    if (positional.size() > parameters.length) {
      throw new RenderError(
          function
              + "() takes at most "
              + parameters.length
              + " arguments ("
              + positional.size()
              + " given)");
    }
    Bound bound =
        new Bound(function, new Object[parameters.length], new boolean[parameters.length]);
    for (int i = 0; i < positional.size(); i++) {
      bound.set(i, positional.get(i));
    }
    for (Map.Entry<String, @Nullable Object> argument : named.entrySet()) {
      int at = List.of(parameters).indexOf(argument.getKey());
      if (at < 0) {
        throw new RenderError(
            function + "() got an unexpected keyword argument '" + argument.getKey() + "'");
      }
      if (bound.has(at)) {
        throw new RenderError(
            function + "() got multiple values for argument '" + argument.getKey() + "'");
      }
      bound.set(at, argument.getValue());
    }
    for (int i = 0; i < required; i++) {
      if (!bound.has(i)) {
        throw new RenderError(function + "() missing required argument '" + parameters[i] + "'");
      }
    }
    return bound;
  }

  /** The arguments after the first {@code n} positional ones. */
  CallArguments without(int n) {
    return new CallArguments(positional.subList(n, positional.size()), named);
  }

  /** Arguments in the order of the parameters. */
  record Bound(String function, @Nullable Object[] values, boolean[] given) {

    private void set(int at, @Nullable Object value) {
      values[at] = value;
      given[at] = true;
    }

    boolean has(int at) {
      return given[at];
    }

    @Nullable Object get(int at) {
      return values[at];
    }

    @Nullable Object get(int at, @Nullable Object otherwise) {
      return given[at] ? values[at] : otherwise;
    }

    boolean truth(int at) {
      return given[at] && Values.truth(values[at]);
    }

    long integer(int at, long otherwise) {
      return given[at] ? Values.integer(values[at]) : otherwise;
    }

    /** A string argument, as Python's str methods require it. */
    String text(int at) {
      if (values[at] instanceof String text) {
        return text;
      }
      if (values[at] instanceof Markup markup) {
        return markup.text();
      }
      if (values[at] instanceof Undefined undefined) {
        throw undefined.fault();
      }
      throw new RenderError(
          function + "() argument must be str, not " + Values.typeName(values[at]));
    }
  }
}
