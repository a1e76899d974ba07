package org.hirengine.text.jinja;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A macro, or the body of a call block.
 *
 * @param definition what was written
 * @param home the scope of its definition, whose names its body sees
 */
record Macro(Definition definition, Scope home) implements PyCallable {

  /**
   * A macro as written.
   *
   * @param name its name; null for the body of a call block
   * @param parameters its parameters' names
   * @param defaults the defaults of the last parameters
   * @param body what it writes
   * @param namesRead every name in its body: {@code varargs}, {@code kwargs} and {@code caller} are
   *     passed only if they are read
   */
  record Definition(
      @Nullable String name,
      List<String> parameters,
      List<Expression> defaults,
      Statement body,
      java.util.Set<String> namesRead) {

    private boolean takes(String extra) {
      return namesRead.contains(extra) && !parameters.contains(extra);
    }

    private String label() {
      return name == null ? "None" : "'" + name + "'";
    }
  }

  @Override
  public String call(CallArguments arguments, Scope caller) {
    Scope scope = home.inner();
    Map<String, @Nullable Object> named = new LinkedHashMap<>(arguments.named());
    bindParameters(arguments.positional(), named, scope);
    if (definition.takes("caller")) {
      Object block = named.remove("caller");
      scope.set("caller", block == null ? Undefined.because("No caller defined") : block);
    }
    if (definition.takes("kwargs")) {
      scope.set("kwargs", new LinkedHashMap<@Nullable Object, @Nullable Object>(named));
    } else if (!named.isEmpty()) {
      throw new RenderError(
          "macro "
              + definition.label()
              + " takes no keyword argument '"
              + named.keySet().iterator().next()
              + "'");
    }
    int count = definition.parameters().size();
    List<@Nullable Object> positional = arguments.positional();
    if (definition.takes("varargs")) {
      scope.set(
          "varargs",
          new PyTuple(positional.subList(Math.min(count, positional.size()), positional.size())));
    } else if (positional.size() > count) {
      throw new RenderError(
          "macro " + definition.label() + " takes not more than " + count + " argument(s)");
    }
    return scope.rendering().capture(rendering -> definition.body().execute(scope));
  }

  private void bindParameters(
      List<@Nullable Object> positional, Map<String, @Nullable Object> named, Scope scope) {
    List<String> parameters = definition.parameters();
    int required = parameters.size() - definition.defaults().size();
    for (int i = 0; i < parameters.size(); i++) {
      String parameter = parameters.get(i);
      if (i < positional.size()) {
        scope.set(parameter, positional.get(i));
      } else if (named.containsKey(parameter)) {
        scope.set(parameter, named.remove(parameter));
      } else if (i >= required) {
        // A default may read the parameters before it.
        scope.set(parameter, definition.defaults().get(i - required).evaluate(scope));
      } else {
        scope.set(parameter, Undefined.because("parameter '" + parameter + "' was not provided"));
      }
    }
  }

  /** {@code macro}: defines the macro under its name. */
  record Define(Definition definition) implements Statement {
    @Override
    public Flow execute(Scope scope) {
      scope.set(String.valueOf(definition.name()), new Macro(definition, scope));
      return Flow.NEXT;
    }
  }

  /** {@code call}: calls a macro, which may call the block's body as {@code caller}. */
  record CallBlock(Access.Call call, Definition body) implements Statement {
    @Override
    public Flow execute(Scope scope) {
      Object function = call.callee().evaluate(scope);
      CallArguments written = call.arguments().evaluate(scope);
      Map<String, @Nullable Object> named = new LinkedHashMap<>(written.named());
      named.put("caller", new Macro(body, scope));
      scope.rendering().at(call.line());
      if (!(function instanceof PyCallable callable)) {
        throw function instanceof Undefined undefined
            ? undefined.fault()
            : new RenderError("'" + Values.typeName(function) + "' object is not callable");
      }
      Object result = callable.call(new CallArguments(written.positional(), named), scope);
      scope.rendering().write(PyString.of(result, scope.budget()));
      return Flow.NEXT;
    }
  }
}
