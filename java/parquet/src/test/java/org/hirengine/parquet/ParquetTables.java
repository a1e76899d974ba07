package org.hirengine.parquet;

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

/** Tables for tests, written by the library's own writer. */
public final class ParquetTables {

  /** The columns of verl's training tables, with HIR's parts in extra_info. */
  public static final String VERL =
      """
      message verl {
        optional binary data_source (STRING);
        optional group prompt (LIST) {
          repeated group list {
            optional group element {
              optional binary content (STRING);
              optional binary role (STRING);
            }
          }
        }
        optional binary ability (STRING);
        optional group reward_model {
          optional binary ground_truth (STRING);
          optional binary style (STRING);
        }
        optional group extra_info {
          optional group criteria (LIST) {
            repeated group list { optional binary element (STRING); }
          }
          optional int64 index;
          optional binary q_type (STRING);
          optional binary question (STRING);
          optional binary split (STRING);
        }
      }
      """;

  static final String TRUTH =
      "{\"instruction_id_list\": [\"punctuation:no_comma\", \"length_constraints:number_words\"],"
          + " \"kwargs\": [{}, {\"num_words\": 40, \"relation\": \"at least\"}]}";

  private ParquetTables() {}

  /** One row of the layout that verl writes. */
  public static void verlRow(Group row, int index) {
    row.append("data_source", "type1");
    Group prompt = row.addGroup("prompt");
    turn(prompt, "system", "Be brief.");
    turn(prompt, "user", "Write about the sea, no " + index + ".");
    row.append("ability", "instruction_following");
    row.addGroup("reward_model").append("style", "rule").append("ground_truth", TRUTH);
    Group info = row.addGroup("extra_info");
    info.append("question", "Write about the sea.").append("index", (long) index);
    Group criteria = info.addGroup("criteria");
    criteria.addGroup("list").append("element", "no comma");
    criteria.addGroup("list").append("element", "at least 40 words");
  }

  private static void turn(Group prompt, String role, String content) {
    prompt.addGroup("list").addGroup("element").append("role", role).append("content", content);
  }

  /** Writes a table whose row groups hold at most {@code groupRows} rows. */
  public static void write(
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
        case UNCOMPRESSED, LZO -> plain; // LZO in name only, for a file that is refused
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
