package org.hirengine.verify.ifbench;

import java.util.BitSet;
import org.hirengine.text.PyText;
import org.hirengine.verify.Response;
import org.hirengine.verify.Verdict;
import org.hirengine.verify.rule.BinaryType;
import org.hirengine.verify.rule.Wording;

/** {@code PrimeLengthsChecker}: words, punctuation off, whose lengths are primes below 100. */
final class PrimeLengths extends BinaryType {

  private static final BitSet PRIMES = new BitSet();

  static {
    PRIMES.set(2, 100);
    for (int p = 2; p < 10; p++) {
      for (int multiple = 2 * p; multiple < 100; multiple += p) {
        PRIMES.clear(multiple);
      }
    }
  }

  PrimeLengths() {
    super("words:prime_lengths", "Use only words whose number of letters is a prime number.");
  }

  @Override
  protected Verdict check(Response response) {
    for (String word : Words.eachBare(response)) {
      int length = PyText.length(word);
      if (!PRIMES.get(length)) {
        return Verdict.violated(Wording.brief(word) + " has " + length + " characters");
      }
    }
    return Verdict.satisfied("every word's length is a prime");
  }
}
