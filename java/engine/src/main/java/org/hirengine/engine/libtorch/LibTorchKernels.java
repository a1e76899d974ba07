package org.hirengine.engine.libtorch;

import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.hirengine.engine.runtime.GradMode;
import org.hirengine.engine.runtime.Tensors;
import org.hirengine.kernels.DType;
import org.hirengine.kernels.Device;
import org.hirengine.kernels.KernelException;
import org.hirengine.kernels.KernelException.Reason;
import org.hirengine.kernels.Kernels;
import org.hirengine.kernels.Rows;

/**
 * {@link Kernels} as LibTorch operators, on any of its devices. Slower than the native kernels and
 * larger in memory, but each line is the textbook formula.
 */
final class LibTorchKernels implements Kernels {

  static final String NAME = "libtorch";

  /** Elements converted at a time by {@link #sumOfSquares}. */
  private static final long CHUNK = 1 << 20;

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public void tokenLogprob(
      Device device, Rows logits, long targets, double temperature, long logprobs, long entropies) {
    Checks.argument(
        temperature > 0 && temperature < Double.POSITIVE_INFINITY,
        "token_logprob",
        "temperature must be positive",
        temperature);
    if (logits.rows() == 0) {
      return;
    }
    try (GradMode off = GradMode.disabled();
        PointerScope scope = new PointerScope()) {
      Tensor x = Blob.matrix(device, logits);
      Tensor index = Blob.vector(device, targets, ScalarType.Long, logits.rows());
      Checks.logits("token_logprob", x);
      Checks.targets("token_logprob", Tensors.longs(index.cpu()), logits.cols());
      Tensor lp = logSoftmax(x.to(ScalarType.Float), temperature);
      Blob.vector(device, logprobs, ScalarType.Float, logits.rows())
          .copy_(lp.gather(1, index.unsqueeze(1)).squeeze(1));
      if (entropies != 0) {
        Blob.vector(device, entropies, ScalarType.Float, logits.rows())
            .copy_(torch.special_entr(lp.exp()).sum(1));
      }
    }
  }

  /**
   * log softmax(x / temperature) by row. The maximum is subtracted first: dividing large logits
   * would round away their differences.
   */
  static Tensor logSoftmax(Tensor x, double temperature) {
    Tensor maximum = x.detach().amax(new long[] {1}, true);
    return torch.log_softmax(x.sub(maximum).div(new Scalar(temperature)), 1);
  }

  @Override
  public PolicyLossSums policyLoss(
      Device device,
      Rows logits,
      long targets,
      TokenInputs tokens,
      PolicyLossConfig config,
      long logprobs,
      long entropies) {
    return new LibTorchPolicyLoss(device, logits, config).run(targets, tokens, logprobs, entropies);
  }

  @Override
  public void sample(
      Device device,
      Rows logits,
      Filters filters,
      long key,
      long counters,
      long tokens,
      long logprobs,
      long entropies) {
    new LibTorchSampler(device, filters, key).sample(logits, counters, tokens, logprobs, entropies);
  }

  @Override
  public double sumOfSquares(Device device, long address, long count, DType dtype) {
    double sum = 0;
    for (long at = 0; at < count; at += CHUNK) {
      try (GradMode off = GradMode.disabled();
          PointerScope scope = new PointerScope()) {
        Tensor part =
            Blob.vector(
                device,
                address + at * dtype.bytes,
                Tensors.type(dtype),
                Math.min(CHUNK, count - at));
        sum += part.to(ScalarType.Double).square().sum().item_double();
      }
    }
    return sum;
  }

  @Override
  public void adamw(
      Device device,
      long params,
      long grads,
      DType gradDtype,
      long m,
      long v,
      long lowPrecision,
      long count,
      AdamW config,
      double gradScale,
      long step) {
    check(config, gradScale, step);
    if (count == 0) {
      return;
    }
    try (GradMode off = GradMode.disabled();
        PointerScope scope = new PointerScope()) {
      Tensor p = Blob.vector(device, params, ScalarType.Float, count);
      Tensor raw = Blob.vector(device, grads, Tensors.type(gradDtype), count);
      refuseNan("gradient", raw);
      Tensor g = raw.to(ScalarType.Float).mul(new Scalar(gradScale));
      Tensor first = Blob.vector(device, m, ScalarType.Float, count);
      Tensor second = Blob.vector(device, v, ScalarType.Float, count);
      double learningRate = config.learningRate();
      p.mul_(new Scalar(1 - learningRate * config.weightDecay()));
      first.mul_(new Scalar(config.beta1())).add_(g, new Scalar(1 - config.beta1()));
      second.mul_(new Scalar(config.beta2())).addcmul_(g, g, new Scalar(1 - config.beta2()));
      double correction = Math.sqrt(1 - Math.pow(config.beta2(), step));
      Tensor root = second.sqrt().div_(new Scalar(correction)).add_(new Scalar(config.epsilon()));
      double stride = -learningRate / (1 - Math.pow(config.beta1(), step));
      p.addcdiv_(first, root, new Scalar(stride));
      refuseNan("parameter", p);
      if (lowPrecision != 0) {
        Blob.vector(device, lowPrecision, ScalarType.BFloat16, count).copy_(p);
      }
    }
  }

  private static void check(AdamW c, double gradScale, long step) {
    Checks.argument(
        c.learningRate() >= 0 && Double.isFinite(c.learningRate()),
        "adamw",
        "the learning rate must be 0 or more",
        c.learningRate());
    Checks.argument(c.beta1() >= 0 && c.beta1() < 1, "adamw", "beta1 must be in [0, 1)", c.beta1());
    Checks.argument(c.beta2() >= 0 && c.beta2() < 1, "adamw", "beta2 must be in [0, 1)", c.beta2());
    Checks.argument(
        c.epsilon() >= 0 && Double.isFinite(c.epsilon()),
        "adamw",
        "epsilon must be 0 or more",
        c.epsilon());
    Checks.argument(
        Double.isFinite(c.weightDecay()), "adamw", "weight decay must be finite", c.weightDecay());
    Checks.argument(
        Double.isFinite(gradScale), "adamw", "the gradient scale must be finite", gradScale);
    Checks.argument(step >= 1, "adamw", "steps count from 1", step);
  }

  private static void refuseNan(String what, Tensor values) {
    Tensor nan = values.isnan();
    if (nan.any().item_bool()) {
      long index = nan.to(ScalarType.Byte).argmax().item_long();
      throw new KernelException(Reason.NOT_FINITE, "adamw: " + what + " " + index + " is NaN");
    }
  }
}
