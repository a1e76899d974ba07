package org.hirengine.engine.runs;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * {@code metrics.jsonl}: one JSON object per step, appended.
 *
 * <p>Each line goes to the operating system in one write, so it survives any end of the process;
 * {@link #sync} forces the file to disk and must precede a valid checkpoint, so that a checkpoint
 * never covers steps that a power cut removed from the log. A kill in the middle of a write can
 * leave an incomplete last line: opening removes it, reading skips it.
 */
public final class MetricsLog implements AutoCloseable {

  private static final ObjectMapper MAPPER = new ObjectMapper();
  private static final String REMEDY = "free disk space, then continue with --resume";

  private final Path file;
  // Not a channel, because an interrupt of the writing thread would close it.
  private final RandomAccessFile out;
  private int lastStep;

  private MetricsLog(Path file, RandomAccessFile out, int lastStep) {
    this.file = file;
    this.out = out;
    this.lastStep = lastStep;
  }

  /** A step and where its line ends. */
  private record Line(StepMetrics metrics, long end) {}

  /**
   * Opens or creates {@code file} for appending.
   *
   * @throws RunException when it cannot be written, or holds a broken line before its last one
   */
  public static MetricsLog open(Path file) {
    try {
      RandomAccessFile out = new RandomAccessFile(file.toFile(), "rw");
      try {
        List<Line> lines = lines(file);
        MetricsLog log = new MetricsLog(file, out, Integer.MIN_VALUE);
        log.cut(lines, Integer.MAX_VALUE);
        return log;
      } catch (IOException | RuntimeException e) {
        out.close();
        throw e;
      }
    } catch (IOException e) {
      throw RunException.io("open", file, e, "choose another 'out'");
    }
  }

  /** Drops the lines of steps after {@code step}: those that a resumed run repeats. */
  public void truncateAfter(int step) {
    try {
      cut(lines(file), step);
    } catch (IOException e) {
      throw RunException.io("truncate", file, e, REMEDY);
    }
  }

  private void cut(List<Line> lines, int lastKept) throws IOException {
    long end = 0;
    lastStep = Integer.MIN_VALUE;
    for (Line line : lines) {
      if (line.metrics.step() <= lastKept) {
        end = line.end;
        lastStep = line.metrics.step();
      }
    }
    out.setLength(end);
    out.seek(end);
  }

  /**
   * Appends a step.
   *
   * @throws IllegalArgumentException when the step does not come after the last one
   * @throws RunException when the file cannot be written
   */
  public void append(StepMetrics metrics) {
    if (metrics.step() <= lastStep) {
      throw new IllegalArgumentException(
          "step " + metrics.step() + " does not come after step " + lastStep + " of " + file);
    }
    try {
      out.write((metrics.toJson() + "\n").getBytes(StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw RunException.io("write", file, e, REMEDY);
    }
    lastStep = metrics.step();
  }

  /** Forces all lines to disk. */
  public void sync() {
    try {
      out.getFD().sync();
    } catch (IOException e) {
      throw RunException.io("write", file, e, REMEDY);
    }
  }

  /** Forces all lines to disk and closes the file. */
  @Override
  public void close() {
    try (out) {
      out.getFD().sync();
    } catch (IOException e) {
      throw RunException.io("write", file, e, REMEDY);
    }
  }

  /**
   * All steps of a file, without an incomplete last line; none if the file does not exist.
   *
   * @throws RunException naming the line that is broken
   */
  public static List<StepMetrics> read(Path file) {
    if (!Files.exists(file)) {
      return List.of();
    }
    try {
      return lines(file).stream().map(Line::metrics).toList();
    } catch (IOException e) {
      throw RunException.io("read", file, e, "check the path");
    }
  }

  private static List<Line> lines(Path file) throws IOException {
    byte[] bytes = Files.readAllBytes(file);
    List<Line> lines = new ArrayList<>();
    int start = 0;
    for (int end = 0; end < bytes.length; end++) {
      if (bytes[end] == '\n') {
        String text = new String(bytes, start, end - start, StandardCharsets.UTF_8);
        StepMetrics metrics;
        try {
          metrics = parse(text, file, lines.size() + 1);
        } catch (RunException e) {
          if (end + 1 == bytes.length) {
            return lines; // cut off by a power cut: its length was stored, but not all of its bytes
          }
          throw e;
        }
        if (!lines.isEmpty() && metrics.step() <= lines.get(lines.size() - 1).metrics.step()) {
          throw broken(file, lines.size() + 1, "its step does not come after the one above");
        }
        lines.add(new Line(metrics, end + 1L));
        start = end + 1;
      }
    }
    return lines; // what follows the last line break is incomplete
  }

  private static StepMetrics parse(String text, Path file, int number) {
    try {
      return StepMetrics.of(MAPPER.readTree(text));
    } catch (JsonProcessingException e) {
      throw broken(file, number, "it is not JSON: " + e.getOriginalMessage());
    } catch (IllegalArgumentException e) {
      throw broken(file, number, "it " + e.getMessage());
    }
  }

  private static RunException broken(Path file, int number, String why) {
    return new RunException(
        file + ":" + number + " is not a step's metrics: " + why,
        "restore the file, or delete the line");
  }
}
