package org.hirengine.engine.hub;

/** A Hub name cannot be resolved: what is wrong, and what to do about it. */
public final class HubException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  private final String remedy;
  private final boolean unreachable;

  private HubException(String message, String remedy, boolean unreachable) {
    super(message);
    this.remedy = remedy;
    this.unreachable = unreachable;
  }

  HubException(String message, String remedy) {
    this(message, remedy, false);
  }

  /** The Hub could not be reached, or the connection broke. */
  static HubException unreachable(String message, String remedy) {
    return new HubException(message, remedy, true);
  }

  /** What to do about it, as one sentence. */
  public String remedy() {
    return remedy;
  }

  /** Whether the same request may succeed later. */
  boolean unreachable() {
    return unreachable;
  }
}
