package org.hirengine.text.jinja;

import java.time.Clock;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A parsed template, immutable; any number of threads may render it. */
public final class JinjaTemplate {

  private final String name;
  private final Statement body;

  private JinjaTemplate(String name, Statement body) {
    this.name = name;
    this.body = body;
  }

  /**
   * Parses a template.
   *
   * @param source its text
   * @param name its name or file, for errors
   * @throws TemplateException for a fault in its syntax and for constructs that are not supported
   */
  public static JinjaTemplate parse(String source, String name) {
    try {
      return new JinjaTemplate(name, new TemplateParser(source, name).parse());
    } catch (StackOverflowError e) {
      throw new TemplateException(name, 1, "the template is nested too deeply");
    }
  }

  /**
   * Renders the template.
   *
   * @param variables strings, booleans, numbers, null, and maps and collections of these
   * @param clock what {@code strftime_now} reads
   * @throws TemplateException when the template raises an exception, uses something undefined or
   *     not supported, or does not come to an end
   * @throws IllegalArgumentException when a variable is of another type
   */
  public String render(Map<String, ? extends @Nullable Object> variables, Clock clock) {
    Rendering rendering = new Rendering(clock);
    Map<String, @Nullable Object> values = new LinkedHashMap<>();
    variables.forEach(
        (variable, value) ->
            values.put(variable, Inputs.value(value, variable, rendering.budget())));
    try {
      body.execute(Scope.of(rendering, values));
      return rendering.output();
    } catch (RenderError e) {
      throw new TemplateException(name, rendering.line(), e.getMessage());
    } catch (StackOverflowError e) {
      throw new TemplateException(name, rendering.line(), "the template is nested too deeply");
    }
  }
}
