package org.hirengine.replay;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import org.hirengine.verify.ConstraintSpec;
import org.hirengine.verify.Verifiers;
import org.hirengine.verify.judge.ModelJudge;

/**
 * What a data set holds, and how much of it can be checked.
 *
 * @param rows good rows by layout and source, such as {@code "hir-16k type1"}
 * @param bad rows set aside
 * @param bare places of rows without constraints
 * @param verified constraints that a rule verifies
 * @param judged constraints that only a judge can decide
 * @param judge whether there is a judge
 * @param unverified constraints that neither a rule nor a judge can decide, by "bench/id"
 * @param unchecked constraints that can never get a verdict here, in the data's order
 * @param checkable rows in which every constraint can get a verdict
 * @param partly rows in which at least one can
 * @param warnings what cannot be checked, one line per kind
 */
public record Coverage(
    SortedMap<String, Integer> rows,
    int bad,
    List<String> bare,
    int verified,
    int judged,
    boolean judge,
    SortedMap<String, Integer> unverified,
    List<Unchecked> unchecked,
    int checkable,
    int partly,
    List<String> warnings) {

  private static final int LINES = 12;

  public Coverage {
    rows = Collections.unmodifiableSortedMap(new TreeMap<>(rows));
    bare = List.copyOf(bare);
    unverified = Collections.unmodifiableSortedMap(new TreeMap<>(unverified));
    unchecked = List.copyOf(unchecked);
    warnings = List.copyOf(warnings);
  }

  /** Counts the rows that were read. */
  public static Coverage of(InstructionReader.Result data, Verifiers verifiers) {
    ConstraintCheck check = new ConstraintCheck(verifiers);
    int verified = 0;
    int judged = 0;
    int checkable = 0;
    int partly = 0;
    List<String> bare = new ArrayList<>();
    SortedMap<String, Integer> unverified = new TreeMap<>();
    List<Unchecked> unchecked = new ArrayList<>();
    for (int i = 0; i < data.instructions().size(); i++) {
      Instruction instruction = data.instructions().get(i);
      List<ConstraintSpec> constraints = instruction.constraints();
      if (constraints.isEmpty()) {
        bare.add(data.place(i));
        continue;
      }
      List<Unchecked> found = check.examine(data.place(i), instruction.id(), constraints);
      unchecked.addAll(found);
      checkable += found.isEmpty() ? 1 : 0;
      partly += found.size() < constraints.size() ? 1 : 0;
      Set<Integer> without = new HashSet<>();
      for (Unchecked each : found) {
        if (each.isOfTheData()) {
          without.add(each.number());
          String bench = constraints.get(each.number() - 1).bench();
          unverified.merge(bench + "/" + each.id(), 1, Integer::sum);
        }
      }
      for (int n = 1; n <= constraints.size(); n++) {
        if (!without.contains(n)) {
          boolean ofJudge = constraints.get(n - 1).bench().equals(ModelJudge.BENCH);
          judged += ofJudge ? 1 : 0;
          verified += ofJudge ? 0 : 1;
        }
      }
    }
    return new Coverage(
        data.rows(),
        data.bad().size(),
        bare,
        verified,
        judged,
        !verifiers.types(ModelJudge.BENCH).isEmpty(),
        unverified,
        unchecked,
        checkable,
        partly,
        check.warnings());
  }

  /** The summary as lines of text. */
  public List<String> lines() {
    List<String> lines = new ArrayList<>();
    int all = rows.values().stream().mapToInt(Integer::intValue).sum();
    lines.add(
        "rows: "
            + all
            + " ("
            + largest(rows)
            + ")"
            + (bad > 0 ? ", bad: " + bad : "")
            + (bare.isEmpty() ? "" : ", without constraints: " + bare.size()));
    int none = unverified.values().stream().mapToInt(Integer::intValue).sum();
    lines.add(
        "constraints: "
            + verified
            + " with a verifier, "
            + judged
            + " for a judge"
            + (judged > 0 && !judge
                ? " (none is set: give "
                    + ModelJudge.URL_VARIABLE
                    + " and "
                    + ModelJudge.MODEL_VARIABLE
                    + ")"
                : "")
            + ", "
            + none
            + " with neither"
            + (none > 0 ? " in " + rowsWithout() + " rows: " + largest(unverified) : ""));
    return lines;
  }

  private long rowsWithout() {
    return unchecked.stream()
        .filter(Unchecked::isOfTheData)
        .map(Unchecked::place)
        .distinct()
        .count();
  }

  private static String largest(SortedMap<String, Integer> counts) {
    List<String> names = new ArrayList<>();
    counts.entrySet().stream()
        .sorted(Map.Entry.comparingByValue(Comparator.reverseOrder()))
        .limit(LINES)
        .forEach(entry -> names.add(entry.getKey() + " " + entry.getValue()));
    if (counts.size() > LINES) {
      names.add((counts.size() - LINES) + " others");
    }
    return String.join(", ", names);
  }
}
