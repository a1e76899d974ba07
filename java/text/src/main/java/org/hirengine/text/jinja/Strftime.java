package org.hirengine.text.jinja;

import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoField;
import java.time.temporal.IsoFields;
import java.util.Locale;

/** Dates as C's strftime writes them in the C locale; {@code %-d} drops the padding. */
final class Strftime {

  private Strftime() {}

  static String format(String format, LocalDateTime time) {
    StringBuilder out = new StringBuilder();
    for (int i = 0; i < format.length(); i++) {
      char c = format.charAt(i);
      if (c != '%' || i + 1 == format.length()) {
        out.append(c);
        continue;
      }
      boolean bare = format.charAt(i + 1) == '-' && i + 2 < format.length();
      i += bare ? 2 : 1;
      String text = directive(format.charAt(i), time);
      out.append(bare ? text.replaceFirst("^[0 ]+(?=.)", "") : text);
    }
    return out.toString();
  }

  private static String directive(char directive, LocalDateTime time) {
    return switch (directive) {
      case 'a' -> pattern("EEE", time);
      case 'A' -> pattern("EEEE", time);
      case 'b', 'h' -> pattern("MMM", time);
      case 'B' -> pattern("MMMM", time);
      case 'c' -> format("%a %b %e %H:%M:%S %Y", time);
      case 'C' -> String.format("%02d", time.getYear() / 100);
      case 'd' -> pattern("dd", time);
      case 'D', 'x' -> pattern("MM/dd/yy", time);
      case 'e' -> String.format("%2d", time.getDayOfMonth());
      case 'f' -> String.format("%06d", time.get(ChronoField.MICRO_OF_SECOND));
      case 'F' -> pattern("yyyy-MM-dd", time);
      case 'G' -> Integer.toString(time.get(IsoFields.WEEK_BASED_YEAR));
      case 'H' -> pattern("HH", time);
      case 'I' -> pattern("hh", time);
      case 'j' -> pattern("DDD", time);
      case 'm' -> pattern("MM", time);
      case 'M' -> pattern("mm", time);
      case 'n' -> "\n";
      case 'p' -> time.getHour() < 12 ? "AM" : "PM";
      case 'R' -> pattern("HH:mm", time);
      case 'S' -> pattern("ss", time);
      case 't' -> "\t";
      case 'T', 'X' -> pattern("HH:mm:ss", time);
      case 'u' -> Integer.toString(time.get(ChronoField.DAY_OF_WEEK));
      case 'V' -> String.format("%02d", time.get(IsoFields.WEEK_OF_WEEK_BASED_YEAR));
      case 'w' -> Integer.toString(time.get(ChronoField.DAY_OF_WEEK) % 7);
      case 'y' -> pattern("yy", time);
      case 'Y' -> Integer.toString(time.getYear());
      // The time has no zone, as in transformers.
      case 'z', 'Z' -> "";
      case '%' -> "%";
      default -> throw RenderError.unsupported("the date format '%" + directive + "'");
    };
  }

  private static String pattern(String pattern, LocalDateTime time) {
    return DateTimeFormatter.ofPattern(pattern, Locale.ENGLISH).format(time);
  }
}
