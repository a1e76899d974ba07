package org.hirengine.text.jinja;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Leaves of an expression and the displays of lists, tuples and dicts. */
final class Literals {

  private Literals() {}

  record Constant(@Nullable Object value) implements Expression {
    @Override
    public @Nullable Object evaluate(Scope scope) {
      return value;
    }
  }

  record Name(String name, int line) implements Expression {
    @Override
    public @Nullable Object evaluate(Scope scope) {
      scope.rendering().at(line);
      return scope.get(name);
    }
  }

  record ListOf(List<Expression> elements) implements Expression {
    @Override
    public @Nullable Object evaluate(Scope scope) {
      return all(elements, scope);
    }
  }

  record TupleOf(List<Expression> elements) implements Expression {
    @Override
    public @Nullable Object evaluate(Scope scope) {
      return new PyTuple(all(elements, scope));
    }
  }

  record DictOf(List<Expression> keys, List<Expression> values, int line) implements Expression {
    @Override
    public @Nullable Object evaluate(Scope scope) {
      scope.budget().spend(keys.size());
      Map<@Nullable Object, @Nullable Object> dict = new LinkedHashMap<>();
      for (int i = 0; i < keys.size(); i++) {
        Object key = keys.get(i).evaluate(scope);
        Object value = values.get(i).evaluate(scope);
        scope.rendering().at(line);
        dict.put(Values.dictKey(key), value);
      }
      return dict;
    }
  }

  static List<@Nullable Object> all(List<Expression> expressions, Scope scope) {
    scope.budget().spend(expressions.size());
    List<@Nullable Object> values = new ArrayList<>(expressions.size());
    for (Expression expression : expressions) {
      values.add(expression.evaluate(scope));
    }
    return values;
  }
}
