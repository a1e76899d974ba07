package org.hirengine.verify.ifbench;

import java.util.List;
import org.hirengine.text.PyText;
import org.hirengine.verify.Response;
import org.hirengine.verify.Verdict;
import org.hirengine.verify.rule.BinaryType;
import org.hirengine.verify.rule.Wording;

/** {@code ParagraphLastFirstWordMatchChecker}: each line ends with the word it begins with. */
final class FramedParagraphs extends BinaryType {

  private final Revision revision;

  FramedParagraphs(Revision revision) {
    super(
        "words:paragraph_last_first",
        "End every paragraph with the word it began with, and put each on a line of its own.");
    this.revision = revision;
  }

  @Override
  protected Verdict check(Response response) {
    for (String line : PyText.split(response.text(), "\n")) {
      String paragraph = PyText.lower(PyText.strip(line));
      if (paragraph.isEmpty()) {
        continue;
      }
      List<String> words = PyText.split(PyText.strip(paragraph, Words.MARKS));
      if (words.isEmpty()) {
        if (revision == Revision.R1) {
          return Revision.raises("a paragraph has no words");
        }
        continue;
      }
      String first = words.get(0);
      String last = words.get(words.size() - 1);
      if (!first.equals(last)) {
        return Verdict.violated(
            "a paragraph begins with "
                + Wording.brief(first)
                + ", ends with "
                + Wording.brief(last));
      }
    }
    return Verdict.satisfied("every paragraph ends with the word it began with");
  }
}
