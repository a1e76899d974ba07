package org.hirengine.verify.iftrain;

import java.util.List;
import org.hirengine.text.PyText;
import org.hirengine.verify.Response;
import org.hirengine.verify.Verdict;
import org.hirengine.verify.rule.BinaryType;
import org.hirengine.verify.text.SentenceSplitter;

/**
 * {@code SentenceHyphenChecker}: the parts between hyphens equal the sentences of the text with
 * spaces for hyphens, up to the shorter of the two lists.
 */
final class SentenceHyphens extends BinaryType {

  SentenceHyphens() {
    super(
        "detectable_format:sentence_hyphens",
        "Join all sentences with hyphens, with no spaces between them.");
  }

  @Override
  protected Verdict check(Response response) {
    List<String> sentences = SentenceSplitter.split(response.text().replace('-', ' '));
    List<String> parts = PyText.split(response.text(), "-");
    for (int i = 0; i < Math.min(sentences.size(), parts.size()); i++) {
      if (!parts.get(i).equals(sentences.get(i))) {
        return Verdict.violated(
            "part " + (i + 1) + " between hyphens is not one sentence without space around it");
      }
    }
    return Verdict.satisfied("sentences joined by hyphens");
  }
}
