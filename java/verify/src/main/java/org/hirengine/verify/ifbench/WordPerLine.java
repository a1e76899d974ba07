package org.hirengine.verify.ifbench;

import org.hirengine.text.PyText;
import org.hirengine.verify.Response;
import org.hirengine.verify.Verdict;
import org.hirengine.verify.rule.BinaryType;
import org.hirengine.verify.rule.Wording;

/** {@code NewLineWordsChecker}: as many lines as words, punctuation off, empty lines left out. */
final class WordPerLine extends BinaryType {

  WordPerLine() {
    super("format:newline", "Write each word on a line of its own.");
  }

  @Override
  protected Verdict check(Response response) {
    String text = PyText.strip(PyText.removePunctuation(response.text()));
    int lines = 0;
    for (int from = 0, end; from < text.length(); from = end + 1) {
      end = text.indexOf('\n', from);
      end = end < 0 ? text.length() : end;
      lines += end > from ? 1 : 0;
    }
    int words = Words.bare(response).size();
    return Verdict.of(
        lines == words, Wording.count(words, "word") + " on " + Wording.count(lines, "line"));
  }
}
