package org.hirengine.engine.model;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.hirengine.engine.config.OptimSection;
import org.hirengine.engine.distributed.ProcessGroup;
import org.hirengine.engine.distributed.Shards;
import org.hirengine.engine.runtime.GradMode;
import org.hirengine.engine.runtime.NativeRuntime;
import org.hirengine.engine.runtime.Tensors;
import org.hirengine.kernels.DType;
import org.hirengine.kernels.Device;
import org.hirengine.kernels.Kernels;
import org.hirengine.kernels.ModelShape;
import org.hirengine.kernels.WeightAddresses;
import org.jspecify.annotations.Nullable;

/**
 * A decoder-only language model and the one owner of its weights.
 *
 * <p>All fp32 master weights are views of one flat buffer, all gradients views of another, in the
 * same places: the global norm is one kernel call and AdamW another. Computing in bf16 adds a flat
 * bf16 copy of the weights, which the optimizer writes with every step; or the masters are split
 * into that copy and a flat buffer of residues, what rounding took from them, from which kernels
 * make them again bit for bit. A frozen policy holds its weights in the compute type alone.
 *
 * <p>A policy with an adapter computes with W + scale B A. Then the adapter's weights are those
 * that are trained, and all others stay as they are: kernels read them where the model's files are
 * mapped, and pack the sums; LibTorch's operators have them in one buffer, and the sums in another.
 *
 * <p>Not safe for use by several threads at once; calls belong on the trainer's {@link
 * org.hirengine.engine.runtime.NativeExecutor}.
 */
public final class Policy implements AutoCloseable {

  /**
   * How a policy is stored.
   *
   * @param compute type of activations and of the weights that GEMMs read
   * @param trainable with gradients and fp32 masters; those of the adapter, if there is one
   * @param splitMasters keeps masters as weights and residues: 4 bytes a parameter in place of 6;
   *     needs bf16 weights and kernels for them
   * @param hostMasters keeps what masters add to the weights in the host's memory
   */
  public record Options(
      Device device, DType compute, boolean trainable, boolean splitMasters, boolean hostMasters) {

    public Options {
      if (splitMasters && compute != DType.BFLOAT16) {
        throw new IllegalArgumentException("masters can be split only where weights are bfloat16");
      }
    }

    /** With masters on the device. */
    public Options(Device device, DType compute, boolean trainable, boolean splitMasters) {
      this(device, compute, trainable, splitMasters, false);
    }

    /** With whole masters on the device. */
    public Options(Device device, DType compute, boolean trainable) {
      this(device, compute, trainable, false);
    }

    /** For training, with masters as the optimizer's configuration says. */
    public static Options trained(Device device, DType compute, OptimSection optim) {
      return new Options(device, compute, true, optim.splitsMasters(), optim.offloads());
    }

    private Buffers bytes(long elements) {
      long weights = elements * compute.bytes;
      if (!trainable) {
        return new Buffers(weights, 0, 0);
      }
      long masters = splitMasters ? 2 * elements : compute == DType.FLOAT32 ? 0 : 4 * elements;
      return new Buffers(weights, masters, 4 * elements);
    }

    /** On the CPU in fp32, for training. */
    public static final Options TRAINABLE = new Options(Device.CPU, DType.FLOAT32, true);

    /** On the CPU in fp32, weights only. */
    public static final Options FROZEN = new Options(Device.CPU, DType.FLOAT32, false);
  }

  /**
   * Bytes of a policy's flat buffers.
   *
   * @param weights in the compute type
   * @param masters what fp32 masters add to them
   * @param gradients fp32
   */
  public record Buffers(long weights, long masters, long gradients) {}

  /** A part of the flat buffers that is one kind of parameter, with the gaps between them. */
  public record Range(long first, long count, boolean matrices) {}

  private final ModelConfig config;
  private final Options options;
  private final Kernels kernels;
  private final ParameterLayout layout;
  private final List<Tensor> owned = new ArrayList<>();
  private final Tensor compute;
  private final Masters masters;
  private final @Nullable Tensor gradients;
  private final @Nullable Tensor computeGradients;
  private final Map<String, Tensor> weightGradients;
  private final @Nullable Lora lora;

  /** What kernels pack with the adapter; none without one. */
  private final @Nullable FrozenBase frozen;

  /**
   * Whether {@link #compute} has sums of the weights and the adapter, because LibTorch's operators
   * run; then the masters are the weights alone, apart from it.
   */
  private final boolean sums;

  /** Views of the adapted weights in {@link #compute}, if they are sums. */
  private final Map<String, Tensor> adapted = new LinkedHashMap<>();

  private final RotaryTable rotary;
  private final List<LayerWeights> layers = new ArrayList<>();
  private final @Nullable Tensor embedding;
  private final Tensor finalNorm;
  private final @Nullable Tensor head;
  private final @Nullable NativeModel model;
  private final Passes passes;
  private long version;

  /** With all weights zero: see {@link PolicyFiles#load} and {@link InitialWeights}. */
  Policy(ModelConfig config, Options options) {
    this(config, options, kernels(options), null, null);
  }

  /**
   * With all weights zero, except mapped ones.
   *
   * @param adapter none for a policy whose own weights are trained
   * @param stored the source of the weights, if any; mapped for kernels with an adapter
   */
  Policy(
      ModelConfig config,
      Options options,
      Kernels kernels,
      Lora.@Nullable Source adapter,
      @Nullable StoredModel stored) {
    this.config = config;
    this.options = options;
    this.kernels = kernels;
    model =
        kernels
            .model(options.device(), shape())
            .map(kernel -> new NativeModel(this, kernel))
            .orElse(null);
    // Kernels run adapters only on the CPU; elsewhere LibTorch's operators do.
    boolean packs = adapter == null || options.device().kind() == Device.Kind.CPU;
    boolean nativePasses = model != null && model.runsPasses() && packs;
    boolean mapped = adapter != null && stored != null && nativePasses;
    passes = nativePasses ? new NativePasses(this, model) : new LibTorchPasses(this);
    layout = new ParameterLayout(config, !mapped);
    ScalarType type = Tensors.type(options.compute());
    boolean low = options.compute() != DType.FLOAT32;
    boolean trained = options.trainable() && adapter == null;
    try (PointerScope scope = new PointerScope()) {
      compute = hold(flat(type));
      sums = adapter != null && !nativePasses;
      masters = masters(trained, low);
      gradients = trained ? hold(flat(ScalarType.Float)) : null;
      computeGradients = nativePasses ? null : trained && low ? hold(flat(type)) : gradients;
      weightGradients = gradients == null ? Map.of() : views(gradients);
      rotary = new RotaryTable(config, options.device(), nativePasses ? ScalarType.Float : type);
      for (int i = 0; i < config.layers() && !mapped; i++) {
        layers.add(layerWeights(ParameterLayout.layer(i)));
      }
      embedding = mapped ? null : view(compute, ParameterLayout.EMBEDDING);
      finalNorm = leaf(ParameterLayout.NORM);
      head = config.tied() || mapped ? embedding : view(compute, ParameterLayout.HEAD);
      lora = adapter == null ? null : adapter.open(config, options.device(), options.trainable());
      if (lora != null && stored != null) {
        lora.of(stored.source());
      }
      if (lora != null && sums) {
        lora.track();
        lora.parts().keySet().forEach(name -> adapted.put(name, view(compute, name)));
      }
      frozen =
          lora == null || !nativePasses
              ? null
              : mapped
                  ? FrozenBase.of(stored, options.compute())
                  : FrozenBase.of(layout, compute, options.compute());
    }
  }

  /** The same weights with another adapter, or none, on the same kernel. */
  private Policy(Policy of, NativeModel shared, @Nullable Lora other) {
    config = of.config;
    options = new Options(of.options.device(), of.options.compute(), false);
    kernels = of.kernels;
    layout = of.layout;
    compute = of.compute;
    masters = of.masters;
    gradients = null;
    computeGradients = null;
    sums = false;
    weightGradients = Map.of();
    rotary = of.rotary;
    embedding = of.embedding;
    finalNorm = of.finalNorm;
    head = of.head;
    lora = other;
    frozen = of.frozen;
    model = shared.sharedBy(this);
    passes = new NativePasses(this, model);
  }

  static Kernels kernels(Options options) {
    return NativeRuntime.kernels(options.device().kind());
  }

  private Tensor flat(ScalarType type) {
    return Tensors.zeros(options.device(), type, layout.size());
  }

  private Tensor hold(Tensor tensor) {
    owned.add(Tensors.own(tensor));
    return tensor;
  }

  private Masters masters(boolean trained, boolean low) {
    Masters.Home here = new Masters.Home(options.device(), kernels, false);
    Masters.Home home = options.hostMasters() ? host() : here;
    if (trained && options.splitMasters()) {
      return Masters.split(compute, home, layout);
    }
    if (trained && low) {
      return Masters.apart(ScalarType.Float, compute, home, layout);
    }
    return sums
        ? Masters.apart(Tensors.type(options.compute()), compute, here, layout)
        : Masters.in(compute, here, layout);
  }

  private Masters.Home host() {
    boolean same = options.device().kind() == Device.Kind.CPU;
    return new Masters.Home(
        Device.CPU, same ? kernels : NativeRuntime.kernels(Device.Kind.CPU), true);
  }

  private Map<String, Tensor> views(Tensor flat) {
    Map<String, Tensor> views = new LinkedHashMap<>();
    layout.slices().keySet().forEach(name -> views.put(name, view(flat, name)));
    return Collections.unmodifiableMap(views);
  }

  private Tensor view(Tensor flat, String... names) {
    return hold(layout.view(flat, names));
  }

  /** A weight known to autograd, whose gradient is a view of the flat gradient buffer. */
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

  /** The shape for kernels. */
  public ModelShape shape() {
    return config.shape(options.compute());
  }

  /** The passes over the weights, on the device's backend. */
  public Passes passes() {
    return passes;
  }

  /** Addresses of the weights in the compute type; only norms and biases if matrices are mapped. */
  public WeightAddresses weightAddresses() {
    return layout.addresses(Tensors.address(compute), options.compute().bytes);
  }

  /** Addresses to which kernels add gradients, fp32; none if only an adapter is trained. */
  WeightAddresses gradientAddresses() {
    return lora != null
        ? WeightAddresses.none(config.layers())
        : layout.addresses(Tensors.address(required(gradients)), DType.FLOAT32.bytes);
  }

  /** The weights packed for kernels; none if only LibTorch's operators run. */
  public @Nullable NativeModel model() {
    return model;
  }

  /**
   * This policy without its adapter or with another one, as the reference policy. On kernels it is
   * a view of the same weights, packed again when the two alternate. Close it before this one.
   *
   * @param start the other adapter, which is copied; none for the bare model
   */
  public Policy reference(@Nullable Lora start) {
    if (lora == null) {
      throw new IllegalStateException("of a policy without an adapter there is no other");
    }
    if (!sums && model != null) {
      return new Policy(this, model, start == null ? null : start.frozenCopy(options.device()));
    }
    Options still = new Options(options.device(), options.compute(), false);
    Policy copy = new Policy(config, still, kernels, null, null);
    try (GradMode off = GradMode.disabled()) {
      copy.compute.copy_(masters.values());
      if (start != null) {
        try (Lora here = start.frozenCopy(options.device())) {
          merge(here, copy.weights());
        }
      }
    }
    return copy;
  }

  public ModelConfig config() {
    return config;
  }

  /** The adapter, or none. */
  public @Nullable Lora lora() {
    return lora;
  }

  /** What kernels pack with the adapter; none for a policy whose own weights are packed. */
  @Nullable FrozenBase frozenBase() {
    return frozen;
  }

  /** The model's own weights by HF name, except mapped ones. */
  Map<String, Tensor> weights() {
    return masters.weights();
  }

  public Device device() {
    return options.device();
  }

  public DType computeType() {
    return options.compute();
  }

  public boolean trainable() {
    return gradients != null || (lora != null && lora.gradients() != null);
  }

  /**
   * Master weights by HF name: views of {@link #masters()}, fp32 (for a frozen policy, in the
   * compute type). With an adapter, the adapter's by PEFT's names.
   *
   * @throws IllegalStateException where masters are split
   */
  public Map<String, Tensor> parameters() {
    if (lora != null) {
      return lora.parameters();
    }
    masters.values(); // refuses split ones
    return weights();
  }

  /**
   * A master weight by HF name, fp32 (a frozen policy: of the compute type); the caller closes it.
   *
   * @throws IllegalStateException where ranks have a shard each, before {@link #gatherMasters}
   */
  public Tensor master(String name) {
    return masters.of(name);
  }

  /** Receives a parameter to be written. */
  interface Writer {

    /** Writes fp32 values (a frozen policy: of the compute type) of the parameter's shape. */
    void write(String name, Tensor values);
  }

  /** Sets all parameters, one after the other. */
  void fill(Writer writer) {
    masters.fill(writer);
    weightsChanged();
  }

  /** Gradients, views of {@link #gradients()}, by the names of {@link #parameters()}. */
  public Map<String, Tensor> parameterGradients() {
    return lora == null ? weightGradients : lora.parameterGradients();
  }

  /**
   * All weights, or with an adapter all of the adapter's, fp32[n]: what the optimizer updates. Gaps
   * between parameters are zero. After {@link #keepShard} of a low-precision policy, those of the
   * shard alone.
   *
   * @throws IllegalStateException where masters are split
   */
  public Tensor masters() {
    return lora == null ? masters.values() : lora.values();
  }

  /**
   * What split masters are beyond {@link #lowPrecision()}, int16[n] (after {@link #keepShard}, of
   * the shard alone); none where they are whole.
   */
  public @Nullable Tensor residues() {
    return masters.residues();
  }

  /**
   * Drops the masters, or residues, that other ranks keep. The weights in the compute type stay
   * whole; in fp32 these are the masters, and nothing is dropped.
   *
   * @param mine this rank's share of the flat buffers
   */
  public void keepShard(Shards mine) {
    if (lora != null || !trainable()) {
      throw new IllegalStateException("only a policy's own masters are dealt over ranks");
    }
    masters.keep(mine);
  }

  /** Which masters, or residues, this rank has. */
  public Shards shards() {
    return lora == null ? masters.shards() : Shards.whole(size());
  }

  /**
   * Puts the masters of all ranks into the gradient buffer, which loses its gradients, for {@link
   * #master} to read them there. All ranks call it; does nothing where every rank has all.
   */
  public void gatherMasters(ProcessGroup group) {
    if (lora == null) {
      masters.gather(group, gradients(), weightGradients);
    }
  }

  /** Elements of each flat buffer. */
  public long size() {
    return lora == null ? layout.size() : lora.values().numel();
  }

  /**
   * The flat buffers cut into matrices of at least {@code least} elements, the embedding apart, and
   * all the rest, in order.
   */
  public List<Range> ranges(long least) {
    return lora == null ? layout.ranges(least) : List.of(new Range(0, size(), false));
  }

  /** What {@link #ranges(long)} of a policy of this model are. */
  public static List<Range> ranges(ModelConfig config, long least) {
    return new ParameterLayout(config).ranges(least);
  }

  /** Bytes of the flat buffers of a policy of this model. */
  public static Buffers buffers(ModelConfig config, Options options) {
    return options.bytes(new ParameterLayout(config).size());
  }

  /** All gradients, fp32[n], at the offsets of {@link #masters()}. */
  public Tensor gradients() {
    return required(lora == null ? gradients : lora.gradients());
  }

  /** Whether what masters add to the weights is in the host's memory, not on the device. */
  public boolean hostMasters() {
    return options.hostMasters();
  }

  /** The bf16 copy that GEMMs read and the optimizer writes; none when computing in fp32. */
  public @Nullable Tensor lowPrecision() {
    return lora == null && options.trainable() && !masters.areComputedWith() ? compute : null;
  }

  public void zeroGradients() {
    masters.release();
    gradients().zero_();
  }

  /** Counts changes of the weights; packed copies are rebuilt when it changes. */
  public long version() {
    return version;
  }

  /** Reports that the optimizer changed {@link #masters()} (and {@link #lowPrecision()}). */
  public void weightsChanged() {
    version++;
    if (lora != null && sums) {
      try (GradMode off = GradMode.disabled()) {
        merge(lora, adapted);
      }
    }
  }

  /** Writes W + scale B A over the adapted weights of {@code into}. */
  private void merge(Lora adapter, Map<String, Tensor> into) {
    adapter
        .parts()
        .forEach(
            (name, part) -> {
              try (PointerScope scope = new PointerScope()) {
                into.get(name).copy_(adapter.merged(part, weights().get(name)));
              }
            });
  }

  /** Rewrites the bf16 copy from the masters, and counts the change. */
  public void syncCompute() {
    masters.sync();
    weightsChanged();
  }

  /**
   * Gives back large scratch memory, between the phases of a step; what a pass kept for its
   * backward is lost.
   */
  public void release() {
    if (model != null) {
      model.release();
    }
  }

  /** Output projection in the compute type, [V, d]; the embedding itself if they are tied. */
  public Tensor headWeight() {
    return held(head);
  }

  /** fp32[V, d], the head's gradient; none if only an adapter is trained. */
  public @Nullable Tensor headGradient() {
    return weightGradients.get(config.tied() ? ParameterLayout.EMBEDDING : ParameterLayout.HEAD);
  }

  /** Input embedding in the compute type, [V, d]. */
  public Tensor embedding() {
    return held(embedding);
  }

  private static Tensor held(@Nullable Tensor matrix) {
    if (matrix == null) {
      throw new IllegalStateException("kernels read this policy's matrices from its files");
    }
    return matrix;
  }

  @Nullable Tensor embeddingGradient() {
    return weightGradients.get(ParameterLayout.EMBEDDING);
  }

  /** Weight of the norm after the last layer, [d]. */
  public Tensor finalNorm() {
    return finalNorm;
  }

  /** Weights of one layer as GEMMs read them. */
  public LayerWeights layer(int index) {
    return layers.get(index);
  }

  /** Rows of a weight. */
  long rows(String weight) {
    return layout.slice(weight).shape()[0];
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
    if (lora != null) {
      lora.close();
    }
    if (owned.isEmpty()) {
      return; // a view of another policy's
    }
    if (frozen != null) {
      frozen.close();
    }
    rotary.close();
    masters.close();
    owned.forEach(Tensor::close);
    owned.clear();
  }
}
