package org.hirengine.text.jinja;

import java.util.Iterator;
import org.jspecify.annotations.Nullable;

/**
 * A for loop.
 *
 * @param target what each element is assigned to
 * @param iterable what is gone through
 * @param filter keeps the elements for which it holds; null keeps all
 * @param body run for each element, in its own scope
 * @param otherwise run if there was no element; null for nothing
 * @param recursive whether the body may call {@code loop(...)}
 * @param line the loop's line
 */
record For(
    Target target,
    Expression iterable,
    @Nullable Expression filter,
    Statement body,
    @Nullable Statement otherwise,
    boolean recursive,
    int line)
    implements Statement {

  @Override
  public Flow execute(Scope scope) {
    return run(iterable.evaluate(scope), 0, scope);
  }

  private Flow run(@Nullable Object values, int depth, Scope scope) {
    scope.rendering().at(line);
    Iterator<@Nullable Object> elements = Values.iterate(values, scope.budget());
    int length = Values.knownLength(values);
    if (filter != null) {
      // The body may change a namespace that the filter reads, so the filter runs element by
      // element.
      elements = PyGenerator.filtered(elements, element -> passes(element, scope));
      length = -1;
    }
    Loop loop = new Loop(elements, length, depth, recursion(scope));
    while (loop.advance()) {
      scope.budget().spend(1);
      Scope inner = scope.inner();
      inner.set("loop", loop);
      target.assign(loop.current(), inner);
      if (body.execute(inner) == Flow.BREAK) {
        break;
      }
    }
    if (otherwise != null && loop.isEmpty()) {
      // A break or continue in here belongs to the loop around this one.
      return otherwise.execute(scope.inner());
    }
    return Flow.NEXT;
  }

  private Loop.@Nullable Recursion recursion(Scope scope) {
    return recursive
        ? (values, depth) -> scope.rendering().capture(rendering -> run(values, depth, scope))
        : null;
  }

  /** Whether the body is run for an element; the filter sees the target's value. */
  private boolean passes(@Nullable Object element, Scope scope) {
    Scope inner = scope.inner();
    inner.set("loop", Undefined.because("'loop' is undefined in the filter of a loop"));
    target.assign(element, inner);
    scope.budget().spend(1);
    return filter == null || Values.truth(filter.evaluate(inner));
  }
}
