package org.hirengine.verify.score;

/** A count of followed items among all items. */
public record Tally(int followed, int total) {

  static final Tally NONE = new Tally(0, 0);

  /** The share that was followed; 0 if there are no items. */
  public double rate() {
    return total == 0 ? 0 : (double) followed / total;
  }

  Tally plus(boolean one) {
    return new Tally(followed + (one ? 1 : 0), total + 1);
  }
}
