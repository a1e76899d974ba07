package org.hirengine.verify.rule;

import java.util.random.RandomGenerator;
import org.hirengine.verify.Verdict;

/**
 * How a count must compare with the number asked for: the two relations that the references know.
 */
public enum Relation {
  LESS_THAN("less than"),
  AT_LEAST("at least");

  private final String text;

  Relation(String text) {
    this.text = text;
  }

  /** As the kwargs spell it. */
  public String text() {
    return text;
  }

  public boolean holds(long count, long asked) {
    return this == LESS_THAN ? count < asked : count >= asked;
  }

  /** "fewer than 5" or "at least 5". */
  public String phrase(long asked) {
    return (this == LESS_THAN ? "fewer than " : "at least ") + asked;
  }

  /** Satisfied or not, with a reason such as "keyword 'sea' found 1 time, at least 2 asked". */
  Verdict found(String what, long count, long asked) {
    return Verdict.of(
        holds(count, asked),
        what + " found " + Wording.count(count, "time") + ", " + phrase(asked) + " asked");
  }

  /** "Use X at least once.", "Use X fewer than 3 times.", "Do not use X." */
  String use(String what, long asked) {
    if (this == LESS_THAN && asked == 1) {
      return "Do not use " + what + ".";
    }
    return "Use "
        + what
        + " "
        + (asked == 1 ? "at least once" : phrase(asked) + " " + Wording.plural(asked, "time"))
        + ".";
  }

  /** A number near {@code count} that {@code count} satisfies: up to 4 away from the tightest. */
  public int achieved(long count, RandomGenerator random) {
    int slack = random.nextInt(5);
    long asked =
        this == LESS_THAN ? count + 1 + slack : Math.max(Math.min(count, 1), count - slack);
    return (int) Math.min(asked, Integer.MAX_VALUE);
  }

  /** One of the two, with equal probability. */
  public static Relation sample(RandomGenerator random) {
    return random.nextBoolean() ? AT_LEAST : LESS_THAN;
  }
}
