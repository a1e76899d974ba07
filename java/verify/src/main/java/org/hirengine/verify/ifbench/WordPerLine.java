package org.hirengine.verify.ifbench;

import org.hirengine.text.PyChars;
import org.hirengine.verify.Response;
import org.hirengine.verify.Verdict;
import org.hirengine.verify.rule.BinaryType;
import org.hirengine.verify.rule.Wording;

/**
 * {@code NewLineWordsChecker}: as many lines as words, without punctuation and empty lines. A line
 * of white space counts, unless it precedes or follows all words.
 */
final class WordPerLine extends BinaryType {

  WordPerLine() {
    super("format:newline", "Write each word on a line of its own.");
  }

  @Override
  protected Verdict check(Response response) {
    String text = response.text();
    int words = 0;
    int lines = 0;
    int linesBefore = 0; // of white space, too: they count once a word follows
    boolean inWord = false;
    boolean inLine = false;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (PyChars.isPunctuation(c)) {
        continue;
      }
      boolean space = PyChars.isSpace(c);
      if (!space && !inWord) {
        words++;
        lines = linesBefore + 1;
      }
      inWord = !space;
      if (c == '\n') {
        linesBefore += inLine && words > 0 ? 1 : 0;
        inLine = false;
      } else {
        inLine = true;
      }
    }
    return Verdict.of(
        lines == words, Wording.count(words, "word") + " on " + Wording.count(lines, "line"));
  }
}
