package org.hirengine.engine.hub;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Stream;

/**
 * The folder of one repository in the cache, with huggingface_hub's layout, so that Python tools
 * and this engine share every file:
 *
 * <pre>
 * models--OWNER--NAME/refs/REVISION              the commit that a branch or tag stood for
 *                    /blobs/ETAG                 contents, named by git's or LFS's hash
 *                    /snapshots/COMMIT/FILE      links to blobs (copies if links are not possible)
 *                    /.no_exist/COMMIT/FILE      empty: the commit has no such file
 * .locks/models--OWNER--NAME/ETAG.lock           held while a blob is fetched
 * </pre>
 *
 * <p>The lock holds off other processes of this engine. Python's tools lock the same file, but with
 * flock, which on Linux does not conflict with Java's locks. So the lock does not protect the two
 * from each other; instead, a download has a name that only this engine uses, and becomes a blob by
 * one rename once it is complete and checked.
 */
final class HubCache {

  /** Locks between threads: the operating system's locks belong to the whole process. */
  private static final Map<Path, ReentrantLock> IN_PROCESS = new ConcurrentHashMap<>();

  private final Path folder;
  private final Path locks;
  private final boolean links;

  HubCache(HubSettings settings, HubName name) {
    String own = name.kind().plural + "--" + name.repository().replace("/", "--");
    folder = settings.cache().resolve(own);
    locks = settings.cache().resolve(".locks").resolve(own);
    links = settings.links();
  }

  /** The folder, for messages. */
  Path folder() {
    return folder;
  }

  /** The commit that a revision stood for when it was last fetched. */
  Optional<String> commit(HubName name) {
    String revision = name.revisionOrMain();
    if (HubName.isCommit(revision)) {
      return Optional.of(revision);
    }
    Path ref = folder.resolve("refs").resolve(revision);
    if (!Files.isRegularFile(ref)) {
      return Optional.empty();
    }
    try {
      return Optional.of(Files.readString(ref).strip()).filter(HubName::isCommit);
    } catch (IOException e) {
      throw broken("read", ref, e);
    }
  }

  /** Records the commit that a revision stands for. */
  void remember(HubName name, String commit) throws IOException {
    if (commit(name).equals(Optional.of(commit))) {
      return;
    }
    Path ref = folder.resolve("refs").resolve(name.revisionOrMain());
    Files.createDirectories(ref.getParent());
    Path draft = aside(ref, ".tmp");
    Files.writeString(draft, commit);
    Files.move(draft, ref, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }

  /** The folder of a commit's files. */
  Path snapshot(String commit) {
    return folder.resolve("snapshots").resolve(commit);
  }

  /** The path of a file of a commit, whether it exists or not. */
  Path file(String commit, String file) {
    return snapshot(commit).resolve(file);
  }

  /** Whether a file of a commit exists. */
  boolean has(String commit, String file) {
    return Files.isRegularFile(file(commit, file));
  }

  /** Whether the cache has recorded that a commit lacks this file. */
  boolean lacks(String commit, String file) {
    return Files.exists(absence(commit, file));
  }

  private Path absence(String commit, String file) {
    return folder.resolve(".no_exist").resolve(commit).resolve(file);
  }

  /** Records that a commit lacks this file. */
  void rememberAbsence(String commit, String file) throws IOException {
    Path mark = absence(commit, file);
    try {
      Files.createDirectories(mark.getParent());
      Files.createFile(mark);
    } catch (FileAlreadyExistsException e) {
      // already recorded
    }
  }

  /** Existing files of a commit, by their paths in the repository. */
  List<String> files(String commit) {
    Path snapshot = snapshot(commit);
    if (!Files.isDirectory(snapshot)) {
      return List.of();
    }
    List<String> files = new ArrayList<>();
    try (Stream<Path> all = Files.walk(snapshot)) {
      all.filter(Files::isRegularFile)
          .forEach(file -> files.add(snapshot.relativize(file).toString().replace('\\', '/')));
    } catch (IOException e) {
      throw broken("read", snapshot, e);
    }
    return files;
  }

  /** The path of a blob. */
  Path blob(String etag) {
    return folder.resolve("blobs").resolve(etag);
  }

  /** The path of a download; its folder exists. */
  Path partial(String etag) throws IOException {
    return Files.createDirectories(folder.resolve("blobs")).resolve(etag + ".hir.incomplete");
  }

  /** An action under a lock. */
  interface Work {
    void run() throws IOException;
  }

  /**
   * Runs an action that only one process at a time may do for a blob.
   *
   * @param waiting called when another process holds the lock
   */
  void locked(String etag, Runnable waiting, Work work) throws IOException {
    Path file = locks.resolve(etag + ".lock");
    Files.createDirectories(locks);
    ReentrantLock own = IN_PROCESS.computeIfAbsent(file, path -> new ReentrantLock());
    own.lock();
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
      if (channel.tryLock() == null) {
        waiting.run();
        channel.lock(); // released with the channel
      }
      work.run();
    } finally {
      own.unlock();
    }
  }

  /**
   * Adds a blob to a commit as a file.
   *
   * @param fresh whether no other commit can have the blob, so that it may be moved
   */
  void publish(String etag, String commit, String file, boolean fresh) throws IOException {
    Path blob = blob(etag);
    Path target = file(commit, file);
    Files.createDirectories(target.getParent());
    Path draft = aside(blob, ".incomplete");
    try {
      if (!links) {
        throw new UnsupportedOperationException("links are switched off");
      }
      // created under another name and moved, so that it replaces a link to a missing blob
      Files.createSymbolicLink(draft, target.getParent().relativize(blob));
    } catch (UnsupportedOperationException | FileSystemException e) {
      if (fresh) {
        Files.move(blob, draft, StandardCopyOption.ATOMIC_MOVE);
      } else {
        Files.copy(blob, draft);
      }
    }
    Files.move(draft, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }

  private static Path aside(Path file, String suffix) {
    String unique = UUID.randomUUID().toString().substring(0, 8);
    return file.resolveSibling(file.getFileName() + "." + unique + suffix);
  }

  /** Explains an error of the file system to the user. */
  static HubException broken(String doing, Path file, IOException e) {
    String reason =
        e instanceof FileSystemException f && f.getReason() != null ? f.getReason() : null;
    String why =
        reason != null
            ? reason
            : e instanceof java.nio.file.AccessDeniedException
                ? "permission denied"
                : e instanceof FileSystemException
                    ? e.getClass().getSimpleName()
                    : String.valueOf(e.getMessage());
    return new HubException(
        "cannot " + doing + " " + file + ": " + why,
        "make room or change the permissions there, or set HF_HUB_CACHE to another folder");
  }
}
