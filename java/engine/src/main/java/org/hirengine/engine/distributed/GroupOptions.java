package org.hirengine.engine.distributed;

import java.time.Duration;
import org.hirengine.kernels.Device;

/**
 * How ranks work together.
 *
 * @param timeout how long a rank waits for the others
 * @param device device of the tensors to sum
 * @param threads native threads of this process
 */
public record GroupOptions(Duration timeout, Device.Kind device, int threads) {}
