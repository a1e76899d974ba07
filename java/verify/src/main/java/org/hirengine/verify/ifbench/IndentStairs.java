package org.hirengine.verify.ifbench;

import java.util.ArrayDeque;
import java.util.BitSet;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import org.hirengine.text.Pieces;
import org.hirengine.text.PyText;
import org.hirengine.verify.Response;
import org.hirengine.verify.Verdict;
import org.hirengine.verify.rule.BinaryType;
import org.hirengine.verify.rule.Wording;

/** {@code IndentStairsChecker}: each line begins with more spaces than the one before. */
final class IndentStairs extends BinaryType {

  IndentStairs() {
    super("format:line_indent", "Indent every line by more spaces than the line before it.");
  }

  @Override
  protected Verdict check(Response response) {
    String text = response.text();
    Pieces lines = PyText.split(text, "\n");
    BitSet removed = removed(lines);
    int before = -1;
    for (int i = removed.nextClearBit(0); i < lines.size(); i = removed.nextClearBit(i + 1)) {
      int indent = 0;
      while (indent < lines.length(i) && text.charAt(lines.start(i) + indent) == ' ') {
        indent++;
      }
      if (indent <= before) {
        return Verdict.violated(
            "a line indented by "
                + Wording.count(indent, "space")
                + " follows one indented by "
                + before);
      }
      before = indent;
    }
    return Verdict.satisfied("the indents grow");
  }

  /**
   * The lines that {@code for line in lines: if not line.strip(): lines.remove(line)} removes:
   * removing skips the next line, and removes the first equal line, which may be one that was
   * skipped before.
   */
  private static BitSet removed(Pieces lines) {
    Map<String, Deque<Integer>> places = new HashMap<>();
    BitSet removed = new BitSet();
    for (int i = 0, next = 0; i < lines.size(); i++) {
      int start = lines.start(i);
      if (!PyText.isBlank(lines.text(), start, start + lines.length(i))) {
        next += i == next ? 1 : 0;
        continue;
      }
      Deque<Integer> equal = places.computeIfAbsent(lines.get(i), l -> new ArrayDeque<>());
      equal.add(i);
      if (i == next) {
        removed.set(equal.remove());
        next += 2;
      }
    }
    return removed;
  }
}
