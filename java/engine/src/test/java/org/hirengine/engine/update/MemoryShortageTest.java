package org.hirengine.engine.update;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;
import org.hirengine.engine.config.SftConfig;
import org.hirengine.engine.distributed.ProcessGroup;
import org.hirengine.engine.experience.TrainingRow;
import org.hirengine.engine.model.ForwardPass.Activations;
import org.hirengine.engine.model.InitialWeights;
import org.hirengine.engine.model.Policy;
import org.hirengine.engine.model.Scorer;
import org.hirengine.engine.model.TestModels;
import org.hirengine.engine.rollout.Completion;
import org.hirengine.engine.rollout.Prompt;
import org.hirengine.engine.rollout.RandomStream;
import org.hirengine.engine.rollout.RolloutCall;
import org.hirengine.engine.rollout.RolloutEngine;
import org.hirengine.engine.rollout.RolloutListener;
import org.hirengine.engine.rollout.RolloutParams;
import org.hirengine.engine.runtime.NativeExecutor;
import org.hirengine.engine.runtime.Tensors;
import org.hirengine.kernels.Device;
import org.hirengine.kernels.KernelException;
import org.hirengine.kernels.KernelException.Reason;
import org.hirengine.kernels.KernelRegistry;
import org.hirengine.kernels.Kernels;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** When memory runs out, work goes on in smaller parts where that helps; no result changes. */
class MemoryShortageTest {

  private static final int VOCABULARY = 61;

  private final Kernels kernels = KernelRegistry.choose(Device.Kind.CPU);

  /** Kernels of which one method fails in the calls that {@code fails} selects, from 1. */
  private Kernels failing(String method, Reason reason, Predicate<Integer> fails) {
    AtomicInteger calls = new AtomicInteger();
    return (Kernels)
        Proxy.newProxyInstance(
            Kernels.class.getClassLoader(),
            new Class<?>[] {Kernels.class},
            (proxy, called, arguments) -> {
              if (called.getName().equals(method) && fails.test(calls.incrementAndGet())) {
                throw new KernelException(reason, method + ": out of memory, says the test");
              }
              try {
                return called.invoke(kernels, arguments);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
  }

  private static List<TrainingRow> rows(int count) {
    SplittableRandom random = new SplittableRandom(4);
    List<TrainingRow> rows = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      int[] response = random.ints(5 + i % 3, 0, VOCABULARY).toArray();
      float[] advantages = new float[response.length];
      float[] old = new float[response.length];
      for (int t = 0; t < response.length; t++) {
        advantages[t] = (float) random.nextGaussian();
        old[t] = -4;
      }
      rows.add(
          new TrainingRow(
              random.ints(4, 0, VOCABULARY).toArray(),
              response,
              old,
              null,
              advantages,
              i % 4 == 3));
    }
    return rows;
  }

  private static PolicyUpdate update(Policy policy, Kernels kernels, Optimizer optimizer) {
    return update(policy, kernels, optimizer, 1);
  }

  private static PolicyUpdate update(
      Policy policy, Kernels kernels, Optimizer optimizer, int parts) {
    // Ten tokens a row: two rows a micro-batch.
    return new PolicyUpdate(
        policy,
        kernels,
        PolicyLoss.CROSS_ENTROPY,
        new PolicyUpdate.Budget(22, true, 1 << 20, Activations.KEEP),
        optimizer,
        new GradientParts(policy.gradients(), ProcessGroup.ALONE, parts, optimizer.shards()));
  }

  private static Optimizer optimizer(Policy policy, Kernels kernels) {
    SftConfig config = SftConfig.of(List.of("model=m", "data=d", "out=o", "optim.lr=0.01"));
    return new Optimizer(policy, kernels, config.optim(), 9);
  }

  private interface Work {
    void run(Policy policy);
  }

  private static void withPolicy(Work work) {
    try (NativeExecutor executor = new NativeExecutor(1)) {
      executor.run(
          () -> {
            try (Policy policy =
                InitialWeights.random(
                    TestModels.config("qwen3", VOCABULARY, 0.3), Policy.Options.TRAINABLE, 3)) {
              work.run(policy);
            }
          });
    }
  }

  /**
   * Memory runs out in the first or last of four micro-batches, or in the second of two parts. The
   * gradient is still that of all rows, each counted once.
   */
  @ParameterizedTest
  @CsvSource({"1, 1", "4, 1", "5, 1", "4, 2", "6, 2"})
  void anUpdateIsRepeatedInHalves(int failingCall, int parts) {
    withPolicy(
        policy -> {
          List<TrainingRow> rows = rows(8);
          try (Optimizer optimizer = optimizer(policy, kernels)) {
            PolicyUpdate whole = update(policy, kernels, optimizer);
            UpdateReport expected = whole.forwardBackward(rows, done -> {});
            float[] gradient = Tensors.floats(policy.gradients());

            Kernels scarce = failing("policyLoss", Reason.NO_MEMORY, call -> call == failingCall);
            PolicyUpdate halved = update(policy, scarce, optimizer, parts);
            List<Integer> told = new ArrayList<>();
            UpdateReport report = halved.update(rows, told::add);
            assertEquals(1, report.made());
            assertEquals(1, halved.shortages());
            assertTrue(halved.microTokens() <= 11, halved.microTokens() + " tokens");
            assertEquals(8, told.stream().mapToInt(Integer::intValue).sum());
            assertEquals(expected.all().loss(), report.all().loss(), 1e-6);
            float[] again = Tensors.floats(policy.gradients());
            for (int i = 0; i < gradient.length; i++) {
              assertEquals(gradient[i], again[i], 1e-6f * Math.max(1, Math.abs(gradient[i])));
            }
            assertEquals(1, optimizer.updates());
          }
        });
  }

  /** Twice in an update, with one row per micro-batch, or for another reason. */
  @Test
  void whatHalvingDoesNotSolveIsAnError() {
    withPolicy(
        policy -> {
          try (Optimizer optimizer = optimizer(policy, kernels)) {
            float[] before = Tensors.floats(policy.masters());
            PolicyUpdate never =
                update(policy, failing("policyLoss", Reason.NO_MEMORY, call -> true), optimizer);
            assertThrows(KernelException.class, () -> never.update(rows(8)));
            assertEquals(1, never.shortages());
            PolicyUpdate single =
                update(policy, failing("policyLoss", Reason.NO_MEMORY, call -> true), optimizer);
            assertThrows(KernelException.class, () -> single.update(rows(1)));
            assertEquals(0, single.shortages());
            PolicyUpdate broken =
                update(policy, failing("policyLoss", Reason.UNSUPPORTED, call -> true), optimizer);
            assertThrows(KernelException.class, () -> broken.update(rows(8)));
            assertEquals(0, broken.shortages());
            assertArrayEquals(before, Tensors.floats(policy.masters()));
            assertEquals(0, optimizer.updates());
          }
        });
  }

  @Test
  void scoresAreTheSame() {
    withPolicy(
        policy -> {
          List<TrainingRow> rows = rows(9);
          List<Scorer.Scores> expected = new Scorer(policy, kernels).score(rows, 1, 40, true);
          // The last call in scoring a batch.
          Kernels scarce = failing("synchronize", Reason.NO_MEMORY, call -> call == 2);
          Scorer scorer = new Scorer(policy, scarce);
          List<Integer> told = new ArrayList<>();
          List<Scorer.Scores> actual = scorer.score(rows, 1, 40, true, told::add);
          assertEquals(1, scorer.shortages());
          assertEquals(9, told.get(told.size() - 1));
          for (int i = 0; i < rows.size(); i++) {
            assertArrayEquals(expected.get(i).logprobs(), actual.get(i).logprobs());
          }
        });
  }

  /** Finished rows stay, the others draw the same tokens again, and no token is reported twice. */
  @ParameterizedTest
  @ValueSource(ints = {0, 1, 9, 30})
  void responsesAreTheSame(int failingToken) {
    withPolicy(
        policy -> {
          List<Prompt> prompts = new ArrayList<>();
          for (int i = 0; i < 3; i++) {
            prompts.add(new Prompt(i, new int[] {i + 2, 7, 9}));
          }
          List<String> heard = new ArrayList<>();
          List<Completion> expected = generate(policy, kernels, prompts, heard, -1, 0);
          List<String> again = new ArrayList<>();
          // Before anything is sampled, or in the middle of decoding.
          Kernels scarce =
              failing("sample", Reason.NO_MEMORY, call -> call == 1 && failingToken == 0);
          List<Completion> actual = generate(policy, scarce, prompts, again, failingToken, 1);
          for (int i = 0; i < expected.size(); i++) {
            assertArrayEquals(expected.get(i).tokens(), actual.get(i).tokens());
            assertArrayEquals(expected.get(i).logprobs(), actual.get(i).logprobs());
          }
          heard.sort(null);
          again.sort(null);
          assertTrue(heard.size() > 42, heard.toString());
          assertEquals(heard, again);
        });
  }

  private static List<Completion> generate(
      Policy policy,
      Kernels kernels,
      List<Prompt> prompts,
      List<String> heard,
      int failingToken,
      int shortages) {
    RolloutListener listener =
        new RolloutListener() {
          @Override
          public void token(int prompt, int row, int token) {
            heard.add("token of " + prompt + " " + row + ": " + token);
            if (heard.size() == failingToken) {
              throw new KernelException(Reason.NO_MEMORY, "out of memory, says the test");
            }
          }

          @Override
          public void completed(int index, Completion completion) {
            heard.add("done " + index);
          }
        };
    RolloutParams params = RolloutParams.sampling(12, 1);
    try (RolloutEngine engine = new RolloutEngine(policy, kernels, Set.of(1, 2, 3, 4, 5))) {
      List<Completion> completions =
          engine.generate(
              new RolloutCall(prompts, 4, 0, params, new RandomStream(6, 0, 0)).heardBy(listener));
      assertEquals(shortages, engine.shortages());
      return completions;
    }
  }
}
