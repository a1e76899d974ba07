package org.hirengine.engine.hub;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.jspecify.annotations.Nullable;

/**
 * A fake Hub: the part of the real API that downloads need, and a second server for large files, to
 * which it redirects like the real one. A fault replaces the answer to one request.
 */
public final class FakeHub implements AutoCloseable {

  private static final ObjectMapper JSON = new ObjectMapper();

  /** A received request. */
  public record Request(
      boolean elsewhere,
      String method,
      String path,
      @Nullable String token,
      @Nullable String range,
      @Nullable String ifRange) {}

  /** Answers a request in place of the server; returns false to let the server answer. */
  public interface Fault {
    boolean answer(HttpExchange exchange) throws IOException;
  }

  /** A repository with branches; files above 1,000 bytes are in LFS. */
  public static final class Repository {
    private final Map<String, Map<String, byte[]>> commits = new ConcurrentHashMap<>();
    private final Map<String, String> branches = new ConcurrentHashMap<>();
    volatile @Nullable String needsToken;
    volatile boolean gated;

    /** Commits the files as the head of a branch, and returns the commit's name. */
    public String commit(String branch, Map<String, byte[]> files) {
      String commit =
          sha("SHA-1", (branch + files.keySet() + commits.size()).getBytes(StandardCharsets.UTF_8));
      commits.put(commit, new TreeMap<>(files));
      branches.put(branch, commit);
      return commit;
    }

    private @Nullable String resolve(String revision) {
      return commits.containsKey(revision) ? revision : branches.get(revision);
    }
  }

  private final HttpServer hub = server();
  private final HttpServer storage = server();
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final Map<String, Repository> repositories = new ConcurrentHashMap<>();
  private final Map<String, byte[]> contents = new ConcurrentHashMap<>();
  private final Map<String, Deque<Fault>> faults = new ConcurrentHashMap<>();

  /** All requests, in order. */
  public final List<Request> requests = new CopyOnWriteArrayList<>();

  public FakeHub() {
    hub.createContext("/", exchange -> answer(exchange, false));
    storage.createContext("/", exchange -> answer(exchange, true));
    hub.setExecutor(threads);
    storage.setExecutor(threads);
    hub.start();
    storage.start();
  }

  private static HttpServer server() {
    try {
      return HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  @Override
  public void close() {
    threads.shutdownNow();
    hub.stop(0);
    storage.stop(0);
  }

  /** The value for HF_ENDPOINT. */
  public String endpoint() {
    return "http://127.0.0.1:" + hub.getAddress().getPort();
  }

  /** A model's repository. */
  public Repository model(String name) {
    return repositories.computeIfAbsent(name, key -> new Repository());
  }

  /** A data set's repository. */
  public Repository dataset(String name) {
    return repositories.computeIfAbsent("datasets/" + name, key -> new Repository());
  }

  /** Adds a fault for the next request of this method whose path has this ending; faults queue. */
  public void fault(String method, String ending, Fault fault) {
    faults.computeIfAbsent(method + " " + ending, key -> new ArrayDeque<>()).add(fault);
  }

  /** A fault that answers without content. */
  public static Fault status(int status, String... headers) {
    return exchange -> {
      for (int i = 0; i < headers.length; i += 2) {
        exchange.getResponseHeaders().set(headers[i], headers[i + 1]);
      }
      exchange.sendResponseHeaders(status, -1);
      return true;
    };
  }

  /** Counts the requests of a method whose path has an ending. */
  public long count(String method, String ending) {
    return requests.stream()
        .filter(each -> each.method().equals(method) && each.path().endsWith(ending))
        .count();
  }

  private void answer(HttpExchange exchange, boolean elsewhere) throws IOException {
    String method = exchange.getRequestMethod();
    String path = exchange.getRequestURI().getRawPath();
    requests.add(
        new Request(
            elsewhere,
            method,
            path,
            exchange.getRequestHeaders().getFirst("Authorization"),
            exchange.getRequestHeaders().getFirst("Range"),
            exchange.getRequestHeaders().getFirst("If-Range")));
    try (exchange) {
      Fault fault = next(method, path);
      if (fault != null && fault.answer(exchange)) {
        return;
      }
      if (elsewhere) {
        send(exchange, contents.get(path.substring(1)), "\"storage-has-its-own\"");
      } else if (path.startsWith("/api/")) {
        list(exchange, path);
      } else {
        resolve(exchange, path);
      }
    }
  }

  private @Nullable Fault next(String method, String path) {
    for (Map.Entry<String, Deque<Fault>> each : faults.entrySet()) {
      String[] key = each.getKey().split(" ", 2);
      if (method.equals(key[0]) && path.endsWith(key[1])) {
        synchronized (each.getValue()) {
          return each.getValue().poll();
        }
      }
    }
    return null;
  }

  /** {@code /api/models/OWNER/NAME/revision/REVISION}. */
  private void list(HttpExchange exchange, String path) throws IOException {
    String[] halves = path.substring("/api/".length()).split("/revision/", 2);
    Repository repository = open(exchange, halves[0].replaceFirst("^models/", ""), true);
    if (repository == null) {
      return;
    }
    String commit = repository.resolve(decoded(halves[1]));
    if (commit == null) {
      status(404, "X-Error-Code", "RevisionNotFound").answer(exchange);
      return;
    }
    ObjectNode root =
        JSON.createObjectNode().put("id", halves[0].split("/", 2)[1]).put("sha", commit);
    root.putArray("siblings");
    repository
        .commits
        .get(commit)
        .keySet()
        .forEach(file -> root.withArray("siblings").addObject().put("rfilename", file));
    byte[] body = JSON.writeValueAsBytes(root);
    exchange.sendResponseHeaders(200, body.length);
    exchange.getResponseBody().write(body);
  }

  /** {@code /OWNER/NAME/resolve/REVISION/FILE}. */
  private void resolve(HttpExchange exchange, String path) throws IOException {
    String[] halves = path.substring(1).split("/resolve/", 2);
    Repository repository = open(exchange, halves[0], false);
    if (repository == null) {
      return;
    }
    String[] rest = halves[1].split("/", 2);
    String commit = repository.resolve(decoded(rest[0]));
    if (commit == null) {
      status(404, "X-Error-Code", "RevisionNotFound").answer(exchange);
      return;
    }
    exchange.getResponseHeaders().set("X-Repo-Commit", commit);
    byte[] content = repository.commits.get(commit).get(decoded(rest[1]));
    if (content == null) {
      status(404, "X-Error-Code", "EntryNotFound").answer(exchange);
    } else if (content.length <= 1000) {
      send(exchange, content, '"' + gitHash(content) + '"');
    } else {
      String hash = sha("SHA-256", content);
      contents.put(hash, content);
      exchange.getResponseHeaders().set("X-Linked-Etag", '"' + hash + '"');
      exchange.getResponseHeaders().set("X-Linked-Size", Integer.toString(content.length));
      exchange.getResponseHeaders().set("ETag", "\"of-the-redirect\"");
      exchange
          .getResponseHeaders()
          .set("Location", "http://localhost:" + storage.getAddress().getPort() + "/" + hash);
      exchange.sendResponseHeaders(302, -1);
    }
  }

  private @Nullable Repository open(HttpExchange exchange, String name, boolean metadata)
      throws IOException {
    Repository repository = repositories.get(name);
    String token = exchange.getRequestHeaders().getFirst("Authorization");
    if (repository == null) {
      status(token == null ? 401 : 404, "X-Error-Code", "RepoNotFound").answer(exchange);
      return null;
    }
    boolean known = ("Bearer " + repository.needsToken).equals(token);
    if (repository.gated && !metadata && !known) {
      status(token == null ? 401 : 403, "X-Error-Code", "GatedRepo").answer(exchange);
      return null;
    }
    if (repository.needsToken != null && !repository.gated && !known) {
      status(token == null ? 401 : 404, "X-Error-Code", "RepoNotFound").answer(exchange);
      return null;
    }
    return repository;
  }

  private static void send(HttpExchange exchange, byte[] content, String etag) throws IOException {
    int from = 0;
    String range = exchange.getRequestHeaders().getFirst("Range");
    String condition = exchange.getRequestHeaders().getFirst("If-Range");
    exchange.getResponseHeaders().set("ETag", etag);
    if (range != null && (condition == null || condition.equals(etag))) {
      from = Integer.parseInt(range.replaceAll("bytes=(\\d+)-", "$1"));
      if (from >= content.length) {
        exchange.getResponseHeaders().set("Content-Range", "bytes */" + content.length);
        exchange.sendResponseHeaders(416, -1);
        return;
      }
      exchange
          .getResponseHeaders()
          .set(
              "Content-Range", "bytes " + from + "-" + (content.length - 1) + "/" + content.length);
    }
    int status = from > 0 ? 206 : 200;
    if (exchange.getRequestMethod().equals("HEAD")) {
      exchange.getResponseHeaders().set("Content-Length", Integer.toString(content.length));
      exchange.sendResponseHeaders(status, -1);
      return;
    }
    exchange.sendResponseHeaders(status, content.length == 0 ? -1 : content.length - from);
    try (OutputStream out = exchange.getResponseBody()) {
      out.write(content, from, content.length - from);
    }
  }

  private static String decoded(String text) {
    return URI.create("x:/" + text).getPath().substring(1);
  }

  /** The git object name of a content. */
  static String gitHash(byte[] content) {
    byte[] head = ("blob " + content.length + "\0").getBytes(StandardCharsets.US_ASCII);
    byte[] all = java.util.Arrays.copyOf(head, head.length + content.length);
    System.arraycopy(content, 0, all, head.length, content.length);
    return sha("SHA-1", all);
  }

  static String sha(String algorithm, byte[] content) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance(algorithm).digest(content));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }
}
