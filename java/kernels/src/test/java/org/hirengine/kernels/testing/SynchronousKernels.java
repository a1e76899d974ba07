package org.hirengine.kernels.testing;

import java.util.List;
import java.util.Optional;
import org.hirengine.kernels.DType;
import org.hirengine.kernels.DecodeKernel;
import org.hirengine.kernels.Device;
import org.hirengine.kernels.FrozenMatrix;
import org.hirengine.kernels.Kernels;
import org.hirengine.kernels.ModelKernel;
import org.hirengine.kernels.ModelShape;
import org.hirengine.kernels.Rows;
import org.hirengine.kernels.WeightAddresses;
import org.jspecify.annotations.Nullable;

/**
 * Wraps kernels that queue their work, and waits after every call, so that the contracts can read
 * results.
 */
public record SynchronousKernels(Kernels queued) implements Kernels {

  @Override
  public String name() {
    return queued.name();
  }

  @Override
  public void synchronize(Device device) {
    queued.synchronize(device);
  }

  @Override
  public void tokenLogprob(
      Device device, Rows logits, long targets, double temperature, long logprobs, long entropies) {
    queued.tokenLogprob(device, logits, targets, temperature, logprobs, entropies);
    synchronize(device);
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
    return queued.policyLoss(device, logits, targets, tokens, config, logprobs, entropies);
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
    queued.sample(device, logits, filters, key, counters, tokens, logprobs, entropies);
    synchronize(device);
  }

  @Override
  public double sumOfSquares(Device device, long address, long count, DType dtype) {
    return queued.sumOfSquares(device, address, count, dtype);
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
    queued.adamw(
        device, params, grads, gradDtype, m, v, lowPrecision, count, config, gradScale, step);
    synchronize(device);
  }

  @Override
  public boolean runModels() {
    return queued.runModels();
  }

  @Override
  public Optional<ModelKernel> model(Device device, ModelShape shape) {
    return queued
        .model(device, shape)
        .map(model -> new SynchronousModel(model, () -> synchronize(device)));
  }

  private record SynchronousModel(ModelKernel queued, Runnable synchronize) implements ModelKernel {

    @Override
    public boolean runsPasses() {
      return queued.runsPasses();
    }

    @Override
    public DecodeKernel decoder() {
      return new SynchronousDecoder(queued.decoder(), synchronize);
    }

    @Override
    public void setWeights(WeightAddresses weights) {
      queued.setWeights(weights);
    }

    @Override
    public void setFrozen(WeightAddresses vectors, List<FrozenMatrix> matrices) {
      queued.setFrozen(vectors, matrices);
    }

    @Override
    public void setRotary(long cosines, long sines, long positions) {
      queued.setRotary(cosines, sines, positions);
      synchronize.run();
    }

    @Override
    public long forward(
        long[] ids, long[] lengths, long[] prefixes, Keep keep, long hidden, long keysValues) {
      long pass = queued.forward(ids, lengths, prefixes, keep, hidden, keysValues);
      synchronize.run();
      return pass;
    }

    @Override
    public void backward(long pass, long hiddenGradient, WeightAddresses gradients) {
      queued.backward(pass, hiddenGradient, gradients);
      synchronize.run();
    }

    @Override
    public void logits(long hidden, long rows, long logits) {
      queued.logits(hidden, rows, logits);
      synchronize.run();
    }

    @Override
    public boolean scoresHidden() {
      return queued.scoresHidden();
    }

    @Override
    public void logprobs(
        long hidden, long rows, long targets, double temperature, long logprobs, long entropies) {
      queued.logprobs(hidden, rows, targets, temperature, logprobs, entropies);
      synchronize.run();
    }

    @Override
    public void logitsBackward(
        long logitsGradient, long hidden, long rows, long hiddenGradient, long headGradient) {
      queued.logitsBackward(logitsGradient, hidden, rows, hiddenGradient, headGradient);
      synchronize.run();
    }

    @Override
    public void release(long small) {
      queued.release(small);
    }

    @Override
    public void close() {
      queued.close();
    }
  }

  private record SynchronousDecoder(DecodeKernel queued, Runnable synchronize)
      implements DecodeKernel {

    @Override
    public long storePrompt(
        long keys, long values, long layerStride, long tokenStride, long length, DType dtype) {
      return queued.storePrompt(keys, values, layerStride, tokenStride, length, dtype);
    }

    @Override
    public void freePrompt(long prompt) {
      queued.freePrompt(prompt);
    }

    @Override
    public void admit(long prompt, int first, int count) {
      queued.admit(prompt, first, count);
    }

    @Override
    public void move(int from, int to) {
      queued.move(from, to);
    }

    @Override
    public void keep(int rows) {
      queued.keep(rows);
    }

    @Override
    public long pages() {
      return queued.pages();
    }

    @Override
    public void release(long small) {
      queued.release(small);
    }

    @Override
    public void step(long tokens, int rows, long logits, long rowStride) {
      queued.step(tokens, rows, logits, rowStride);
      synchronize.run();
    }

    @Override
    public void draw(
        long[] tokens,
        int rows,
        Filters filters,
        int vocabulary,
        long key,
        int[] counters,
        long[] drawn,
        float[] logprobs,
        float @Nullable [] entropies) {
      queued.draw(tokens, rows, filters, vocabulary, key, counters, drawn, logprobs, entropies);
    }

    @Override
    public void close() {
      queued.close();
    }
  }
}
