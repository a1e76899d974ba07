package org.hirengine.engine.model;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
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
  private @Nullable Path folder;
  private long version;

  private Policy(ModelConfig config, Options options) {
    NativeRuntime.load();
    this.config = config;
    this.options = options;
    this.layout = new ParameterLayout(config);
    ScalarType type = scalarType(options.compute());
    boolean low = options.compute() != DType.FLOAT32;
    model =
        NativeRuntime.kernels(options.device().kind())
            .model(options.device(), shape())
            .map(kernel -> new NativeModel(this, kernel))
            .orElse(null);
    boolean nativePasses = passes() != null;
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

  /**
   * Loads a model folder (config.json and safetensors) or a GGUF file.
   *
   * @throws ModelException or {@link org.hirengine.replay.DataException} naming the file, the
   *     tensor or field, and what to do
   */
  public static Policy load(Path model, Options options) {
    return load(model, ModelConfig.read(model), options);
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

  /** The native passes; none where they go through LibTorch's operators. */
  private @Nullable NativeModel passes() {
    return model != null && model.runsPasses() ? model : null;
  }

  /** Type of {@link #logits}. */
  public DType logitType() {
    return passes() == null ? options.compute() : DType.FLOAT32;
  }

  /**
   * Loads a model's weights under a configuration that was read before.
   *
   * <p>Where the configuration ties the head to the embedding and the weights hold a head that
   * differs, the head is used and the policy is untied, as transformers 5 does.
   */
  public static Policy load(Path model, ModelConfig config, Options options) {
    try (StoredModel stored = StoredModel.open(model, config)) {
      Policy policy = new Policy(stored.config(), options);
      try {
        policy.parameters.forEach(
            (name, values) -> stored.weights().copyInto(stored.tensor(name), values));
        policy.syncCompute();
        policy.folder = model;
        return policy;
      } catch (RuntimeException e) {
        policy.close();
        throw e;
      }
    }
  }

  /**
   * A new model: matrices drawn from N(0, initializer_range), norms one, biases zero. The same seed
   * gives the same weights everywhere.
   */
  public static Policy random(ModelConfig config, Options options, long seed) {
    Policy policy = new Policy(config, options);
    SplittableRandom random = new SplittableRandom(seed);
    try (GradMode off = GradMode.disabled()) {
      policy.parameters.forEach(
          (name, parameter) -> {
            float[] values = new float[Math.toIntExact(parameter.numel())];
            if (parameter.dim() == 2) {
              for (int i = 0; i < values.length; i++) {
                values[i] = (float) (random.nextGaussian() * config.initializerRange());
              }
            } else if (!name.endsWith(".bias")) {
              Arrays.fill(values, 1f);
            }
            try (Tensor flat = Tensors.of(values);
                Tensor shaped = flat.view(Tensors.shape(parameter))) {
              parameter.copy_(shaped);
            }
          });
    }
    policy.syncCompute();
    return policy;
  }

  /** A frozen copy of the weights as they are now, such as a reference policy. */
  public Policy frozenCopy(DType compute) {
    Policy copy = new Policy(config, new Options(options.device(), compute, false));
    copy.folder = folder;
    try (GradMode off = GradMode.disabled()) {
      copy.compute.copy_(masters);
    }
    return copy;
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

  /** Number of parameters, a tied head counted once. */
  public long parameterCount() {
    return layout.parameters();
  }

  /** The folder or file it was loaded from, or none. */
  public @Nullable Path folder() {
    return folder;
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

  /** Runs the decoder over a packed batch; the caller closes the result. */
  public ForwardPass forward(PackedBatch batch, ForwardPass.Activations activations) {
    if (activations != ForwardPass.Activations.NONE) {
      required(gradients);
    }
    check(batch);
    NativeModel passes = passes();
    return passes == null
        ? new LibTorchPass(this, batch, activations, null)
        : passes.forward(batch, activations, null);
  }

  /**
   * Runs the decoder over prompts and gives their keys and values.
   *
   * @param keyValues [layers, T, 2 * kvHeads * headDim] in the compute type, written: rotated keys
   *     before values
   */
  public ForwardPass prefill(PackedBatch prompts, Tensor keyValues) {
    check(prompts);
    NativeModel passes = passes();
    return passes == null
        ? new LibTorchPass(this, prompts, ForwardPass.Activations.NONE, keyValues)
        : passes.forward(prompts, ForwardPass.Activations.NONE, keyValues);
  }

  private void check(PackedBatch batch) {
    for (int id : batch.ids()) {
      checkToken(id);
    }
    if (batch.longest() > config.maxPositions()) {
      throw new IllegalArgumentException(
          "a sequence of "
              + batch.longest()
              + " tokens is longer than the model's "
              + config.maxPositions()
              + " positions; lower limits.prompt or limits.response");
    }
  }

  /**
   * Refuses a token id that the embedding has no row for: LibTorch would read past the embedding.
   */
  void checkToken(int id) {
    if (id < 0 || id >= config.vocabSize()) {
      throw new IllegalArgumentException(
          "token id " + id + " is outside of the model's vocabulary of " + config.vocabSize());
    }
  }

  /** Logits of hidden rows, [n, V] of {@link #logitType()}; owned by the enclosing scope. */
  public Tensor logits(Tensor hiddenRows) {
    Tensor logits = emptyLogits(hiddenRows.size(0));
    logits(hiddenRows, logits);
    return logits;
  }

  /** Room for logits, [rows, V]; owned by the enclosing scope. */
  Tensor emptyLogits(long rows) {
    return Tensors.empty(options.device(), scalarType(logitType()), rows, config.vocabSize());
  }

  /**
   * Logits of hidden rows.
   *
   * @param hiddenRows [n, d] in the compute type, contiguous
   * @param logits [n, V] of {@link #logitType()}, contiguous, written
   */
  public void logits(Tensor hiddenRows, Tensor logits) {
    NativeModel passes = passes();
    if (passes != null) {
      passes.logits(hiddenRows, logits);
      return;
    }
    try (GradMode off = GradMode.disabled();
        Tensor transposed = head.t()) {
      torch.mm_out(logits, hiddenRows, transposed);
    }
  }

  /**
   * Backward of {@link #logits}: adds to the head's gradient, which is the embedding's where they
   * are tied.
   *
   * @param logitGradient [n, V] of {@link #logitType()}
   * @param hiddenRows [n, d], contiguous, what the logits were made from
   * @return d loss / d hiddenRows, fp32[n, d]; owned by the enclosing scope
   */
  public Tensor headBackward(Tensor logitGradient, Tensor hiddenRows) {
    if (Tensors.dtype(logitGradient) != scalarType(logitType())) {
      throw new IllegalArgumentException(
          "gradients of logits are " + logitType() + ", not " + Tensors.dtype(logitGradient));
    }
    Tensor headGradient = headGradient();
    NativeModel passes = passes();
    if (passes != null) {
      Tensor hiddenGradient =
          Tensors.empty(
              options.device(), ScalarType.Float, hiddenRows.size(0), config.hiddenSize());
      passes.headBackward(logitGradient, hiddenRows, hiddenGradient);
      return hiddenGradient;
    }
    try (GradMode off = GradMode.disabled();
        Tensor transposed = logitGradient.t()) {
      if (options.compute() == DType.FLOAT32) {
        headGradient.addmm_(transposed, hiddenRows);
      } else {
        try (Tensor product = transposed.mm(hiddenRows)) {
          headGradient.add_(product);
        }
      }
      return logitGradient.mm(head).to(ScalarType.Float);
    }
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

  /**
   * Writes config.json and model.safetensors in HF layout, loadable by transformers; tokenizer
   * files are not written here.
   *
   * @param dtype storage type; FLOAT32 keeps master weights bit for bit
   */
  public void save(Path target, DType dtype) {
    ObjectNode json = config.json().deepCopy();
    String name = dtype == DType.FLOAT32 ? "float32" : "bfloat16";
    if (json.has("torch_dtype")) {
      json.put("torch_dtype", name);
    }
    if (json.has("dtype") || !json.has("torch_dtype")) {
      json.put("dtype", name);
    }
    try (PointerScope scope = new PointerScope()) {
      Files.createDirectories(target);
      Map<String, Tensor> tensors = new LinkedHashMap<>();
      try (GradMode off = GradMode.disabled()) {
        parameters.forEach((key, value) -> tensors.put(key, value.to(scalarType(dtype))));
      }
      SafetensorsWriter.write(target.resolve(Safetensors.SINGLE), tensors, Map.of("format", "pt"));
      // Renamed into place: a link, as caches have them, is replaced and not written through.
      Path aside = target.resolve("config.json.tmp");
      Files.writeString(
          aside,
          new ObjectMapper().writerWithDefaultPrettyPrinter().writeValueAsString(json) + "\n");
      Files.move(
          aside,
          target.resolve("config.json"),
          StandardCopyOption.ATOMIC_MOVE,
          StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      throw ModelException.unwritable(target, e);
    }
  }

  private static ScalarType scalarType(DType dtype) {
    return dtype == DType.FLOAT32 ? ScalarType.Float : ScalarType.BFloat16;
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
