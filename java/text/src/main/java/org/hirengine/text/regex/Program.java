package org.hirengine.text.regex;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.hirengine.text.regex.Node.Repeat;
import org.jspecify.annotations.Nullable;

/**
 * A pattern as instructions for {@link Machine}: an opcode and its operands, one after another in
 * {@link #code}.
 */
final class Program {

  /** The match ends here. */
  static final int MATCH = 0;

  /** ONE set: one character out of a set. */
  static final int ONE = 1;

  /** CHAR c folded: this character, in the folded text if folded is 1. */
  static final int CHAR = 2;

  /** SPLIT second: continue; on failure at second. */
  static final int SPLIT = 3;

  /** JUMP target. */
  static final int JUMP = 4;

  /** SAVE slot: position into a group's slot. */
  static final int SAVE = 5;

  /** AT anchor: zero-width assertion. */
  static final int AT = 6;

  /** RUN set min max kind: a repeated single character. */
  static final int RUN = 7;

  /** LOOP_START register: a counted loop begins. */
  static final int LOOP_START = 8;

  /** LOOP register min max lazy exit: body follows, and ends with a jump back here. */
  static final int LOOP = 9;

  /** LOOK width negative exit: body follows; width characters back, or -1 for ahead. */
  static final int LOOK = 10;

  /** ATOMIC exit: body follows. */
  static final int ATOMIC = 11;

  /** BACK_REFERENCE group folded. */
  static final int BACK_REFERENCE = 12;

  /** CONDITIONAL group no: continue if the group took part, else at no. */
  static final int CONDITIONAL = 13;

  final int[] code;
  final CharSet[] sets;
  final int slots;
  final int registers;
  final boolean folds;

  /** The characters that a match can begin with; null if a match may be empty. */
  final @Nullable FirstChars first;

  private Program(Builder builder, int groups, @Nullable FirstChars first) {
    this.code = Arrays.copyOf(builder.code, builder.size);
    this.sets = builder.sets.toArray(CharSet[]::new);
    this.registers = builder.registers;
    this.folds = builder.folds;
    this.slots = 2 * (groups + 1);
    this.first = first;
  }

  static Program of(Node node, int groups) {
    Builder builder = new Builder();
    builder.emit(node);
    builder.add(MATCH);
    return new Program(builder, groups, FirstChars.of(node));
  }

  private static final class Builder {
    private int[] code = new int[32];
    private int size;
    private int registers;
    private boolean folds;
    private final List<CharSet> sets = new ArrayList<>();

    /** Appends instruction words; returns the index of the last one. */
    int add(int... words) {
      if (size + words.length > code.length) {
        code = Arrays.copyOf(code, 2 * (size + words.length));
      }
      System.arraycopy(words, 0, code, size, words.length);
      size += words.length;
      return size - 1;
    }

    int set(CharSet set) {
      folds |= set.ignoreCase();
      sets.add(set);
      return sets.size() - 1;
    }

    void emit(Node node) {
      if (node instanceof Node.One one) {
        int single = one.set().single();
        if (single >= 0) {
          folds |= one.set().ignoreCase();
          add(CHAR, single, one.set().ignoreCase() ? 1 : 0);
        } else {
          add(ONE, set(one.set()));
        }
      } else if (node instanceof Node.Sequence sequence) {
        sequence.items().forEach(this::emit);
      } else if (node instanceof Node.Branch branch) {
        emitBranch(branch.options());
      } else if (node instanceof Node.Group group) {
        add(SAVE, 2 * group.number());
        emit(group.body());
        add(SAVE, 2 * group.number() + 1);
      } else if (node instanceof Repeat repeat) {
        emitRepeat(repeat);
      } else if (node instanceof Node.Atomic atomic) {
        emitAtomic(atomic.body());
      } else if (node instanceof Node.Look look) {
        int width = look.ahead() ? -1 : (int) look.body().width()[0];
        int exit = add(LOOK, width, look.negative() ? 1 : 0, 0);
        emit(look.body());
        add(MATCH);
        code[exit] = size;
      } else if (node instanceof Node.BackReference reference) {
        folds |= reference.ignoreCase();
        add(BACK_REFERENCE, reference.group(), reference.ignoreCase() ? 1 : 0);
      } else if (node instanceof Node.Conditional conditional) {
        int no = add(CONDITIONAL, conditional.group(), 0);
        emit(conditional.yes());
        int end = add(JUMP, 0);
        code[no] = size;
        emit(conditional.no());
        code[end] = size;
      } else if (node instanceof Node.At at) {
        add(AT, at.anchor().ordinal());
      }
    }

    private void emitBranch(List<Node> options) {
      List<Integer> ends = new ArrayList<>();
      for (int i = 0; i < options.size(); i++) {
        boolean last = i == options.size() - 1;
        int second = last ? -1 : add(SPLIT, 0);
        emit(options.get(i));
        if (!last) {
          ends.add(add(JUMP, 0));
          code[second] = size;
        }
      }
      for (int end : ends) {
        code[end] = size;
      }
    }

    private void emitRepeat(Repeat repeat) {
      if (repeat.body() instanceof Node.One one) {
        add(RUN, set(one.set()), repeat.min(), repeat.max(), repeat.kind().ordinal());
        return;
      }
      if (repeat.kind() == Repeat.Kind.POSSESSIVE) {
        emitAtomic(new Repeat(repeat.body(), repeat.min(), repeat.max(), Repeat.Kind.GREEDY));
        return;
      }
      int register = registers++;
      add(LOOP_START, register);
      int loop = size;
      int lazy = repeat.kind() == Repeat.Kind.LAZY ? 1 : 0;
      int exit = add(LOOP, register, repeat.min(), repeat.max(), lazy, 0);
      emit(repeat.body());
      add(JUMP, loop);
      code[exit] = size;
    }

    private void emitAtomic(Node body) {
      int exit = add(ATOMIC, 0);
      emit(body);
      add(MATCH);
      code[exit] = size;
    }
  }
}
