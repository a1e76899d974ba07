package org.hirengine.engine.config;

import java.time.Clock;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.format.DateTimeParseException;
import java.time.temporal.ChronoUnit;
import org.jspecify.annotations.Nullable;

/**
 * The fixed date and time that a run's chat template sees. With a running clock a prompt would
 * change at midnight, and a resumed run would differ.
 */
public final class ChatClock {

  private ChatClock() {}

  /** Refuses what is no local date and time; null is none. */
  static void check(String key, @Nullable String now) {
    try {
      if (now != null) {
        LocalDateTime.parse(now);
      }
    } catch (DateTimeParseException e) {
      throw new IllegalArgumentException(
          key + " must be a local date and time, such as 2026-01-31T12:00, not " + now, e);
    }
  }

  /** This moment, to the second, as the keys take it. */
  public static String now() {
    return LocalDateTime.now(ZoneId.systemDefault()).truncatedTo(ChronoUnit.SECONDS).toString();
  }

  /** A clock stopped at a moment. */
  public static Clock at(String now) {
    ZoneId zone = ZoneId.systemDefault();
    return Clock.fixed(LocalDateTime.parse(now).atZone(zone).toInstant(), zone);
  }
}
