package org.hirengine.parquet;

import io.airlift.compress.Decompressor;
import io.airlift.compress.lz4.Lz4Decompressor;
import io.airlift.compress.snappy.SnappyDecompressor;
import io.airlift.compress.zstd.ZstdDecompressor;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.EnumMap;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.zip.GZIPInputStream;
import org.apache.parquet.bytes.BytesInput;
import org.apache.parquet.compression.CompressionCodecFactory;
import org.apache.parquet.hadoop.metadata.CompressionCodecName;

/**
 * Decompression of pages in pure Java, by the JDK and aircompressor. (The library's own codecs add
 * 9 MB of native code, and Hadoop's classes for gzip.)
 */
final class Codecs implements CompressionCodecFactory {

  private interface Codec {
    byte[] decompress(byte[] compressed, int size) throws IOException;
  }

  private static final Map<CompressionCodecName, Codec> CODECS =
      new EnumMap<>(
          Map.of(
              CompressionCodecName.UNCOMPRESSED,
              (bytes, size) -> bytes,
              CompressionCodecName.GZIP,
              Codecs::gunzip,
              CompressionCodecName.SNAPPY,
              (bytes, size) -> decompress(new SnappyDecompressor(), bytes, size),
              CompressionCodecName.ZSTD,
              (bytes, size) -> decompress(new ZstdDecompressor(), bytes, size),
              CompressionCodecName.LZ4_RAW,
              (bytes, size) -> decompress(new Lz4Decompressor(), bytes, size)));

  /** The supported codecs, for messages. */
  static final String NAMES =
      CODECS.keySet().stream().map(Enum::name).collect(Collectors.joining(", "));

  static boolean reads(CompressionCodecName codec) {
    return CODECS.containsKey(codec);
  }

  static byte[] array(BytesInput bytes) throws IOException {
    ByteArrayOutputStream copy = new ByteArrayOutputStream((int) bytes.size());
    bytes.writeAllTo(copy);
    return copy.toByteArray();
  }

  private static byte[] gunzip(byte[] compressed, int size) throws IOException {
    try (InputStream in = new GZIPInputStream(new ByteArrayInputStream(compressed))) {
      byte[] plain = in.readNBytes(size);
      return checked(plain, in.read() < 0 ? plain.length : size + 1, size);
    }
  }

  private static byte[] decompress(Decompressor decompressor, byte[] compressed, int size)
      throws IOException {
    byte[] plain = new byte[size];
    return checked(
        plain, decompressor.decompress(compressed, 0, compressed.length, plain, 0, size), size);
  }

  private static byte[] checked(byte[] plain, int found, int size) throws IOException {
    if (found != size) {
      throw new IOException("a page does not hold the " + size + " bytes that it announces");
    }
    return plain;
  }

  @Override
  public BytesInputDecompressor getDecompressor(CompressionCodecName name) {
    Codec codec = CODECS.get(name);
    if (codec == null) {
      throw new IllegalArgumentException(name + " is not one of " + NAMES);
    }
    return new BytesInputDecompressor() {
      @Override
      public BytesInput decompress(BytesInput bytes, int size) throws IOException {
        return BytesInput.from(codec.decompress(array(bytes), size));
      }

      @Override
      public void decompress(
          ByteBuffer input, int compressedSize, ByteBuffer output, int decompressedSize)
          throws IOException {
        byte[] compressed = new byte[compressedSize];
        input.get(compressed);
        output.put(codec.decompress(compressed, decompressedSize));
      }

      @Override
      public void release() {}
    };
  }

  @Override
  public BytesInputCompressor getCompressor(CompressionCodecName name) {
    throw new UnsupportedOperationException("tables are only read here");
  }

  @Override
  public void release() {}
}
