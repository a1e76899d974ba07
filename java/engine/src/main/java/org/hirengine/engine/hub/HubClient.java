package org.hirengine.engine.hub;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpHeaders;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandler;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.HttpTimeoutException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.LongConsumer;
import java.util.regex.Pattern;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/**
 * Requests to the Hub: the files of a revision, a file's hash and size, and its content.
 *
 * <p>Redirects are followed here and not by Java's client, which would send the token along
 * everywhere: it is sent only to the endpoint's scheme, host and port. "Too many requests", server
 * errors and broken connections are retried, a limited number of times without progress.
 */
final class HubClient {

  private static final int REDIRECTS = 10;

  private static final Duration CONNECT_TIME = Duration.ofSeconds(10);

  /** How often a wait checks for new bytes, and reports them. */
  private static final long TICK_MILLIS = 100;

  private static final ObjectMapper JSON = new ObjectMapper();

  /** Valid as a file name on every system. */
  private static final Pattern ETAG = Pattern.compile("[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}");

  /**
   * The files of a repository at a revision.
   *
   * @param files their paths, as the server sent them
   */
  record Listing(String commit, List<String> files) {}

  /**
   * A file on the Hub.
   *
   * @param etag the hash that names its blob
   * @param size in bytes; -1 if the server does not say
   * @param at address of its content
   */
  record Meta(String commit, String etag, long size, URI at) {}

  private final URI endpoint;
  private final Optional<String> token;
  private final Patience patience;
  private final HttpClient client;

  HubClient(HubSettings settings, Patience patience) {
    this.endpoint = settings.endpoint();
    this.token = settings.token();
    this.patience = patience;
    this.client =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .followRedirects(HttpClient.Redirect.NEVER)
            .connectTimeout(CONNECT_TIME)
            .build();
  }

  /** The files of a revision, and its commit. */
  Listing list(HubName name) {
    String path = "/api/" + name.kind().plural + "/" + name.repository() + "/revision/";
    URI uri = URI.create(endpoint + path + encoded(name.revisionOrMain()));
    HttpResponse<String> answer = follow("GET", uri, name, BodyHandlers.ofString());
    try {
      JsonNode root = JSON.readTree(answer.body());
      List<String> files = new ArrayList<>();
      root.path("siblings").forEach(file -> files.add(file.path("rfilename").asText()));
      return new Listing(commit(root.path("sha").asText(), name), files);
    } catch (JsonProcessingException e) {
      throw noHub(name);
    }
  }

  /** Hash, size and address of the file that a name refers to. */
  Meta look(HubName name) {
    String file =
        encoded(Objects.requireNonNull(name.file())).replace("%2F", "/"); // the slashes of a path
    String path = "/" + page(name) + "/resolve/" + encoded(name.revisionOrMain()) + "/" + file;
    HttpResponse<Void> answer =
        follow("HEAD", URI.create(endpoint + path), name, BodyHandlers.discarding());
    HttpHeaders headers = answer.headers();
    boolean direct = answer.statusCode() == 200;
    String etag =
        headers
            .firstValue("X-Linked-Etag")
            .or(() -> headers.firstValue("ETag"))
            .map(text -> text.replaceFirst("^W/", "").replace("\"", ""))
            .filter(text -> ETAG.matcher(text).matches())
            .orElseThrow(() -> noHub(name));
    long size =
        headers
            .firstValue("X-Linked-Size")
            .or(() -> direct ? headers.firstValue("Content-Length") : Optional.empty())
            .filter(text -> text.matches("\\d{1,18}"))
            .map(Long::parseLong)
            .orElse(-1L);
    String commit = headers.firstValue("X-Repo-Commit").orElseThrow(() -> noHub(name));
    return new Meta(
        commit(commit, name), etag, size, direct ? answer.uri() : target(answer.uri(), headers));
  }

  private String commit(String sha, HubName name) {
    if (!HubName.isCommit(sha)) { // it becomes the name of a folder
      throw noHub(name);
    }
    return sha;
  }

  private static String page(HubName name) {
    return name.kind().prefix + name.repository();
  }

  private static String encoded(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
  }

  /** Sends a request until the response is neither a wait nor a redirect. */
  private <T> HttpResponse<T> follow(String method, URI start, HubName name, BodyHandler<T> body) {
    Patience.Tries tries = patience.tries(name.toString());
    URI uri = start;
    int hops = 0;
    while (true) {
      try {
        HttpRequest request = request(uri).method(method, BodyPublishers.noBody()).build();
        HttpResponse<T> answer = await(client.sendAsync(request, body), null, bytes -> {});
        int status = answer.statusCode();
        HttpHeaders headers = answer.headers();
        if (status == 200) {
          return answer;
        }
        if (isRedirect(status)) {
          uri = target(uri, headers);
          if (headers.firstValue("X-Linked-Etag").isPresent()) {
            return answer; // the file's hash and size are in these headers; the host of its content
            // does not send them
          }
          hops++;
          if (hops > REDIRECTS) {
            throw new IOException("more than " + REDIRECTS + " redirects");
          }
        } else if (Patience.isPassing(status)) {
          tries.pause("status " + status, headers.firstValue("Retry-After").orElse(null));
        } else {
          throw refused(status, headers, name);
        }
      } catch (ConnectException | HttpConnectTimeoutException e) {
        throw HubException.unreachable(
            name + ": no connection to " + start.getHost(),
            "check the network, set a proxy with HIR_JAVA_OPTS=\"-Dhttps.proxyHost=HOST"
                + " -Dhttps.proxyPort=PORT\", or give the path of a copy on this machine");
      } catch (SSLException e) {
        throw HubException.unreachable(
            name + ": no safe connection to " + start.getHost() + ": " + e.getMessage(),
            "check this machine's clock and whether there is a proxy, whose certificate must then"
                + " be in -Djavax.net.ssl.trustStore of HIR_JAVA_OPTS");
      } catch (IOException e) {
        tries.pause(reason(e), null);
      }
    }
  }

  /**
   * Appends missing content to a file until it is complete.
   *
   * @param partial the file that earlier tries left; may be missing
   * @param progress receives the file's size in bytes
   */
  void download(HubName name, Meta meta, Path partial, LongConsumer progress) {
    URI at = meta.at();
    Patience.Tries tries = patience.tries(name.toString());
    while (true) {
      long before = size(partial);
      try {
        if (before == meta.size()) {
          return;
        }
        HttpResponse<Long> answer = receive(at, meta, before, partial, progress);
        int status = answer.statusCode();
        if (status == 200 || status == 206) {
          if (meta.size() < 0 || answer.body() == meta.size()) {
            return;
          }
          throw new IOException(
              "the body ended after " + answer.body() + " of " + meta.size() + " bytes");
        }
        boolean elsewhere = !isEndpoint(at);
        if (!elsewhere && !Patience.isPassing(status) && status != 416) {
          throw refused(status, answer.headers(), name);
        }
        if (status == 416) { // the existing bytes cannot be a part of it
          Files.deleteIfExists(partial);
        }
        tries.pause(
            "status " + status + (elsewhere ? " from " + at.getHost() : ""),
            answer.headers().firstValue("Retry-After").orElse(null));
        if (elsewhere) { // signed addresses expire
          at = look(name).at();
        }
      } catch (FileBody.DiskException e) {
        throw HubCache.broken("write", partial, e.fault());
      } catch (IOException e) {
        if (size(partial) > before) {
          tries = patience.tries(name.toString());
        }
        tries.pause(reason(e), null);
      }
    }
  }

  private HttpResponse<Long> receive(
      URI start, Meta meta, long have, Path partial, LongConsumer progress) throws IOException {
    URI at = start;
    long limit = meta.size() < 0 ? Long.MAX_VALUE : meta.size();
    try (FileBody body = new FileBody(partial, have, limit)) {
      for (int hops = 0; hops <= REDIRECTS; hops++) {
        HttpRequest.Builder request = request(at);
        // The endpoint knows the etag. Other hosts have their own etags, which would never match:
        // there, the assembled file is checked by its hash at the end.
        boolean partOfSame = isEndpoint(at) || ContentHash.isHash(meta.etag());
        if (have > 0 && have < meta.size() && partOfSame) {
          request.header("Range", "bytes=" + have + "-");
          if (isEndpoint(at)) {
            request.header("If-Range", '"' + meta.etag() + '"');
          }
        }
        HttpResponse<Long> answer = await(client.sendAsync(request.build(), body), body, progress);
        if (!isRedirect(answer.statusCode())) {
          return answer;
        }
        at = target(at, answer.headers());
      }
    }
    throw new IOException("more than " + REDIRECTS + " redirects");
  }

  private HttpRequest.Builder request(URI uri) {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(uri)
            .header("User-Agent", "hir-engine")
            .header(
                "Accept-Encoding", "identity"); // sizes and ranges refer to the uncompressed file
    if (isEndpoint(uri)) {
      token.ifPresent(text -> request.header("Authorization", "Bearer " + text));
    }
    return request;
  }

  /** Whether the token may be sent to this address. */
  private boolean isEndpoint(URI uri) {
    return endpoint.getScheme().equals(uri.getScheme())
        && endpoint.getHost().equalsIgnoreCase(uri.getHost())
        && endpoint.getPort() == uri.getPort();
  }

  private static boolean isRedirect(int status) {
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
  }

  private static URI target(URI from, HttpHeaders headers) throws HubException {
    try {
      URI target = from.resolve(headers.firstValue("Location").orElse(""));
      boolean safe = "https".equals(target.getScheme());
      boolean asBefore = "http".equals(target.getScheme()) && "http".equals(from.getScheme());
      if (target.getHost() != null && (safe || asBefore)) {
        return target;
      }
    } catch (IllegalArgumentException e) {
      // reported below
    }
    throw new HubException(
        from.getHost() + " redirects to an address that is not safe to follow",
        "check HF_ENDPOINT and whether a proxy stands in between");
  }

  /**
   * Waits for a response and its body.
   *
   * @param body receives the body; null if it is small
   */
  private <T> HttpResponse<T> await(
      CompletableFuture<HttpResponse<T>> answer, @Nullable FileBody body, LongConsumer progress)
      throws IOException {
    long start = System.nanoTime();
    try {
      while (true) {
        try {
          HttpResponse<T> complete = answer.get(TICK_MILLIS, TimeUnit.MILLISECONDS);
          if (body != null) {
            progress.accept(body.size());
          }
          return complete;
        } catch (TimeoutException e) {
          if (body != null) {
            progress.accept(body.size());
          }
          long last = body == null ? start : Math.max(start, body.last());
          if (System.nanoTime() - last > patience.silence().toNanos()) {
            throw new HttpTimeoutException(
                "nothing came for " + patience.silence().toSeconds() + " seconds");
          }
        }
      }
    } catch (ExecutionException e) {
      if (e.getCause() instanceof IOException failure) {
        throw failure;
      }
      throw new IOException(e.getCause());
    } catch (InterruptedException e) {
      throw Patience.interrupted();
    } finally {
      answer.cancel(true);
    }
  }

  private static long size(Path file) {
    try {
      return Files.exists(file) ? Files.size(file) : 0;
    } catch (IOException e) {
      throw HubCache.broken("read", file, e);
    }
  }

  private static String reason(IOException e) {
    String message = e.getMessage();
    return message == null ? e.getClass().getSimpleName() : message;
  }

  private HubException noHub(HubName name) {
    return new HubException(
        name + ": " + endpoint.getHost() + " does not answer as the Hub does",
        "check HF_ENDPOINT, and whether a proxy or a sign-in page intervenes");
  }

  /** Explains a lasting status; X-Error-Code distinguishes causes that share one. */
  private HubException refused(int status, HttpHeaders headers, HubName name) {
    String code = headers.firstValue("X-Error-Code").orElse("");
    String said = said(headers.firstValue("X-Error-Message").orElse(""));
    String repository = page(name);
    String page = endpoint + "/" + repository;
    if (code.equals("GatedRepo")) {
      return new HubException(
          repository + " is gated: it is open to accounts that accepted its terms",
          "open " + page + ", accept them, and set HF_TOKEN to a token of that account");
    }
    if (code.equals("RevisionNotFound")) {
      return new HubException(
          repository + " has no revision " + name.revisionOrMain(),
          "name a branch, a tag or a commit that " + page + "/tree/main shows");
    }
    if (code.equals("EntryNotFound")) {
      return new HubException(
          repository + " has no file " + name.file() + " at " + name.revisionOrMain(),
          "name one that " + page + "/tree/" + name.revisionOrMain() + " shows");
    }
    if (said.contains("Access to this resource is disabled")) {
      return new HubException(repository + " is disabled by the Hub", "choose another one");
    }
    if (said.contains("Invalid credentials") || (status == 401 && said.contains("token"))) {
      return new HubException(
          endpoint.getHost() + " refuses the token",
          "set HF_TOKEN to a valid token of https://huggingface.co/settings/tokens, or unset it and"
              + " remove the token file for what is public");
    }
    if (code.equals("RepoNotFound") || status == 401 || status == 404) {
      return token.isPresent()
          ? new HubException(
              repository + " is neither here nor a repository of the Hub that the token may read",
              "check the name, and, if it is private, the token's permissions")
          : new HubException(
              repository + " is neither here nor a public repository of the Hub",
              "check the name or the path; for a private repository set HF_TOKEN");
    }
    if (status == 403) {
      return new HubException(
          endpoint.getHost()
              + " gives no access to "
              + repository
              + (said.isEmpty() ? "" : ": " + said),
          "open " + page + " to see why; a token needs the permission to read this repository");
    }
    return new HubException(
        name
            + ": "
            + endpoint.getHost()
            + " answers with status "
            + status
            + (said.isEmpty() ? "" : ": " + said),
        "try again later, or open " + page);
  }

  /** A server's message as one short line, without the token in case the server repeats it. */
  private String said(String message) {
    String line = message.replaceAll("\\p{Cntrl}+", " ").strip();
    String safe = token.isPresent() ? line.replace(token.get(), "(token)") : line;
    return safe.length() > 200 ? safe.substring(0, 200) + "..." : safe;
  }
}
