package org.hirengine.cli;

import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import org.hirengine.engine.hub.Hub;
import org.hirengine.engine.hub.HubListener;
import org.hirengine.engine.hub.HubName;
import org.hirengine.engine.hub.HubSettings;
import org.hirengine.engine.hub.Location;
import org.hirengine.engine.model.ModelException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Resolves the paths and Hub names of a command line, and shows the progress of downloads. */
final class Downloads implements HubListener {

  private static final long MIB = 1L << 20;

  private final PrintWriter err;
  private @Nullable ProgressLine line;

  private Downloads(PrintWriter err) {
    this.err = err;
  }

  /** The Hub, with downloads shown on {@code err}. */
  static Hub hub(PrintWriter err) {
    return new Hub(HubSettings.ofThisProcess(), new Downloads(err));
  }

  /** The path of an existing model; a Hub name is downloaded if it is not cached. */
  static Path model(Location location, PrintWriter err) {
    Path path = hub(err).find(location).path();
    if (!Files.exists(path)) {
      throw ModelException.absent(path);
    }
    return path;
  }

  /**
   * The path of a data file on the command line; {@code hf://datasets/OWNER/NAME/FILE} is
   * downloaded if it is not in the cache.
   */
  static Path file(String text, PrintWriter err) {
    try {
      return hub(err).find(Location.parse(text, Path.of(""), Location.Kind.FILE)).path();
    } catch (IllegalArgumentException e) {
      throw new Failure(String.valueOf(e.getMessage()), "write a path or such an address");
    }
  }

  /** Reads {@code --model}: relative paths are relative to the working directory. */
  static final class ModelConverter implements ITypeConverter<Location> {

    @Override
    public Location convert(String text) {
      try {
        return Location.parse(text, Path.of(""), Location.Kind.MODEL);
      } catch (IllegalArgumentException e) {
        throw new TypeConversionException(String.valueOf(e.getMessage()));
      }
    }
  }

  @Override
  public void progress(HubName name, String file, long done, long total) {
    if (line == null) {
      line =
          ProgressLine.ofLong("fetch " + name.repository() + " MiB", done / MIB, mib(total), err);
    }
    line.to(
        done == total ? mib(total) : done / MIB,
        file.isEmpty() ? "done" : file.substring(file.lastIndexOf('/') + 1));
    if (done == total) {
      line.close();
      line = null;
    }
  }

  /** Rounded up, so that there is something to count. */
  private static long mib(long bytes) {
    return (bytes + MIB - 1) / MIB;
  }

  @Override
  public void note(String text) {
    if (line != null) {
      line.say(text);
    } else {
      err.printf(Locale.ROOT, "%s%n", text);
      err.flush();
    }
  }
}
