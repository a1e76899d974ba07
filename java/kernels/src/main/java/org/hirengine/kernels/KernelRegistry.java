package org.hirengine.kernels;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Chooses the kernels: of the providers on the class path that can run here, the one of highest
 * priority, or the one that the system property {@value #PROPERTY} names. The choice is made once
 * per kind of device, and logged with the reason for every fallback.
 */
public final class KernelRegistry {

  /** System property that names the provider to use, such as {@code avx2} or {@code libtorch}. */
  public static final String PROPERTY = "org.hirengine.kernels";

  private static final System.Logger LOG = System.getLogger(KernelRegistry.class.getName());
  private static final Map<Device.Kind, Kernels> CHOSEN = new EnumMap<>(Device.Kind.class);

  private KernelRegistry() {}

  /**
   * Returns the kernels for a kind of device, the same object on every call.
   *
   * @throws KernelException if no provider can run, or the property names none that can
   */
  public static Kernels choose(Device.Kind device) {
    synchronized (CHOSEN) {
      return CHOSEN.computeIfAbsent(
          device, kind -> choose(kind, providers(), System.getProperty(PROPERTY)));
    }
  }

  /** Returns all providers on the class path, best first, whether or not they can run here. */
  public static List<KernelProvider> providers() {
    List<KernelProvider> providers = new ArrayList<>();
    ServiceLoader.load(KernelProvider.class, KernelRegistry.class.getClassLoader())
        .forEach(providers::add);
    providers.sort(Comparator.comparingInt(KernelProvider::priority).reversed());
    return providers;
  }

  /** A GPU without its own kernels works, but so slowly that the log must warn. */
  static System.Logger.Level level(Device.Kind device, List<String> refused) {
    return refused.isEmpty()
        ? System.Logger.Level.DEBUG
        : device == Device.Kind.CUDA ? System.Logger.Level.WARNING : System.Logger.Level.INFO;
  }

  static Kernels choose(
      Device.Kind device, List<KernelProvider> providers, @Nullable String wanted) {
    List<String> refused = new ArrayList<>();
    for (KernelProvider provider : providers) {
      if (!provider.supports(device) || (wanted != null && !wanted.equals(provider.name()))) {
        continue;
      }
      Optional<String> reason = provider.unusable();
      if (reason.isEmpty()) {
        LOG.log(
            level(device, refused),
            () ->
                "kernels on %s: %s%s%s"
                    .formatted(
                        device,
                        provider.name(),
                        wanted == null ? "" : " (chosen by -D" + PROPERTY + ")",
                        refused.isEmpty() ? "" : ", because of " + String.join("; ", refused)));
        return provider.kernels();
      }
      refused.add(provider.name() + ": " + reason.get());
      LOG.log(
          System.Logger.Level.INFO,
          () -> "kernels '%s' cannot run: %s".formatted(provider.name(), reason.get()));
    }
    String known =
        providers.stream()
            .filter(provider -> provider.supports(device))
            .map(KernelProvider::name)
            .collect(Collectors.joining(", "));
    throw new KernelException(
        "no kernels for %s%s%s; on the class path for it: %s"
            .formatted(
                device,
                wanted == null ? "" : ": -D" + PROPERTY + "=" + wanted + " matches none that runs",
                refused.isEmpty() ? "" : " (" + String.join("; ", refused) + ")",
                known.isEmpty() ? "none" : known));
  }
}
