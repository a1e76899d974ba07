package org.hirengine.engine.gguf;

import java.nio.ByteBuffer;

/**
 * Decodes blocks of quantized values to float32 and encodes some, with the formulas and in the
 * order of operations of ggml's reference ({@code dequantize_row_*}, {@code quantize_row_*_ref}),
 * so that every value has the same bits.
 *
 * <p>Scales are IEEE half floats. In the 32-value types the low nibbles of a block are its first
 * half, the high nibbles its second. The 256-value types ("k") hold sub-blocks with small integer
 * scales of their own.
 */
final class Blocks {

  /** A minimum that changes no value: x + -0 is x, even if x is a zero of either sign. */
  private static final float NONE = -0f;

  private Blocks() {}

  /**
   * Decodes whole blocks.
   *
   * @param source little-endian, read from {@code at}
   * @param count values, a multiple of the type's block
   */
  static void decode(GgmlType type, ByteBuffer source, int at, float[] target, int count) {
    int from = at;
    for (int to = 0; to < count; to += type.elements) {
      switch (type) {
        case F32 -> target[to] = source.getFloat(from);
        case F16 -> target[to] = half(source.getShort(from));
        case BF16 -> target[to] = Float.intBitsToFloat(source.getShort(from) << 16);
        case Q4_0 -> q4(source, from + 2, target, to, half(source.getShort(from)), 8, NONE);
        case Q4_1 -> {
          float minimum = half(source.getShort(from + 2));
          q4(source, from + 4, target, to, half(source.getShort(from)), 0, minimum);
        }
        case Q5_0 -> q5(source, from + 2, target, to, half(source.getShort(from)), 16, NONE);
        case Q5_1 -> {
          float minimum = half(source.getShort(from + 2));
          q5(source, from + 4, target, to, half(source.getShort(from)), 0, minimum);
        }
        case Q8_0 -> q8(source, from, target, to);
        case Q2_K -> q2k(source, from, target, to);
        case Q3_K -> q3k(source, from, target, to);
        case Q4_K -> q4k(source, from, target, to);
        case Q5_K -> q5k(source, from, target, to);
        case Q6_K -> q6k(source, from, target, to);
      }
      from += type.bytes;
    }
  }

  /**
   * Encodes whole blocks.
   *
   * @param type F32, F16, BF16 or Q8_0
   * @param target little-endian
   * @throws IllegalArgumentException when a finite value becomes infinite in the type, or a value
   *     that is not finite cannot be represented
   */
  static void encode(GgmlType type, float[] values, ByteBuffer target) {
    for (int from = 0; from < values.length; from += type.elements) {
      switch (type) {
        case F32 -> target.putFloat(values[from]);
        case F16 -> target.putShort(fitting(values[from], toHalf(values[from]), 0x7C00));
        case BF16 -> target.putShort(fitting(values[from], toBfloat(values[from]), 0x7F80));
        case Q8_0 -> encodeQ8(values, from, target);
        default -> throw new IllegalArgumentException(type + " cannot be written");
      }
    }
  }

  /** The largest magnitude becomes 127; halves round away from zero. */
  private static void encodeQ8(float[] values, int from, ByteBuffer target) {
    float largest = 0;
    for (int i = 0; i < 32; i++) {
      largest = Math.max(largest, Math.abs(values[from + i])); // NaN stays
    }
    if (!Float.isFinite(largest)) {
      throw new IllegalArgumentException("holds " + largest + ", which Q8_0 cannot");
    }
    float d = largest / 127;
    float inverse = 1 / d;
    if (Float.isInfinite(inverse)) { // d is zero, or rounds to zero as a half
      inverse = 0;
    }
    target.putShort(fitting(d, toHalf(d), 0x7C00));
    for (int i = 0; i < 32; i++) {
      float scaled = values[from + i] * inverse;
      float magnitude = Math.abs(scaled);
      float floor = (float) Math.floor(magnitude);
      int rounded = (int) (magnitude - floor >= 0.5f ? floor + 1 : floor);
      target.put((byte) (scaled < 0 ? -rounded : rounded));
    }
  }

  private static short fitting(float value, short rounded, int infinity) {
    if (Float.isFinite(value) && (rounded & infinity) == infinity) {
      throw new IllegalArgumentException(
          "holds " + value + ", too large for the type; choose BF16 or F32");
    }
    return rounded;
  }

  /** A bit field of a byte. */
  private static int bits(ByteBuffer source, int at, int shift, int mask) {
    return (source.get(at) >> shift) & mask;
  }

  private static void q4(
      ByteBuffer source, int at, float[] target, int to, float d, int offset, float minimum) {
    for (int i = 0; i < 16; i++) {
      target[to + i] = d * (bits(source, at + i, 0, 15) - offset) + minimum;
      target[to + i + 16] = d * (bits(source, at + i, 4, 15) - offset) + minimum;
    }
  }

  /** Four bytes with the fifth bits of the 32 values, then the nibbles. */
  private static void q5(
      ByteBuffer source, int at, float[] target, int to, float d, int offset, float minimum) {
    int high = source.getInt(at);
    for (int i = 0; i < 16; i++) {
      int first = bits(source, at + 4 + i, 0, 15) + 16 * (high >>> i & 1);
      int second = bits(source, at + 4 + i, 4, 15) + 16 * (high >>> (i + 16) & 1);
      target[to + i] = d * (first - offset) + minimum;
      target[to + i + 16] = d * (second - offset) + minimum;
    }
  }

  private static void q8(ByteBuffer source, int at, float[] target, int to) {
    float d = half(source.getShort(at));
    for (int i = 0; i < 32; i++) {
      target[to + i] = d * source.get(at + 2 + i);
    }
  }

  /**
   * 16 bytes of scale (low nibble) and minimum (high) for 16 values each, 64 of 2 bits, d, dmin.
   */
  private static void q2k(ByteBuffer source, int at, float[] target, int to) {
    float d = half(source.getShort(at + 80));
    float minimum = half(source.getShort(at + 82));
    for (int i = 0; i < 256; i++) {
      int scale = source.get(at + i / 16) & 0xFF;
      int value = bits(source, at + 16 + i / 128 * 32 + i % 32, i % 128 / 32 * 2, 3);
      target[to + i] = d * (scale & 15) * value - minimum * (scale >> 4);
    }
  }

  /** 32 bytes of high bits, 64 of 2 low bits, 12 of 6-bit scales, d. */
  private static void q3k(ByteBuffer source, int at, float[] target, int to) {
    float d = half(source.getShort(at + 108));
    for (int i = 0; i < 256; i++) {
      int block = i / 16;
      int low = bits(source, at + 96 + block % 8, block / 8 * 4, 15);
      int high = bits(source, at + 104 + block % 4, block / 4 * 2, 3);
      int scale = low + 16 * high - 32;
      int value =
          bits(source, at + 32 + i / 128 * 32 + i % 32, i % 128 / 32 * 2, 3)
              + 4 * bits(source, at + i % 32, i / 32, 1)
              - 4;
      target[to + i] = d * scale * value;
    }
  }

  /** d, dmin, 12 bytes of 6-bit scales and minima, 128 of nibbles. */
  private static void q4k(ByteBuffer source, int at, float[] target, int to) {
    for (int block = 0; block < 8; block++) {
      float d = half(source.getShort(at)) * scale(source, at + 4, block);
      float minimum = half(source.getShort(at + 2)) * minimum(source, at + 4, block);
      for (int i = 0; i < 32; i++) {
        int value = bits(source, at + 16 + block / 2 * 32 + i, block % 2 * 4, 15);
        target[to + block * 32 + i] = d * value - minimum;
      }
    }
  }

  /** As q4k, with 32 bytes of fifth bits before the nibbles. */
  private static void q5k(ByteBuffer source, int at, float[] target, int to) {
    for (int block = 0; block < 8; block++) {
      float d = half(source.getShort(at)) * scale(source, at + 4, block);
      float minimum = half(source.getShort(at + 2)) * minimum(source, at + 4, block);
      for (int i = 0; i < 32; i++) {
        int low = bits(source, at + 48 + block / 2 * 32 + i, block % 2 * 4, 15);
        int value = low + 16 * bits(source, at + 16 + i, block, 1);
        target[to + block * 32 + i] = d * value - minimum;
      }
    }
  }

  /** The 6-bit scale of a sub-block of 32 values in q4k and q5k. */
  private static int scale(ByteBuffer source, int at, int block) {
    return block < 4
        ? bits(source, at + block, 0, 63)
        : bits(source, at + block + 4, 0, 15) + 16 * bits(source, at + block - 4, 6, 3);
  }

  /** The 6-bit minimum of a sub-block of 32 values in q4k and q5k. */
  private static int minimum(ByteBuffer source, int at, int block) {
    return block < 4
        ? bits(source, at + block + 4, 0, 63)
        : bits(source, at + block + 4, 4, 15) + 16 * bits(source, at + block, 6, 3);
  }

  /** 128 bytes of 4 low bits, 64 of 2 high bits, 16 signed scales, d. */
  private static void q6k(ByteBuffer source, int at, float[] target, int to) {
    float d = half(source.getShort(at + 208));
    for (int i = 0; i < 256; i++) {
      int part = i / 128;
      int low = bits(source, at + part * 64 + i % 64, i % 128 / 64 * 4, 15);
      int high = bits(source, at + 128 + part * 32 + i % 32, i % 128 / 32 * 2, 3);
      target[to + i] = d * source.get(at + 192 + i / 16) * (low + 16 * high - 32);
    }
  }

  /** The float32 value of an IEEE half float, including subnormal ones. */
  static float half(short bits) {
    int sign = bits & 0x8000;
    int exponent = bits >> 10 & 31;
    int fraction = bits & 0x3FF;
    if (exponent == 31) {
      return Float.intBitsToFloat(sign << 16 | 0x7F800000 | fraction << 13);
    }
    if (exponent == 0) {
      float magnitude = fraction * 0x1p-24f;
      return sign == 0 ? magnitude : -magnitude;
    }
    return Float.intBitsToFloat(sign << 16 | (exponent + 112) << 23 | fraction << 13);
  }

  /** The nearest IEEE half float, ties to even. */
  static short toHalf(float value) {
    int bits = Float.floatToRawIntBits(value);
    int sign = bits >>> 16 & 0x8000;
    int magnitude = bits & 0x7FFFFFFF;
    if (magnitude > 0x7F800000) {
      return (short) (sign | 0x7E00 | (magnitude >>> 13 & 0x3FF));
    }
    if (magnitude >= 0x47800000) { // 65536 and above
      return (short) (sign | 0x7C00);
    }
    if (magnitude < 0x38800000) { // below the smallest normal half: a multiple of 2^-24
      return (short) (sign | (int) Math.rint(Float.intBitsToFloat(magnitude) * 0x1p24));
    }
    int rounded = magnitude + 0xFFF + (magnitude >>> 13 & 1);
    return (short) (sign | (rounded - 0x38000000) >>> 13);
  }

  /** The nearest bfloat16, ties to even; NaNs stay NaNs. */
  static short toBfloat(float value) {
    int bits = Float.floatToRawIntBits(value);
    if ((bits & 0x7FFFFFFF) > 0x7F800000) {
      return (short) (bits >>> 16 | 64);
    }
    return (short) ((bits + 0x7FFF + (bits >>> 16 & 1)) >>> 16);
  }
}
