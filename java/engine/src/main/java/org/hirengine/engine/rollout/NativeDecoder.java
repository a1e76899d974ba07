package org.hirengine.engine.rollout;

import java.util.Arrays;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.hirengine.engine.model.ModelConfig;
import org.hirengine.engine.model.NativeModel;
import org.hirengine.engine.model.Policy;
import org.hirengine.engine.runtime.DeviceMemory;
import org.hirengine.engine.runtime.Tensors;
import org.hirengine.kernels.DecodeKernel;
import org.hirengine.kernels.Device;
import org.jspecify.annotations.Nullable;

/** Decoding by one native call a step; the prompt's keys and values are shared by its rows. */
final class NativeDecoder implements Decoder {

  private final Policy policy;
  private final NativeModel model;
  private final DecodeKernel kernel;
  private @Nullable Tensor tokens;
  private @Nullable Tensor logits;

  /** The first rows of {@link #logits}, for the number of rows of the last step. */
  private @Nullable Tensor view;

  NativeDecoder(Policy policy, NativeModel model) {
    this.policy = policy;
    this.model = model;
    this.kernel = model.decoder();
  }

  @Override
  public void begin(int places, int capacity) {
    kernel.clear();
    model.refresh(capacity);
    if (logits == null || logits.size(0) < places) {
      closeBuffers();
      Device device = policy.device();
      long vocab = policy.config().vocabSize();
      tokens = Tensors.own(Tensors.empty(device, ScalarType.Long, places));
      logits = Tensors.own(Tensors.empty(device, ScalarType.Float, places, vocab));
    }
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
        kernel.prompt(
            keys,
            keys + width / 2 * element,
            cache.size(1) * width,
            width,
            prefill.lengths()[prompt],
            policy.computeType());
    try {
      kernel.admit(handle, first, count);
    } finally {
      kernel.freePrompt(handle);
    }
  }

  @Override
  public long tokenBytes() {
    ModelConfig config = policy.config();
    return 2L * config.layers() * config.kvHeads() * config.headDim() * policy.computeType().bytes;
  }

  @Override
  public void move(int from, int to) {
    kernel.move(from, to);
  }

  @Override
  public Tensor step(long[] appended, int rows) {
    if (tokens == null || logits == null) {
      throw new IllegalStateException("begin() comes first");
    }
    put(tokens, appended, rows);
    long given = Tensors.address(tokens);
    long written = Tensors.address(logits);
    DeviceMemory.withRoom(
        policy.device(), () -> kernel.step(given, rows, written, policy.config().vocabSize()));
    if (view == null || view.size(0) != rows) {
      closeView();
      view = Tensors.own(logits.narrow(0, 0, rows));
    }
    return view;
  }

  private void put(Tensor target, long[] values, int count) {
    if (policy.device().kind() == Device.Kind.CPU) {
      target.data_ptr_long().put(values, 0, count);
      return;
    }
    try (Tensor host = Tensors.of(Arrays.copyOf(values, count));
        Tensor first = target.narrow(0, 0, count)) {
      first.copy_(host);
    }
  }

  private void closeView() {
    if (view != null) {
      view.close();
      view = null;
    }
  }

  private void closeBuffers() {
    closeView();
    if (tokens != null) {
      tokens.close();
      tokens = null;
    }
    if (logits != null) {
      logits.close();
      logits = null;
    }
  }

  @Override
  public void close() {
    closeBuffers();
    kernel.close();
  }
}
