package org.hirengine.engine.gguf;

import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/** Element types of GGUF tensors: values are stored in blocks of {@code elements}. */
public enum GgmlType {
  F32(0, 1, 4),
  F16(1, 1, 2),
  Q4_0(2, 32, 18),
  Q4_1(3, 32, 20),
  Q5_0(6, 32, 22),
  Q5_1(7, 32, 24),
  Q8_0(8, 32, 34),
  Q2_K(10, 256, 84),
  Q3_K(11, 256, 110),
  Q4_K(12, 256, 144),
  Q5_K(13, 256, 176),
  Q6_K(14, 256, 210),
  BF16(30, 1, 2);

  /** Names, by number, of types that exist but are not supported, for errors. */
  private static final String[] OTHERS = new String[40];

  static {
    OTHERS[9] = "Q8_1";
    OTHERS[15] = "Q8_K";
    OTHERS[16] = "IQ2_XXS";
    OTHERS[17] = "IQ2_XS";
    OTHERS[18] = "IQ3_XXS";
    OTHERS[19] = "IQ1_S";
    OTHERS[20] = "IQ4_NL";
    OTHERS[21] = "IQ3_S";
    OTHERS[22] = "IQ2_S";
    OTHERS[23] = "IQ4_XS";
    OTHERS[24] = "I8";
    OTHERS[25] = "I16";
    OTHERS[26] = "I32";
    OTHERS[27] = "I64";
    OTHERS[28] = "F64";
    OTHERS[29] = "IQ1_M";
    OTHERS[34] = "TQ1_0";
    OTHERS[35] = "TQ2_0";
    OTHERS[39] = "MXFP4";
  }

  final int id;

  /** Values per block; a row holds whole blocks. */
  public final int elements;

  /** Bytes per block. */
  public final int bytes;

  GgmlType(int id, int elements, int bytes) {
    this.id = id;
    this.elements = elements;
    this.bytes = bytes;
  }

  /**
   * Decodes whole blocks.
   *
   * @param source little-endian, read from the start
   * @param target holds {@code count} values
   */
  public void decode(ByteBuffer source, float[] target, int count) {
    Blocks.decode(this, source, 0, target, count);
  }

  /**
   * Encodes whole blocks, for F32, F16, BF16 and Q8_0.
   *
   * @param target little-endian, written from its position on
   * @throws IllegalArgumentException when the type cannot represent a value
   */
  public void encode(float[] values, ByteBuffer target) {
    Blocks.encode(this, values, target);
  }

  /** The type with this number in files, or null if it is not supported. */
  static @Nullable GgmlType of(long id) {
    for (GgmlType type : values()) {
      if (type.id == id) {
        return type;
      }
    }
    return null;
  }

  /** The name of a type that {@link #of} does not support. */
  static String describe(long id) {
    String name = id < OTHERS.length ? OTHERS[(int) id] : null;
    return Long.toUnsignedString(id) + (name == null ? "" : " (" + name + ")");
  }
}
