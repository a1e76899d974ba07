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
    kernel.keep(0);
    model.refresh(capacity);
    drawn = new boolean[places];
    given = new long[places];
  }

  @Override
  public Stored store(Prefill prefill, int prompt) {
    Tensor cache = prefill.keyValues();
    long width = cache.size(2);
    long element = policy.computeType().bytes;
    long keys = Tensors.address(cache) + prefill.starts()[prompt] * width * element;
    long[] handle = new long[1];
    DeviceMemory.withRoom(
        policy.device(),
        () ->
            handle[0] =
                kernel.storePrompt(
                    keys,
                    keys + width / 2 * element,
                    cache.size(1) * width,
                    width,
                    prefill.lengths()[prompt],
                    policy.computeType()));
    return new Stored() {
      @Override
      public void admit(int first, int count) {
        Arrays.fill(drawn, first, first + count, false);
        DeviceMemory.withRoom(policy.device(), () -> kernel.admit(handle[0], first, count));
      }

      @Override
      public void close() {
        kernel.freePrompt(handle[0]);
      }
    };
  }

  @Override
  public void keep(int rows) {
    kernel.keep(rows);
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
  public long rowBytes(int capacity) {
    return pageBytes();
  }

  @Override
  public long pages() {
    return kernel.pages();
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
