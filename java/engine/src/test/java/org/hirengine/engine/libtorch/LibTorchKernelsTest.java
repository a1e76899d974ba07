package org.hirengine.engine.libtorch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.hirengine.kernels.KernelProvider;
import org.hirengine.kernels.KernelRegistry;
import org.hirengine.kernels.Kernels;
import org.hirengine.kernels.testing.OptimizerContract;
import org.hirengine.kernels.testing.PolicyLossContract;
import org.hirengine.kernels.testing.SampleContract;
import org.hirengine.kernels.testing.TokenLogprobContract;
import org.junit.jupiter.api.Test;

/** The contracts of the kernels, for LibTorch's operators. */
class LibTorchKernelsTest
    implements TokenLogprobContract, PolicyLossContract, SampleContract, OptimizerContract {

  private final KernelProvider provider = new LibTorchKernelProvider();

  @Override
  public Kernels kernels() {
    assertTrue(provider.unusable().isEmpty());
    return provider.kernels();
  }

  /** Fewer draws than the native kernels' million, because sorting in double precision is slow. */
  @Override
  public int draws() {
    return 200_000;
  }

  @Test
  void isFoundAndComesLast() {
    var providers = KernelRegistry.providers();
    KernelProvider last = providers.get(providers.size() - 1);
    assertEquals("libtorch", last.name());
  }
}
