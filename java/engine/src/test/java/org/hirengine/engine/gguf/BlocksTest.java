package org.hirengine.engine.gguf;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class BlocksTest {

  private static ByteBuffer buffer(int bytes) {
    return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  @Test
  void halvesKeepSubnormalValues() {
    assertEquals(1.5f, Blocks.half((short) 0x3E00));
    assertEquals(5.9604645e-8f, Blocks.half((short) 0x0001));
    assertEquals(6.097555e-5f, Blocks.half((short) 0x03FF));
    assertEquals(-65504f, Blocks.half((short) 0xFBFF));
    assertEquals(Float.NEGATIVE_INFINITY, Blocks.half((short) 0xFC00));
    assertEquals(
        Float.floatToRawIntBits(-0f), Float.floatToRawIntBits(Blocks.half((short) 0x8000)));
    assertTrue(Float.isNaN(Blocks.half((short) 0x7E01)));
  }

  @Test
  void everyHalfGoesThereAndBack() {
    for (int bits = 0; bits < 1 << 16; bits++) {
      float value = Blocks.half((short) bits);
      short back = Blocks.toHalf(value);
      if (Float.isNaN(value)) {
        assertTrue(Float.isNaN(Blocks.half(back)));
      } else {
        assertEquals((short) bits, back, () -> "half of " + value);
      }
    }
  }

  /** The neighbours of a half, and values between them, computed in double. */
  @Test
  void halvesAndBfloatsAreTheNearestTiesToEven() {
    for (int bits = 0; bits < 0x7BFF; bits += 3) {
      double low = Blocks.half((short) bits);
      double high = Blocks.half((short) (bits + 1));
      float middle = (float) ((low + high) / 2);
      assertEquals(bits % 2 == 0 ? bits : bits + 1, Blocks.toHalf(middle));
      assertEquals(bits, Blocks.toHalf(Math.nextDown(middle)));
      assertEquals(bits + 1, Blocks.toHalf(Math.nextUp(middle)));
      assertEquals((short) (bits + 1 | 0x8000), Blocks.toHalf(-Math.nextUp(middle)));
    }
    Random random = new Random(1);
    for (int i = 0; i < 10000; i++) {
      int top = random.nextInt(0x7F7F);
      float low = Float.intBitsToFloat(top << 16);
      float middle = Float.intBitsToFloat(top << 16 | 0x8000);
      assertEquals((short) top, Blocks.toBfloat(low));
      assertEquals((short) (top + top % 2), Blocks.toBfloat(middle));
      assertEquals((short) (top + 1), Blocks.toBfloat(Math.nextUp(middle)));
      assertEquals((short) top, Blocks.toBfloat(Math.nextDown(middle)));
    }
    assertTrue(Float.isNaN(Float.intBitsToFloat(Blocks.toBfloat(Float.NaN) << 16)));
    assertEquals(0x7F80, Blocks.toBfloat(Float.POSITIVE_INFINITY));
  }

  /** ggml's layout: the low nibbles of a block are its first half. */
  @Test
  void nibblesOfABlockAreHalvesOfIt() {
    ByteBuffer block = buffer(18).putShort((short) 0x3C00).put((byte) 0x21);
    float[] values = new float[32];
    Blocks.decode(GgmlType.Q4_0, block, 0, values, 32);
    assertEquals(-7, values[0]);
    assertEquals(-6, values[16]);
    assertEquals(-8, values[1]);
  }

  /** Encoded values decode to within half a step, and exactly where the type can represent them. */
  @ParameterizedTest
  @EnumSource(names = {"F32", "F16", "BF16", "Q8_0"})
  void encodingIsUndoneByDecoding(GgmlType type) {
    Random random = new Random(3);
    float[] values = new float[640];
    for (int i = 0; i < values.length; i++) {
      // Eighths up to 15, which all types but Q8_0 can represent.
      values[i] = random.nextInt(-120, 121) / 8f;
    }
    ByteBuffer bytes = buffer(values.length / type.elements * type.bytes);
    type.encode(values, bytes);
    assertEquals(0, bytes.remaining());
    float[] back = new float[values.length];
    type.decode(bytes, back, back.length);
    assertArrayEquals(values, back, type == GgmlType.Q8_0 ? 15f / 254 + 0.01f : 0);
    // The type can represent decoded values, so encoding them again changes nothing.
    ByteBuffer again = buffer(bytes.capacity());
    type.encode(back, again);
    float[] twice = new float[values.length];
    type.decode(again, twice, twice.length);
    assertArrayEquals(back, twice, type == GgmlType.Q8_0 ? 2e-2f : 0);
  }

  @Test
  void theLargestOfABlockIs127AndHalvesRoundAway() {
    float[] values = new float[32];
    values[0] = -127;
    values[1] = 2.5f;
    values[2] = -2.5f;
    values[3] = 2.49f;
    ByteBuffer bytes = buffer(34);
    GgmlType.Q8_0.encode(values, bytes);
    assertEquals((short) 0x3C00, bytes.getShort(0));
    byte[] found = new byte[5];
    bytes.get(2, found);
    assertArrayEquals(new byte[] {-127, 3, -3, 2, 0}, found);
    GgmlType.Q8_0.encode(new float[32], bytes.clear());
    byte[] zeros = new byte[34];
    bytes.get(0, zeros);
    assertArrayEquals(new byte[34], zeros);
  }

  @Test
  void valuesWithoutAPlaceAreRefused() {
    ByteBuffer bytes = buffer(64);
    assertThrows(
        IllegalArgumentException.class, () -> GgmlType.F16.encode(new float[] {70000}, bytes));
    assertThrows(
        IllegalArgumentException.class,
        () -> GgmlType.BF16.encode(new float[] {Float.MAX_VALUE}, bytes));
    float[] broken = new float[32];
    broken[9] = Float.NaN;
    assertThrows(IllegalArgumentException.class, () -> GgmlType.Q8_0.encode(broken, bytes));
    assertThrows(IllegalArgumentException.class, () -> GgmlType.Q4_0.encode(new float[32], bytes));
  }
}
