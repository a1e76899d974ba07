package org.hirengine.engine.libtorch;

import java.util.Optional;
import org.hirengine.engine.runtime.DeviceException;
import org.hirengine.engine.runtime.NativeRuntime;
import org.hirengine.kernels.Device;
import org.hirengine.kernels.KernelProvider;
import org.hirengine.kernels.Kernels;

/** Offers {@link LibTorchKernels}, with a lower priority than every native provider. */
public final class LibTorchKernelProvider implements KernelProvider {

  @Override
  public String name() {
    return LibTorchKernels.NAME;
  }

  @Override
  public int priority() {
    return 50;
  }

  @Override
  public boolean supports(Device.Kind device) {
    return true;
  }

  @Override
  public Optional<String> unusable() {
    try {
      NativeRuntime.load();
      return Optional.empty();
    } catch (DeviceException e) {
      return Optional.of(String.valueOf(e.getMessage()));
    }
  }

  @Override
  public Kernels kernels() {
    return new LibTorchKernels();
  }
}
