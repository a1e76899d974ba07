package org.hirengine.kernels;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.Optional;
import org.hirengine.kernels.testing.DecodeContract;
import org.hirengine.kernels.testing.OptimizerContract;
import org.hirengine.kernels.testing.PolicyLossContract;
import org.hirengine.kernels.testing.SampleContract;
import org.hirengine.kernels.testing.TokenLogprobContract;
import org.junit.jupiter.api.Nested;

/** The contracts of the kernels, for every native provider; one that cannot run here is skipped. */
class NativeKernelsTest {

  @Nested
  class Avx512 extends Contracts {
    Avx512() {
      super(new NativeProvider.Avx512());
    }
  }

  @Nested
  class Avx2 extends Contracts {
    Avx2() {
      super(new NativeProvider.Avx2());
    }
  }

  @Nested
  class Baseline extends Contracts {
    Baseline() {
      super(new NativeProvider.Baseline());
    }
  }

  abstract static class Contracts
      implements TokenLogprobContract,
          PolicyLossContract,
          SampleContract,
          OptimizerContract,
          DecodeContract {
    private final NativeProvider provider;

    Contracts(NativeProvider provider) {
      this.provider = provider;
    }

    @Override
    public Kernels kernels() {
      Optional<String> reason = provider.unusable();
      assumeTrue(reason.isEmpty(), () -> "skipped: " + reason.orElseThrow());
      return provider.kernels();
    }
  }
}
