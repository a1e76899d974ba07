package org.hirengine.text.jinja;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What a value can be assigned to. */
interface Target {

  void assign(@Nullable Object value, Scope scope);

  record Name(String name) implements Target {
    @Override
    public void assign(@Nullable Object value, Scope scope) {
      scope.set(name, value);
    }
  }

  /** {@code ns.name}, which only a namespace allows. */
  record Attribute(String object, String name, int line) implements Target {
    @Override
    public void assign(@Nullable Object value, Scope scope) {
      Object holder = scope.get(object);
      scope.rendering().at(line);
      if (!(holder instanceof Namespace namespace)) {
        throw new RenderError("cannot assign attribute on non-namespace object '" + object + "'");
      }
      namespace.attributes().put(name, value);
    }
  }

  record Several(List<Target> targets) implements Target {
    @Override
    public void assign(@Nullable Object value, Scope scope) {
      List<@Nullable Object> values = new ArrayList<>(targets.size());
      Iterator<@Nullable Object> elements = Values.iterate(value, scope.budget());
      while (elements.hasNext()) {
        if (values.size() == targets.size()) {
          throw new RenderError("too many values to unpack (expected " + targets.size() + ")");
        }
        values.add(elements.next());
      }
      if (values.size() < targets.size()) {
        throw new RenderError(
            "not enough values to unpack (expected "
                + targets.size()
                + ", got "
                + values.size()
                + ")");
      }
      for (int i = 0; i < values.size(); i++) {
        targets.get(i).assign(values.get(i), scope);
      }
    }
  }
}
