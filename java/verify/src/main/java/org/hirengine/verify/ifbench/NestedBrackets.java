package org.hirengine.verify.ifbench;

import org.hirengine.text.Pieces;
import org.hirengine.text.PyText;
import org.hirengine.verify.Response;
import org.hirengine.verify.Verdict;
import org.hirengine.verify.rule.BinaryType;
import org.hirengine.verify.rule.Wording;

/**
 * {@code NestedParenthesesChecker}: brackets nested five deep, the first of them closed by its own
 * kind. A closing bracket that does not fit forgets everything before it.
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
    Pieces brackets =
        response.pieces("brackets", whole -> PyText.characters(whole.text(), "()[]{}"));
    char[] open = new char[brackets.size()];
    int depth = 0;
    int deepest = 0;
    int deepestEver = 0;
    for (int i = 0; i < brackets.size(); i++) {
      char c = brackets.text().charAt(brackets.start(i));
      if (c == '(' || c == '[' || c == '{') {
        open[depth++] = c;
        deepest = Math.max(deepest, depth);
        deepestEver = Math.max(deepestEver, deepest);
      } else {
        if (depth == 0 || "([{".indexOf(open[depth - 1]) != ")]}".indexOf(c)) {
          depth = 0;
          deepest = 0;
          continue;
        }
        depth--;
        if (deepest >= LEVELS) {
          return Verdict.satisfied("brackets nested " + Wording.count(deepest, "level") + " deep");
        }
      }
    }
    return Verdict.violated(
        "no closed brackets " + LEVELS + " levels deep, open to level " + deepestEver);
  }
}
