package org.hirengine.kernels;

import java.util.Optional;

/**
 * Offers an implementation of {@link Kernels}; found by {@link java.util.ServiceLoader}. {@link
 * KernelRegistry} chooses the usable provider of highest priority once, and logs the reason for
 * every fallback.
 */
public interface KernelProvider {

  /** Name of the kernels, a value of {@link KernelRegistry#PROPERTY}. */
  String name();

  /** The highest wins: cuda before avx512, avx2, baseline, and then what the engine adds. */
  int priority();

  /** Whether the kernels run on this kind of device, if the machine has one. */
  boolean supports(Device.Kind device);

  /**
   * Why this provider cannot run here, such as a missing instruction set, library or driver; empty
   * if it can.
   */
  Optional<String> unusable();

  /** Returns the kernels. Called only if {@link #unusable} is empty. */
  Kernels kernels();
}
