package org.hirengine.engine.hub;

import java.util.Arrays;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The name of a model or of a file on the Hub.
 *
 * <p>Models are written {@code OWNER/NAME}, {@code OWNER/NAME@REVISION}, and, for one of their
 * files, {@code OWNER/NAME:FILE.gguf} or {@code OWNER/NAME@REVISION:FILE.gguf}; {@code hf://} may
 * precede them. Files of data sets are written {@code hf://datasets/OWNER/NAME/FILE} or {@code
 * hf://datasets/OWNER/NAME@REVISION/FILE}, as in huggingface_hub's file system; a slash in such a
 * revision is {@code %2F}.
 *
 * @param kind model or data set
 * @param repository {@code OWNER/NAME}
 * @param revision branch, tag or commit; null is {@code main}
 * @param file path of one file in the repository; null is the model as a folder
 */
public record HubName(
    Kind kind, String repository, @Nullable String revision, @Nullable String file) {

  /** The kind of a repository. */
  public enum Kind {
    MODEL("models", ""),
    DATASET("datasets", "datasets/");

    /** The name in API addresses, and the prefix of folders in the cache. */
    final String plural;

    /** The path before the repository in addresses of pages and files. */
    final String prefix;

    Kind(String plural, String prefix) {
      this.plural = plural;
      this.prefix = prefix;
    }
  }

  /** The prefix that distinguishes an address from a path. */
  static final String SCHEME = "hf://";

  private static final String MAIN = "main";

  private static final Pattern COMMIT = Pattern.compile("[0-9a-f]{40}");

  /** The Hub's own rule; "--" and ".." are also refused, since the cache's folders use them. */
  private static final Pattern PART = Pattern.compile("[A-Za-z0-9_]([A-Za-z0-9._-]{0,94}\\w)?");

  private static final Pattern REVISION = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9._+-]*");

  /** Revisions with slashes that need no escape before a file. */
  private static final Pattern SPECIAL_REVISION =
      Pattern.compile("(refs/convert/\\w+|refs/pr/\\d+)(/.*)?");

  public HubName {
    String[] parts = repository.split("/", -1);
    if (parts.length != 2 || !Arrays.stream(parts).allMatch(HubName::isPart)) {
      throw new IllegalArgumentException(
          "\"" + repository + "\" is not a repository of the Hub; write OWNER/NAME");
    }
    if (revision != null
        && !Arrays.stream(revision.split("/", -1)).allMatch(HubName::isRevisionPart)) {
      throw new IllegalArgumentException(
          "\"" + revision + "\" is not a revision; name a branch, a tag or a commit");
    }
    if (file != null && !isSafe(file)) {
      throw new IllegalArgumentException(
          "\"" + file + "\" is not a file of a repository; write its path there, such as a/b.gguf");
    }
  }

  private static boolean isPart(String part) {
    return PART.matcher(part).matches()
        && !part.contains("--")
        && !part.contains("..")
        && !part.endsWith(".git");
  }

  private static boolean isRevisionPart(String part) {
    return REVISION.matcher(part).matches() && !part.contains("..") && !part.endsWith(".lock");
  }

  /**
   * Whether a path within a repository stays below it on every system: relative, with no ".", no
   * "..", no drive, no backslash and no control character.
   */
  static boolean isSafe(String path) {
    return path.chars().noneMatch(c -> c < ' ' || c == 127 || c == '\\' || c == ':')
        && Arrays.stream(path.split("/", -1))
            .noneMatch(part -> part.isBlank() || part.equals(".") || part.equals(".."));
  }

  static boolean isCommit(String revision) {
    return COMMIT.matcher(revision).matches();
  }

  /**
   * Parses the name of a model.
   *
   * @throws IllegalArgumentException saying what is wrong and how to correct it
   */
  public static HubName model(String text) {
    HubName name = text.startsWith(SCHEME) ? address(text) : plain(text);
    if (name.kind != Kind.MODEL) {
      throw new IllegalArgumentException(text + " is a data set; name a model: OWNER/NAME");
    }
    if (name.file != null && !name.file.endsWith(".gguf")) {
      throw new IllegalArgumentException(
          text + " names a file that is not a model; name a .gguf file, or only the repository");
    }
    return name;
  }

  /**
   * Parses the address of a file.
   *
   * @throws IllegalArgumentException saying what is wrong and how to correct it
   */
  public static HubName file(String text) {
    HubName name = address(text);
    if (name.file == null) {
      throw new IllegalArgumentException(
          text + " names no file; write " + SCHEME + "datasets/OWNER/NAME/FILE");
    }
    return name;
  }

  /** Whether {@link #model} would accept a text without {@code hf://}. */
  static boolean looksLikeModel(String text) {
    try {
      return !model(text).repository.endsWith(".gguf");
    } catch (IllegalArgumentException e) {
      return false;
    }
  }

  /** {@code OWNER/NAME[@REVISION][:FILE]}. */
  private static HubName plain(String text) {
    int colon = text.indexOf(':');
    String file = colon < 0 ? null : text.substring(colon + 1);
    String left = colon < 0 ? text : text.substring(0, colon);
    int at = left.indexOf('@');
    return at < 0
        ? new HubName(Kind.MODEL, left, null, file)
        : new HubName(Kind.MODEL, left.substring(0, at), left.substring(at + 1), file);
  }

  /** {@code hf://[datasets/|models/]OWNER/NAME[@REVISION][/FILE]}, or the plain form after it. */
  private static HubName address(String text) {
    String rest = text.substring(SCHEME.length());
    Kind kind = Kind.MODEL;
    for (Kind each : Kind.values()) {
      if (rest.startsWith(each.plural + "/")) {
        kind = each;
        rest = rest.substring(each.plural.length() + 1);
        break;
      }
    }
    if (kind == Kind.MODEL && rest.indexOf(':') >= 0) {
      return plain(rest);
    }
    int owner = rest.indexOf('/');
    int end = owner < 0 ? -1 : rest.indexOf('/', owner + 1);
    int at = rest.indexOf('@');
    String revision = null;
    if (owner >= 0 && at > owner && (end < 0 || at < end)) {
      String behind = rest.substring(at + 1);
      Matcher special = SPECIAL_REVISION.matcher(behind);
      int length = special.matches() ? special.end(1) : end < 0 ? behind.length() : end - at - 1;
      revision = behind.substring(0, length).replace("%2F", "/").replace("%2f", "/");
      rest = rest.substring(0, at) + behind.substring(length);
      end = rest.indexOf('/', owner + 1);
    }
    return end < 0
        ? new HubName(kind, rest, revision, null)
        : new HubName(kind, rest.substring(0, end), revision, rest.substring(end + 1));
  }

  /** The revision; {@code main} if none is given. */
  String revisionOrMain() {
    return revision == null ? MAIN : revision;
  }

  /** Whether the revision is a commit, whose content never changes. */
  public boolean pinned() {
    return revision != null && isCommit(revision);
  }

  /** The same at another revision. */
  public HubName at(String other) {
    return new HubName(kind, repository, other, file);
  }

  /** One file of the same repository. */
  HubName withFile(String other) {
    return new HubName(kind, repository, revision, other);
  }

  /** Whether another name refers to the same thing, at any revision. */
  public boolean covers(HubName other) {
    return kind == other.kind
        && repository.equals(other.repository)
        && (file == null || file.equals(other.file));
  }

  /** The form that {@link #model} or {@link #file} reads. */
  @Override
  public String toString() {
    if (kind == Kind.MODEL) {
      return repository
          + (revision == null ? "" : "@" + revision)
          + (file == null ? "" : ":" + file);
    }
    return SCHEME
        + kind.prefix
        + repository
        + (revision == null ? "" : "@" + revision.replace("/", "%2F"))
        + (file == null ? "" : "/" + file);
  }
}
