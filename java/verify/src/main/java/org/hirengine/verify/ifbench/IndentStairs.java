package org.hirengine.verify.ifbench;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
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
    List<String> lines = withoutBlank(PyText.split(response.text(), "\n"));
    int before = -1;
    for (String line : lines) {
      int indent = 0;
      while (indent < line.length() && line.charAt(indent) == ' ') {
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
   * Python's {@code for line in lines: if not line.strip(): lines.remove(line)}: removing skips the
   * next line, and takes the first line that is equal, which may be one skipped before.
   */
  private static List<String> withoutBlank(List<String> lines) {
    Map<String, Deque<Integer>> places = new HashMap<>();
    BitSet removed = new BitSet();
    for (int i = 0, next = 0; i < lines.size(); i++) {
      String line = lines.get(i);
      if (!PyText.isBlank(line)) {
        next += i == next ? 1 : 0;
        continue;
      }
      Deque<Integer> equal = places.computeIfAbsent(line, l -> new ArrayDeque<>());
      equal.add(i);
      if (i == next) {
        removed.set(equal.remove());
        next += 2;
      }
    }
    List<String> kept = new ArrayList<>();
    for (int i = removed.nextClearBit(0); i < lines.size(); i = removed.nextClearBit(i + 1)) {
      kept.add(lines.get(i));
    }
    return kept;
  }
}
