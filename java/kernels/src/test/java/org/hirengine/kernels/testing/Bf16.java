package org.hirengine.kernels.testing;

/** bfloat16 for tests, computed by integer division instead of the kernels' bit operations. */
final class Bf16 {

  private Bf16() {}

  static short[] round(float... values) {
    short[] bits = new short[values.length];
    for (int i = 0; i < values.length; i++) {
      bits[i] = round(values[i]);
    }
    return bits;
  }

  static float[] widen(short... bits) {
    float[] values = new float[bits.length];
    for (int i = 0; i < bits.length; i++) {
      values[i] = widen(bits[i]);
    }
    return values;
  }

  /** The nearest of the two neighbours; on a tie, the one with an even last bit. */
  static short round(float value) {
    if (Float.isNaN(value)) {
      return (short) 0x7fc0;
    }
    short down = (short) (Float.floatToRawIntBits(value) >>> 16);
    short up = (short) (down + 1);
    if (Float.isInfinite(value)) {
      return down;
    }
    // The neighbour above the largest finite bfloat16 counts as 2^128.
    double above = Float.isInfinite(widen(up)) ? Math.scalb(Math.signum(value), 128) : widen(up);
    double toDown = Math.abs((double) value - widen(down));
    double toUp = Math.abs(above - value);
    if (toDown == toUp) {
      return (down & 1) == 0 ? down : up;
    }
    return toDown < toUp ? down : up;
  }

  static float widen(short bits) {
    return Float.intBitsToFloat(bits << 16);
  }
}
