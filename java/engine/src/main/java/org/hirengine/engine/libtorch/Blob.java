package org.hirengine.engine.libtorch;

import org.bytedeco.javacpp.Pointer;
import org.bytedeco.pytorch.DeviceOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.hirengine.engine.runtime.Tensors;
import org.hirengine.kernels.Device;
import org.hirengine.kernels.KernelException;
import org.hirengine.kernels.Rows;

/** Tensors over memory owned by a kernel's caller. */
final class Blob {

  private Blob() {}

  private static final class Address extends Pointer {
    Address(long address) {
      this.address = address;
    }
  }

  /** Owned by the enclosing scope, which frees the handle but not the memory. */
  static Tensor of(Device device, long address, ScalarType type, long[] shape, long[] strides) {
    if (address == 0) {
      throw new KernelException("libtorch: an address that is not optional is 0");
    }
    try (TensorOptions base = new TensorOptions(type);
        org.bytedeco.pytorch.Device place = Tensors.place(device);
        DeviceOptional optional = new DeviceOptional(place);
        TensorOptions options = base.device(optional)) {
      return torch.from_blob(new Address(address), shape, strides, options);
    }
  }

  static Tensor vector(Device device, long address, ScalarType type, long count) {
    return of(device, address, type, new long[] {count}, new long[] {1});
  }

  static Tensor matrix(Device device, Rows rows) {
    return of(
        device,
        rows.address(),
        Tensors.type(rows.dtype()),
        new long[] {rows.rows(), rows.cols()},
        new long[] {rows.rowStride(), 1});
  }
}
