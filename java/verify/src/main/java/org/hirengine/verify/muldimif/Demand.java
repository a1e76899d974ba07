package org.hirengine.verify.muldimif;

import java.util.List;
import org.hirengine.text.CodePoints;
import org.hirengine.text.PyText;
import org.hirengine.text.regex.PyPattern;
import org.jspecify.annotations.Nullable;

/** A constraint's sentence, as written and in lower case. */
final class Demand {

  private final String text;
  private final String lower;
  private final CodePoints points;

  Demand(String text) {
    this.text = text;
    this.lower = PyText.lower(text);
    this.points = CodePoints.of(text);
  }

  /** The sentence as written. */
  String text() {
    return text;
  }

  /** The sentence in lower case. */
  String lower() {
    return lower;
  }

  /** A demand whose sentence is this one in lower case. */
  Demand inLower() {
    return new Demand(lower);
  }

  /** Whether the sentence is exactly one of these. */
  boolean is(String... sentences) {
    return List.of(sentences).contains(text);
  }

  /** Whether the sentence contains any of these pieces, given in lower case. */
  boolean says(String... pieces) {
    for (String piece : pieces) {
      if (lower.contains(piece)) {
        return true;
      }
    }
    return false;
  }

  /** Whether the sentence, as written, matches anywhere. */
  boolean says(PyPattern pattern) {
    return pattern.find(points);
  }

  /** The first match in the sentence as it was written, or null. */
  PyPattern.@Nullable Match match(PyPattern pattern) {
    return pattern.search(points);
  }

  /** All matches in the sentence as it was written. */
  List<PyPattern.Match> matches(PyPattern pattern) {
    return pattern.findAll(points);
  }
}
