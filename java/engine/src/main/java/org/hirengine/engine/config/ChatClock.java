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

  /** Refuses anything but a local date and time, or null for none. */
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

  /** The current time, to the second, in the form that the keys take. */
  public static String now() {
    return LocalDateTime.now(ZoneId.systemDefault()).truncatedTo(ChronoUnit.SECONDS).toString();
  }

  /** A clock stopped at a moment. */
  public static Clock at(String now) {
    ZoneId zone = ZoneId.systemDefault();
    return Clock.fixed(LocalDateTime.parse(now).atZone(zone).toInstant(), zone);
  }
}
