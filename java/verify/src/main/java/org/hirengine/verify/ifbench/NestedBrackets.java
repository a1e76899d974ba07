package org.hirengine.verify.ifbench;

import org.hirengine.verify.Response;
import org.hirengine.verify.Verdict;
import org.hirengine.verify.rule.BinaryType;
import org.hirengine.verify.rule.Wording;

/**
 * {@code NestedParenthesesChecker}: brackets nested five deep, the first of which is closed by its
 * own kind. A closing bracket that does not fit forgets everything before it.
 */
final class NestedBrackets extends BinaryType {

  private static final int LEVELS = 5;

  NestedBrackets() {
    super(
        "format:parentheses",
        "Nest brackets of the kinds ( ), [ ] and { } at least 5 levels deep, and close them.");
  }

  @Override
  protected Verdict check(Response response) {
    char[] text = response.text().toCharArray();
    StringBuilder open = new StringBuilder();
    int deepest = 0;
    int deepestEver = 0;
    for (char c : text) {
      if (c == '(' || c == '[' || c == '{') {
        open.append(c);
        deepest = Math.max(deepest, open.length());
        deepestEver = Math.max(deepestEver, deepest);
      } else if (c == ')' || c == ']' || c == '}') {
        int last = open.length() - 1;
        if (last < 0 || "([{".indexOf(open.charAt(last)) != ")]}".indexOf(c)) {
          open.setLength(0);
          deepest = 0;
          continue;
        }
        open.setLength(last);
        if (deepest >= LEVELS) {
          return Verdict.satisfied("brackets nested " + Wording.count(deepest, "level") + " deep");
        }
      }
    }
    return Verdict.violated(
        "no closed brackets " + LEVELS + " levels deep, open to level " + deepestEver);
  }
}
