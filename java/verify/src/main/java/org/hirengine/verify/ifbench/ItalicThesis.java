package org.hirengine.verify.ifbench;

import org.hirengine.text.PyText;
import org.hirengine.verify.Response;
import org.hirengine.verify.Verdict;
import org.hirengine.verify.rule.BinaryType;

/** {@code ItalicsThesisChecker}: text in HTML italics, and more text after it. */
final class ItalicThesis extends BinaryType {

  ItalicThesis() {
    super(
        "format:thesis",
        "Begin every section with a thesis statement in italics, marked by HTML tags.");
  }

  /** The offsets are those of the short tags for both, as in the reference. */
  @Override
  protected Verdict check(Response response) {
    String text = response.text();
    int open = text.indexOf("<i>");
    open = open < 0 ? text.indexOf("<em>") : open;
    if (open < 0) {
      return Verdict.violated("no <i> or <em> found");
    }
    int close = text.indexOf("</i>", open);
    close = close < 0 ? text.indexOf("</em>", open) : close;
    if (close < 0) {
      return Verdict.violated("the italics are not closed");
    }
    if (PyText.isBlank(text.substring(Math.min(open + 3, close), close))) {
      return Verdict.violated("the italics are empty");
    }
    boolean follows = !PyText.isBlank(text.substring(close + 4));
    return Verdict.of(
        follows, follows ? "a thesis in italics found" : "nothing follows the thesis");
  }
}
