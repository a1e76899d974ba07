package org.hirengine.parquet;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import org.apache.parquet.ParquetReadOptions;
import org.apache.parquet.column.page.PageReadStore;
import org.apache.parquet.conf.PlainParquetConfiguration;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.example.data.simple.convert.GroupRecordConverter;
import org.apache.parquet.hadoop.ParquetFileReader;
import org.apache.parquet.hadoop.metadata.BlockMetaData;
import org.apache.parquet.hadoop.metadata.ColumnChunkMetaData;
import org.apache.parquet.io.ColumnIOFactory;
import org.apache.parquet.io.LocalInputFile;
import org.apache.parquet.io.MessageColumnIO;
import org.apache.parquet.io.RecordReader;
import org.apache.parquet.schema.MessageType;
import org.hirengine.replay.DataException;
import org.hirengine.replay.DataRow;
import org.hirengine.replay.DataRows;
import org.hirengine.replay.JsonLines;
import org.jspecify.annotations.Nullable;

/**
 * The rows of a Parquet table, one row group in memory at a time. If a row group's bytes are
 * damaged, nothing after them can be read, so reading ends even if bad rows are set aside.
 */
final class ParquetRows implements DataRows {

  /** Length of the footer, then the mark. */
  private static final int TAIL = 8;

  private final String name;
  private final ParquetFileReader reader;
  private final MessageColumnIO columns;
  private final GroupRecordConverter converter;
  private @Nullable RecordReader<Group> group;
  private long leftInGroup;
  private long count;

  private ParquetRows(String name, ParquetFileReader reader) {
    this.name = name;
    this.reader = reader;
    MessageType schema = reader.getFileMetaData().getSchema();
    columns = new ColumnIOFactory().getColumnIO(schema);
    converter = new GroupRecordConverter(schema);
  }

  static ParquetRows open(Path file, String name) throws IOException {
    checkTail(file, name);
    ParquetReadOptions options =
        new ParquetReadOptions.Builder(new PlainParquetConfiguration())
            .withCodecFactory(new Codecs())
            .usePageChecksumVerification()
            .build();
    ParquetFileReader reader;
    try {
      reader = ParquetFileReader.open(new LocalInputFile(file), options);
    } catch (IOException | RuntimeException e) {
      throw new DataException(
          name, 0, null, "has a footer that cannot be read: " + reason(e), "write the file again");
    }
    try {
      checkCodecs(reader, name);
      return new ParquetRows(name, reader);
    } catch (RuntimeException e) {
      reader.close();
      throw e;
    }
  }

  /** A truncated table can end anywhere, and the library would only report magic numbers. */
  private static void checkTail(Path file, String name) throws IOException {
    try (RandomAccessFile in = new RandomAccessFile(file.toFile(), "r")) {
      byte[] tail = new byte[TAIL];
      if (in.length() >= ParquetProvider.MARK.length + TAIL) {
        in.seek(in.length() - TAIL);
        in.readFully(tail);
        int footer = ByteBuffer.wrap(tail).order(ByteOrder.LITTLE_ENDIAN).getInt();
        boolean marked = Arrays.equals(Arrays.copyOfRange(tail, 4, TAIL), ParquetProvider.MARK);
        long room = in.length() - ParquetProvider.MARK.length - TAIL;
        if (marked && footer > 0 && footer <= room) {
          return;
        }
      }
    }
    throw new DataException(
        name,
        0,
        null,
        "begins as a Parquet table but does not end as one: it is truncated or encrypted",
        "fetch or write the file again");
  }

  private static void checkCodecs(ParquetFileReader reader, String name) {
    for (BlockMetaData block : reader.getRowGroups()) {
      for (ColumnChunkMetaData column : block.getColumns()) {
        if (!Codecs.reads(column.getCodec())) {
          throw new DataException(
              name,
              0,
              column.getPath().toDotString(),
              "is compressed with " + column.getCodec() + ", which is not supported",
              "write the table with one of the codecs "
                  + Codecs.NAMES
                  + ", which need no native library");
        }
      }
    }
  }

  @Override
  public @Nullable DataRow next() throws IOException {
    count++;
    try {
      while (leftInGroup == 0) {
        PageReadStore pages = reader.readNextRowGroup();
        if (pages == null) {
          return null;
        }
        leftInGroup = pages.getRowCount();
        group = leftInGroup == 0 ? null : columns.getRecordReader(pages, converter);
      }
      leftInGroup--;
      return new Row(name, count, group.read());
    } catch (IOException | RuntimeException e) {
      throw new DataException(
          name,
          count,
          null,
          "cannot be decoded: " + reason(e),
          "the file is damaged from here on; fetch or write it again");
    }
  }

  /** The root cause of an exception, below the library's outer layers. */
  private static String reason(Throwable e) {
    Throwable inner = e;
    StringBuilder said = new StringBuilder();
    for (int depth = 0; inner != null && depth < 8; depth++, inner = inner.getCause()) {
      String message = inner.getMessage() == null ? inner.toString() : inner.getMessage();
      if (said.indexOf(message) < 0) {
        said.append(said.length() == 0 ? "" : ": ").append(message);
      }
    }
    return said.toString();
  }

  @Override
  public void close() throws IOException {
    reader.close();
  }

  private record Row(String file, long number, Group group) implements DataRow {

    /** As JSON, or as the library prints it if it cannot be JSON. */
    @Override
    public String text() {
      try {
        return JsonLines.write(parse());
      } catch (DataException e) {
        return group.toString();
      }
    }

    @Override
    public ObjectNode parse() {
      try {
        return GroupJson.object(group);
      } catch (GroupJson.ValueException e) {
        throw new DataException(file, number, e.field(), e.problem(), "correct the row");
      }
    }
  }
}
