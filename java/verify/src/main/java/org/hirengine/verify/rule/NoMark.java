package org.hirengine.verify.rule;

import org.hirengine.text.PyText;
import org.hirengine.verify.Response;
import org.hirengine.verify.Verdict;

/** A mark that must not occur anywhere. */
public final class NoMark extends BinaryType {

  private final String mark;
  private final String name;

  /**
   * @param mark the ASCII mark itself
   * @param name what it is called, in the singular
   */
  public NoMark(String id, String mark, String name) {
    super(id, "Do not use any " + name + "s.");
    this.mark = mark;
    this.name = name;
  }

  @Override
  protected Verdict check(Response response) {
    int count = PyText.count(response.text(), mark);
    return Verdict.of(count == 0, Wording.count(count, name) + ", none allowed");
  }
}
