package org.hirengine.engine.runtime;

import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.hirengine.kernels.KernelException;
import org.junit.jupiter.api.Test;

class DeviceExceptionTest {

  @Test
  void exhaustedMemoryNamesTheKeysToLower() {
    for (RuntimeException thrown :
        new RuntimeException[] {
          new RuntimeException("CUDA out of memory. Tried to allocate 2.00 GiB.\nException raised"),
          new KernelException(
              KernelException.Reason.NO_MEMORY,
              "policy_loss: out of GPU memory (0.1 of 139.8 GiB are free)"),
          new RuntimeException(
              "DefaultCPUAllocator: can't allocate memory: you tried to allocate 3 GiB")
        }) {
      DeviceException e = assertInstanceOf(DeviceException.class, DeviceException.explain(thrown));
      assertTrue(e.getMessage().contains("GiB") && !e.getMessage().contains("raised"));
      assertTrue(
          e.remedy().contains("train.micro_tokens") && e.remedy().contains("sampling.cache_gib"));
      assertSame(thrown, e.getCause());
      assertSame(e, DeviceException.explain(e));
    }
  }

  @Test
  void otherFailuresStayThemselves() {
    RuntimeException other = new IllegalStateException("something else");
    assertSame(other, DeviceException.explain(other));
    RuntimeException silent = new IllegalStateException();
    assertSame(silent, DeviceException.explain(silent));
  }
}
