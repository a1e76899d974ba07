package org.hirengine.cli;

import java.io.Console;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import org.jspecify.annotations.Nullable;

/**
 * Progress of a long command: a progress bar on a terminal, occasional plain lines where the output
 * goes to a file. Safe for use by any number of threads.
 */
final class ProgressLine implements AutoCloseable {

  /** The total of a task of unknown size. */
  static final long UNKNOWN = 0;

  /** Shortest time between two plain lines; longer for long tasks. */
  private static final Duration INTERVAL = Duration.ofSeconds(5);

  private static final Duration LONGEST_INTERVAL = Duration.ofSeconds(60);

  /** A task that is shown only if it is not short starts to show after this delay. */
  private static final Duration PATIENCE = Duration.ofMillis(500);

  private static final int WIDE = 100;

  private final String task;
  private final long first;
  private final long total;
  private final PrintWriter err;
  private final boolean interactive;
  private final boolean silentWhenShort;
  private final long start = System.nanoTime();
  private final Thread atExit = new Thread(this::close, "hir-progress-end");
  private long lastLine;
  private boolean closed;
  private @Nullable ProgressBar bar;
  private volatile State state;

  /**
   * What is shown: the whole task, its current part, and further fields.
   *
   * @param share of the whole task that is done, 0 to 1; NaN if unknown
   */
  private record State(long done, double share, String part, List<String> fields) {

    List<String> details() {
      List<String> details = new ArrayList<>();
      if (!part.isEmpty()) {
        details.add(part);
      }
      details.addAll(fields);
      return details;
    }
  }

  private ProgressLine(
      String task, long first, long total, PrintWriter err, boolean interactive, boolean silent) {
    this.task = task;
    this.first = first;
    this.total = total;
    this.err = err;
    this.interactive = interactive;
    this.silentWhenShort = silent;
    this.lastLine = silent ? start : start - INTERVAL.toNanos();
    this.state = new State(first, share(first), "", List.of());
    if (interactive) {
      // Otherwise the shell's prompt would follow the bar on its line after Ctrl-C.
      Runtime.getRuntime().addShutdownHook(atExit);
      if (!silent) {
        showBar();
      }
    }
  }

  /**
   * Begins.
   *
   * @param task what is under way
   * @param first how much was done before, in a resumed run
   * @param total how much there is in all, or {@link #UNKNOWN}
   * @param err where plain lines go
   */
  static ProgressLine of(String task, long first, long total, PrintWriter err) {
    return new ProgressLine(task, first, total, err, interactive(), false);
  }

  /** Starts a task that shows nothing if it is done in a moment. */
  static ProgressLine ofLong(String task, long first, long total, PrintWriter err) {
    return new ProgressLine(task, first, total, err, interactive(), true);
  }

  /** True on a terminal: input and output are one, and it can move its cursor. */
  private static boolean interactive() {
    return isTerminal(System.console()) && !"dumb".equals(System.getenv("TERM"));
  }

  /** From Java 22 on there is always a console, which reports whether it is a terminal. */
  private static boolean isTerminal(@Nullable Console console) {
    try {
      return console != null && (boolean) Console.class.getMethod("isTerminal").invoke(console);
    } catch (NoSuchMethodException e) {
      return true;
    } catch (ReflectiveOperationException e) {
      return false;
    }
  }

  private void showBar() {
    bar =
        new ProgressBarBuilder()
            .setTaskName(task)
            .startsFrom(first, Duration.ZERO)
            .setInitialMax(total == UNKNOWN ? -1 : total)
            .setUpdateIntervalMillis(200)
            .setRenderer((progress, width) -> rendered(width))
            // redraws its own line alone, so that say() can write above it
            .setConsumer(new ConsoleProgressBarConsumer(System.err))
            .build();
  }

  private String rendered(int width) {
    State shown = state;
    return render(task, count(shown.done), shown.share, timeLeft(shown), shown.details(), width);
  }

  private String count(long done) {
    return total == UNKNOWN ? "" + done : done + "/" + total;
  }

  private double share(long done) {
    return total == UNKNOWN ? Double.NaN : (double) done / total;
  }

  /**
   * One line of at most {@code width} characters. What does not fit is left out whole: first the
   * last of the details, and the bar before the time that is left.
   *
   * @param share of the task that is done, which the bar shows; NaN shows none
   * @param timeLeft may be empty
   * @param details the most important one first
   */
  static String render(
      String task, String done, double share, String timeLeft, List<String> details, int width) {
    String count = task + " " + done;
    int size = width >= WIDE ? 20 : 10;
    boolean time = !timeLeft.isEmpty() && count.length() + 2 + timeLeft.length() <= width;
    int used = count.length() + (time ? 2 + timeLeft.length() : 0);
    StringBuilder line = new StringBuilder(count);
    if (!Double.isNaN(share) && used + size + 4 <= width) {
      used += size + 4;
      int filled = (int) Math.max(0, Math.min(size, size * share));
      line.append("  [").append("=".repeat(filled)).append(" ".repeat(size - filled)).append(']');
    }
    if (time) {
      line.append("  ").append(timeLeft);
    }
    for (String detail : details) {
      used += 2 + detail.length();
      if (used > width) {
        break;
      }
      line.append("  ").append(detail);
    }
    return line.length() > width ? line.substring(0, Math.max(0, width)) : line.toString();
  }

  /**
   * Shows that {@code done} of the total is done.
   *
   * @param fields further figures, the most important one first; empty ones are ignored
   */
  void to(long done, String... fields) {
    to(done, share(done), fields);
  }

  /**
   * Shows that {@code done} are done of a task of unknown size.
   *
   * @param share of the task that this is, 0 to 1; NaN if unknown
   */
  synchronized void to(long done, double share, String... fields) {
    List<String> shown = Stream.of(fields).filter(field -> !field.isEmpty()).toList();
    show(new State(done, share, "", shown), total != UNKNOWN && done >= total, lastLine);
  }

  /** Shows the progress of the current step; the figures of the last one stay. */
  synchronized void within(String part, long done, long of) {
    State last = state;
    String shown = part + " " + done + "/" + of;
    show(new State(last.done, last.share, shown, last.fields), false, Math.max(lastLine, start));
  }

  /**
   * @param lineBefore when a plain line was shown, or as if it had been
   */
  private synchronized void show(State next, boolean last, long lineBefore) {
    state = next;
    long now = System.nanoTime();
    long elapsed = now - start;
    if (interactive) {
      if (bar == null && !closed && elapsed > PATIENCE.toNanos()) {
        showBar();
      }
      if (bar != null) {
        bar.stepTo(next.done);
      }
      return;
    }
    long interval =
        Math.max(INTERVAL.toNanos(), Math.min(LONGEST_INTERVAL.toNanos(), elapsed / 20));
    boolean due = now - lineBefore >= interval;
    boolean worthAnEnd = last && (!silentWhenShort || lastLine != start);
    if (due || worthAnEnd) {
      lastLine = now;
      String left = last ? "" : timeLeft(next);
      err.println(
          task
              + " "
              + count(next.done)
              + (left.isEmpty() ? "" : " (" + left + ")")
              + (next.details().isEmpty() ? "" : "  " + String.join("  ", next.details())));
      err.flush();
    }
  }

  /** How long the rest takes at the speed so far; empty if unknown. */
  private String timeLeft(State now) {
    double before = total == UNKNOWN ? 0 : share(first);
    if (Double.isNaN(now.share) || now.share <= before || now.share >= 1) {
      return "";
    }
    double elapsed = (System.nanoTime() - start) / 1e9;
    return duration(elapsed / (now.share - before) * (1 - now.share)) + " left";
  }

  /** Items per second since the start, with their unit; empty at the start. */
  String rate(long count, String unit) {
    double seconds = (System.nanoTime() - start) / 1e9;
    if (count <= 0 || seconds <= 0) {
      return "";
    }
    double rate = count / seconds;
    return String.format(Locale.ROOT, rate < 10 ? "%.1f %s/s" : "%.0f %s/s", rate, unit);
  }

  static String duration(double seconds) {
    if (seconds < 100) {
      return String.format(Locale.ROOT, "%.0f s", seconds);
    }
    long minutes = Math.round(seconds / 60);
    return minutes < 100 ? minutes + " min" : minutes / 60 + " h " + minutes % 60 + " min";
  }

  /** Shows a line that stays; the bar is drawn again below it. */
  synchronized void say(String line) {
    // one print, which the bar's own thread cannot break up
    err.print((bar == null || closed ? "" : "\r\033[K") + line + System.lineSeparator());
    err.flush();
  }

  @Override
  public synchronized void close() {
    if (closed) {
      return;
    }
    closed = true;
    if (bar != null) {
      bar.close();
    }
    if (interactive && Thread.currentThread() != atExit) {
      try {
        Runtime.getRuntime().removeShutdownHook(atExit);
      } catch (IllegalStateException ending) {
        // the process is ending, and the bar has ended
      }
    }
  }
}
