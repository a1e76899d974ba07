package org.hirengine.engine.libtorch;

import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.hirengine.engine.runtime.GradMode;
import org.hirengine.engine.runtime.Tensors;
import org.hirengine.kernels.Device;
import org.hirengine.kernels.KernelException;
import org.hirengine.kernels.KernelException.Reason;
import org.hirengine.kernels.Kernels.KlLoss;
import org.hirengine.kernels.Kernels.PolicyLossConfig;
import org.hirengine.kernels.Kernels.PolicyLossSums;
import org.hirengine.kernels.Kernels.TokenInputs;
import org.hirengine.kernels.Rows;
import org.jspecify.annotations.Nullable;

/**
 * The clipped surrogate of ALGORITHM 2.9 with autograd's gradient. In double precision, since a
 * ratio depends on the difference of two log-probs that may be in the thousands.
 */
final class LibTorchPolicyLoss {

  private static final String KERNEL = "policy_loss";

  private final Device device;
  private final Rows logits;
  private final PolicyLossConfig config;

  LibTorchPolicyLoss(Device device, Rows logits, PolicyLossConfig config) {
    this.device = device;
    this.logits = logits;
    this.config = config;
    Checks.argument(
        config.temperature() > 0 && Double.isFinite(config.temperature()),
        KERNEL,
        "temperature must be positive",
        config.temperature());
    Checks.argument(config.clipLow() >= 0, KERNEL, "clipLow must be 0 or more", config.clipLow());
    Checks.argument(
        config.clipHigh() >= 0, KERNEL, "clipHigh must be 0 or more", config.clipHigh());
    Checks.argument(config.clipDual() > 1, KERNEL, "clipDual must be above 1", config.clipDual());
    Checks.argument(
        Double.isFinite(config.entropyBonus()),
        KERNEL,
        "the entropy bonus must be finite",
        config.entropyBonus());
    Checks.argument(
        Double.isFinite(config.klWeight()),
        KERNEL,
        "the KL weight must be finite",
        config.klWeight());
  }

  /**
   * The inputs of unmasked tokens.
   *
   * @param rows the tokens' rows
   * @param old none if the ratio is 1
   */
  private record Inputs(
      Tensor rows,
      Tensor targets,
      @Nullable Tensor old,
      @Nullable Tensor ref,
      Tensor advantages,
      Tensor weights) {}

  PolicyLossSums run(long targets, TokenInputs tokens, long logprobs, long entropies) {
    if (logits.rows() == 0) {
      return new PolicyLossSums(0, 0, 0, 0, 0, 0, 0);
    }
    try (GradMode off = GradMode.disabled();
        PointerScope scope = new PointerScope()) {
      Tensor all = Blob.matrix(device, logits);
      Tensor weights = floats(tokens.weights());
      refuseNan("weight", weights, null);
      Tensor rows = weights.ne(new Scalar(0)).nonzero().squeeze(1);
      Inputs inputs =
          new Inputs(
              rows,
              Blob.vector(device, targets, ScalarType.Long, logits.rows()).index_select(0, rows),
              chosen(tokens.oldLogprobs(), "old log-prob", rows),
              config.klLoss() == KlLoss.NONE
                  ? null
                  : chosen(tokens.refLogprobs(), "reference log-prob", rows),
              required(chosen(tokens.advantages(), "advantage", rows)),
              weights.index_select(0, rows));
      Tensor x = all.index_select(0, rows).to(ScalarType.Double);
      check(x, inputs);
      PolicyLossSums sums = differentiate(x, inputs, logprobs, entropies);
      all.zero_();
      all.index_copy_(0, rows, new Tensor(x.grad()).to(Tensors.dtype(all)));
      return sums;
    }
  }

  private Tensor floats(long address) {
    return Blob.vector(device, address, ScalarType.Float, logits.rows());
  }

  private @Nullable Tensor chosen(long address, String what, Tensor rows) {
    if (address == 0) {
      return null;
    }
    Tensor values = floats(address).index_select(0, rows);
    refuseNan(what, values, rows);
    return values;
  }

  private static Tensor required(@Nullable Tensor values) {
    if (values == null) {
      throw new KernelException(KERNEL + ": an input that the configuration needs is missing");
    }
    return values;
  }

  private static void refuseNan(String what, Tensor values, @Nullable Tensor rows) {
    float[] found = Tensors.floats(values.cpu());
    for (int i = 0; i < found.length; i++) {
      if (Float.isNaN(found[i])) {
        long row = rows == null ? i : Tensors.longs(rows.cpu())[i];
        throw new KernelException(
            Reason.NOT_FINITE, KERNEL + ": the " + what + " of row " + row + " is NaN");
      }
    }
  }

  private void check(Tensor x, Inputs inputs) {
    if (x.size(0) == 0) {
      return;
    }
    try {
      Checks.logits(KERNEL, x);
      Checks.targets(KERNEL, Tensors.longs(inputs.targets().cpu()), logits.cols());
    } catch (KernelException e) {
      // Reported again with row numbers that include masked rows.
      Tensor all = Blob.matrix(device, logits).clone();
      Tensor masked = torch.ones(logits.rows()).to(ScalarType.Bool);
      masked.index_fill_(0, inputs.rows().cpu(), new Scalar(0));
      Checks.logits(
          KERNEL, all.masked_fill(Tensors.to(device, masked).unsqueeze(1), new Scalar(0.0)));
      Tensor targets = torch.zeros(logits.rows()).to(ScalarType.Long);
      targets.index_copy_(0, inputs.rows().cpu(), inputs.targets().cpu());
      Checks.targets(KERNEL, Tensors.longs(targets), logits.cols());
      throw e;
    }
  }

  /** Adds d loss / d x to {@code x}'s gradient. */
  private PolicyLossSums differentiate(Tensor x, Inputs in, long logprobs, long entropies) {
    Tensor clipped;
    Tensor dual;
    Tensor approx;
    Tensor surrogate;
    Tensor kl;
    Tensor logprob;
    Tensor entropy;
    x.set_requires_grad(true);
    try (GradMode on = GradMode.enabled()) {
      Tensor lp = LibTorchKernels.logSoftmax(x, config.temperature());
      logprob = lp.gather(1, in.targets().unsqueeze(1)).squeeze(1);
      Tensor p = lp.exp();
      // A masked token has p = 0 and log p = -inf; it adds nothing.
      entropy = p.mul(lp.masked_fill(p.eq(new Scalar(0)), new Scalar(0.0))).sum(1).neg();
      Tensor old = in.old() == null ? logprob.detach() : in.old();
      Tensor d = clamp(logprob.sub(old), -20, 20);
      Tensor ratio = d.exp();
      Tensor free = ratio.mul(in.advantages()).neg();
      Tensor bounded =
          clamp(ratio, 1 - config.clipLow(), 1 + config.clipHigh()).mul(in.advantages()).neg();
      Tensor larger = torch.maximum(free, bounded);
      Tensor negative = in.advantages().lt(new Scalar(0));
      Tensor ceiling = in.advantages().mul(new Scalar(-Math.min(config.clipDual(), 1e30)));
      surrogate = torch.where(negative, torch.minimum(larger, ceiling), larger);
      kl = klLoss(logprob, in.ref());
      Tensor loss =
          surrogate
              .add(kl, new Scalar(config.klWeight()))
              .sub(entropy, new Scalar(config.entropyBonus()))
              .mul(in.weights());
      clipped = bounded.gt(free);
      dual = larger.gt(ceiling).logical_and(negative);
      approx = d.neg();
      loss.sum().backward();
    }
    store(logprobs, logprob, in.rows());
    store(entropies, entropy, in.rows());
    double policy = weighted(surrogate, in);
    double klSum = weighted(kl, in);
    double entropySum = weighted(entropy, in);
    return new PolicyLossSums(
        policy + config.klWeight() * klSum - config.entropyBonus() * entropySum,
        policy,
        klSum,
        entropySum,
        weighted(approx, in),
        weighted(clipped, in),
        weighted(dual, in));
  }

  /** verl's estimators; k3 is clamped as there. */
  private Tensor klLoss(Tensor logprob, @Nullable Tensor ref) {
    if (config.klLoss() == KlLoss.NONE) {
      return torch.zeros_like(logprob);
    }
    Tensor toRef = logprob.sub(required(ref));
    return switch (config.klLoss()) {
      case K2 -> toRef.square().mul(new Scalar(0.5));
      case K3 -> clamp(toRef.neg().exp().add(toRef).sub(new Scalar(1.0)), -10, 10);
      default -> toRef;
    };
  }

  private static Tensor clamp(Tensor x, double low, double high) {
    return x.clamp(new ScalarOptional(new Scalar(low)), new ScalarOptional(new Scalar(high)));
  }

  private static double weighted(Tensor values, Inputs in) {
    return values.to(ScalarType.Double).mul(in.weights().to(ScalarType.Double)).sum().item_double();
  }

  private void store(long address, Tensor values, Tensor rows) {
    if (address != 0) {
      floats(address).zero_().index_copy_(0, rows, values.detach().to(ScalarType.Float));
    }
  }
}
