package org.hirengine.engine.runtime;

import org.bytedeco.javacpp.Pointer;
import org.bytedeco.pytorch.Tensor;

/** Copies within the host's memory, made when they are asked for. */
final class ImmediateCopies implements CopyQueue {

  @Override
  public void begin() {}

  @Override
  public void copy(Tensor to, long toByte, Tensor from, long fromByte, long bytes) {
    Pointer.memcpy(Tensors.pointer(to, toByte), Tensors.pointer(from, fromByte), bytes);
  }

  @Override
  public void await() {}

  @Override
  public void close() {}
}
