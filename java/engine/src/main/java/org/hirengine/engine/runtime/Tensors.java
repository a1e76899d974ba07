package org.hirengine.engine.runtime;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.pytorch.BoolOptional;
import org.bytedeco.pytorch.DeviceOptional;
import org.bytedeco.pytorch.MemoryFormatOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.DeviceType;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.hirengine.kernels.DType;
import org.hirengine.kernels.Device;

/**
 * Converts between tensors and Java arrays.
 *
 * <p>Ownership in this engine: a tensor made inside a {@code PointerScope} dies with the scope; one
 * that must outlive the scope goes through {@link #own} and is closed by its holder.
 */
public final class Tensors {

  private Tensors() {}

  /** Detaches {@code tensor} from any enclosing scope; the caller closes it. */
  public static Tensor own(Tensor tensor) {
    tensor.retainReference();
    return tensor;
  }

  /** Uninitialised, on the CPU. */
  public static Tensor empty(ScalarType dtype, long... shape) {
    return empty(Device.CPU, dtype, shape);
  }

  /** Uninitialised. */
  public static Tensor empty(Device device, ScalarType dtype, long... shape) {
    try (TensorOptions base = new TensorOptions(dtype);
        org.bytedeco.pytorch.Device place = place(device);
        DeviceOptional optional = new DeviceOptional(place);
        TensorOptions options = base.device(optional);
        MemoryFormatOptional format = new MemoryFormatOptional()) {
      return torch.empty(shape, options, format);
    }
  }

  /**
   * Uninitialised, on the CPU, for copies from and to a device: a GPU makes them beside other work
   * only if the memory is page-locked.
   */
  public static Tensor staging(Device device, ScalarType dtype, long... shape) {
    if (device.kind() == Device.Kind.CPU) {
      return empty(dtype, shape);
    }
    try (TensorOptions base = new TensorOptions(dtype);
        BoolOptional locked = new BoolOptional(true);
        TensorOptions options = base.pinned_memory(locked);
        MemoryFormatOptional format = new MemoryFormatOptional()) {
      return torch.empty(shape, options, format);
    }
  }

  public static Tensor zeros(Device device, ScalarType dtype, long... shape) {
    Tensor tensor = empty(device, dtype, shape);
    tensor.zero_();
    return tensor;
  }

  /** The element type as LibTorch names it. */
  public static ScalarType type(DType dtype) {
    return dtype == DType.FLOAT32 ? ScalarType.Float : ScalarType.BFloat16;
  }

  /** The device as LibTorch names it; the CPU has no index there. */
  public static org.bytedeco.pytorch.Device place(Device device) {
    return device.kind() == Device.Kind.CUDA
        ? new org.bytedeco.pytorch.Device(DeviceType.CUDA, (byte) device.index())
        : new org.bytedeco.pytorch.Device(DeviceType.CPU);
  }

  /** {@code tensor} on {@code device}: itself if it is already there. */
  public static Tensor to(Device device, Tensor tensor) {
    if (device.kind() == Device.Kind.CPU) {
      return tensor;
    }
    try (org.bytedeco.pytorch.Device place = place(device)) {
      return tensor.to(place, dtype(tensor));
    }
  }

  /** int64[values.length] on the CPU. */
  public static Tensor of(long... values) {
    Tensor tensor = empty(ScalarType.Long, values.length);
    if (values.length > 0) {
      tensor.data_ptr_long().put(values, 0, values.length);
    }
    return tensor;
  }

  /** int64[values.length] on the CPU, widened. */
  public static Tensor ofInts(int... values) {
    long[] wide = new long[values.length];
    for (int i = 0; i < values.length; i++) {
      wide[i] = values[i];
    }
    return of(wide);
  }

  /** float32[values.length] on the CPU. */
  public static Tensor of(float... values) {
    Tensor tensor = empty(ScalarType.Float, values.length);
    if (values.length > 0) {
      tensor.data_ptr_float().put(values, 0, values.length);
    }
    return tensor;
  }

  /** The elements of a float32 tensor on the CPU, row by row. */
  public static float[] floats(Tensor tensor) {
    float[] values = new float[Math.toIntExact(tensor.numel())];
    if (values.length > 0) {
      try (Tensor flat = tensor.contiguous()) {
        flat.data_ptr_float().get(values, 0, values.length);
      }
    }
    return values;
  }

  /** The elements of an int64 tensor on the CPU, row by row. */
  public static long[] longs(Tensor tensor) {
    long[] values = new long[Math.toIntExact(tensor.numel())];
    if (values.length > 0) {
      try (Tensor flat = tensor.contiguous()) {
        flat.data_ptr_long().get(values, 0, values.length);
      }
    }
    return values;
  }

  public static long[] shape(Tensor tensor) {
    long[] shape = new long[(int) tensor.dim()];
    for (int i = 0; i < shape.length; i++) {
      shape[i] = tensor.size(i);
    }
    return shape;
  }

  /** Element type, as one of the enum's own constants (JavaCPP returns a copy). */
  public static ScalarType dtype(Tensor tensor) {
    return tensor.scalar_type().intern();
  }

  /** Address of the first element, for kernels. */
  public static long address(Tensor tensor) {
    return tensor.data_ptr().address();
  }

  /** A place in the memory of a tensor, on any device. */
  static Pointer pointer(Tensor tensor, long offset) {
    return new BytePointer(tensor.data_ptr()).position(offset);
  }

  /** A view of at most 2 GiB of the bytes of a contiguous tensor on the CPU. */
  public static ByteBuffer bytes(Tensor tensor, long offset, int length) {
    Pointer data = tensor.data_ptr();
    BytePointer window = new BytePointer(data);
    window.position(offset).limit(offset + length);
    return window.asByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
  }
}
