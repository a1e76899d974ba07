package org.hirengine.text.regex;

import java.util.Arrays;
import org.hirengine.text.CodePoints;
import org.hirengine.text.PyChars;
import org.hirengine.text.regex.Node.Anchor;
import org.hirengine.text.regex.Node.Repeat;

/**
 * Runs a {@link Program} over one text by backtracking, as Python's engine does, with its open
 * choices on an explicit stack. Recursion happens only per nesting level of the pattern's
 * lookarounds and atomic groups.
 */
final class Machine {

  private static final int CHOICE = 0;
  private static final int SLOT = 1;
  private static final int COUNT = 2;
  private static final int LAST = 3;
  private static final int RUN_BACK = 4;
  private static final int RUN_ON = 5;
  private static final int LOOP_ON = 6;
  private static final int ENTRY = 4;

  private static final Anchor[] ANCHORS = Anchor.values();
  private static final int GREEDY = Repeat.Kind.GREEDY.ordinal();
  private static final int LAZY = Repeat.Kind.LAZY.ordinal();

  private final Program program;
  private final String pattern;
  private final int[] text;
  private final int[] folded;
  private final long limit;
  private final int[] slots;
  private final int[] counts;
  private final int[] lasts;
  private int[] stack = new int[16 * ENTRY];
  private int top;
  private long left;

  private int start;
  private boolean mustAdvance;
  private boolean mustReachEnd;

  Machine(Program program, String pattern, CodePoints text, long limit) {
    this.program = program;
    this.pattern = pattern;
    this.text = text.values();
    this.folded = program.folds ? text.folded() : this.text;
    this.limit = limit;
    this.left = limit;
    this.slots = new int[program.slots];
    this.counts = new int[program.registers];
    this.lasts = new int[program.registers];
  }

  /**
   * The first match at or after {@code from}; its slots are then in {@link #slots}.
   *
   * @param mustAdvance an empty match at {@code from} itself does not count
   */
  boolean search(int from, boolean mustAdvance) {
    this.mustAdvance = mustAdvance;
    FirstChars first = program.first;
    for (int at = from; at <= text.length; at++) {
      if (first != null) {
        int skippedFrom = at;
        while (at < text.length && !first.mayBe(text[at])) {
          at++;
        }
        spend(at - skippedFrom);
        if (at == text.length) {
          return false;
        }
      }
      if (matchAt(at)) {
        return true;
      }
      this.mustAdvance = false;
    }
    return false;
  }

  /** A match that begins at {@code at}. */
  boolean matchAt(int at) {
    start = at;
    Arrays.fill(slots, -1);
    top = 0;
    int end = run(0, at, true);
    top = 0;
    if (end < 0) {
      return false;
    }
    slots[0] = at;
    slots[1] = end;
    return true;
  }

  boolean fullMatch() {
    mustReachEnd = true;
    return matchAt(0);
  }

  int[] slots() {
    return slots.clone();
  }

  /** Where the last match begins. */
  int start() {
    return slots[0];
  }

  /** Where the last match ends. */
  int end() {
    return slots[1];
  }

  private void spend(long steps) {
    left -= steps;
    if (left < 0) {
      throw new BudgetSpentException(pattern, limit);
    }
  }

  private void push(int kind, int a, int b, int c) {
    if (top + ENTRY > stack.length) {
      stack = Arrays.copyOf(stack, 2 * stack.length);
    }
    stack[top] = kind;
    stack[top + 1] = a;
    stack[top + 2] = b;
    stack[top + 3] = c;
    top += ENTRY;
  }

  private void setSlot(int slot, int value) {
    push(SLOT, slot, slots[slot], 0);
    slots[slot] = value;
  }

  private void setCount(int register, int value) {
    push(COUNT, register, counts[register], 0);
    counts[register] = value;
  }

  private void setLast(int register, int value) {
    push(LAST, register, lasts[register], 0);
    lasts[register] = value;
  }

  /** Runs from {@code pc} at {@code pos} to a MATCH; returns the position there, or -1. */
  private int run(int pc, int pos, boolean outermost) {
    int[] code = program.code;
    int base = top;
    while (true) {
      spend(1);
      boolean ok = true;
      switch (code[pc]) {
        case Program.MATCH -> {
          if (!outermost
              || ((!mustAdvance || pos != start) && (!mustReachEnd || pos == text.length))) {
            return pos;
          }
          ok = false;
        }
        case Program.CHAR -> {
          int[] view = code[pc + 2] == 1 ? folded : text;
          ok = pos < text.length && view[pos] == code[pc + 1];
          pos++;
          pc += 3;
        }
        case Program.ONE -> {
          CharSet set = program.sets[code[pc + 1]];
          int[] view = set.ignoreCase() ? folded : text;
          ok = pos < text.length && set.contains(view[pos]);
          pos++;
          pc += 2;
        }
        case Program.SPLIT -> {
          push(CHOICE, code[pc + 1], pos, 0);
          pc += 2;
        }
        case Program.JUMP -> pc = code[pc + 1];
        case Program.SAVE -> {
          setSlot(code[pc + 1], pos);
          pc += 2;
        }
        case Program.AT -> {
          ok = holds(ANCHORS[code[pc + 1]], pos);
          pc += 2;
        }
        case Program.RUN -> {
          int end = runOf(pc, pos);
          ok = end >= 0;
          pos = end;
          pc += 5;
        }
        case Program.LOOP_START -> {
          setCount(code[pc + 1], 0);
          setLast(code[pc + 1], -1);
          pc += 2;
        }
        case Program.LOOP -> {
          int next = loop(pc, pos);
          ok = next >= 0;
          pc = next;
        }
        case Program.LOOK -> {
          ok = looks(pc, pos);
          pc = code[pc + 3];
        }
        case Program.ATOMIC -> {
          int inner = top;
          int end = run(pc + 2, pos, false);
          dropChoices(inner);
          ok = end >= 0;
          pos = end;
          pc = code[pc + 1];
        }
        case Program.BACK_REFERENCE -> {
          int end = afterReference(code[pc + 1], code[pc + 2] == 1, pos);
          ok = end >= 0;
          pos = end;
          pc += 3;
        }
        case Program.CONDITIONAL -> pc = slots[2 * code[pc + 1] + 1] >= 0 ? pc + 3 : code[pc + 2];
        default -> throw new IllegalStateException("opcode " + code[pc]);
      }
      if (!ok) {
        // Back to the latest open choice, undoing what was set since.
        pc = -1;
        while (pc < 0) {
          if (top == base) {
            return -1;
          }
          spend(1);
          top -= ENTRY;
          int a = stack[top + 1];
          int b = stack[top + 2];
          int c = stack[top + 3];
          switch (stack[top]) {
            case SLOT -> slots[a] = b;
            case COUNT -> counts[a] = b;
            case LAST -> lasts[a] = b;
            case RUN_BACK -> {
              // a: the RUN instruction, b: its shortest end, c: the end just tried
              pos = c - 1;
              pc = a + 5;
              if (pos > b) {
                push(RUN_BACK, a, b, pos);
              }
            }
            case RUN_ON -> {
              // a: the RUN instruction, b: the end just tried, c: characters it may still take
              CharSet set = program.sets[code[a + 1]];
              if (b < text.length && set.contains((set.ignoreCase() ? folded : text)[b])) {
                pos = b + 1;
                pc = a + 5;
                if (c > 1) {
                  push(RUN_ON, a, pos, c - 1);
                }
              }
            }
            case LOOP_ON -> {
              if (mayRepeat(a, b)) {
                int register = code[a + 1];
                setCount(register, counts[register] + 1);
                setLast(register, b);
                pos = b;
                pc = a + 6;
              }
            }
            default -> {
              pc = a;
              pos = b;
            }
          }
        }
      }
    }
  }

  /** Matches a run of one set's characters; leaves the other lengths as choices. */
  private int runOf(int pc, int pos) {
    int[] code = program.code;
    CharSet set = program.sets[code[pc + 1]];
    int min = code[pc + 2];
    int max = code[pc + 3];
    int kind = code[pc + 4];
    int[] view = set.ignoreCase() ? folded : text;
    int most = kind == LAZY ? min : max;
    int bound = most > text.length - pos ? text.length : pos + most;
    int end = pos;
    while (end < bound && set.contains(view[end])) {
      end++;
    }
    spend(end - pos);
    if (end - pos < min) {
      return -1;
    }
    if (kind == GREEDY && end - pos > min) {
      push(RUN_BACK, pc, pos + min, end);
    } else if (kind == LAZY && max > min) {
      push(RUN_ON, pc, end, max - min);
    }
    return end;
  }

  /** One more pass through a loop's body, or its exit; a pass that consumed nothing is the last. */
  private int loop(int pc, int pos) {
    int[] code = program.code;
    int register = code[pc + 1];
    int count = counts[register];
    int body = pc + 6;
    int exit = code[pc + 5];
    if (count < code[pc + 2]) {
      setCount(register, count + 1);
      return body;
    }
    if (code[pc + 4] == 1) {
      push(LOOP_ON, pc, pos, 0);
      return exit;
    }
    if (!mayRepeat(pc, pos)) {
      return exit;
    }
    push(CHOICE, exit, pos, 0);
    setCount(register, count + 1);
    setLast(register, pos);
    return body;
  }

  private boolean mayRepeat(int pc, int pos) {
    int register = program.code[pc + 1];
    return counts[register] < program.code[pc + 3] && pos != lasts[register];
  }

  /** Runs a lookaround's body; captures of a positive one stay, choices do not. */
  private boolean looks(int pc, int pos) {
    int width = program.code[pc + 1];
    boolean negative = program.code[pc + 2] == 1;
    int from = width < 0 ? pos : pos - width;
    if (from < 0) {
      return negative;
    }
    int inner = top;
    boolean found = run(pc + 4, from, false) >= 0;
    if (negative && found) {
      undo(inner);
    } else {
      dropChoices(inner);
    }
    return found != negative;
  }

  /** Drops the choices since {@code from}, but can still undo what was set since then. */
  private void dropChoices(int from) {
    int kept = from;
    for (int entry = from; entry < top; entry += ENTRY) {
      int kind = stack[entry];
      if (kind == SLOT || kind == COUNT || kind == LAST) {
        System.arraycopy(stack, entry, stack, kept, ENTRY);
        kept += ENTRY;
      }
    }
    top = kept;
  }

  private void undo(int from) {
    while (top > from) {
      top -= ENTRY;
      switch (stack[top]) {
        case SLOT -> slots[stack[top + 1]] = stack[top + 2];
        case COUNT -> counts[stack[top + 1]] = stack[top + 2];
        case LAST -> lasts[stack[top + 1]] = stack[top + 2];
        default -> {}
      }
    }
  }

  private int afterReference(int group, boolean ignoreCase, int pos) {
    int from = slots[2 * group];
    int to = slots[2 * group + 1];
    if (from < 0 || to < from || to - from > text.length - pos) {
      return -1;
    }
    int[] view = ignoreCase ? folded : text;
    spend(to - from);
    for (int i = from; i < to; i++) {
      if (view[i] != view[pos + i - from]) {
        return -1;
      }
    }
    return pos + to - from;
  }

  private boolean holds(Anchor anchor, int pos) {
    int n = text.length;
    return switch (anchor) {
      case TEXT_START -> pos == 0;
      case LINE_START -> pos == 0 || text[pos - 1] == '\n';
      case TEXT_END -> pos == n;
      case TEXT_END_OR_NEWLINE -> pos == n || (pos == n - 1 && text[pos] == '\n');
      case LINE_END -> pos == n || text[pos] == '\n';
      case WORD_BOUNDARY -> n > 0 && isWord(pos - 1, false) != isWord(pos, false);
      case NOT_WORD_BOUNDARY -> n > 0 && isWord(pos - 1, false) == isWord(pos, false);
      case ASCII_WORD_BOUNDARY -> n > 0 && isWord(pos - 1, true) != isWord(pos, true);
      case NOT_ASCII_WORD_BOUNDARY -> n > 0 && isWord(pos - 1, true) == isWord(pos, true);
    };
  }

  private boolean isWord(int at, boolean ascii) {
    return at >= 0 && at < text.length && (!ascii || text[at] < 128) && PyChars.isWord(text[at]);
  }
}
