package org.hirengine.kernels;

import java.util.Optional;
import org.bytedeco.javacpp.BytePointer;
import org.hirengine.kernels.global.hirkernels;

/** {@link Kernels} over one backend of {@code native/include/hir_kernels.h}. */
final class NativeKernels implements Kernels {

  private final String name;
  private final int backend;
  private final Device.Kind kind;

  NativeKernels(String name, int backend, Device.Kind kind) {
    this.name = name;
    this.backend = backend;
    this.kind = kind;
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public void synchronize(Device device) {
    check(device);
    check(hirkernels.hir_synchronize(backend, device.index(), device.stream()));
  }

  @Override
  public void tokenLogprob(
      Device device, Rows logits, long targets, double temperature, long logprobs, long entropies) {
    check(device);
    check(
        hirkernels.hir_token_logprob(
            backend,
            device.index(),
            device.stream(),
            logits.address(),
            logits.rows(),
            logits.cols(),
            logits.rowStride(),
            logits.dtype().code,
            targets,
            temperature,
            logprobs,
            entropies));
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
    check(device);
    double[] sums = new double[7];
    check(
        hirkernels.hir_policy_loss(
            backend,
            device.index(),
            device.stream(),
            logits.address(),
            logits.rows(),
            logits.cols(),
            logits.rowStride(),
            logits.dtype().code,
            targets,
            tokens.oldLogprobs(),
            tokens.refLogprobs(),
            tokens.advantages(),
            tokens.weights(),
            config.temperature(),
            config.clipLow(),
            config.clipHigh(),
            config.clipDual(),
            config.entropyBonus(),
            config.klLoss().code,
            config.klWeight(),
            logprobs,
            entropies,
            sums));
    return new PolicyLossSums(sums[0], sums[1], sums[2], sums[3], sums[4], sums[5], sums[6]);
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
    check(device);
    check(
        hirkernels.hir_sample(
            backend,
            device.index(),
            device.stream(),
            logits.address(),
            logits.rows(),
            logits.cols(),
            logits.rowStride(),
            logits.dtype().code,
            filters.temperature(),
            filters.topK(),
            filters.topP(),
            filters.minP(),
            key,
            counters,
            tokens,
            logprobs,
            entropies));
  }

  @Override
  public double sumOfSquares(Device device, long address, long count, DType dtype) {
    check(device);
    double[] result = new double[1];
    check(
        hirkernels.hir_sum_of_squares(
            backend, device.index(), device.stream(), address, count, dtype.code, result));
    return result[0];
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
    check(device);
    check(
        hirkernels.hir_adamw(
            backend,
            device.index(),
            device.stream(),
            params,
            grads,
            gradDtype.code,
            m,
            v,
            lowPrecision,
            count,
            config.learningRate(),
            config.beta1(),
            config.beta2(),
            config.epsilon(),
            config.weightDecay(),
            gradScale,
            step));
  }

  @Override
  public void adamw(
      Device device, AdamWBuffers buffers, AdamW config, double gradScale, long step) {
    check(device);
    try (hirkernels.hir_adamw_buffers given = new hirkernels.hir_adamw_buffers()) {
      given.params(buffers.params()).weights(buffers.weights()).residues(buffers.residues());
      given.grads(buffers.grads()).grad_dtype(buffers.gradDtype().code);
      given.m(buffers.m()).v(buffers.v()).moment_dtype(buffers.moments().code);
      given.m_scales(buffers.mScales()).v_scales(buffers.vScales());
      given.count(buffers.count()).first(buffers.first());
      check(
          hirkernels.hir_adamw_narrow(
              backend,
              device.index(),
              device.stream(),
              given,
              config.learningRate(),
              config.beta1(),
              config.beta2(),
              config.epsilon(),
              config.weightDecay(),
              gradScale,
              step));
    }
  }

  @Override
  public boolean narrowOptimizer() {
    return kind == Device.Kind.CPU;
  }

  @Override
  public void split(Device device, long masters, long count, long weights, long residues) {
    check(device);
    check(hirkernels.hir_split(backend, masters, count, weights, residues));
  }

  @Override
  public void join(Device device, long weights, long residues, long count, long masters) {
    check(device);
    check(hirkernels.hir_join(backend, weights, residues, count, masters));
  }

  @Override
  public Optional<ModelMemory> modelMemory(ModelShape shape, ModelWork work) {
    if (!passes()) {
      return Optional.empty();
    }
    try (hirkernels.hir_model_shape sizes = NativeModelKernel.sizes(shape);
        hirkernels.hir_model_work load = new hirkernels.hir_model_work();
        hirkernels.hir_model_sizes bytes = new hirkernels.hir_model_sizes()) {
      load.tokens(work.tokens()).sequences(work.sequences()).longest(work.longest());
      load.keep(work.keep().code).head_rows(work.headRows());
      load.decode_rows(work.decodeRows()).decode_longest(work.decodeLongest());
      check(hirkernels.hir_model_memory(backend, sizes, load, bytes));
      return Optional.of(
          new ModelMemory(
              bytes.weights(),
              bytes.pass(),
              bytes.head(),
              bytes.page(),
              bytes.step(),
              bytes.scratch()));
    }
  }

  private boolean passes() {
    return backend == hirkernels.HIR_AVX2 || backend == hirkernels.HIR_AVX512;
  }

  @Override
  public double productCeiling(DType dtype) {
    return kind == Device.Kind.CPU ? hirkernels.hir_matmul_ceiling(backend, dtype.code) : 0;
  }

  @Override
  public Optional<String> productVariant(DType dtype) {
    if (kind != Device.Kind.CPU) {
      return Optional.empty();
    }
    try (BytePointer name = hirkernels.hir_matmul_variant(backend, dtype.code)) {
      return Optional.ofNullable(name).map(BytePointer::getString);
    }
  }

  @Override
  public boolean runModels() {
    return true;
  }

  @Override
  public Optional<ModelKernel> model(Device device, ModelShape shape) {
    check(device);
    return Optional.of(
        new NativeModelKernel(backend, device, shape, backend != hirkernels.HIR_BASELINE));
  }

  private void check(Device device) {
    if (device.kind() != kind) {
      throw new KernelException(
          "the kernels '" + name + "' run on " + kind + ", the call is for " + device.kind());
    }
  }

  static void check(int code) {
    if (code != hirkernels.HIR_OK) {
      throw new KernelException(KernelException.Reason.of(code), lastError());
    }
  }

  static String lastError() {
    try (BytePointer message = hirkernels.hir_last_error()) {
      return message.getString();
    }
  }
}
