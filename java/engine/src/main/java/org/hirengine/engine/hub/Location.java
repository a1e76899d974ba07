package org.hirengine.engine.hub;

import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The location of a model or a data file: a path on this machine, or a Hub name. {@link Hub#find}
 * gives a name its path.
 */
public final class Location {

  private final @Nullable HubName name;
  private final @Nullable Path local;

  private Location(@Nullable HubName name, @Nullable Path local) {
    this.name = name;
    this.local = local;
  }

  /** What a location refers to. */
  public enum Kind {
    /** A folder or a .gguf file, or a model's name on the Hub. */
    MODEL,
    /** A file, or {@code hf://datasets/OWNER/NAME/FILE}. */
    FILE
  }

  /** A path on this machine. */
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
   * Parses a text.
   *
   * <p>An existing path is a path, whatever it looks like. Otherwise only a text that begins with
   * {@code hf://} or, for a model, has the form {@code OWNER/NAME} is a Hub name. Nothing that
   * looks like a path is ever sent to the Hub: no absolute or longer path, no name with ".." or a
   * backslash, nothing below a folder that exists here.
   *
   * @param folder what a relative path is relative to
   * @throws IllegalArgumentException saying what is wrong and how to correct it
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

  /**
   * The text that {@link #parse} reads: a Hub name stays a name even after its files were found.
   */
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
