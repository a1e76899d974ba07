package org.hirengine.verify.ifbench;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.hirengine.verify.Response;
import org.hirengine.verify.Verdict;

/**
 * {@code WordReverseOrderChecker}: the words in reverse order contain "bald eagle". The reference
 * also wants them to be one sentence, which a text without punctuation always is.
 */
final class ReversedWords extends FixedTask {

  ReversedWords() {
    super(
        "custom:word_reverse",
        "Say which animal is the national symbol of the US, in a sentence with its words in reverse"
            + " order.");
  }

  @Override
  protected Verdict check(Response response) {
    List<String> words = new ArrayList<>(Words.lowerBare(response));
    Collections.reverse(words);
    boolean found = String.join(" ", words).contains("bald eagle");
    return Verdict.of(
        found, "\"bald eagle\" " + (found ? "" : "not ") + "found in the words in reverse");
  }
}
