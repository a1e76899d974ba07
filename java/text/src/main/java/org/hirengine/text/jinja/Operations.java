package org.hirengine.text.jinja;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** Operators of an expression. */
final class Operations {

  private Operations() {}

  /** {@code value if test else otherwise}; without else, undefined if the test fails. */
  record Conditional(Expression test, Expression value, @Nullable Expression otherwise)
      implements Expression {
    @Override
    public @Nullable Object evaluate(Scope scope) {
      if (Values.truth(test.evaluate(scope))) {
        return value.evaluate(scope);
      }
      return otherwise == null
          ? Undefined.because("the inline if-expression was false and has no else section")
          : otherwise.evaluate(scope);
    }
  }

  /** As in Python, the first operand that decides is the value. */
  record Or(Expression left, Expression right) implements Expression {
    @Override
    public @Nullable Object evaluate(Scope scope) {
      Object value = left.evaluate(scope);
      return Values.truth(value) ? value : right.evaluate(scope);
    }
  }

  /** As in Python, the first operand that decides is the value. */
  record And(Expression left, Expression right) implements Expression {
    @Override
    public @Nullable Object evaluate(Scope scope) {
      Object value = left.evaluate(scope);
      return Values.truth(value) ? right.evaluate(scope) : value;
    }
  }

  record Not(Expression operand) implements Expression {
    @Override
    public @Nullable Object evaluate(Scope scope) {
      return !Values.truth(operand.evaluate(scope));
    }
  }

  /** {@code a < b < c} compares neighbours and stops at the first that fails. */
  record Compare(Expression first, List<String> operators, List<Expression> operands, int line)
      implements Expression {
    @Override
    public @Nullable Object evaluate(Scope scope) {
      Object left = first.evaluate(scope);
      for (int i = 0; i < operators.size(); i++) {
        Object right = operands.get(i).evaluate(scope);
        scope.rendering().at(line);
        if (!Comparison.holds(operators.get(i), left, right, scope.budget())) {
          return false;
        }
        left = right;
      }
      return true;
    }
  }

  record Binary(String operator, Expression left, Expression right, int line)
      implements Expression {
    @Override
    public @Nullable Object evaluate(Scope scope) {
      Object first = left.evaluate(scope);
      Object second = right.evaluate(scope);
      scope.rendering().at(line);
      return Arithmetic.apply(operator, first, second, scope.budget());
    }
  }

  record Sign(boolean negative, Expression operand, int line) implements Expression {
    @Override
    public @Nullable Object evaluate(Scope scope) {
      Object value = operand.evaluate(scope);
      scope.rendering().at(line);
      return Arithmetic.signed(negative, value);
    }
  }

  /** {@code ~}: the operands' texts, concatenated. */
  record Concat(List<Expression> parts) implements Expression {
    @Override
    public @Nullable Object evaluate(Scope scope) {
      List<@Nullable Object> values = Literals.all(parts, scope);
      StringBuilder text = new StringBuilder();
      for (Object value : values) {
        String part = PyString.of(value, scope.budget());
        scope.budget().spendText(part.length());
        text.append(part);
      }
      return text.toString();
    }
  }
}
