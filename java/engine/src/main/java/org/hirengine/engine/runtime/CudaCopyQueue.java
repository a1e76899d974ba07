package org.hirengine.engine.runtime;

import org.bytedeco.cuda.cudart.CUstream_st;
import org.bytedeco.cuda.global.cudart;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.pytorch.Tensor;
import org.hirengine.kernels.Device;

/** Copies on a stream of their own, which waits for no other. */
final class CudaCopyQueue implements CopyQueue {

  private final CUstream_st stream = new CUstream_st();

  CudaCopyQueue(Device device) {
    Loader.load(cudart.class);
    check(cudart.cudaSetDevice(device.index()), "choose the GPU");
    check(cudart.cudaStreamCreateWithFlags(stream, cudart.cudaStreamNonBlocking), "make a stream");
  }

  @Override
  public void begin() {
    check(cudart.cudaDeviceSynchronize(), "wait for the GPU");
  }

  @Override
  public void copy(Tensor to, long toByte, Tensor from, long fromByte, long bytes) {
    // The addresses tell the driver which memory is whose.
    check(
        cudart.cudaMemcpyAsync(
            Tensors.pointer(to, toByte),
            Tensors.pointer(from, fromByte),
            bytes,
            cudart.cudaMemcpyDefault,
            stream),
        "copy between host and GPU");
  }

  @Override
  public void await() {
    check(cudart.cudaStreamSynchronize(stream), "copy between host and GPU");
  }

  private static void check(int status, String what) {
    if (status != cudart.cudaSuccess) {
      try (BytePointer reason = cudart.cudaGetErrorString(status)) {
        throw new DeviceException(
            "CUDA cannot %s: %s".formatted(what, reason.getString()),
            "set optim.offload=none, or look at the GPU with nvidia-smi");
      }
    }
  }

  @Override
  public void close() {
    cudart.cudaStreamDestroy(stream); // ends it once its copies are done
    stream.close();
  }
}
