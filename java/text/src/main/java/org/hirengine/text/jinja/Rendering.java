package org.hirengine.text.jinja;

import java.time.Clock;
import java.util.function.Consumer;

/** One run of a template: its output, its budget, its clock, and the line it is at. */
final class Rendering {

  /** Python's own recursion limit ends macros that call themselves at about this depth. */
  private static final int MAX_CALLS = 200;

  private final Budget budget = new Budget();
  private final Clock clock;
  private StringBuilder out = new StringBuilder();
  private int calls;
  private int line = 1;

  Rendering(Clock clock) {
    this.clock = clock;
  }

  Budget budget() {
    return budget;
  }

  Clock clock() {
    return clock;
  }

  int line() {
    return line;
  }

  /** Records the current line, for errors. */
  void at(int newLine) {
    line = newLine;
  }

  void write(String text) {
    budget.spendText(text.length());
    out.append(text);
  }

  String output() {
    return out.toString();
  }

  /** The output of a part of the template, as a separate text. */
  String capture(Consumer<Rendering> part) {
    StringBuilder outer = out;
    out = new StringBuilder();
    if (++calls > MAX_CALLS) {
      throw new RenderError("macros call each other more than " + MAX_CALLS + " deep");
    }
    part.accept(this);
    calls--;
    String text = out.toString();
    out = outer;
    return text;
  }
}
