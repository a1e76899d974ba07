package org.hirengine.verify.ifbench;

import org.hirengine.text.PyChars;
import org.hirengine.verify.Response;
import org.hirengine.verify.Verdict;
import org.hirengine.verify.rule.BinaryType;

/** {@code NoWhitespaceChecker}: no white space of any kind. */
final class NoWhitespace extends BinaryType {

  NoWhitespace() {
    super("format:no_whitespace", "Write your response without any white space.");
  }

  @Override
  protected Verdict check(Response response) {
    boolean none = response.text().chars().noneMatch(PyChars::isSpace);
    return Verdict.of(none, none ? "no white space found" : "white space found");
  }
}
