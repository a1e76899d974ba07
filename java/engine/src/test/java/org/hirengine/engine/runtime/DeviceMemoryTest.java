package org.hirengine.engine.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Context;
import org.bytedeco.pytorch.global.torch;
import org.hirengine.kernels.Device;
import org.hirengine.kernels.KernelException;
import org.hirengine.kernels.KernelException.Reason;
import org.junit.jupiter.api.Test;

class DeviceMemoryTest {

  private final List<String> events = new ArrayList<>();

  private Runnable failing(int times, Reason reason) {
    return () -> {
      events.add("call");
      if (events.stream().filter("call"::equals).count() <= times) {
        throw new KernelException(reason, "decoder: as the test wants it");
      }
    };
  }

  @Test
  void theCacheIsGivenBackAndTheCallRunsOnceMore() {
    DeviceMemory.withRoom(failing(1, Reason.NO_MEMORY), () -> events.add("room"));
    assertEquals(List.of("call", "room", "call"), events);
  }

  @Test
  void onlyOnceMoreAndOnlyForMemory() {
    for (Reason reason : Reason.values()) {
      events.clear();
      KernelException e =
          assertThrows(
              KernelException.class,
              () -> DeviceMemory.withRoom(failing(9, reason), () -> events.add("room")));
      assertEquals(reason, e.reason());
      assertEquals(reason == Reason.NO_MEMORY ? 3 : 1, events.size());
    }
    events.clear();
    assertThrows(
        KernelException.class,
        () -> DeviceMemory.withRoom(Device.CPU, failing(9, Reason.NO_MEMORY)));
    assertEquals(1, events.size());
  }

  /** LibTorch's choices on a GPU follow switches that exist without a GPU, too. */
  @Test
  void attentionOnAGpuIsWithoutPlansAndInOneOrder() {
    NativeRuntime.load();
    try (Context context = torch.globalContext()) {
      boolean before = context.deterministicAlgorithms();
      try {
        NativeRuntime.settleCuda();
        assertEquals(false, context.userEnabledCuDNNSDP());
        assertEquals(true, context.deterministicAlgorithms());
        assertEquals(true, context.deterministicAlgorithmsWarnOnly());
        assertEquals(false, context.deterministicFillUninitializedMemory());
      } finally {
        context.setSDPUseCuDNN(true);
        context.setDeterministicAlgorithms(before, false);
        context.setDeterministicFillUninitializedMemory(true);
      }
    }
  }

  @Test
  void aDeviceOfAHigherIndexIsNamed() {
    NativeRuntime.load();
    try (org.bytedeco.pytorch.Device place = Tensors.place(new Device(Device.Kind.CUDA, 3, 0))) {
      assertEquals(3, place.index());
      assertEquals(true, place.is_cuda());
    }
  }
}
