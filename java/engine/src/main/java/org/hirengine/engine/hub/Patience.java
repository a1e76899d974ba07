package org.hirengine.engine.hub;

import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import org.jspecify.annotations.Nullable;

/**
 * How long a request waits and how often it is retried.
 *
 * @param silence how long a server may send nothing
 * @param first the first wait between tries; each is twice the one before
 * @param sleeper does the waiting
 */
record Patience(Duration silence, Duration first, Sleeper sleeper) {

  static final Patience STANDARD =
      new Patience(
          Duration.ofSeconds(30), Duration.ofSeconds(1), time -> Thread.sleep(time.toMillis()));

  /** Tries without progress. */
  static final int TRIES = 5;

  /** Longer waits are left to the user. */
  private static final Duration LONGEST = Duration.ofMinutes(2);

  /** Waits; tests replace it. */
  interface Sleeper {
    void sleep(Duration time) throws InterruptedException;
  }

  /** Whether a request with this status is worth retrying. */
  static boolean isPassing(int status) {
    return status == 408 || status == 429 || status >= 500;
  }

  static HubException interrupted() {
    Thread.currentThread().interrupt();
    return new HubException(
        "the download was interrupted", "start it again; it continues where it stopped");
  }

  /** Starts a series of tries. */
  Tries tries(String what) {
    return new Tries(what);
  }

  /** The tries of one request. */
  final class Tries {
    private final String what;
    private int made = 1;
    private Duration wait = first;

    private Tries(String what) {
      this.what = what;
    }

    /**
     * Waits before the next try.
     *
     * @param retryAfter the wait that the server asked for, in seconds or as a date; null if none
     * @throws HubException when the tries are used up
     */
    void pause(String problem, @Nullable String retryAfter) {
      Duration asked = retryAfter == null ? Duration.ZERO : duration(retryAfter);
      if (asked.compareTo(LONGEST) > 0) {
        throw HubException.unreachable(
            what + ": the Hub asks to wait " + asked.toSeconds() + " seconds (" + problem + ")",
            "try again then; with HF_TOKEN set, the Hub allows more requests");
      }
      if (made == TRIES) {
        throw HubException.unreachable(
            what + ": gave up after " + TRIES + " tries: " + problem,
            "try again later; what has arrived is kept");
      }
      made++;
      try {
        sleeper.sleep(asked.compareTo(wait) > 0 ? asked : wait);
      } catch (InterruptedException e) {
        throw interrupted();
      }
      wait = wait.multipliedBy(2);
    }

    private static Duration duration(String retryAfter) {
      if (retryAfter.matches("\\d{1,9}")) {
        return Duration.ofSeconds(Long.parseLong(retryAfter));
      }
      try {
        Instant until =
            ZonedDateTime.parse(retryAfter, DateTimeFormatter.RFC_1123_DATE_TIME).toInstant();
        return Duration.between(Instant.now(), until);
      } catch (DateTimeParseException e) {
        return Duration.ZERO;
      }
    }
  }
}
