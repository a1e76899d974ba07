package org.hirengine.engine.gguf;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.hirengine.replay.DataException;
import org.jspecify.annotations.Nullable;

/**
 * Reads a file's header from front to back, through a small buffer. It checks every length against
 * the bytes left in the file before it allocates or skips anything.
 */
final class Cursor {

  private static final int BUFFER = 1 << 16;

  /** Longest text accepted: no name, token or template is longer. */
  private static final int MAX_TEXT = 64 << 20;

  private final Path path;
  private final FileChannel channel;
  private final long size;
  private final ByteBuffer buffer = ByteBuffer.allocate(BUFFER).order(ByteOrder.LITTLE_ENDIAN);

  /** Position in the file after the buffer's last byte. */
  private long end;

  /** What is being read, for errors. */
  private String subject = "the header";

  Cursor(Path path, FileChannel channel) throws IOException {
    this.path = path;
    this.channel = channel;
    this.size = channel.size();
    buffer.limit(0);
  }

  long position() {
    return end - buffer.remaining();
  }

  /** Bytes after the position. */
  long left() {
    return size - position();
  }

  void moveTo(long position) {
    buffer.limit(0);
    end = position;
  }

  /** Names what is read next, such as a key. */
  void at(String what) {
    subject = what;
  }

  byte u8() throws IOException {
    return take(1).get();
  }

  short u16() throws IOException {
    return take(2).getShort();
  }

  int u32() throws IOException {
    return take(4).getInt();
  }

  long u64() throws IOException {
    return take(8).getLong();
  }

  /** A length or count, with the width of the file's version. */
  long count(int version) throws IOException {
    return version == 1 ? Integer.toUnsignedLong(u32()) : u64();
  }

  private ByteBuffer take(int bytes) throws IOException {
    if (buffer.remaining() < bytes) {
      if (left() < bytes) {
        throw bad(subject + ": ends after " + size + " bytes: it is truncated");
      }
      buffer.compact();
      while (buffer.position() < bytes) {
        fill();
      }
      buffer.flip();
    }
    return buffer;
  }

  private void fill() throws IOException {
    int count = channel.read(buffer, end);
    if (count < 0) {
      throw bad("ends at byte " + end + " while it is being read: was it replaced?");
    }
    end += count;
  }

  /** Refuses a count of things that need more bytes than are left. */
  void check(long count, long bytesEach, String things) {
    if (count < 0 || count > left() / bytesEach) {
      throw bad(
          subject
              + ": "
              + Long.toUnsignedString(count)
              + " "
              + things
              + ", but only "
              + left()
              + " bytes are left in the file");
    }
  }

  /** A text after its length. */
  String text(int version) throws IOException {
    long length = count(version);
    check(length, 1, "bytes of text");
    if (length > MAX_TEXT) {
      throw bad(subject + ": a text of " + length + " bytes is over the limit of " + MAX_TEXT);
    }
    byte[] bytes = new byte[(int) length];
    ByteBuffer target = ByteBuffer.wrap(bytes);
    while (target.hasRemaining()) {
      ByteBuffer source = take(1);
      int count = Math.min(source.remaining(), target.remaining());
      source.get(bytes, target.position(), count);
      target.position(target.position() + count);
    }
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException e) {
      throw bad(subject + ": holds a text that is not UTF-8");
    }
  }

  /** Skips a text without reading it. */
  void skipText(int version) throws IOException {
    long length = count(version);
    check(length, 1, "bytes of text");
    skip(length);
  }

  /** Skips bytes that {@link #check} has found to exist. */
  void skip(long bytes) {
    if (bytes <= buffer.remaining()) {
      buffer.position(buffer.position() + (int) bytes);
    } else {
      moveTo(position() + bytes);
    }
  }

  DataException bad(String problem) {
    return bad(path, null, "not a valid GGUF file: " + problem);
  }

  static DataException bad(Path path, @Nullable String field, String problem) {
    return new DataException(
        path.toString(), 0, field, problem, "fetch the file again, or convert the model again");
  }
}
