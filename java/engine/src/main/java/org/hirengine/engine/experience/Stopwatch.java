package org.hirengine.engine.experience;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.util.EnumMap;
import java.util.Map;

/** Wall time of a step's parts and processor time of the whole, in seconds. Not thread-safe. */
public final class Stopwatch {

  public enum Part {
    ROLLOUT,
    VERIFY,
    LOGPROB,
    UPDATE
  }

  private static final OperatingSystemMXBean SYSTEM =
      ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);

  private final Map<Part, Double> seconds = new EnumMap<>(Part.class);
  private final long cpuBefore = SYSTEM.getProcessCpuTime();

  /** Processor time of all threads of the process since this watch was made. */
  public double cpuSeconds() {
    return (SYSTEM.getProcessCpuTime() - cpuBefore) / 1e9;
  }

  public double seconds(Part part) {
    return seconds.getOrDefault(part, 0.0);
  }

  /** Adds the time since {@code started}, a {@link System#nanoTime}. */
  public void add(Part part, long started) {
    add(part, started, System.nanoTime());
  }

  void add(Part part, long started, long ended) {
    seconds.merge(part, (ended - started) / 1e9, Double::sum);
  }
}
