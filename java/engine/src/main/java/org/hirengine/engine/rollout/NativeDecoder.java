package org.hirengine.engine.rollout;

import java.util.Arrays;
import org.bytedeco.pytorch.Tensor;
import org.hirengine.engine.model.NativeModel;
import org.hirengine.engine.model.Policy;
import org.hirengine.engine.runtime.DeviceMemory;
import org.hirengine.engine.runtime.Tensors;
import org.hirengine.kernels.DecodeKernel;
import org.hirengine.kernels.Device;

/** Decoding with one native call per step; rows share their prompt's keys and values. */
final class NativeDecoder implements Decoder {

  private final Policy policy;
  private final NativeModel model;
  private final DecodeKernel kernel;

  /** Places whose next token is the one drawn last, which is already on the device. */
  private boolean[] drawn = {};

  private long[] given = {};

  NativeDecoder(Policy policy, NativeModel model) {
    this.policy = policy;
    this.model = model;
    this.kernel = model.decoder();
  }

  @Override
  public void begin(int places, int capacity) {
    kernel.clear();
    model.refresh(capacity);
    drawn = new boolean[places];
    given = new long[places];
  }

  @Override
  public void admit(Prefill prefill, int prompt, int first, int count) {
    DeviceMemory.withRoom(policy.device(), () -> put(prefill, prompt, first, count));
  }

  private void put(Prefill prefill, int prompt, int first, int count) {
    Tensor cache = prefill.keyValues();
    long width = cache.size(2);
    long element = policy.computeType().bytes;
    long keys = Tensors.address(cache) + prefill.starts()[prompt] * width * element;
    long handle =
        kernel.storePrompt(
            keys,
            keys + width / 2 * element,
            cache.size(1) * width,
            width,
            prefill.lengths()[prompt],
            policy.computeType());
    Arrays.fill(drawn, first, first + count, false);
    try {
      kernel.admit(handle, first, count);
    } finally {
      kernel.freePrompt(handle);
    }
  }

  @Override
  public boolean exact() {
    return policy.device().kind() == Device.Kind.CPU;
  }

  @Override
  public long pageBytes() {
    return model.pageBytes();
  }

  @Override
  public void release() {
    kernel.release(NativeModel.KEPT);
  }

  @Override
  public void move(int from, int to) {
    kernel.move(from, to);
    drawn[to] = drawn[from];
  }

  @Override
  public void draw(long[] tokens, int rows, TokenSampler draws, RolloutParams params, long key) {
    for (int i = 0; i < rows; i++) {
      given[i] = drawn[i] ? -1 : tokens[i];
    }
    DeviceMemory.withRoom(
        policy.device(),
        () ->
            kernel.draw(
                given,
                rows,
                params.filters(),
                draws.vocabulary(),
                key,
                draws.counters(),
                draws.tokens,
                draws.logprobs,
                params.entropies() ? draws.entropies : null));
    Arrays.fill(drawn, 0, rows, true);
  }

  @Override
  public void close() {
    kernel.close();
  }
}
