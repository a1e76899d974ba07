package org.hirengine.engine.hub;

import java.io.Closeable;
import java.io.IOException;
import java.net.ProtocolException;
import java.net.http.HttpResponse.BodyHandler;
import java.net.http.HttpResponse.BodySubscriber;
import java.net.http.HttpResponse.BodySubscribers;
import java.net.http.HttpResponse.ResponseInfo;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The body of one response, written to a file as it arrives: appended if the response continues the
 * file, else from the file's start. It records when data last arrived, since Java's client has no
 * timeout for a body that stalls. The body's value is the final size of the file.
 */
final class FileBody implements BodyHandler<Long>, BodySubscriber<Long>, Closeable {

  /** A fault of the disk, not of the network. */
  static final class DiskException extends IOException {
    private static final long serialVersionUID = 1L;
    private final IOException fault;

    DiskException(IOException fault) {
      super(fault);
      this.fault = fault;
    }

    IOException fault() {
      return fault;
    }
  }

  private static final Pattern CONTENT_RANGE = Pattern.compile("bytes (\\d{1,18})-.*");

  private final CompletableFuture<Long> end = new CompletableFuture<>();
  private final FileChannel file;
  private final long from;
  private final long limit;
  private Flow.@Nullable Subscription subscription;
  private boolean closed;
  private volatile long size;
  private volatile long last = System.nanoTime();

  /**
   * Opens the file.
   *
   * @param from where a response with status 206 has to begin
   * @param limit maximum bytes of the file; more is an error of the server
   */
  FileBody(Path path, long from, long limit) throws DiskException {
    try {
      file = FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    } catch (IOException e) {
      throw new DiskException(e);
    }
    this.from = from;
    this.limit = limit;
    size = from;
  }

  /** Bytes in the file. */
  long size() {
    return size;
  }

  /** When data last arrived, in {@link System#nanoTime}. */
  long last() {
    return last;
  }

  @Override
  public synchronized BodySubscriber<Long> apply(ResponseInfo answer) {
    last = System.nanoTime();
    int status = answer.statusCode();
    if (status != 200 && status != 206) {
      return BodySubscribers.replacing(size);
    }
    long start = status == 200 ? 0 : from;
    String range = answer.headers().firstValue("Content-Range").orElse("");
    Matcher sent = CONTENT_RANGE.matcher(range);
    if (status == 206 && !(sent.matches() && Long.parseLong(sent.group(1)) == from)) {
      fail(new ProtocolException("the part from byte " + from + " was asked for, not " + range));
      return this;
    }
    try {
      file.truncate(start).position(start);
      size = start;
    } catch (IOException e) {
      fail(new DiskException(e));
    }
    return this;
  }

  @Override
  public CompletionStage<Long> getBody() {
    return end;
  }

  @Override
  public synchronized void onSubscribe(Flow.Subscription given) {
    subscription = given;
    if (closed) {
      given.cancel();
    } else {
      given.request(Long.MAX_VALUE);
    }
  }

  @Override
  public synchronized void onNext(List<ByteBuffer> buffers) {
    if (closed) {
      return;
    }
    long now = size;
    try {
      for (ByteBuffer buffer : buffers) {
        if (now + buffer.remaining() > limit) {
          throw new ProtocolException("more came than the " + limit + " bytes that were announced");
        }
        now += buffer.remaining();
        while (buffer.hasRemaining()) {
          file.write(buffer);
        }
      }
      size = now;
      last = System.nanoTime();
    } catch (ProtocolException e) {
      fail(e);
    } catch (IOException e) {
      fail(new DiskException(e));
    }
  }

  private void fail(IOException e) {
    closed = true;
    if (subscription != null) {
      subscription.cancel();
    }
    end.completeExceptionally(e);
  }

  @Override
  public void onError(Throwable failure) {
    end.completeExceptionally(failure);
  }

  @Override
  public void onComplete() {
    end.complete(size);
  }

  /** Stops writing; later data are dropped. */
  @Override
  public synchronized void close() throws DiskException {
    closed = true;
    try {
      file.close();
    } catch (IOException e) {
      throw new DiskException(e);
    }
  }
}
