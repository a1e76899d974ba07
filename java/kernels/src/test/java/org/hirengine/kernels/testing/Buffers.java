package org.hirengine.kernels.testing;

import java.util.LinkedHashMap;
import java.util.Map;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.IntPointer;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.ShortPointer;
import org.hirengine.kernels.DType;
import org.hirengine.kernels.Rows;

/** Native buffers of a test in one kind of memory, freed together. */
public final class Buffers implements AutoCloseable {

  private final Memory memory;
  private final Map<Long, Memory.Block> blocks = new LinkedHashMap<>();

  public Buffers(Memory memory) {
    this.memory = memory;
  }

  public long floats(float... values) {
    return own(new FloatPointer(Math.max(1, values.length)).put(values, 0, values.length));
  }

  public long longs(long... values) {
    return own(new LongPointer(Math.max(1, values.length)).put(values, 0, values.length));
  }

  public long ints(int... values) {
    return own(new IntPointer(Math.max(1, values.length)).put(values, 0, values.length));
  }

  public long shorts(short... values) {
    return own(new ShortPointer(Math.max(1, values.length)).put(values, 0, values.length));
  }

  /** Values in the given element type, bfloat16 rounded to nearest even. */
  public long elements(DType dtype, float... values) {
    return dtype == DType.FLOAT32 ? floats(values) : shorts(Bf16.round(values));
  }

  /** A matrix whose rows are {@code stride} elements apart; {@code values} includes the gaps. */
  public Rows rows(DType dtype, int rows, int cols, int stride, float... values) {
    return new Rows(elements(dtype, values), rows, cols, stride, dtype);
  }

  public float[] readFloats(long address, int count) {
    float[] values = new float[count];
    try (FloatPointer copy = new FloatPointer(Math.max(1, count))) {
      block(address).read(copy, 4L * count);
      copy.get(values);
    }
    return values;
  }

  public long[] readLongs(long address, int count) {
    long[] values = new long[count];
    try (LongPointer copy = new LongPointer(Math.max(1, count))) {
      block(address).read(copy, 8L * count);
      copy.get(values);
    }
    return values;
  }

  public float[] readElements(DType dtype, long address, int count) {
    if (dtype == DType.FLOAT32) {
      return readFloats(address, count);
    }
    short[] bits = new short[count];
    try (ShortPointer copy = new ShortPointer(Math.max(1, count))) {
      block(address).read(copy, 2L * count);
      copy.get(bits);
    }
    return Bf16.widen(bits);
  }

  private Memory.Block block(long address) {
    Memory.Block block = blocks.get(address);
    if (block == null) {
      throw new IllegalArgumentException("no buffer begins at " + address);
    }
    return block;
  }

  private long own(Pointer content) {
    Memory.Block block = memory.hold(content);
    blocks.put(block.address(), block);
    return block.address();
  }

  @Override
  public void close() {
    blocks.values().forEach(Memory.Block::close);
    blocks.clear();
  }
}
