package org.hirengine.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Locale;
import org.hirengine.kernels.DType;
import org.hirengine.kernels.Device;
import picocli.CommandLine.Option;

/** Where a model runs, in which number format, and on how many threads. */
final class PlaceOptions {

  @Option(
      names = "--device",
      defaultValue = "cpu",
      paramLabel = "cpu|cuda",
      description = "Device to run on (default: ${DEFAULT-VALUE}).")
  private Device.Kind device;

  @Option(
      names = "--dtype",
      defaultValue = "float32",
      paramLabel = "float32|bfloat16",
      description = "Number format of computation (default: ${DEFAULT-VALUE}).")
  private DType dtype;

  @Option(
      names = "--threads",
      defaultValue = "0",
      paramLabel = "N",
      description = "Native threads; 0 is one per processor (default: ${DEFAULT-VALUE}).")
  private int threads;

  Device device() {
    return new Device(device, 0, 0);
  }

  DType dtype() {
    return dtype;
  }

  int threads() {
    if (threads < 0) {
      throw new Failure("--threads " + threads + " is negative", "leave it out for all processors");
    }
    return threads == 0 ? Runtime.getRuntime().availableProcessors() : threads;
  }

  /** Adds the options that determine results to {@code setup}. */
  void describe(ObjectNode setup) {
    setup.put("device", device.name().toLowerCase(Locale.ROOT));
    setup.put("dtype", dtype.name().toLowerCase(Locale.ROOT));
    setup.put("threads", threads());
  }
}
