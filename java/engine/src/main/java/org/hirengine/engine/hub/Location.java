package org.hirengine.engine.hub;

import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Where a model or a data file is: a path on this machine, or a name of the Hub. {@link Hub#find}
 * gives a name its path.
 */
public final class Location {

  private final @Nullable HubName name;
  private final @Nullable Path local;

  private Location(@Nullable HubName name, @Nullable Path local) {
    this.name = name;
    this.local = local;
  }

  /** What a text may name. */
  public enum Kind {
    /** A folder or a .gguf file, or a model's name on the Hub. */
    MODEL,
    /** A file, or {@code hf://datasets/OWNER/NAME/FILE}. */
    FILE
  }

  /** A path of this machine. */
  public static Location of(Path path) {
    return new Location(null, path);
  }

  /** A name that has not been resolved. */
  public static Location of(HubName name) {
    return new Location(name, null);
  }

  /** A resolved name and its path. */
  static Location found(HubName name, Path local) {
    return new Location(name, local);
  }

  /**
   * Reads a text.
   *
   * <p>What exists as a path is a path, whatever it looks like. Of the rest, only what begins with
   * {@code hf://} or, for a model, has the form {@code OWNER/NAME} is a name of the Hub; nothing
   * that looks like a path is ever sent there: no absolute or longer path, no name with ".." or a
   * backslash, nothing below a folder that exists here.
   *
   * @param folder what a relative path is relative to
   * @throws IllegalArgumentException saying what is wrong and what would be right
   */
  public static Location parse(String text, Path folder, Kind kind) {
    if (text.startsWith(HubName.SCHEME)) {
      return of(kind == Kind.MODEL ? HubName.model(text) : HubName.file(text));
    }
    if (text.startsWith("https://") || text.startsWith("http://")) {
      throw new IllegalArgumentException(
          text
              + " is an address; "
              + (kind == Kind.MODEL
                  ? "write a model of the Hub as OWNER/NAME"
                  : "download the file, or write a file of the Hub as"
                      + " hf://datasets/OWNER/NAME/FILE"));
    }
    Path path;
    try {
      path = folder.resolve(text).normalize();
    } catch (InvalidPathException e) {
      throw new IllegalArgumentException("\"" + text + "\" is not a path: " + e.getReason(), e);
    }
    return kind == Kind.MODEL
            && HubName.looksLikeModel(text)
            && !Files.exists(path)
            && !Files.exists(folder.resolve(text.substring(0, text.indexOf('/'))))
        ? of(HubName.model(text))
        : of(path);
  }

  /** The name on the Hub; empty for a path. */
  public Optional<HubName> name() {
    return Optional.ofNullable(name);
  }

  /** Whether there is a path to it. */
  boolean isFound() {
    return local != null;
  }

  /**
   * The path on this machine.
   *
   * @throws IllegalStateException when it is a name that has not been resolved
   */
  public Path path() {
    if (local == null) {
      throw new IllegalStateException(name + " was not looked up; see Hub.find");
    }
    return local;
  }

  /** The text that {@link #parse} reads: a name of the Hub stays one, wherever its files are. */
  @Override
  public String toString() {
    return String.valueOf(name == null ? local : name);
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof Location that
        && Objects.equals(name, that.name)
        && Objects.equals(local, that.local);
  }

  @Override
  public int hashCode() {
    return Objects.hash(name, local);
  }
}
