package org.hirengine.engine.runtime;

import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.management.ObjectName;

/** Memory of this process outside the Java heap. */
public final class NativeMemory {

  private static final Pattern RANGE =
      Pattern.compile("\\[0x([0-9a-f]+), ?0x([0-9a-f]+), ?0x([0-9a-f]+)\\)");
  private static final Pattern MAPPING = Pattern.compile("^([0-9a-f]+)-([0-9a-f]+) .*");

  private NativeMemory() {}

  /** Resident bytes of all mappings except the Java heap, whose size says nothing about leaks. */
  public static long residentBytes() throws Exception {
    long heapStart = Long.MAX_VALUE;
    long heapEnd = 0;
    String heap =
        (String)
            ManagementFactory.getPlatformMBeanServer()
                .invoke(
                    new ObjectName("com.sun.management:type=DiagnosticCommand"),
                    "gcHeapInfo",
                    new Object[] {},
                    new String[] {});
    for (Matcher range = RANGE.matcher(heap); range.find(); ) {
      heapStart = Math.min(heapStart, Long.parseLong(range.group(1), 16));
      heapEnd = Math.max(heapEnd, Long.parseLong(range.group(3), 16));
    }
    long total = 0;
    boolean counted = false;
    for (String line : Files.readAllLines(Path.of("/proc/self/smaps"))) {
      Matcher mapping = MAPPING.matcher(line);
      if (mapping.matches()) {
        long start = Long.parseUnsignedLong(mapping.group(1), 16);
        counted = Long.compareUnsigned(start, heapStart) < 0 || start >= heapEnd;
      } else if (counted && line.startsWith("Rss:")) {
        total += 1024 * Long.parseLong(line.replaceAll("\\D", ""));
      }
    }
    return total;
  }
}
