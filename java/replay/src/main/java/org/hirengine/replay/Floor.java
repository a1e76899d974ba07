package org.hirengine.replay;

import java.util.List;
import java.util.Set;
import org.hirengine.verify.Response;

/**
 * What a replay must be, besides a success, to be trained on.
 *
 * <p>A replay counts as a success whatever the response says. A policy trained on runs of markup,
 * which satisfy most constraints, ends up writing nothing else; and one trained on goals with words
 * from a confused answer learns that the answer was good.
 */
public enum Floor {
  /** Anything, as in the paper. */
  NONE(Set.of()),

  /**
   * At least half letters and digits, and long texts do not repeat themselves. A new constraint
   * must be one that a quarter of the other responses to the instruction fail, if there are others.
   */
  PROSE(Set.of(Flaw.EMPTY, Flaw.MARKUP, Flaw.REPETITION)),

  /**
   * Prose with a word of the request, or in another script than the request's. Words that a new
   * constraint takes from the response must be words of the request, or of another response to it.
   */
  TOPIC(Set.of(Flaw.values()));

  private final Set<Flaw> refused;

  Floor(Set<Flaw> refused) {
    this.refused = refused;
  }

  /**
   * Whether {@code response} may be replayed.
   *
   * @param question the request without its constraints
   */
  public boolean admits(String question, Response response) {
    return Flaw.of(question, response).filter(refused::contains).isEmpty();
  }

  /**
   * True where a new constraint may ask for these words and phrases of a response.
   *
   * @param topic of the request and of other responses to it
   */
  boolean admitsWords(Topic topic, List<String> words) {
    return this != TOPIC || words.stream().allMatch(word -> topic.touches(Topic.of(word)));
  }
}
