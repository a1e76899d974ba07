package org.hirengine.verify.ifbench;

import org.hirengine.verify.Response;
import org.hirengine.verify.Verdict;
import org.hirengine.verify.rule.BinaryType;
import org.hirengine.verify.rule.Wording;

/** {@code ConsonantClusterChecker}: each word has two consonants in a row; y is a consonant. */
final class ConsonantClusters extends BinaryType {

  ConsonantClusters() {
    super("words:consonants", "Let every word hold two or more consonants in a row.");
  }

  @Override
  protected Verdict check(Response response) {
    for (String word : response.lowerTokens()) {
      if (!hasCluster(word)) {
        return Verdict.violated(Wording.brief(word) + " has no two consonants in a row");
      }
    }
    return Verdict.satisfied("every word has two consonants in a row");
  }

  private static boolean hasCluster(String word) {
    for (int i = 1; i < word.length(); i++) {
      if (isConsonant(word.charAt(i)) && isConsonant(word.charAt(i - 1))) {
        return true;
      }
    }
    return false;
  }

  private static boolean isConsonant(char c) {
    return c >= 'a' && c <= 'z' && "aeiou".indexOf(c) < 0;
  }
}
