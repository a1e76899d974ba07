package org.hirengine.engine.rollout;

import java.util.Arrays;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.hirengine.engine.model.ForwardPass;
import org.hirengine.engine.model.ModelConfig;
import org.hirengine.engine.model.PackedBatch;
import org.hirengine.engine.model.Policy;
import org.hirengine.engine.runtime.Tensors;

/**
 * The result of running prompts through the model.
 *
 * @param keyValues [layers, T, 2 * kvHeads * headDim] in the compute type, keys before values
 * @param starts first token of each prompt among the T
 * @param lengths tokens of each prompt
 * @param logits of each prompt's next token, [prompts, V]
 */
record Prefill(Tensor keyValues, int[] starts, int[] lengths, Tensor logits)
    implements AutoCloseable {

  /** Runs prompts through the model; the caller closes the result. */
  static Prefill of(Policy policy, List<Prompt> prompts) {
    ModelConfig config = policy.config();
    int[] lengths = prompts.stream().mapToInt(prompt -> prompt.tokens().length).toArray();
    int[] ids = prompts.stream().flatMapToInt(p -> Arrays.stream(p.tokens())).toArray();
    PackedBatch batch = new PackedBatch(ids, lengths);
    long width = (long) config.kvHeads() * config.headDim();
    try (PointerScope scope = new PointerScope()) {
      Tensor keyValues =
          Tensors.own(
              Tensors.empty(
                  policy.device(),
                  Tensors.type(policy.computeType()),
                  config.layers(),
                  batch.tokens(),
                  2 * width));
      int[] last = batch.starts();
      for (int i = 0; i < last.length; i++) {
        last[i] += lengths[i] - 1;
      }
      try (ForwardPass pass = policy.passes().prefill(batch, keyValues)) {
        Tensor index = Tensors.to(policy.device(), Tensors.ofInts(last));
        Tensor logits = policy.passes().logits(pass.hidden().index_select(0, index));
        return new Prefill(keyValues, batch.starts(), lengths, Tensors.own(logits));
      }
    }
  }

  @Override
  public void close() {
    keyValues.close();
    logits.close();
  }
}
