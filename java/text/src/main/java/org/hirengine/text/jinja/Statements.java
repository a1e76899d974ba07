package org.hirengine.text.jinja;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** Statements without a loop or macro. */
final class Statements {

  private Statements() {}

  /** Statements in a row; a break or continue skips the rest of them. */
  record Block(List<Statement> statements) implements Statement {
    @Override
    public Flow execute(Scope scope) {
      for (Statement statement : statements) {
        scope.budget().spend(1);
        Flow flow = statement.execute(scope);
        if (flow != Flow.NEXT) {
          return flow;
        }
      }
      return Flow.NEXT;
    }
  }

  record Text(String text) implements Statement {
    @Override
    public Flow execute(Scope scope) {
      scope.rendering().write(text);
      return Flow.NEXT;
    }
  }

  record Print(Expression expression) implements Statement {
    @Override
    public Flow execute(Scope scope) {
      scope.rendering().write(PyString.of(expression.evaluate(scope), scope.budget()));
      return Flow.NEXT;
    }
  }

  /** One arm of an if: its condition (null for else) and what it does. */
  record Arm(@Nullable Expression test, Statement body) {}

  record If(List<Arm> arms) implements Statement {
    @Override
    public Flow execute(Scope scope) {
      for (Arm arm : arms) {
        if (arm.test() == null || Values.truth(arm.test().evaluate(scope))) {
          return arm.body().execute(scope);
        }
      }
      return Flow.NEXT;
    }
  }

  record Assign(Target target, Expression value) implements Statement {
    @Override
    public Flow execute(Scope scope) {
      target.assign(value.evaluate(scope), scope);
      return Flow.NEXT;
    }
  }

  /** {@code set x} with a block for its value. */
  record AssignBlock(Target target, Access.@Nullable FilterCall filter, Statement body)
      implements Statement {
    @Override
    public Flow execute(Scope scope) {
      String text = scope.rendering().capture(rendering -> body.execute(scope.inner()));
      target.assign(filter == null ? text : filter.applyToBlock(text, scope), scope);
      return Flow.NEXT;
    }
  }

  record FilterBlock(Access.FilterCall filter, Statement body) implements Statement {
    @Override
    public Flow execute(Scope scope) {
      Scope inner = scope.inner();
      String text = scope.rendering().capture(rendering -> body.execute(inner));
      Object filtered = filter.applyToBlock(text, inner);
      scope.rendering().write(PyString.of(filtered, scope.budget()));
      return Flow.NEXT;
    }
  }

  /** {@code with}: every value is read outside before any name is set inside. */
  record With(List<Target> targets, List<Expression> values, Statement body) implements Statement {
    @Override
    public Flow execute(Scope scope) {
      List<@Nullable Object> evaluated = Literals.all(values, scope);
      Scope inner = scope.inner();
      for (int i = 0; i < evaluated.size(); i++) {
        targets.get(i).assign(evaluated.get(i), inner);
      }
      return body.execute(inner);
    }
  }

  /** A body in its own scope, such as transformers' {@code generation}. */
  record Scoped(Statement body) implements Statement {
    @Override
    public Flow execute(Scope scope) {
      scope.rendering().write(scope.rendering().capture(rendering -> body.execute(scope.inner())));
      return Flow.NEXT;
    }
  }

  /** {@code break} and {@code continue}. */
  record Jump(Flow flow) implements Statement {
    @Override
    public Flow execute(Scope scope) {
      return flow;
    }
  }
}
