package org.hirengine.cli;

import java.io.BufferedInputStream;
import java.io.FileInputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.GZIPInputStream;

/**
 * Input by its name on the command line: {@code -} is standard input, files on the Hub are
 * downloaded, gzip is unpacked.
 */
final class InputFile {

  private static final int GZIP_MAGIC = 0x1F8B;

  private InputFile() {}

  /** Whether a file is on the Hub: {@code hf://datasets/OWNER/NAME/FILE}. */
  static boolean isOnHub(String name) {
    return name.startsWith("hf://");
  }

  /** How much of an input is read. */
  static final class Meter {

    private long size;
    private long read;

    /** The fraction read so far, 0 to 1; NaN if the size is unknown. */
    double share() {
      return size == 0 ? Double.NaN : Math.min(1, (double) read / size);
    }
  }

  static InputStream open(String name) throws IOException {
    return open(name, new Meter());
  }

  /**
   * @param meter receives how much has been read
   */
  static InputStream open(String name, Meter meter) throws IOException {
    InputStream in = new BufferedInputStream(new Metered(plain(name, meter), meter), 1 << 16);
    in.mark(2);
    int magic = in.read() << 8 | in.read();
    in.reset();
    return magic == GZIP_MAGIC ? new GZIPInputStream(in, 1 << 16) : in;
  }

  private static InputStream plain(String given, Meter meter) throws IOException {
    String name =
        isOnHub(given)
            ? Downloads.file(given, new PrintWriter(System.err, true, StandardCharsets.UTF_8))
                .toString()
            : given;
    if (name.equals(OutputFile.STANDARD)) {
      return System.in;
    }
    Path path = Path.of(name);
    if (Files.isDirectory(path)) {
      throw new Failure(name + " is a folder", "name a file to read");
    }
    if (Files.exists(path) && !Files.isRegularFile(path)) {
      // a pipe: a stream of Files.newInputStream asks for its position, which a pipe does not have
      return new FileInputStream(name);
    }
    InputStream in = Files.newInputStream(path);
    meter.size = Files.size(path);
    return in;
  }

  /** The input's name in errors. */
  static String describe(String name) {
    return name.equals(OutputFile.STANDARD) ? "standard input" : name;
  }

  /** Counts what is read. */
  private static final class Metered extends FilterInputStream {

    private final Meter meter;

    Metered(InputStream in, Meter meter) {
      super(in);
      this.meter = meter;
    }

    @Override
    public int read() throws IOException {
      int value = in.read();
      meter.read += value < 0 ? 0 : 1;
      return value;
    }

    @Override
    public int read(byte[] bytes, int offset, int length) throws IOException {
      int count = in.read(bytes, offset, length);
      meter.read += Math.max(0, count);
      return count;
    }
  }
}
