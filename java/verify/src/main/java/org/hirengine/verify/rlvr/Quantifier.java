package org.hirengine.verify.rlvr;

import org.hirengine.verify.Verdict;
import org.hirengine.verify.rule.Kwargs;
import org.hirengine.verify.rule.Wording;

/**
 * How a count must compare with {@code N}, by the kwarg {@code quantifier} or by the type itself.
 */
enum Quantifier {
  EXACTLY("exactly"),
  AT_LEAST("at least"),
  AROUND("around"),
  AT_MOST("at most");

  private final String phrase;

  Quantifier(String phrase) {
    this.phrase = phrase;
  }

  /** The one that a row's kwargs name; "exactly" is none of them. */
  static Quantifier of(Kwargs kwargs) {
    String named = kwargs.oneOf("quantifier", AT_LEAST.phrase, AROUND.phrase, AT_MOST.phrase);
    for (Quantifier quantifier : values()) {
      if (quantifier.phrase.equals(named)) {
        return quantifier;
      }
    }
    throw new IllegalStateException(named);
  }

  /** The tolerance of "around": a tenth of the number, halves rounded to even, at least one. */
  static long tenth(int asked) {
    return Math.max((long) Math.rint(asked * 0.1), 1);
  }

  Verdict verdict(long count, int asked, long tolerance, String noun) {
    boolean holds =
        switch (this) {
          case EXACTLY -> count == asked;
          case AT_LEAST -> count >= asked;
          case AROUND -> Math.abs(count - asked) <= tolerance;
          case AT_MOST -> count <= asked;
        };
    return Verdict.of(holds, Wording.count(count, noun) + ", " + phrase(asked) + " asked");
  }

  /** "at least 5". */
  String phrase(int asked) {
    return phrase + " " + asked;
  }
}
