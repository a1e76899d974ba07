package org.hirengine.verify.ifeval;

import java.util.random.RandomGenerator;
import org.hirengine.text.PyChars;
import org.hirengine.verify.Response;
import org.hirengine.verify.rule.NumberType;
import org.hirengine.verify.rule.Wording;

/** {@code BulletListChecker}: exactly n lines that begin with one asterisk, or with a dash. */
final class NumberOfBullets extends NumberType {

  NumberOfBullets() {
    super(
        "detectable_format:number_bullet_lists",
        "num_bullets",
        "bullet point",
        NumberType.Match.EXACTLY);
  }

  @Override
  protected int count(Response response) {
    return bullets(response.text(), '*') + bullets(response.text(), '-');
  }

  @Override
  protected String sentence(int asked) {
    return "Write a list of exactly "
        + Wording.count(asked, "bullet point")
        + ", each on a line of its own that begins with \"* \".";
  }

  @Override
  protected int sampleCount(RandomGenerator random) {
    return 1 + random.nextInt(6);
  }

  /**
   * Matches of {@code ^\s*\*[^\*].*$} or {@code ^\s*-.*$} in multi-line mode: both may begin with
   * blank lines, and the character after an asterisk may be the line's end.
   */
  private static int bullets(String s, char mark) {
    int n = s.length();
    int count = 0;
    for (int line = 0; line < n; ) {
      int at = line;
      while (at < n && PyChars.isSpace(s.charAt(at))) {
        at++;
      }
      int rest = at + 1;
      boolean bullet = at < n && s.charAt(at) == mark;
      if (bullet && mark == '*') {
        bullet = rest < n && s.charAt(rest) != '*';
        rest++;
      }
      if (bullet) {
        count++;
      } else {
        // Every line start up to here skips the same white space and fails alike.
        rest = at;
      }
      int lineEnd = s.indexOf('\n', Math.min(rest, n));
      if (bullet && rest <= n && rest > line && s.charAt(rest - 1) == '\n' && lineEnd == rest) {
        line = rest;
      } else {
        line = lineEnd < 0 ? n : lineEnd + 1;
      }
    }
    return count;
  }
}
