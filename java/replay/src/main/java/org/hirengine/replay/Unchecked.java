package org.hirengine.replay;

import com.fasterxml.jackson.annotation.JsonIgnore;

/**
 * A constraint of a data set that can never get a verdict here.
 *
 * @param place its row's file and line; empty if only the id identifies the row
 * @param row the row's id
 * @param number its place among the row's constraints, from 1
 * @param id its type's id
 * @param kind why it cannot be checked
 * @param reason why, in the verifier's words, which name the kwarg at fault and what it may be
 */
public record Unchecked(String place, String row, int number, String id, Kind kind, String reason) {

  /** Why a constraint cannot be checked. */
  public enum Kind {
    /** Its benchmark or its id is unknown. */
    UNKNOWN_TYPE("of an unknown type"),
    /** Its kwargs are missing, empty, out of range or of the wrong type. */
    BAD_KWARGS("with kwargs that cannot be used"),
    /** No rule understands its words. */
    UNREAD("in words that no rule understands"),
    /** It comes with Python source, which is never run. */
    PYTHON("with a Python checker, which is never run"),
    /** A judge would decide it, and none is set. */
    NO_JUDGE("for a judge, and none is set");

    private final String phrase;

    Kind(String phrase) {
      this.phrase = phrase;
    }
  }

  /** Whether the data are at fault, so that no setting can change it. */
  @JsonIgnore
  public boolean isOfTheData() {
    return kind != Kind.NO_JUDGE;
  }

  /** Everything as one line, for people. */
  public String describe() {
    String why = reason.startsWith(id + ": ") ? reason.substring(id.length() + 2) : reason;
    return (place.isEmpty() ? "" : place + ": ")
        + "row '"
        + row
        + "', constraint "
        + number
        + " ("
        + id
        + "): "
        + why;
  }

  /** "3 constraints with kwargs that cannot be used". */
  static String count(Kind kind, int constraints) {
    return constraints + " constraint" + (constraints == 1 ? " " : "s ") + kind.phrase;
  }
}
