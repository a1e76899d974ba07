package org.hirengine.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import org.hirengine.kernels.global.hirkernels;
import org.hirengine.kernels.testing.AgreementContract;
import org.hirengine.kernels.testing.Buffers;
import org.hirengine.kernels.testing.DecodeContract;
import org.hirengine.kernels.testing.OptimizerContract;
import org.hirengine.kernels.testing.PolicyLossContract;
import org.hirengine.kernels.testing.SampleContract;
import org.hirengine.kernels.testing.SynchronousKernels;
import org.hirengine.kernels.testing.TestingLibrary;
import org.hirengine.kernels.testing.TokenLogprobContract;
import org.junit.jupiter.api.Test;

/**
 * The contracts of the kernels, for the CUDA sources run thread by thread on the CPU. This tests
 * their arithmetic, launches and errors on machines without a GPU.
 */
class EmulatedCudaTest
    implements TokenLogprobContract,
        PolicyLossContract,
        SampleContract,
        OptimizerContract,
        DecodeContract,
        AgreementContract {

  private static final Kernels QUEUED;

  static {
    TestingLibrary.emulate();
    QUEUED = new NativeKernels("cuda-emulated", hirkernels.HIR_CUDA_EMULATED, Device.Kind.CPU);
  }

  @Override
  public Kernels kernels() {
    return new SynchronousKernels(QUEUED);
  }

  @Override
  public int draws() {
    return 2_000; // the emulator is slow
  }

  @Override
  public int agreementColumns() {
    return 1_511;
  }

  @Override
  public int decodeSteps() {
    return 3;
  }

  @Override
  public List<ModelShape> decodeShapes() {
    return Arrays.stream(DType.values())
        .map(dtype -> new ModelShape(1, 40, 56, 4, 2, 16, 37, 1e-6, dtype))
        .toList();
  }

  @Test
  void aModelRunsPassesOnAGpu() {
    try (ModelKernel model = QUEUED.model(Device.CPU, decodeShapes().get(0)).orElseThrow()) {
      assertTrue(model.runsPasses());
    }
  }

  @Test
  void faultsAreReportedByTheNextCallThatWaits() {
    try (Buffers b = buffers()) {
      float[] values = new float[30];
      values[25] = Float.NaN;
      Rows rows = b.rows(DType.FLOAT32, 3, 10, 10, values);
      long logprobs = b.floats(new float[3]);
      QUEUED.tokenLogprob(Device.CPU, rows, b.longs(0, 0, 0), 1.0, logprobs, 0);
      long one = b.floats(1);
      KernelException e =
          assertThrows(
              KernelException.class, () -> QUEUED.sumOfSquares(Device.CPU, one, 1, DType.FLOAT32));
      assertTrue(e.getMessage().contains("token_logprob: row 2"), e.getMessage());
      // It is reported once.
      assertEquals(1.0, QUEUED.sumOfSquares(Device.CPU, one, 1, DType.FLOAT32));
    }
  }
}
