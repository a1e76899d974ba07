package org.hirengine.engine.hub;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Where the Hub and its cache are, from the environment variables that huggingface_hub reads:
 * {@code HF_ENDPOINT}, {@code HF_HOME}, {@code HF_HUB_CACHE}, {@code HF_TOKEN}, {@code
 * HF_TOKEN_PATH}, {@code HF_HUB_OFFLINE}, {@code HF_HUB_DISABLE_SYMLINKS}, and the older names of
 * some of them.
 */
public final class HubSettings {

  private static final Set<String> TRUE = Set.of("1", "ON", "YES", "TRUE");
  private static final Pattern VARIABLE = Pattern.compile("\\$(\\w+)|\\$\\{([^}]*)}");
  private static final Pattern TOKEN = Pattern.compile("[!-~]+");

  private final Map<String, String> environment;
  private final Path userHome;

  /**
   * @param environment such as {@link System#getenv()}
   * @param userHome what {@code ~} stands for
   */
  public HubSettings(Map<String, String> environment, Path userHome) {
    this.environment = Map.copyOf(environment);
    this.userHome = userHome;
  }

  /** The settings of this process. */
  public static HubSettings ofThisProcess() {
    return new HubSettings(System.getenv(), Path.of(System.getProperty("user.home")));
  }

  /** The Hub, without a slash at its end. */
  URI endpoint() {
    String text = variable("HF_ENDPOINT").orElse("https://huggingface.co").replaceAll("/+$", "");
    try {
      URI endpoint = URI.create(text);
      boolean web = "https".equals(endpoint.getScheme()) || "http".equals(endpoint.getScheme());
      if (web && endpoint.getHost() != null && endpoint.getRawUserInfo() == null) {
        return endpoint;
      }
    } catch (IllegalArgumentException e) {
      // reported below without the text, since an address may contain a password
    }
    throw new HubException(
        "HF_ENDPOINT is not the address of a Hub",
        "unset it, or set it to an address such as https://huggingface.co, without user and"
            + " password");
  }

  /** The folder that holds a folder for each repository. */
  Path cache() {
    return variable("HF_HUB_CACHE")
        .or(() -> variable("HUGGINGFACE_HUB_CACHE"))
        .map(this::path)
        .orElseGet(() -> home().resolve("hub"));
  }

  private Path home() {
    return variable("HF_HOME")
        .map(this::path)
        .orElseGet(
            () ->
                variable("XDG_CACHE_HOME")
                    .map(this::path)
                    .orElseGet(() -> userHome.resolve(".cache"))
                    .resolve("huggingface"));
  }

  /** Whether requests to the Hub are forbidden. */
  boolean offline() {
    return isTrue("HF_HUB_OFFLINE") || isTrue("TRANSFORMERS_OFFLINE");
  }

  /** Whether snapshots are links to blobs if the file system supports links. */
  boolean links() {
    return !isTrue("HF_HUB_DISABLE_SYMLINKS");
  }

  /** The user's token; it is sent only in a header of requests to the endpoint. */
  Optional<String> token() {
    Optional<String> token =
        variable("HF_TOKEN").or(() -> variable("HUGGING_FACE_HUB_TOKEN")).or(this::tokenFromFile);
    if (token.isPresent() && !TOKEN.matcher(token.get()).matches()) {
      throw new HubException(
          "the token of the Hub holds characters that no token has",
          "copy it again from https://huggingface.co/settings/tokens into HF_TOKEN");
    }
    return token;
  }

  /**
   * One line that says where the Hub and its cache are.
   *
   * @throws HubException when one of the variables cannot be used
   */
  public String describe() {
    return (offline() ? "offline" : endpoint().toString())
        + ", "
        + (token().isPresent() ? "a token" : "no token")
        + ", cache "
        + cache();
  }

  private Optional<String> tokenFromFile() {
    Path file = variable("HF_TOKEN_PATH").map(this::path).orElseGet(() -> home().resolve("token"));
    try {
      return Optional.of(Files.readString(file).strip()).filter(text -> !text.isEmpty());
    } catch (NoSuchFileException e) {
      return Optional.empty();
    } catch (IOException e) {
      throw new HubException(
          file + ": the token of the Hub cannot be read",
          "change the file's permissions, or set HF_TOKEN");
    }
  }

  private boolean isTrue(String name) {
    return variable(name).map(text -> TRUE.contains(text.toUpperCase(Locale.ROOT))).orElse(false);
  }

  private Optional<String> variable(String name) {
    return Optional.ofNullable(environment.get(name))
        .map(String::strip)
        .filter(text -> !text.isEmpty());
  }

  /** Expands {@code ~} and variables as Python's expanduser and expandvars do. */
  private Path path(String text) {
    String home = text.equals("~") || text.startsWith("~/") ? userHome + text.substring(1) : text;
    String expanded =
        VARIABLE
            .matcher(home)
            .replaceAll(
                found -> {
                  String name = found.group(1) == null ? found.group(2) : found.group(1);
                  return Matcher.quoteReplacement(environment.getOrDefault(name, found.group()));
                });
    return Path.of(expanded).toAbsolutePath();
  }
}
