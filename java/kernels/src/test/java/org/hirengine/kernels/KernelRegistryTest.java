package org.hirengine.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class KernelRegistryTest {

  @Test
  void theBestUsableProviderIsChosen() {
    List<KernelProvider> providers =
        List.of(new Fake("best", "no such instruction"), new Fake("good", null));
    assertEquals("good", KernelRegistry.choose(Device.Kind.CPU, providers, null).name());
  }

  @Test
  void thePropertyNamesTheProvider() {
    List<KernelProvider> providers = List.of(new Fake("best", null), new Fake("good", null));
    assertEquals("good", KernelRegistry.choose(Device.Kind.CPU, providers, "good").name());
  }

  @Test
  void whatIsMissingAndWhatIsThereIsSaid() {
    List<KernelProvider> providers = List.of(new Fake("best", "no such instruction"));
    KernelException e =
        assertThrows(
            KernelException.class, () -> KernelRegistry.choose(Device.Kind.CPU, providers, null));
    assertTrue(e.getMessage().contains("best: no such instruction"), e.getMessage());
    e =
        assertThrows(
            KernelException.class, () -> KernelRegistry.choose(Device.Kind.CPU, providers, "typo"));
    assertTrue(e.getMessage().contains("typo") && e.getMessage().contains("best"), e.getMessage());
    assertThrows(
        KernelException.class, () -> KernelRegistry.choose(Device.Kind.CUDA, providers, null));
  }

  @Test
  void aGpuWithoutItsKernelsIsAWarning() {
    List<String> refused = List.of("cuda: this build is without CUDA");
    assertEquals(System.Logger.Level.WARNING, KernelRegistry.level(Device.Kind.CUDA, refused));
    assertEquals(System.Logger.Level.INFO, KernelRegistry.level(Device.Kind.CPU, refused));
    assertEquals(System.Logger.Level.DEBUG, KernelRegistry.level(Device.Kind.CUDA, List.of()));
  }

  @Test
  void theNativeProvidersAreFoundInOrder() {
    List<String> names = KernelRegistry.providers().stream().map(KernelProvider::name).toList();
    assertEquals(List.of("cuda", "avx512", "avx2", "baseline"), names);
    assertSame(KernelRegistry.choose(Device.Kind.CPU), KernelRegistry.choose(Device.Kind.CPU));
  }

  @Test
  void withoutAGpuTheReasonIsSaid() {
    assumeTrue(new NativeProvider.Cuda().unusable().isPresent(), "skipped: there is a GPU");
    KernelException e =
        assertThrows(KernelException.class, () -> KernelRegistry.choose(Device.Kind.CUDA));
    assertTrue(
        e.getMessage().contains("no CUDA device") || e.getMessage().contains("without CUDA"),
        e.getMessage());
  }

  /** A provider with a name and no kernels. */
  private record Fake(String name, @Nullable String reason) implements KernelProvider {
    @Override
    public int priority() {
      return 0;
    }

    @Override
    public boolean supports(Device.Kind device) {
      return device == Device.Kind.CPU;
    }

    @Override
    public Optional<String> unusable() {
      return Optional.ofNullable(reason);
    }

    @Override
    public Kernels kernels() {
      return new NativeKernels(name, 0, Device.Kind.CPU);
    }
  }
}
