package org.hirengine.text.regex;

import java.util.ArrayList;
import java.util.List;
import org.hirengine.text.CodePoints;
import org.jspecify.annotations.Nullable;

/**
 * A compiled regular expression with the meaning of Python's {@code re} (3.11, {@code str}
 * patterns).
 *
 * <p>Immutable and safe for use by any number of threads. Every call runs under a budget of {@value
 * #BASE_STEPS} steps plus {@value #STEPS_PER_CHARACTER} per character of the text; exceeding it
 * throws {@link BudgetSpentException}, at the same step on every machine and under any load.
 */
public final class PyPattern {

  /** {@code re.IGNORECASE}: simple case folding. */
  public static final int IGNORECASE = 1;

  /** {@code re.MULTILINE}: anchors match at {@code \n}. */
  public static final int MULTILINE = 2;

  /** {@code re.DOTALL}: the dot matches {@code \n} too. */
  public static final int DOTALL = 4;

  /** {@code re.VERBOSE}: white space and comments in the pattern are skipped. */
  public static final int VERBOSE = 8;

  /** {@code re.ASCII}: classes and boundaries know ASCII only. */
  public static final int ASCII = 16;

  static final long BASE_STEPS = 4_000_000;
  static final long STEPS_PER_CHARACTER = 16;

  /** A match: code point positions. */
  public static final class Match {
    private final CodePoints text;
    private final int[] slots;

    private Match(CodePoints text, int[] slots) {
      this.text = text;
      this.slots = slots;
    }

    public int start() {
      return slots[0];
    }

    public int end() {
      return slots[1];
    }

    /** Where a group begins, or -1 if it took no part. */
    public int start(int group) {
      return end(group) < 0 ? -1 : slots[2 * group];
    }

    /** Where a group ends, or -1 if it took no part. */
    public int end(int group) {
      return slots[2 * group + 1];
    }

    /** How many capturing groups the pattern has. */
    public int groupCount() {
      return slots.length / 2 - 1;
    }

    /** The text of a group (0: the whole match), or null if it took no part. */
    public @Nullable String group(int number) {
      return end(number) < 0 ? null : text.substring(start(number), end(number));
    }
  }

  private final String pattern;
  private final Program program;

  private PyPattern(String pattern, Program program) {
    this.pattern = pattern;
    this.program = program;
  }

  /**
   * @throws PyPatternException if Python refuses the pattern
   */
  public static PyPattern compile(String pattern) {
    return compile(pattern, 0);
  }

  /**
   * @param flags a sum of the flags above
   * @throws PyPatternException if Python refuses the pattern
   */
  public static PyPattern compile(String pattern, int flags) {
    PatternParser parser = new PatternParser(pattern, flags);
    Node tree = parser.parse();
    return new PyPattern(pattern, Program.of(tree, parser.groupCount()));
  }

  /** {@code re.escape}: a pattern that matches the text itself. */
  public static String escape(String text) {
    StringBuilder out = new StringBuilder(text.length() + 8);
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if ("()[]{}?*+-|^$\\.&~# \t\n\r\u000B\f".indexOf(c) >= 0) {
        out.append('\\');
      }
      out.append(c);
    }
    return out.toString();
  }

  private Machine machine(CodePoints text) {
    return new Machine(
        program, pattern, text, BASE_STEPS + STEPS_PER_CHARACTER * (long) text.length());
  }

  /** {@code re.search}: whether there is a match anywhere. */
  public boolean find(CodePoints text) {
    return machine(text).search(0, false);
  }

  /** {@code re.search}: the first match, or null. */
  public @Nullable Match search(CodePoints text) {
    Machine machine = machine(text);
    return machine.search(0, false) ? new Match(text, machine.slots()) : null;
  }

  /** {@code re.match}: a match at the beginning, or null. */
  public @Nullable Match match(CodePoints text) {
    Machine machine = machine(text);
    return machine.matchAt(0) ? new Match(text, machine.slots()) : null;
  }

  /** {@code re.fullmatch}: a match of the whole text, or null. */
  public @Nullable Match fullMatch(CodePoints text) {
    Machine machine = machine(text);
    return machine.fullMatch() ? new Match(text, machine.slots()) : null;
  }

  /** {@code list(re.finditer(...))}: the matches from left to right, none overlapping another. */
  public List<Match> findAll(CodePoints text) {
    List<Match> matches = new ArrayList<>();
    Machine machine = machine(text);
    boolean wasEmpty = false;
    for (int from = 0; machine.search(from, wasEmpty); ) {
      Match match = new Match(text, machine.slots());
      matches.add(match);
      from = match.end();
      wasEmpty = match.start() == match.end();
    }
    return matches;
  }

  /** The texts of all matches; {@code re.findall} for a pattern without groups. */
  public List<String> findTexts(CodePoints text) {
    return findAll(text).stream().map(m -> text.substring(m.start(), m.end())).toList();
  }

  /** {@code len(re.findall(...))}. */
  public int count(CodePoints text) {
    int count = 0;
    Machine machine = machine(text);
    boolean wasEmpty = false;
    for (int from = 0; machine.search(from, wasEmpty); from = machine.end()) {
      count++;
      wasEmpty = machine.start() == machine.end();
    }
    return count;
  }

  /** {@code re.split}: the pieces between matches, and the groups of each match between them. */
  public List<@Nullable String> split(CodePoints text) {
    List<@Nullable String> pieces = new ArrayList<>();
    int from = 0;
    for (Match match : findAll(text)) {
      pieces.add(text.substring(from, match.start()));
      for (int group = 1; group < program.slots / 2; group++) {
        pieces.add(match.group(group));
      }
      from = match.end();
    }
    pieces.add(text.substring(from, text.length()));
    return pieces;
  }

  @Override
  public String toString() {
    return pattern;
  }
}
