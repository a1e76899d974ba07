package org.hirengine.verify.ifbench;

import org.hirengine.text.PyChars;
import org.hirengine.text.PyText;
import org.hirengine.verify.Response;
import org.hirengine.verify.Verdict;
import org.hirengine.verify.rule.BinaryType;

/**
 * {@code QuoteExplanationChecker}: no two quotes are adjacent and none ends the text, ignoring
 * white space. Only the first revision treats curly quotes as straight ones.
 */
final class QuoteExplained extends BinaryType {

  /** Digits and punctuation except the quote: what may follow a last quote. */
  private static final String IGNORED = "0123456789" + PyChars.ASCII_PUNCTUATION.replace("\"", "");

  private final Revision revision;

  QuoteExplained(Revision revision) {
    super("format:quote_unquote", "Follow every quoted phrase with an explanation without quotes.");
    this.revision = revision;
  }

  @Override
  protected Verdict check(Response response) {
    String text = response.text();
    if (revision == Revision.R1) {
      text = text.replace('\u201C', '"').replace('\u201D', '"');
    }
    text = String.join("", PyText.split(text.replace("'\"'", "")));
    if (text.contains("\"\"")) {
      return Verdict.violated("two quotes stand together");
    }
    String stripped = PyText.strip(text, IGNORED);
    if (stripped.isEmpty()) {
      return revision == Revision.R1
          ? Revision.raises("there is nothing but digits and punctuation")
          : Verdict.satisfied("no quotes found");
    }
    return stripped.endsWith("\"")
        ? Verdict.violated("a quote ends the text")
        : Verdict.satisfied("no quote without an explanation");
  }
}
