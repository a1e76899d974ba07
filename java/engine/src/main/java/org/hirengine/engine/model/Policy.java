package org.hirengine.engine.model;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.hirengine.engine.runtime.GradMode;
import org.hirengine.engine.runtime.NativeRuntime;
import org.hirengine.engine.runtime.Tensors;
import org.hirengine.kernels.DType;
import org.hirengine.kernels.Device;
import org.hirengine.kernels.ModelShape;
import org.hirengine.kernels.WeightAddresses;
import org.jspecify.annotations.Nullable;

/**
 * A decoder-only language model and the one owner of its weights.
 *
 * <p>All fp32 master weights are views of one flat buffer, all gradients views of another, in the
 * same places: the global norm is one kernel call and AdamW another. Computing in bf16 adds a flat
 * bf16 copy of the weights, which the optimizer writes with every step. A frozen policy holds its
 * weights in the compute type alone.
 *
 * <p>Not safe for use by several threads at once; calls belong on the trainer's {@link
 * org.hirengine.engine.runtime.NativeExecutor}.
 */
public final class Policy implements AutoCloseable {

  /**
   * How a policy is stored.
   *
   * @param compute type of activations and of the weights that GEMMs read
   * @param trainable with gradients, and fp32 masters
   */
  public record Options(Device device, DType compute, boolean trainable) {

    /** On the CPU in fp32, to be trained. */
    public static final Options TRAINABLE = new Options(Device.CPU, DType.FLOAT32, true);

    /** On the CPU in fp32, weights only. */
    public static final Options FROZEN = new Options(Device.CPU, DType.FLOAT32, false);
  }

  private final ModelConfig config;
  private final Options options;
  private final ParameterLayout layout;
  private final List<Tensor> owned = new ArrayList<>();
  private final Tensor masters;
  private final Tensor compute;
  private final @Nullable Tensor gradients;
  private final @Nullable Tensor computeGradients;
  private final Map<String, Tensor> parameters;
  private final Map<String, Tensor> parameterGradients;
  private final RotaryTable rotary;
  private final List<LayerWeights> layers = new ArrayList<>();
  private final Tensor embedding;
  private final Tensor finalNorm;
  private final Tensor head;
  private final @Nullable NativeModel model;
  private final Passes passes;
  private long version;

  /** With all weights zero: see {@link PolicyFiles#load} and {@link InitialWeights}. */
  Policy(ModelConfig config, Options options) {
    NativeRuntime.load();
    this.config = config;
    this.options = options;
    this.layout = new ParameterLayout(config);
    ScalarType type = Tensors.type(options.compute());
    boolean low = options.compute() != DType.FLOAT32;
    model =
        NativeRuntime.kernels(options.device().kind())
            .model(options.device(), shape())
            .map(kernel -> new NativeModel(this, kernel))
            .orElse(null);
    boolean nativePasses = model != null && model.runsPasses();
    passes = nativePasses ? new NativePasses(this, model) : new LibTorchPasses(this);
    try (PointerScope scope = new PointerScope()) {
      compute = hold(Tensors.zeros(options.device(), type, layout.size()));
      masters = options.trainable() && low ? hold(flat(ScalarType.Float)) : compute;
      gradients = options.trainable() ? hold(flat(ScalarType.Float)) : null;
      computeGradients =
          nativePasses ? null : options.trainable() && low ? hold(flat(type)) : gradients;
      parameters = views(masters);
      parameterGradients = gradients == null ? Map.of() : views(gradients);
      rotary = new RotaryTable(config, options.device(), nativePasses ? ScalarType.Float : type);
      for (int i = 0; i < config.layers(); i++) {
        layers.add(layerWeights(ParameterLayout.layer(i)));
      }
      embedding = view(compute, ParameterLayout.EMBEDDING);
      finalNorm = leaf(ParameterLayout.NORM);
      head = config.tied() ? embedding : view(compute, ParameterLayout.HEAD);
    }
  }

  private Tensor flat(ScalarType type) {
    return Tensors.zeros(options.device(), type, layout.size());
  }

  private Tensor hold(Tensor tensor) {
    owned.add(Tensors.own(tensor));
    return tensor;
  }

  private Map<String, Tensor> views(Tensor flat) {
    Map<String, Tensor> views = new LinkedHashMap<>();
    layout.slices().keySet().forEach(name -> views.put(name, view(flat, name)));
    return Collections.unmodifiableMap(views);
  }

  /** One parameter, or several of adjacent rows as one. */
  private Tensor view(Tensor flat, String... names) {
    ParameterLayout.Slice first = layout.slice(names[0]);
    long[] shape = first.shape().clone();
    long count = first.count();
    for (int i = 1; i < names.length; i++) {
      shape[0] += layout.slice(names[i]).shape()[0];
      count += layout.slice(names[i]).count();
    }
    try (Tensor part = flat.narrow(0, first.offset(), count)) {
      return hold(part.view(shape));
    }
  }

  /** A weight that autograd knows, whose gradient is a view of the flat gradient buffer. */
  private Tensor leaf(String... names) {
    Tensor leaf = view(compute, names);
    if (computeGradients != null) {
      leaf.set_requires_grad(true);
      leaf.mutable_grad().put(view(computeGradients, names));
    }
    return leaf;
  }

  private LayerWeights layerWeights(String layer) {
    String attention = layer + "self_attn.";
    return new LayerWeights(
        leaf(layer + "input_layernorm.weight"),
        leaf(attention + "q_proj.weight", attention + "k_proj.weight", attention + "v_proj.weight"),
        config.qkvBias()
            ? leaf(attention + "q_proj.bias", attention + "k_proj.bias", attention + "v_proj.bias")
            : null,
        config.qkNorm() ? leaf(attention + "q_norm.weight") : null,
        config.qkNorm() ? leaf(attention + "k_norm.weight") : null,
        leaf(attention + "o_proj.weight"),
        leaf(layer + "post_attention_layernorm.weight"),
        leaf(layer + "mlp.gate_proj.weight", layer + "mlp.up_proj.weight"),
        leaf(layer + "mlp.down_proj.weight"));
  }

  /** What kernels are made for. */
  public ModelShape shape() {
    return new ModelShape(
        config.layers(),
        config.hiddenSize(),
        config.intermediateSize(),
        config.heads(),
        config.kvHeads(),
        config.headDim(),
        config.vocabSize(),
        config.rmsNormEps(),
        options.compute());
  }

  /** What the weights compute, on the backend that suits the device. */
  public Passes passes() {
    return passes;
  }

  /** Where kernels find the weights, in the compute type. */
  public WeightAddresses weightAddresses() {
    return layout.addresses(Tensors.address(compute), options.compute().bytes);
  }

  /** Where kernels add gradients, fp32. */
  WeightAddresses gradientAddresses() {
    return layout.addresses(Tensors.address(required(gradients)), DType.FLOAT32.bytes);
  }

  /** The weights as kernels hold them; none where they run on LibTorch's operators alone. */
  public @Nullable NativeModel model() {
    return model;
  }

  public ModelConfig config() {
    return config;
  }

  public Device device() {
    return options.device();
  }

  public DType computeType() {
    return options.compute();
  }

  public boolean trainable() {
    return gradients != null;
  }

  /**
   * Master weights by HF name: views of {@link #masters()}, fp32 (a frozen policy: of the compute
   * type).
   */
  public Map<String, Tensor> parameters() {
    return parameters;
  }

  /** Gradients by HF name: views of {@link #gradients()}. */
  public Map<String, Tensor> parameterGradients() {
    return parameterGradients;
  }

  /** All weights, fp32[n]: what the optimizer steps. Gaps between parameters are zero. */
  public Tensor masters() {
    return masters;
  }

  /** All gradients, fp32[n], in the places of {@link #masters()}. */
  public Tensor gradients() {
    return required(gradients);
  }

  /** The bf16 copy that GEMMs read and the optimizer writes; none when computing in fp32. */
  @SuppressWarnings("ReferenceEquality") // one handle, or two
  public @Nullable Tensor lowPrecision() {
    return options.trainable() && compute != masters ? compute : null;
  }

  public void zeroGradients() {
    required(gradients).zero_();
  }

  /** Counts changes of the weights; copies packed for decoding are rebuilt when it moves. */
  public long version() {
    return version;
  }

  /** Reports that the optimizer changed {@link #masters()} (and {@link #lowPrecision()}). */
  public void weightsChanged() {
    version++;
  }

  /** Rewrites the bf16 copy from the masters, and counts the change. */
  @SuppressWarnings("ReferenceEquality") // one handle, or two
  public void syncCompute() {
    if (compute != masters) {
      try (GradMode off = GradMode.disabled()) {
        compute.copy_(masters);
      }
    }
    weightsChanged();
  }

  /** Output projection in the compute type, [V, d]; the embedding itself where they are tied. */
  public Tensor headWeight() {
    return head;
  }

  /** fp32[V, d], where the head's gradient belongs. */
  public Tensor headGradient() {
    required(gradients);
    return parameterGradients.get(config.tied() ? ParameterLayout.EMBEDDING : ParameterLayout.HEAD);
  }

  /** Input embedding in the compute type, [V, d]. */
  public Tensor embedding() {
    return embedding;
  }

  Tensor embeddingGradient() {
    return parameterGradients.get(ParameterLayout.EMBEDDING);
  }

  /** Weight of the norm after the last layer, [d]. */
  public Tensor finalNorm() {
    return finalNorm;
  }

  /** Weights of one layer as GEMMs read them. */
  public LayerWeights layer(int index) {
    return layers.get(index);
  }

  /** Rotary tables for at least this many positions; valid until more are asked for. */
  public RotaryTable rotary(int positions) {
    rotary.ensure(positions);
    return rotary;
  }

  /** Adds a micro-batch's bf16 gradients to the fp32 buffer. */
  @SuppressWarnings("ReferenceEquality") // one handle, or two
  void collectGradients() {
    if (computeGradients != null && computeGradients != gradients) {
      required(gradients).add_(computeGradients);
      computeGradients.zero_();
    }
  }

  private static <T> T required(@Nullable T value) {
    if (value == null) {
      throw new IllegalStateException(
          "this policy is frozen: load it with Options.trainable to train it");
    }
    return value;
  }

  @Override
  public void close() {
    if (model != null) {
      model.close();
    }
    rotary.close();
    owned.forEach(Tensor::close);
    owned.clear();
  }
}
