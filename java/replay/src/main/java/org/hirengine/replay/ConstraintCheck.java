package org.hirengine.replay;

import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.hirengine.replay.Unchecked.Kind;
import org.hirengine.verify.ConstraintSpec;
import org.hirengine.verify.NotUnderstoodException;
import org.hirengine.verify.Verifiers;
import org.hirengine.verify.judge.ModelJudge;

/**
 * Finds constraints that can never get a verdict, before anything is verified, and counts them by
 * kind. All verifying commands use it, so that they report the same for the same row.
 */
public final class ConstraintCheck {

  private final Verifiers verifiers;
  private final Map<Kind, Count> counts = new EnumMap<>(Kind.class);

  /** How many there are of a kind, and the first one. */
  private static final class Count {
    private int constraints;
    private int rows;
    private String first = "";
  }

  public ConstraintCheck(Verifiers verifiers) {
    this.verifiers = verifiers;
  }

  /**
   * Examines a row and counts what it finds, including constraints that no rule understands but
   * whose reference verdict counts.
   *
   * @param place the row's file and line; empty if only the id identifies the row
   * @param row the row's id
   * @return those of its constraints that can never get a verdict
   */
  public List<Unchecked> examine(String place, String row, List<ConstraintSpec> constraints) {
    List<Unchecked> found = new ArrayList<>(0);
    List<Unchecked> doubtful = new ArrayList<>(0);
    for (int i = 0; i < constraints.size(); i++) {
      ConstraintSpec spec = constraints.get(i);
      int number = i + 1;
      try {
        verifiers
            .parse(spec)
            .unread()
            .ifPresent(
                why ->
                    doubtful.add(new Unchecked(place, row, number, spec.id(), Kind.UNREAD, why)));
      } catch (NotUnderstoodException e) {
        String why = String.valueOf(e.getMessage());
        found.add(new Unchecked(place, row, number, spec.id(), Kind.UNREAD, why));
      } catch (IllegalArgumentException e) {
        String reason =
            kind(spec) == Kind.PYTHON
                ? "only Python source that comes with the row could check it"
                : String.valueOf(e.getMessage());
        found.add(new Unchecked(place, row, number, spec.id(), kind(spec), reason));
      }
    }
    for (Kind kind : Kind.values()) {
      count(
          kind,
          Stream.concat(found.stream(), doubtful.stream())
              .filter(each -> each.kind() == kind)
              .toList());
    }
    return found;
  }

  private Kind kind(ConstraintSpec spec) {
    if (spec.id().equals(HirRow.PYTHON)) {
      return Kind.PYTHON;
    }
    if (verifiers.type(spec.bench(), spec.id()).isPresent()) {
      return Kind.BAD_KWARGS;
    }
    return spec.bench().equals(ModelJudge.BENCH) && spec.id().equals(ModelJudge.CRITERION)
        ? Kind.NO_JUDGE
        : Kind.UNKNOWN_TYPE;
  }

  private void count(Kind kind, Collection<Unchecked> found) {
    if (!found.isEmpty()) {
      Count count = counts.computeIfAbsent(kind, k -> new Count());
      count.first = count.rows == 0 ? found.iterator().next().describe() : count.first;
      count.rows++;
      count.constraints += found.size();
    }
  }

  /** One line for each kind that was found: how many, in how many rows, and the first. */
  public List<String> warnings() {
    List<String> warnings = new ArrayList<>();
    counts.forEach(
        (kind, count) ->
            warnings.add(
                Unchecked.count(kind, count.constraints)
                    + " in "
                    + count.rows
                    + (count.rows == 1 ? " row: " : " rows, the first: ")
                    + count.first));
    return warnings;
  }
}
