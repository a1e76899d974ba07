package org.hirengine.engine.runs;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * RUN_DIR: the folder that one training run writes, held by one trainer at a time.
 *
 * <p>The lock is an operating system lock on {@code .lock}, so it ends with the process in any
 * case; the file itself stays. Deleting it between two runs would let two trainers each lock a file
 * of that name.
 */
public final class RunFolder implements AutoCloseable {

  /** What to do with a folder that is not empty. */
  public enum Existing {
    /** An error. */
    REFUSE,
    /** Continue the run in it; a missing or empty folder starts a new one. */
    RESUME,
    /** Delete the run in it and start a new one; a file that no run wrote is an error. */
    OVERWRITE
  }

  /** Name of the file of the resolved configuration. */
  public static final String CONFIG = "config.yaml";

  static final String METRICS = "metrics.jsonl";
  static final String SUMMARY = "summary.json";
  static final String REPORT = "report.html";

  /** Name of the file of lines of data that were skipped, with reasons. */
  public static final String BAD_ROWS = "bad_rows.jsonl";

  static final String ROLLOUTS = "rollouts";
  static final String CHECKPOINTS = "checkpoints";
  static final String RANKS = "ranks";
  private static final String LOCK = ".lock";

  private static final Set<String> OWN =
      Set.of(CONFIG, METRICS, SUMMARY, REPORT, BAD_ROWS, ROLLOUTS, CHECKPOINTS, RANKS);
  private static final List<String> EVIDENCE = List.of(CONFIG, METRICS, CHECKPOINTS, SUMMARY);

  private final Path path;
  private final @Nullable RandomAccessFile lockFile;
  private final @Nullable FileLock lock;
  private final boolean resumed;

  private RunFolder(
      Path path, @Nullable RandomAccessFile lockFile, @Nullable FileLock lock, boolean resumed) {
    this.path = path;
    this.lockFile = lockFile;
    this.lock = lock;
    this.resumed = resumed;
  }

  /**
   * Creates or takes over {@code path} and locks it.
   *
   * @throws RunException when the folder holds something that {@code existing} does not allow, is
   *     in use, or cannot be written; it is then unchanged
   */
  public static RunFolder open(Path path, Existing existing) {
    try {
      Files.createDirectories(path);
      check(path, existing);
      return locked(path, existing);
    } catch (IOException e) {
      throw RunException.io("create run folder", path, e, "choose another 'out'");
    }
  }

  /**
   * The folder of a run that another of its processes writes: nothing is written through this
   * object.
   */
  public static RunFolder writtenByAnother(Path path) {
    return new RunFolder(path, null, null, false);
  }

  private static RunFolder locked(Path path, Existing existing) throws IOException {
    RandomAccessFile lockFile = new RandomAccessFile(path.resolve(LOCK).toFile(), "rw");
    try {
      FileLock lock = tryLock(lockFile);
      if (lock == null) {
        throw new RunException(
            path + " is in use by " + holder(lockFile),
            "wait for that run to end, or choose another 'out'");
      }
      // Checked again under the lock: another trainer may have run in between.
      check(path, existing);
      if (existing == Existing.OVERWRITE) {
        deleteRun(path);
      }
      boolean resumed = !isEmpty(path);
      String holder = "process " + ProcessHandle.current().pid();
      lockFile.setLength(0);
      lockFile.write(holder.getBytes(StandardCharsets.UTF_8));
      Files.createDirectories(path.resolve(ROLLOUTS));
      Files.createDirectories(path.resolve(CHECKPOINTS));
      return new RunFolder(path, lockFile, lock, resumed);
    } catch (IOException | RuntimeException e) {
      lockFile.close();
      throw e;
    }
  }

  private static @Nullable FileLock tryLock(RandomAccessFile file) throws IOException {
    try {
      return file.getChannel().tryLock();
    } catch (OverlappingFileLockException e) {
      return null; // held by this process
    }
  }

  private static String holder(RandomAccessFile lockFile) throws IOException {
    byte[] text = new byte[64];
    int length = Math.max(0, lockFile.read(text));
    String holder = new String(text, 0, length, StandardCharsets.UTF_8);
    return holder.isBlank() ? "another trainer" : holder;
  }

  private static void check(Path path, Existing existing) throws IOException {
    if (isEmpty(path)) {
      return;
    }
    if (existing == Existing.REFUSE) {
      throw new RunException(
          "run folder " + path + " is not empty",
          "continue that run with --resume, delete it with --overwrite, or choose another 'out'");
    }
    try (Stream<Path> entries = Files.list(path)) {
      String foreign =
          entries
              .map(entry -> entry.getFileName().toString())
              .filter(name -> !isOwn(name))
              .sorted()
              .findFirst()
              .orElse(null);
      if (foreign != null && existing == Existing.OVERWRITE) {
        throw new RunException(
            path + " holds '" + foreign + "', which no run wrote; it is not deleted",
            "move it away, or choose another 'out'");
      }
    }
    if (EVIDENCE.stream().noneMatch(name -> Files.exists(path.resolve(name)))) {
      throw new RunException(
          path + " is not a run folder: it has none of " + String.join(", ", EVIDENCE),
          "choose another 'out'");
    }
  }

  private static boolean isOwn(String name) {
    String finished =
        name.endsWith(AtomicFile.SUFFIX)
            ? name.substring(0, name.length() - AtomicFile.SUFFIX.length())
            : name;
    return OWN.contains(finished) || name.equals(LOCK) || TensorBoardEvents.isEventFile(name);
  }

  /**
   * Whether there is nothing but a lock, the empty folders that opening creates, and ranks' logs.
   */
  private static boolean isEmpty(Path path) throws IOException {
    try (Stream<Path> entries = Files.list(path)) {
      for (Path entry : (Iterable<Path>) entries::iterator) {
        String name = entry.getFileName().toString();
        boolean hollow =
            name.equals(LOCK)
                || name.equals(RANKS)
                || ((name.equals(ROLLOUTS) || name.equals(CHECKPOINTS)) && isHollow(entry));
        if (!hollow) {
          return false;
        }
      }
      return true;
    }
  }

  private static boolean isHollow(Path folder) throws IOException {
    if (!Files.isDirectory(folder)) {
      return false;
    }
    try (Stream<Path> entries = Files.list(folder)) {
      return entries.findAny().isEmpty();
    }
  }

  /** Deletes what a run wrote; links are deleted as links. */
  private static void deleteRun(Path path) throws IOException {
    List<Path> entries;
    try (Stream<Path> list = Files.list(path)) {
      entries = list.filter(entry -> !entry.getFileName().toString().equals(LOCK)).toList();
    }
    for (Path entry : entries) {
      Files.walkFileTree(
          entry,
          new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
                throws IOException {
              Files.delete(file);
              return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path folder, @Nullable IOException failure)
                throws IOException {
              if (failure != null) {
                throw failure;
              }
              Files.delete(folder);
              return FileVisitResult.CONTINUE;
            }
          });
    }
  }

  /** The folder itself. */
  public Path path() {
    return path;
  }

  /** Whether this process writes the folder. */
  public boolean writes() {
    return lock != null;
  }

  /** Whether the folder held a run that is to be continued. */
  public boolean resumed() {
    return resumed;
  }

  /** Writes {@code config.yaml}, the resolved configuration. */
  public void writeConfig(String yaml) {
    if (writes()) {
      AtomicFile.writeDurably(path.resolve(CONFIG), yaml);
    }
  }

  /** Writes {@code summary.json}. */
  public void writeSummary(Summary summary) {
    if (writes()) {
      AtomicFile.writeDurably(path.resolve(SUMMARY), summary.toJson() + "\n");
    }
  }

  /** The resolved configuration. */
  public Path config() {
    return path.resolve(CONFIG);
  }

  /** One JSON object a step. */
  public Path metrics() {
    return path.resolve(METRICS);
  }

  /** Folder of {@code step-N.jsonl}. */
  public Path rollouts() {
    return path.resolve(ROLLOUTS);
  }

  /** Folder of {@code step-N/}. */
  public Path checkpoints() {
    return path.resolve(CHECKPOINTS);
  }

  /** Folder of {@code rank-N.log}: the output of ranks other than the first. */
  public Path ranks() {
    return path.resolve(RANKS);
  }

  /** Lines of data that were skipped, with reasons. */
  public Path badRows() {
    return path.resolve(BAD_ROWS);
  }

  /** Unlocks the folder. */
  @Override
  public void close() {
    if (lock == null || lockFile == null) {
      return;
    }
    try {
      lock.release();
      lockFile.close();
    } catch (IOException e) {
      throw RunException.io("release the lock of", path, e, "check the file system");
    }
  }
}
