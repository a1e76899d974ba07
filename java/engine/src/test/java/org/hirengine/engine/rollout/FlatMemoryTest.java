package org.hirengine.engine.rollout;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.hirengine.engine.model.ForwardPass;
import org.hirengine.engine.model.ForwardPass.Activations;
import org.hirengine.engine.model.InitialWeights;
import org.hirengine.engine.model.Policy;
import org.hirengine.engine.model.ResponseBatch;
import org.hirengine.engine.model.ResponseBatch.Sequence;
import org.hirengine.engine.model.Scorer;
import org.hirengine.engine.model.TestModels;
import org.hirengine.engine.runtime.NativeExecutor;
import org.hirengine.engine.runtime.NativeMemory;
import org.hirengine.engine.runtime.NativeRuntime;
import org.hirengine.engine.runtime.Tensors;
import org.hirengine.kernels.DType;
import org.hirengine.kernels.Device;
import org.hirengine.kernels.Kernels;
import org.junit.jupiter.api.Test;

/** Every tensor of a round has an owner that closes it. */
class FlatMemoryTest {

  private static final int WARM_UP = 1000;
  private static final int COUNTED = 1000;

  /**
   * One leaked tensor of typical size, 16 KB, in each of the 1,000 counted rounds would be 16 MB.
   * Compiler and allocator have settled by the end of the warm-up.
   */
  private static final long BOUND = 12 << 20;

  private static final int VOCABULARY = 401;

  @Test
  void aThousandRoundsOfGenerateScoreAndUpdate() throws Exception {
    try (NativeExecutor executor = new NativeExecutor(1)) {
      Kernels kernels = NativeRuntime.kernels(Device.Kind.CPU);
      Policy policy =
          executor.call(
              () ->
                  InitialWeights.random(
                      TestModels.config("qwen3", VOCABULARY, 0.1), Policy.Options.TRAINABLE, 1));
      RolloutEngine engine =
          executor.call(() -> new RolloutEngine(policy, kernels, Set.of(1, 2, 3)));
      long before = 0;
      for (int round = 0; round < WARM_UP + COUNTED; round++) {
        if (round == WARM_UP) {
          before = NativeMemory.residentBytes();
        }
        int seed = round;
        executor.run(() -> round(policy, kernels, engine, seed));
      }
      long grown = NativeMemory.residentBytes() - before;
      executor.run(
          () -> {
            engine.close();
            policy.close();
          });
      assertTrue(grown < BOUND, "native memory grew by " + grown + " bytes");
    }
  }

  private static void round(Policy policy, Kernels kernels, RolloutEngine engine, int seed) {
    Random random = new Random(seed % 17);
    List<Prompt> prompts = new ArrayList<>();
    for (int i = 0; i < 2; i++) {
      int length = 5 + random.nextInt(10);
      prompts.add(new Prompt(i, TestModels.tokens(random, length, VOCABULARY)));
    }
    List<Sequence> sequences = new ArrayList<>();
    for (Completion completion :
        engine.generate(
            prompts, 3, 0, RolloutParams.sampling(6, 1), new RandomStream(1, 0, seed))) {
      sequences.add(Sequence.of(prompts.get(completion.promptId()).tokens(), completion.tokens()));
    }
    new Scorer(policy, kernels).score(sequences, 1, 200, seed % 2 == 0);
    policy.weightsChanged();
    update(policy, kernels, ResponseBatch.pack(sequences, seed % 3 == 0));
  }

  private static void update(Policy policy, Kernels kernels, ResponseBatch batch) {
    policy.zeroGradients();
    try (PointerScope scope = new PointerScope();
        ForwardPass pass =
            policy
                .passes()
                .forward(
                    batch.packed(),
                    batch.responseTokens() % 2 == 0 ? Activations.KEEP : Activations.RECOMPUTE)) {
      Tensor rows = Tensors.ofInts(batch.rows());
      Tensor hidden = pass.hidden().index_select(0, rows);
      Tensor gradient = torch.softmax(policy.passes().logits(hidden), 1);
      Tensor hiddenGradient = torch.zeros_like(pass.hidden());
      hiddenGradient.index_add_(0, rows, policy.passes().headBackward(gradient, hidden));
      pass.backward(hiddenGradient);
      double norm =
          kernels.sumOfSquares(
              policy.device(),
              Tensors.address(policy.gradients()),
              policy.gradients().numel(),
              DType.FLOAT32);
      assertTrue(norm > 0 && norm < 1e12);
    }
  }
}
