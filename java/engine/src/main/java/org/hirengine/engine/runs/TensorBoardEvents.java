package org.hirengine.engine.runs;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Clock;
import java.util.Map;
import java.util.zip.CRC32C;

/**
 * An event file that TensorBoard reads: scalars and texts by tag and step.
 *
 * <p>The file is a sequence of TFRecords (length, masked CRC32C of it, data, masked CRC32C of it,
 * little-endian), each an {@code Event} message of TensorFlow's event.proto. A resumed run writes a
 * further file that begins with a session start at its first step, which makes TensorBoard drop
 * that step and later ones from earlier files.
 */
public final class TensorBoardEvents implements AutoCloseable {

  private static final String PREFIX = "events.out.tfevents.";
  private static final String REMEDY = "free disk space, or set log.tensorboard=false";

  // Field numbers of event.proto, summary.proto, tensor.proto.
  private static final int EVENT_WALL_TIME = 1;
  private static final int EVENT_STEP = 2;
  private static final int EVENT_FILE_VERSION = 3;
  private static final int EVENT_SUMMARY = 5;
  private static final int EVENT_SESSION_LOG = 7;
  private static final int SESSION_STATUS = 1;
  private static final int SESSION_START = 1;
  private static final int SUMMARY_VALUE = 1;
  private static final int VALUE_TAG = 1;
  private static final int VALUE_SIMPLE = 2;
  private static final int VALUE_TENSOR = 8;
  private static final int VALUE_METADATA = 9;
  private static final int METADATA_PLUGIN = 1;
  private static final int PLUGIN_NAME = 1;
  private static final int TENSOR_DTYPE = 1;
  private static final int TENSOR_SHAPE = 2;
  private static final int TENSOR_STRING = 8;
  private static final int DT_STRING = 7;

  private static final int CRC_MASK = 0xa282ead8;

  private final Path file;
  private final OutputStream out;
  private final Clock clock;

  /**
   * Starts a new file in {@code folder}.
   *
   * @param firstStep the first step that it will hold: 1, or where a resumed run continues
   * @throws RunException when it cannot be written
   */
  public TensorBoardEvents(Path folder, int firstStep) {
    this(folder, firstStep, Clock.systemUTC());
  }

  TensorBoardEvents(Path folder, int firstStep, Clock clock) {
    this.clock = clock;
    this.file = unusedName(folder);
    try {
      this.out =
          Files.newOutputStream(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
    } catch (IOException e) {
      throw RunException.io("create", file, e, REMEDY);
    }
    record(event(0).text(EVENT_FILE_VERSION, "brain.Event:2"));
    Protobuf start = new Protobuf().varint(SESSION_STATUS, SESSION_START);
    record(event(firstStep).message(EVENT_SESSION_LOG, start));
  }

  /** TensorBoard reads a folder's files by name, so names must sort in order of creation. */
  private Path unusedName(Path folder) {
    for (long millis = clock.millis(); ; millis++) {
      Path name = folder.resolve(PREFIX + "%010d.%03d.hir".formatted(millis / 1000, millis % 1000));
      if (!Files.exists(name)) {
        return name;
      }
    }
  }

  /** Whether this is the name of an event file. */
  static boolean isEventFile(String name) {
    return name.startsWith(PREFIX);
  }

  /** The file being written. */
  public Path file() {
    return file;
  }

  /** Writes all of a step's metrics as scalars: {@code eval.ila} under the tag {@code eval/ila}. */
  public void step(StepMetrics metrics) {
    Protobuf summary = new Protobuf();
    for (Map.Entry<Metric, Double> entry : metrics.values().entrySet()) {
      String key = entry.getKey().key();
      String tag = key.indexOf('.') < 0 ? "train/" + key : key.replace('.', '/');
      summary.message(SUMMARY_VALUE, scalar(tag, entry.getValue()));
    }
    for (Map.Entry<String, Double> type : metrics.satisfied().entrySet()) {
      String tag = Metric.SATISFIED + "/" + type.getKey();
      summary.message(SUMMARY_VALUE, scalar(tag, type.getValue()));
    }
    record(event(metrics.step()).message(EVENT_SUMMARY, summary));
  }

  /** Writes one scalar. */
  public void scalar(String tag, double value, int step) {
    Protobuf summary = new Protobuf().message(SUMMARY_VALUE, scalar(tag, value));
    record(event(step).message(EVENT_SUMMARY, summary));
  }

  private static Protobuf scalar(String tag, double value) {
    return new Protobuf().text(VALUE_TAG, tag).float32(VALUE_SIMPLE, (float) value);
  }

  /** Writes a text, which TensorBoard shows as Markdown. */
  public void text(String tag, String markdown, int step) {
    Protobuf plugin = new Protobuf().text(PLUGIN_NAME, "text");
    Protobuf tensor =
        new Protobuf()
            .varint(TENSOR_DTYPE, DT_STRING)
            .message(TENSOR_SHAPE, new Protobuf())
            .text(TENSOR_STRING, markdown);
    Protobuf value =
        new Protobuf()
            .text(VALUE_TAG, tag)
            .message(VALUE_METADATA, new Protobuf().message(METADATA_PLUGIN, plugin))
            .message(VALUE_TENSOR, tensor);
    record(event(step).message(EVENT_SUMMARY, new Protobuf().message(SUMMARY_VALUE, value)));
  }

  private Protobuf event(int step) {
    return new Protobuf()
        .float64(EVENT_WALL_TIME, clock.millis() / 1000.0)
        .varint(EVENT_STEP, step);
  }

  /**
   * One write per record: a crash leaves complete records and at most one incomplete one at the
   * end.
   */
  private void record(Protobuf event) {
    byte[] data = event.toByteArray();
    ByteBuffer record =
        ByteBuffer.allocate(Long.BYTES + Integer.BYTES + data.length + Integer.BYTES)
            .order(ByteOrder.LITTLE_ENDIAN);
    record.putLong(data.length);
    record.putInt(maskedCrc(record.array(), Long.BYTES));
    record.put(data);
    record.putInt(maskedCrc(data, data.length));
    try {
      out.write(record.array());
    } catch (IOException e) {
      throw RunException.io("write", file, e, REMEDY);
    }
  }

  /** A CRC of data that contains CRCs is weak, hence the format's rotation and offset. */
  private static int maskedCrc(byte[] data, int length) {
    CRC32C crc = new CRC32C();
    crc.update(data, 0, length);
    return Integer.rotateRight((int) crc.getValue(), 15) + CRC_MASK;
  }

  @Override
  public void close() {
    try {
      out.close();
    } catch (IOException e) {
      throw RunException.io("write", file, e, REMEDY);
    }
  }
}
