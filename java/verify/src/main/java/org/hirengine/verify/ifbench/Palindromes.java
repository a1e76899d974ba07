package org.hirengine.verify.ifbench;

import org.hirengine.text.CodePoints;
import org.hirengine.text.PyText;
import org.hirengine.verify.Response;
import org.hirengine.verify.Verdict;
import org.hirengine.verify.rule.BinaryType;
import org.hirengine.verify.rule.Wording;

/** {@code PalindromeChecker}: ten palindromes of five characters or more. */
final class Palindromes extends BinaryType {

  private static final int WANTED = 10;

  Palindromes() {
    super(
        "words:palindrome",
        "Include at least 10 words of five letters or more that read the same backwards.");
  }

  @Override
  protected Verdict check(Response response) {
    int count =
        response
            .pieces("palindromes", whole -> Words.bare(whole).filter(Palindromes::isPalindrome))
            .size();
    return Verdict.of(
        count >= WANTED,
        Wording.count(count, "palindrome") + " of 5 letters or more, at least 10 asked");
  }

  private static boolean isPalindrome(String text, int from, int to) {
    if (to - from < 5 || differ(text.charAt(from), text.charAt(to - 1))) {
      return false;
    }
    CodePoints points = CodePoints.of(PyText.lower(text.substring(from, to)));
    int n = points.length();
    for (int i = 0; i < n / 2; i++) {
      if (points.at(i) != points.at(n - 1 - i)) {
        return false;
      }
    }
    return n >= 5;
  }

  /**
   * Whether they are certainly different letters, ignoring case. This rules out nearly all words.
   */
  private static boolean differ(char a, char b) {
    return a < 128 && b < 128 && Character.toLowerCase(a) != Character.toLowerCase(b);
  }
}
