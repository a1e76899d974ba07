package org.hirengine.engine.parquet;

import io.airlift.compress.Compressor;
import io.airlift.compress.lz4.Lz4Compressor;
import io.airlift.compress.snappy.SnappyCompressor;
import io.airlift.compress.zstd.ZstdCompressor;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import java.util.zip.GZIPOutputStream;
import org.apache.parquet.bytes.BytesInput;
import org.apache.parquet.compression.CompressionCodecFactory;
import org.apache.parquet.conf.PlainParquetConfiguration;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.example.data.simple.SimpleGroup;
import org.apache.parquet.hadoop.ParquetWriter;
import org.apache.parquet.hadoop.example.ExampleParquetWriter;
import org.apache.parquet.hadoop.metadata.CompressionCodecName;
import org.apache.parquet.io.LocalOutputFile;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.MessageTypeParser;

/** Tables for tests, by the library's own writer. */
final class ParquetTables {

  private ParquetTables() {}

  /** Writes a table whose row groups hold at most {@code groupRows} rows. */
  static void write(
      Path file,
      String schema,
      CompressionCodecName codec,
      int groupRows,
      List<Consumer<Group>> rows)
      throws IOException {
    MessageType type = MessageTypeParser.parseMessageType(schema);
    try (ParquetWriter<Group> writer =
        ExampleParquetWriter.builder(new LocalOutputFile(file))
            .withConf(new PlainParquetConfiguration())
            .withType(type)
            .withCodecFactory(new Compression())
            .withCompressionCodec(codec)
            .withRowGroupRowCountLimit(groupRows)
            .enablePageWriteChecksum()
            .build()) {
      for (Consumer<Group> row : rows) {
        Group group = new SimpleGroup(type);
        row.accept(group);
        writer.write(group);
      }
    }
  }

  private static final class Compression implements CompressionCodecFactory {

    private static byte[] compress(CompressionCodecName name, byte[] plain) throws IOException {
      return switch (name) {
        case UNCOMPRESSED, LZO -> plain; // LZO only by name, for files that are refused
        case GZIP -> {
          ByteArrayOutputStream bytes = new ByteArrayOutputStream();
          try (OutputStream out = new GZIPOutputStream(bytes)) {
            out.write(plain);
          }
          yield bytes.toByteArray();
        }
        case SNAPPY -> compress(new SnappyCompressor(), plain);
        case ZSTD -> compress(new ZstdCompressor(), plain);
        case LZ4_RAW -> compress(new Lz4Compressor(), plain);
        default -> throw new IllegalArgumentException(name.toString());
      };
    }

    private static byte[] compress(Compressor compressor, byte[] plain) {
      byte[] bytes = new byte[compressor.maxCompressedLength(plain.length)];
      int size = compressor.compress(plain, 0, plain.length, bytes, 0, bytes.length);
      return Arrays.copyOf(bytes, size);
    }

    @Override
    public BytesInputCompressor getCompressor(CompressionCodecName name) {
      return new BytesInputCompressor() {
        @Override
        public BytesInput compress(BytesInput bytes) throws IOException {
          return BytesInput.from(Compression.compress(name, Codecs.array(bytes)));
        }

        @Override
        public CompressionCodecName getCodecName() {
          return name;
        }

        @Override
        public void release() {}
      };
    }

    @Override
    public BytesInputDecompressor getDecompressor(CompressionCodecName name) {
      throw new UnsupportedOperationException();
    }

    @Override
    public void release() {}
  }
}
