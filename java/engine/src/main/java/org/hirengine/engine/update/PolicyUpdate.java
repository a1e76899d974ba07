package org.hirengine.engine.update;

import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntConsumer;
import org.bytedeco.javacpp.PointerScope;
import org.hirengine.engine.algo.LossAggregation;
import org.hirengine.engine.distributed.ProcessGroup;
import org.hirengine.engine.experience.TrainingRow;
import org.hirengine.engine.model.ForwardPass;
import org.hirengine.engine.model.Policy;
import org.hirengine.engine.runtime.DeviceException;
import org.hirengine.engine.runtime.GradMode;
import org.hirengine.kernels.KernelException;
import org.hirengine.kernels.Kernels;

/**
 * One optimizer step per mini-batch: forward, loss, backward, clip, step (ALGORITHM 2.9). A
 * mini-batch whose loss or gradient is not finite changes nothing; every other failure is thrown.
 *
 * <p>Micro-batches bound the activations and the head's chunks bound the logits. Neither changes
 * the result beyond rounding, because every token's weight comes from the whole mini-batch.
 */
public final class PolicyUpdate {

  /**
   * Memory limits, which do not change results.
   *
   * @param microTokens packed tokens per forward pass
   * @param sharePrompts compute a prompt once for its rows in a micro-batch
   * @param logitBytes logits held at once
   */
  public record Budget(
      int microTokens, boolean sharePrompts, long logitBytes, ForwardPass.Activations activations) {

    Budget halved(int usedTokens) {
      return new Budget(
          Math.max(1, usedTokens / 2), sharePrompts, Math.max(1, logitBytes / 2), activations);
    }
  }

  private final Policy policy;
  private final Kernels kernels;
  private final PolicyLoss loss;
  private final Optimizer optimizer;
  private final GradientParts parts;
  private Budget budget;
  private int shortages;

  /** In a process by itself. */
  public PolicyUpdate(
      Policy policy, Kernels kernels, PolicyLoss loss, Budget budget, Optimizer optimizer) {
    this(
        policy,
        kernels,
        loss,
        budget,
        optimizer,
        new GradientParts(policy.gradients(), ProcessGroup.ALONE, 1, optimizer.shards()));
  }

  /**
   * @param parts deals a mini-batch over the ranks
   */
  public PolicyUpdate(
      Policy policy,
      Kernels kernels,
      PolicyLoss loss,
      Budget budget,
      Optimizer optimizer,
      GradientParts parts) {
    this.policy = policy;
    this.kernels = kernels;
    this.loss = loss;
    this.budget = budget;
    this.optimizer = optimizer;
    this.parts = parts;
  }

  /** Takes one optimizer step. */
  public UpdateReport update(List<TrainingRow> miniBatch) {
    return update(miniBatch, rows -> {});
  }

  /**
   * Takes one optimizer step.
   *
   * @param progress called after each micro-batch with its number of rows
   */
  public UpdateReport update(List<TrainingRow> miniBatch, IntConsumer progress) {
    UpdateReport report;
    try {
      report = forwardBackward(miniBatch, progress);
    } catch (KernelException e) {
      refuseFault(e);
      return UpdateReport.NONE.leftOut(1, String.valueOf(e.getMessage()));
    }
    double sum = report.all().loss();
    if (!Double.isFinite(sum)) {
      return report.leftOut(1, "the loss is " + sum);
    }
    double norm = optimizer.gradientNorm();
    if (!Double.isFinite(norm)) {
      return report.leftOut(1, "the gradient's norm is " + norm);
    }
    optimizer.step(norm);
    return report.stepped(norm);
  }

  /** How often memory was out and half of the tokens did. */
  public int shortages() {
    return shortages;
  }

  /** Tokens of a micro-batch as they are now. */
  public int microTokens() {
    return budget.microTokens;
  }

  /**
   * Leaves the gradient of a mini-batch in the policy's gradient buffer. Every rank has all rows of
   * it, and computes its parts of them.
   */
  UpdateReport forwardBackward(List<TrainingRow> miniBatch, IntConsumer progress) {
    policy.zeroGradients();
    int[] lengths = miniBatch.stream().mapToInt(row -> row.response().length).toArray();
    var totals = LossAggregation.Totals.of(lengths, loss.scale());
    return parts.sum(miniBatch, part -> withinMemory(part, totals, progress));
  }

  /**
   * Adds the gradient of a part to a buffer of zeros; where memory is out, once more from the start
   * with half of the tokens a micro-batch, which later ones keep to. Other ranks notice nothing.
   */
  private UpdateReport withinMemory(
      List<TrainingRow> part, LossAggregation.Totals totals, IntConsumer progress) {
    AtomicInteger told = new AtomicInteger();
    try {
      return accumulate(
          part,
          totals,
          rows -> {
            told.addAndGet(rows);
            progress.accept(rows);
          });
    } catch (RuntimeException e) {
      List<MicroBatch> batches = MicroBatch.cut(part, budget.microTokens, budget.sharePrompts);
      if (!DeviceException.isOutOfMemory(e) || batches.size() == part.size()) {
        throw e;
      }
      int most =
          batches.stream().mapToInt(batch -> batch.responses().packed().tokens()).max().orElse(1);
      budget = budget.halved(most);
      shortages++;
      policy.release();
      policy.zeroGradients();
      AtomicInteger again = new AtomicInteger();
      return accumulate(
          part,
          totals,
          rows -> {
            int before = Math.max(told.get(), again.get());
            int now = again.addAndGet(rows);
            if (now > before) {
              progress.accept(now - before);
            }
          });
    }
  }

  /** Adds the gradient of some rows of a mini-batch. */
  private UpdateReport accumulate(
      List<TrainingRow> rows, LossAggregation.Totals totals, IntConsumer progress) {
    UpdateReport report = UpdateReport.NONE;
    for (MicroBatch batch : MicroBatch.cut(rows, budget.microTokens, budget.sharePrompts)) {
      try (PointerScope scope = new PointerScope();
          GradMode off = GradMode.disabled();
          ForwardPass pass =
              policy.passes().forward(batch.responses().packed(), budget.activations)) {
        LossHead head =
            new LossHead(policy, kernels, loss, batch, totals, pass.hidden(), budget.logitBytes);
        LossSums originals = head.run(0, batch.originalTokens());
        LossSums replays = head.run(batch.originalTokens(), batch.responses().responseTokens());
        pass.backward(head.hiddenGradient());
        report = report.plus(originals, replays);
      }
      progress.accept(batch.rows().size());
    }
    return report;
  }

  /** Gives back large scratch memory. */
  void release() {
    policy.release();
  }

  /** A device without memory, or one that failed, is no loss to skip. */
  private static void refuseFault(KernelException e) {
    if (!e.notFinite()) {
      throw e;
    }
  }

  /** Norm of the gradient of a row by itself; NaN where it or the loss is not finite. */
  public double gradientNorm(TrainingRow row) {
    try {
      double sum = forwardBackward(List.of(row), rows -> {}).all().loss();
      double norm = optimizer.gradientNorm();
      return Double.isFinite(sum) && Double.isFinite(norm) ? norm : Double.NaN;
    } catch (KernelException e) {
      refuseFault(e);
      return Double.NaN;
    }
  }
}
