package org.hirengine.engine.hub;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Resolves Hugging Face Hub names: from this machine's cache, shared with Python's tools, or else
 * from the Hub.
 *
 * <p>{@link #find} asks the Hub only for what the cache lacks, so that later runs need no network
 * and their files do not change; {@link #fetch} asks for the newest commit. Not safe for use by
 * several threads at once.
 */
public final class Hub {

  private final HubSettings settings;
  private final HubListener listener;
  private final Patience patience;
  private @Nullable HubClient client;

  /**
   * @param listener receives download events
   */
  public Hub(HubSettings settings, HubListener listener) {
    this(settings, listener, Patience.STANDARD);
  }

  Hub(HubSettings settings, HubListener listener, Patience patience) {
    this.settings = settings;
    this.listener = listener;
    this.patience = patience;
  }

  /** The Hub described by this process's environment variables. */
  public static Hub standard() {
    return new Hub(HubSettings.ofThisProcess(), HubListener.NONE);
  }

  /**
   * Gives a location its path; a local path is unchanged.
   *
   * @return the same with a path, and a name's commit in place of its revision
   * @throws HubException when the name cannot be resolved
   */
  public Location find(Location location) {
    if (location.isFound()) {
      return location;
    }
    HubName name = location.name().orElseThrow();
    HubCache cache = new HubCache(settings, name);
    Optional<Location> cached = cached(cache, name, true);
    if (cached.isPresent()) {
      return cached.get();
    }
    try {
      return fetch(name);
    } catch (HubException e) {
      Optional<Location> usable = e.unreachable() ? cached(cache, name, false) : Optional.empty();
      if (usable.isEmpty()) {
        throw e;
      }
      listener.note(e.getMessage() + "; using what the cache has of it");
      return usable.get();
    }
  }

  /**
   * Updates the cache from the Hub. A commit that it already has needs no request, and offline the
   * cache is used as it is.
   *
   * @throws HubException when the Hub does not provide it
   */
  public Location fetch(HubName name) {
    HubCache cache = new HubCache(settings, name);
    boolean offline = settings.offline();
    if (name.pinned() || offline) {
      Optional<Location> cached = cached(cache, name, !offline);
      if (cached.isPresent()) {
        return cached.get();
      }
    }
    if (offline) {
      throw new HubException(
          name + " is not in the cache " + settings.cache() + ", and HF_HUB_OFFLINE is set",
          "unset HF_HUB_OFFLINE, or fetch it where there is a network: hir fetch " + name);
    }
    try (ProcessEnd end = new ProcessEnd()) {
      return name.file() != null ? file(cache, name) : model(cache, name);
    } catch (IOException e) {
      if (Thread.currentThread().isInterrupted()) {
        throw Patience.interrupted();
      }
      throw HubCache.broken("write", cache.folder(), e);
    }
  }

  /**
   * What the cache has.
   *
   * @param whole whether it must be certain that nothing is missing; otherwise the files that a
   *     model requires are enough
   */
  private static Optional<Location> cached(HubCache cache, HubName name, boolean whole) {
    Optional<String> known = cache.commit(name);
    if (known.isEmpty()) {
      return Optional.empty();
    }
    String commit = known.get();
    HubName pinned = name.at(commit);
    String file = name.file();
    if (file != null) {
      return cache.has(commit, file)
          ? Optional.of(Location.found(pinned, cache.file(commit, file)))
          : Optional.empty();
    }
    List<String> files = cache.files(commit);
    boolean folder =
        files.contains(NeededFiles.CONFIG)
            && (files.contains(NeededFiles.WEIGHTS)
                || (NeededFiles.isSharded(files)
                    && files.containsAll(
                        NeededFiles.shards(cache.file(commit, NeededFiles.INDEX)))));
    if (folder) {
      boolean complete =
          NeededFiles.COMPANIONS.stream()
                  .allMatch(each -> files.contains(each) || cache.lacks(commit, each))
              && (cache.lacks(commit, NeededFiles.TEMPLATES)
                  || files.stream().anyMatch(NeededFiles::isTemplate));
      return complete || !whole
          ? Optional.of(Location.found(pinned, cache.snapshot(commit)))
          : Optional.empty();
    }
    List<String> gguf = NeededFiles.gguf(files);
    boolean alone = gguf.size() == 1 && !files.contains(NeededFiles.CONFIG);
    return alone && (!whole || cache.lacks(commit, NeededFiles.CONFIG))
        ? Optional.of(Location.found(pinned.withFile(gguf.get(0)), cache.file(commit, gguf.get(0))))
        : Optional.empty();
  }

  /**
   * Records a revision's commit and the files it lacks, so that the Hub is not asked again. Does
   * nothing in a read-only cache.
   */
  private void remember(HubCache cache, HubName name, String commit, Collection<String> absent) {
    try {
      for (String file : absent) {
        cache.rememberAbsence(commit, file);
      }
      cache.remember(name, commit);
    } catch (IOException e) {
      listener.note(HubCache.broken("write", cache.folder(), e).getMessage());
    }
  }

  private Location file(HubCache cache, HubName name) throws IOException {
    String commit = client().look(name).commit();
    HubName pinned = name.at(commit);
    String file = Objects.requireNonNull(name.file());
    get(cache, pinned, Set.of(file));
    remember(cache, name, commit, Set.of());
    return Location.found(pinned, cache.file(commit, file));
  }

  private Location model(HubCache cache, HubName name) throws IOException {
    HubClient.Listing listing = client().list(name);
    String commit = listing.commit();
    HubName pinned = name.at(commit);
    Collection<String> files = listing.files();
    boolean sharded = NeededFiles.isSharded(files);
    boolean folder =
        files.contains(NeededFiles.CONFIG) && (sharded || files.contains(NeededFiles.WEIGHTS));
    if (!folder) {
      String gguf = NeededFiles.onlyGguf(pinned, files);
      Location fetched = file(cache, pinned.withFile(gguf));
      boolean bare = !files.contains(NeededFiles.CONFIG);
      remember(cache, name, commit, bare ? Set.of(NeededFiles.CONFIG) : Set.of());
      return fetched;
    }
    Set<String> wanted = new LinkedHashSet<>(List.of(NeededFiles.CONFIG));
    NeededFiles.COMPANIONS.stream().filter(files::contains).forEach(wanted::add);
    files.stream().filter(NeededFiles::isTemplate).sorted().forEach(wanted::add);
    if (sharded) {
      get(cache, pinned, Set.of(NeededFiles.INDEX));
      wanted.add(NeededFiles.INDEX);
      wanted.addAll(NeededFiles.shards(cache.file(commit, NeededFiles.INDEX)));
    } else {
      wanted.add(NeededFiles.WEIGHTS);
    }
    get(cache, pinned, wanted);
    Set<String> absent = new LinkedHashSet<>(NeededFiles.COMPANIONS);
    if (files.stream().noneMatch(NeededFiles::isTemplate)) {
      absent.add(NeededFiles.TEMPLATES);
    }
    absent.removeAll(files);
    remember(cache, name, commit, absent);
    return Location.found(pinned, cache.snapshot(commit));
  }

  /** Downloads files of a commit into the cache. */
  private void get(HubCache cache, HubName pinned, Collection<String> files) throws IOException {
    Map<String, HubClient.Meta> missing = new LinkedHashMap<>();
    String commit = pinned.revisionOrMain();
    long total = 0;
    for (String file : files) {
      if (!HubName.isSafe(file)) {
        throw new HubException(
            pinned.repository() + " holds a file with an unsafe name", "choose another one");
      }
      if (!cache.has(commit, file)) {
        HubClient.Meta meta = client().look(pinned.withFile(file));
        missing.put(file, meta);
        total += Math.max(0, meta.size());
      }
    }
    long done = 0;
    for (Map.Entry<String, HubClient.Meta> each : missing.entrySet()) {
      HubClient.Meta meta = each.getValue();
      long before = done;
      long all = total;
      get(
          cache,
          pinned.withFile(each.getKey()),
          meta,
          bytes ->
              listener.progress(
                  pinned, each.getKey(), before + bytes, Math.max(all, before + bytes)));
      done += Math.max(0, meta.size());
    }
    if (total > 0) {
      listener.progress(pinned, "", total, total);
    }
  }

  private void get(HubCache cache, HubName name, HubClient.Meta meta, LongConsumer progress)
      throws IOException {
    String file = Objects.requireNonNull(name.file());
    String commit = name.revisionOrMain();
    cache.locked(
        meta.etag(),
        () -> listener.note("waiting for another process that fetches " + name),
        () -> {
          if (cache.has(commit, file)) {
            return;
          }
          Path blob = cache.blob(meta.etag());
          boolean fresh = !isWhole(blob, meta);
          if (fresh) {
            download(cache, name, meta, progress);
          }
          cache.publish(meta.etag(), commit, file, fresh);
        });
  }

  private static boolean isWhole(Path blob, HubClient.Meta meta) throws IOException {
    return Files.isRegularFile(blob) && (meta.size() < 0 || Files.size(blob) == meta.size());
  }

  private void download(HubCache cache, HubName name, HubClient.Meta meta, LongConsumer progress)
      throws IOException {
    Path partial = cache.partial(meta.etag());
    long have = Files.exists(partial) ? Files.size(partial) : 0;
    long room = Files.getFileStore(partial.getParent()).getUsableSpace();
    if (meta.size() - have > room) {
      throw new HubException(
          String.format(
              Locale.ROOT,
              "%s needs %.1f GiB, and %s has %.1f GiB left",
              name,
              gib(meta.size() - have),
              partial.getParent(),
              gib(room)),
          "make room, or set HF_HUB_CACHE to a folder that has it");
    }
    client().download(name, meta, partial, progress);
    boolean right = ContentHash.matches(partial, meta.etag());
    if (!right && have > 0) { // the part left by an earlier try may be wrong
      Files.delete(partial);
      client().download(name, meta, partial, progress);
      right = ContentHash.matches(partial, meta.etag());
    }
    if (!right) {
      Files.delete(partial);
      throw new HubException(
          name + " arrived with another content than its hash says",
          "try again; if this persists, check whether a proxy changes what is downloaded");
    }
    try (FileChannel channel = FileChannel.open(partial, StandardOpenOption.WRITE)) {
      channel.force(true); // else a power cut could leave a complete name with partial content
    }
    Files.move(
        partial,
        cache.blob(meta.etag()),
        StandardCopyOption.ATOMIC_MOVE,
        StandardCopyOption.REPLACE_EXISTING);
  }

  private static double gib(long bytes) {
    return bytes / (double) (1L << 30);
  }

  private HubClient client() {
    if (client == null) {
      client = new HubClient(settings, patience);
    }
    return client;
  }
}
