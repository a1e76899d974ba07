package org.hirengine.engine.rollout;

import java.util.Map;
import org.hirengine.engine.libtorch.LibTorchKernelProvider;
import org.hirengine.kernels.DType;
import org.junit.jupiter.api.BeforeAll;

/** The same tests with kernels that have no decoder. */
class LibTorchRolloutEngineTest extends RolloutEngineTest {

  @BeforeAll
  static void useLibTorch() {
    kernels = new LibTorchKernelProvider().kernels();
    bounds = Map.of(DType.FLOAT32, 2e-5f, DType.BFLOAT16, 0.3f);
  }
}
