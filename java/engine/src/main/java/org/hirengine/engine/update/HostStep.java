package org.hirengine.engine.update;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.hirengine.engine.model.Policy;
import org.hirengine.engine.runtime.CopyQueue;
import org.hirengine.engine.runtime.Tensors;
import org.hirengine.engine.update.MomentBuffers.Part;
import org.hirengine.engine.update.MomentBuffers.Place;
import org.hirengine.kernels.Device;
import org.hirengine.kernels.Kernels;

/**
 * The optimizer's step on the host for a policy on a device ({@code optim.offload: cpu}). While a
 * part is stepped, the gradients of the next one come down and the weights of the one before go up.
 *
 * <p>Where weights have no whole masters beside them, in fp32 and with split masters, they come
 * down with the gradients.
 */
final class HostStep implements AutoCloseable {

  /** One part that comes down, one that is stepped, one that goes up. */
  static final int SLOTS = 3;

  /** A part's numbers on their way. */
  private record Slot(Tensor gradients, Tensor weights) {}

  private final Policy policy;
  private final MomentBuffers moments;
  private final Kernels kernels;
  private final CopyQueue down;
  private final CopyQueue up;
  private final List<Slot> slots = new ArrayList<>();

  /**
   * @param kernels the host's
   * @param queues makes one for each direction
   */
  HostStep(Policy policy, MomentBuffers moments, Kernels kernels, Supplier<CopyQueue> queues) {
    this.policy = policy;
    this.moments = moments;
    this.kernels = kernels;
    down = queues.get();
    up = queues.get();
    long largest = moments.parts().stream().mapToLong(Part::count).max().orElse(0);
    ScalarType type = Tensors.dtype(weights());
    try (PointerScope scope = new PointerScope()) {
      for (int i = 0; i < SLOTS; i++) {
        slots.add(
            new Slot(
                Tensors.own(Tensors.staging(policy.device(), ScalarType.Float, largest)),
                Tensors.own(Tensors.staging(policy.device(), type, largest))));
      }
    }
  }

  /** Bytes on the host for parts on their way. */
  static long bytes(long parameters, int weightBytes) {
    return SLOTS * Math.min(parameters, MomentBuffers.LARGEST_PART) * (Float.BYTES + weightBytes);
  }

  /** What passes read, on the device. */
  private Tensor weights() {
    Tensor low = policy.lowPrecision();
    return low == null ? policy.masters() : low;
  }

  private boolean weightsComeDown() {
    return policy.lowPrecision() == null || policy.residues() != null;
  }

  /** Updates this rank's parameters. */
  void step(MomentBuffers.Step step) {
    List<Part> parts = moments.parts();
    down.begin();
    try {
      fetch(0);
      for (int i = 0; i < parts.size(); i++) {
        down.await();
        fetch(i + 1); // where a part was whose weights are up
        moments.step(parts.get(i), place(i), kernels, step);
        up.await();
        send(i);
      }
    } finally {
      down.await();
      up.await();
    }
  }

  private Slot slot(int i) {
    return slots.get(i % SLOTS);
  }

  private void fetch(int i) {
    if (i >= moments.parts().size()) {
      return;
    }
    Part part = moments.parts().get(i);
    copyDown(slot(i).gradients, policy.gradients(), part);
    if (weightsComeDown()) {
      copyDown(slot(i).weights, weights(), part);
    }
  }

  private void copyDown(Tensor here, Tensor there, Part part) {
    long element = here.element_size();
    down.copy(here, 0, there, element * part.first(), element * part.count());
  }

  private void send(int i) {
    Part part = moments.parts().get(i);
    Tensor here = slot(i).weights;
    long element = here.element_size();
    up.copy(weights(), element * part.first(), here, 0, element * part.count());
  }

  private Place place(int i) {
    long kept = moments.parts().get(i).first() - policy.shards().first();
    long weights = Tensors.address(slot(i).weights);
    long gradients = Tensors.address(slot(i).gradients);
    Tensor residues = policy.residues();
    if (policy.lowPrecision() == null) {
      return new Place(Device.CPU, weights, 0, 0, gradients);
    }
    return residues == null
        ? new Place(
            Device.CPU,
            Tensors.address(policy.masters()) + Float.BYTES * kept,
            weights,
            0,
            gradients)
        : new Place(
            Device.CPU, 0, weights, Tensors.address(residues) + Short.BYTES * kept, gradients);
  }

  @Override
  public void close() {
    down.close();
    up.close();
    for (Slot slot : slots) {
      slot.gradients.close();
      slot.weights.close();
    }
    slots.clear();
  }
}
