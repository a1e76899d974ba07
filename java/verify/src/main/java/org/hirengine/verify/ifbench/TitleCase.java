package org.hirengine.verify.ifbench;

import org.hirengine.text.PyChars;
import org.hirengine.text.PyText;
import org.hirengine.verify.Response;
import org.hirengine.verify.TextTools;
import org.hirengine.verify.Verdict;
import org.hirengine.verify.rule.BinaryType;
import org.hirengine.verify.rule.Wording;
import org.hirengine.verify.text.WordTokenizer;

/** {@code TitleCaseChecker}: no token begins with a small letter, except in mixed case. */
final class TitleCase extends BinaryType {

  private final Revision revision;
  private final TextTools tools;

  TitleCase(Revision revision, TextTools tools) {
    super("format:title_case", "Write your entire response in title case.");
    this.revision = revision;
    this.tools = tools;
  }

  @Override
  protected Verdict check(Response response) {
    for (String sentence : tools.eachSentence(response)) {
      for (String token : WordTokenizer.tokenize(sentence)) {
        int first = token.codePointAt(0);
        if (PyChars.isLower(first) && fails(token, first)) {
          return Verdict.violated(Wording.brief(token) + " begins with a small letter");
        }
      }
    }
    return Verdict.satisfied("no word begins with a small letter");
  }

  /**
   * Whether a token that begins with a small letter fails; a single letter fails in revision 2
   * only.
   */
  private boolean fails(String token, int first) {
    String rest = token.substring(Character.charCount(first));
    if (revision == Revision.R2 && !PyChars.isAlpha(first)) {
      return false;
    }
    return (revision == Revision.R2 && rest.isEmpty())
        || PyText.isLower(rest)
        || PyText.isUpper(rest);
  }
}
