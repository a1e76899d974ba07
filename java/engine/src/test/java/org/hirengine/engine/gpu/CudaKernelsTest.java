package org.hirengine.engine.gpu;

import org.hirengine.kernels.Device;
import org.hirengine.kernels.Kernels;
import org.hirengine.kernels.testing.AgreementContract;
import org.hirengine.kernels.testing.DecodeContract;
import org.hirengine.kernels.testing.Memory;
import org.hirengine.kernels.testing.OptimizerContract;
import org.hirengine.kernels.testing.PolicyLossContract;
import org.hirengine.kernels.testing.SampleContract;
import org.hirengine.kernels.testing.SynchronousKernels;
import org.hirengine.kernels.testing.TokenLogprobContract;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;

/** The contracts of the kernels, for the CUDA kernels on a GPU, in its memory. */
@Tag("gpu")
class CudaKernelsTest
    implements TokenLogprobContract,
        PolicyLossContract,
        SampleContract,
        OptimizerContract,
        DecodeContract,
        AgreementContract {

  private static Kernels kernels;

  @BeforeAll
  static void needsAGpu() {
    kernels = new SynchronousKernels(Gpu.kernels());
  }

  @Override
  public Kernels kernels() {
    return kernels;
  }

  @Override
  public Device device() {
    return Gpu.DEVICE;
  }

  @Override
  public Memory memory() {
    return Gpu.MEMORY;
  }

  /** Few rows run on our own kernel, many on cuBLAS, which sums in another order. */
  @Override
  public double batchTolerance() {
    return 2e-5;
  }
}
