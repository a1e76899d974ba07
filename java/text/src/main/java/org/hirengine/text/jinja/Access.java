package org.hirengine.text.jinja;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Attributes, items, slices, calls, filters and tests. */
final class Access {

  private Access() {}

  record Attribute(Expression object, String name, int line) implements Expression {
    @Override
    public @Nullable Object evaluate(Scope scope) {
      Object value = object.evaluate(scope);
      scope.rendering().at(line);
      return Attributes.attribute(value, name);
    }
  }

  record Item(Expression object, Expression key, int line) implements Expression {
    @Override
    public @Nullable Object evaluate(Scope scope) {
      Object value = object.evaluate(scope);
      Object at = key.evaluate(scope);
      scope.rendering().at(line);
      return Attributes.item(value, at, scope.budget());
    }
  }

  record SliceOf(@Nullable Expression start, @Nullable Expression stop, @Nullable Expression step)
      implements Expression {
    @Override
    public @Nullable Object evaluate(Scope scope) {
      return new Slice(bound(start, scope), bound(stop, scope), bound(step, scope));
    }

    private static @Nullable Object bound(@Nullable Expression bound, Scope scope) {
      return bound == null ? null : bound.evaluate(scope);
    }
  }

  /** The arguments of a call as written; evaluated from left to right. */
  record Arguments(
      List<Expression> positional,
      Map<String, Expression> named,
      @Nullable Expression spreadList,
      @Nullable Expression spreadDict) {

    static final Arguments NONE = new Arguments(List.of(), Map.of(), null, null);

    static Arguments of(Expression only) {
      return new Arguments(List.of(only), Map.of(), null, null);
    }

    CallArguments evaluate(Scope scope) {
      List<@Nullable Object> values = new ArrayList<>(positional.size());
      for (Expression expression : positional) {
        values.add(expression.evaluate(scope));
      }
      Map<String, @Nullable Object> byName = new LinkedHashMap<>();
      named.forEach((name, expression) -> byName.put(name, expression.evaluate(scope)));
      if (spreadList != null) {
        Values.iterate(spreadList.evaluate(scope), scope.budget()).forEachRemaining(values::add);
      }
      if (spreadDict != null) {
        spread(spreadDict.evaluate(scope), byName);
      }
      return new CallArguments(values, byName);
    }

    private static void spread(@Nullable Object value, Map<String, @Nullable Object> byName) {
      if (!(value instanceof Map<?, ?> dict)) {
        throw new RenderError(
            "the argument behind ** must be a mapping, not " + Values.typeName(value));
      }
      dict.forEach(
          (key, element) -> {
            if (!(key instanceof String name)) {
              throw new RenderError("keywords must be strings");
            }
            if (byName.containsKey(name)) {
              throw new RenderError("got multiple values for keyword argument '" + name + "'");
            }
            byName.put(name, element);
          });
    }
  }

  record Call(Expression callee, Arguments arguments, int line) implements Expression {
    @Override
    public @Nullable Object evaluate(Scope scope) {
      Object function = callee.evaluate(scope);
      CallArguments values = arguments.evaluate(scope);
      scope.rendering().at(line);
      scope.budget().spend(1);
      if (function instanceof PyCallable callable) {
        return callable.call(values, scope);
      }
      if (function instanceof Undefined undefined) {
        throw undefined.fault();
      }
      throw new RenderError("'" + Values.typeName(function) + "' object is not callable");
    }
  }

  /**
   * A filter.
   *
   * @param value what it is applied to, or null in a filter or set block, where that is the block's
   *     text
   */
  record FilterCall(@Nullable Expression value, String name, Arguments arguments, int line)
      implements Expression {
    @Override
    public @Nullable Object evaluate(Scope scope) {
      if (value == null) {
        throw new IllegalStateException("a block's filter needs the block's text");
      }
      return apply(value.evaluate(scope), scope);
    }

    /** The filters of a block, innermost first, applied to the block's text. */
    @Nullable Object applyToBlock(String text, Scope scope) {
      return apply(
          value instanceof FilterCall inner ? inner.applyToBlock(text, scope) : text, scope);
    }

    private @Nullable Object apply(@Nullable Object input, Scope scope) {
      CallArguments values = arguments.evaluate(scope);
      scope.rendering().at(line);
      scope.budget().spend(1);
      return Filters.apply(name, input, values, scope);
    }
  }

  record TestCall(Expression value, String name, Arguments arguments, int line)
      implements Expression {
    @Override
    public @Nullable Object evaluate(Scope scope) {
      Object subject = value.evaluate(scope);
      CallArguments values = arguments.evaluate(scope);
      scope.rendering().at(line);
      scope.budget().spend(1);
      return Tests.holds(name, subject, values, scope.budget());
    }
  }
}
