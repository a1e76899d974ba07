package org.hirengine.engine.plan;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.hirengine.engine.config.ConfigException;
import org.hirengine.engine.config.LoraSection;
import org.hirengine.engine.config.TrainConfig;
import org.hirengine.engine.config.TrainSection;
import org.hirengine.engine.config.TrainSection.Recompute;
import org.hirengine.engine.model.Lora;
import org.hirengine.engine.model.LoraConfig;
import org.hirengine.engine.model.ModelConfig;
import org.hirengine.engine.model.NativeModel;
import org.hirengine.engine.model.Policy;
import org.hirengine.engine.model.PolicyFiles;
import org.hirengine.engine.model.Scorer;
import org.hirengine.engine.rollout.RolloutEngine;
import org.hirengine.engine.runtime.DeviceMemory;
import org.hirengine.engine.runtime.NativeRuntime;
import org.hirengine.engine.update.Optimizer;
import org.hirengine.kernels.DType;
import org.hirengine.kernels.Device;
import org.hirengine.kernels.Kernels;
import org.hirengine.kernels.ModelKernel.Keep;
import org.hirengine.kernels.ModelMemory;
import org.hirengine.kernels.ModelShape;
import org.hirengine.kernels.ModelWork;
import org.hirengine.kernels.MomentType;

/**
 * Adds up what a run allocates, and decides what the configuration leaves open: tokens of a
 * micro-batch, what is recomputed, and memory for keys and values. Kernels report their own
 * allocations; this class adds the engine's.
 *
 * <p>Calls belong on the native executor's thread: sizes depend on its number of OpenMP threads.
 */
public final class Planner {

  /** Smallest micro-batch that is chosen: products of fewer rows are slow. */
  private static final int LEAST_TOKENS = 256;

  /** Below this number of tokens per micro-batch, recomputing layers is the better way to fit. */
  private static final int FEW_TOKENS = 1024;

  /** Share of the available memory that is used: other programs and fragmentation need some. */
  private static final double SHARE = 0.92;

  /** What the Java heap grows by in a run: data, rollouts and their records. */
  private static final long HEAP = 256L << 20;

  private static final long MOST_CACHE = 4 * DeviceMemory.GIB;
  private static final long CACHE_STEP = 64L << 20;

  /** Reports what kernels allocate for a model; empty if they cannot tell. */
  public interface Sizes {

    Optional<ModelMemory> of(ModelShape shape, ModelWork work);
  }

  private final ModelConfig model;
  private final Sizes sizes;
  private final Device.Kind device;
  private final int ranks;
  private final long resident;

  /**
   * @param ranks processes that share a step's prompts
   * @param resident bytes that the process takes before the run has allocated anything
   */
  public Planner(ModelConfig model, Device.Kind device, Sizes sizes, int ranks, long resident) {
    this.model = model;
    this.device = device;
    this.sizes = sizes;
    this.ranks = ranks;
    this.resident = resident;
  }

  /** For a device of this machine, or one that it lacks. Runs on the native thread. */
  public static Planner of(ModelConfig model, Device.Kind device, int ranks) {
    if (device != Device.Kind.CPU) {
      return new Planner(model, device, (shape, work) -> Optional.empty(), ranks, 0);
    }
    Kernels kernels = NativeRuntime.kernels(device);
    long resident = DeviceMemory.resident().orElse(0);
    return new Planner(model, device, kernels::modelMemory, ranks, resident);
  }

  /**
   * Decides what is left open for the available memory, and plans.
   *
   * @param available bytes that the whole process may take
   */
  public MemoryPlan decide(TrainConfig config, long available) {
    long most = (long) (SHARE * available);
    MemoryPlan best = null;
    for (Recompute recompute : choices(config.train().recompute())) {
      for (int tokens : tokens(config)) {
        best = plan(config.withPasses(tokens, recompute), most);
        boolean fewer = tokens < FEW_TOKENS && recompute == Recompute.NONE && isOpen(config);
        if (best.peak() <= most && !(fewer && config.train().microTokens() == null)) {
          return best;
        }
      }
    }
    return Objects.requireNonNull(best);
  }

  private static boolean isOpen(TrainConfig config) {
    return config.train().recompute() == Recompute.AUTO;
  }

  private static List<Recompute> choices(Recompute asked) {
    return asked == Recompute.AUTO ? List.of(Recompute.NONE, Recompute.LAYERS) : List.of(asked);
  }

  /** Micro-batches to try, largest first. */
  private static List<Integer> tokens(TrainConfig config) {
    Integer asked = config.train().microTokens();
    if (asked != null) {
      return List.of(asked);
    }
    List<Integer> tokens = new ArrayList<>();
    for (int t = TrainSection.USEFUL_TOKENS; t >= LEAST_TOKENS; t /= 2) {
      tokens.add(t);
    }
    return tokens;
  }

  /** Plans with what the configuration says; an open cache takes what {@code most} leaves. */
  MemoryPlan plan(TrainConfig config, long most) {
    Double cache = config.sampling().cacheGib();
    if (cache != null) {
      return plan(config);
    }
    long least = leastCache(config);
    long without = plan(config.withCache(least / MemoryPlan.GIB)).in(Phase.ROLLOUT) - least;
    // A GPU's rows are many more.
    long useful = device == Device.Kind.CPU ? MOST_CACHE : (long) (0.4 * most);
    long room = Math.min(useful, most - without);
    // Steps of 64 MiB, so that other programs seldom change it.
    long given = Math.max(least, room / CACHE_STEP * CACHE_STEP);
    return plan(config.withCache(given / MemoryPlan.GIB));
  }

  /** Bytes of the smallest cache that a run takes: for one row, rounded up to 64 MiB. */
  public long leastCache(TrainConfig config) {
    long steps = (new Sum(config).leastCache() + CACHE_STEP - 1) / CACHE_STEP;
    return steps * CACHE_STEP;
  }

  /** Plans a configuration with nothing of memory left open. */
  MemoryPlan plan(TrainConfig config) {
    return new Sum(config).plan();
  }

  /** A plan being made. */
  private final class Sum {
    private final TrainConfig config;
    private final DType dtype;
    private final long element;
    private final long width;
    private final long longest;
    private final List<Part> parts = new ArrayList<>();
    private final List<Part> host = new ArrayList<>();
    private boolean estimated;
    private long reading;

    Sum(TrainConfig config) {
      this.config = config;
      dtype = config.dtype();
      element = dtype.bytes;
      width = model.hiddenSize();
      longest = (long) config.limits().prompt() + config.limits().response();
    }

    MemoryPlan plan() {
      Policy.Options options =
          Policy.Options.trained(new Device(device, 0, 0), dtype, config.optim());
      Policy.Buffers buffers = Policy.buffers(model, options);
      ModelMemory updating = memory(work(updateTokens(), keep(), chunk(updateTokens())));
      // Tables for the native model and for LibTorch, cosines and sines.
      long rotary = 2L * 2 * longest * model.headDim() / 2 * Float.BYTES;
      long adapter = config.adapts() ? Lora.size(adapter().targets(model)) : 0;
      long base = buffers.weights();
      if (config.adapts()) {
        buffers = new Policy.Buffers(frozen(base), Float.BYTES * adapter, Float.BYTES * adapter);
      }
      add("weights", "weights", buffers.weights() + rotary);
      add("packed", "weights packed for products", updating.weights());
      // Every rank has the whole adapter; for a model's own weights, each has a shard's state.
      int holders = config.adapts() ? 1 : ranks;
      if (config.adapts()) {
        add("masters", "adapter", buffers.masters());
      } else {
        addState("masters", "masters", buffers.masters() / holders);
      }
      add("gradients", "gradients", buffers.gradients() * (1 + waiting()));
      MomentType type = config.optim().moments();
      List<Policy.Range> shapes =
          config.adapts()
              ? List.of(new Policy.Range(0, adapter, false))
              : Policy.ranges(model, Optimizer.LEAST_MATRIX);
      addState("moments", "moments", Optimizer.momentBytes(shapes, type) / holders);
      long trained = buffers.gradients() / Float.BYTES / holders;
      int stepped = config.adapts() ? Float.BYTES : dtype.bytes;
      if (config.optim().offloads()) {
        addState("staging", "parts on their way", Optimizer.stagingBytes(trained, stepped));
      }
      if (config.kl().needsReference() && (!config.adapts() || estimated)) {
        add("reference", "reference policy", base + rotary + updating.weights());
      }
      Rows rows = rollout(updating);
      passes(updating);
      Map<Phase, Long> writing = new EnumMap<>(Phase.class);
      writing.put(Phase.CHECKPOINT, largest());
      parts.add(Part.of("writing", "a tensor being written", writing));
      add("native_scratch", "scratch of threads", updating.scratch());
      if (device == Device.Kind.CPU) {
        add("java_heap", "Java heap, growing", heap());
        add("process", "the process so far", resident);
      }
      parts.removeIf(part -> part.most() == 0);
      host.removeIf(part -> part.most() == 0);
      return new MemoryPlan(
          config,
          parts,
          host,
          offloaded() ? transfers(trained, stepped) : null,
          rows.longest(),
          rows.most(),
          estimated);
    }

    private boolean offloaded() {
      return device != Device.Kind.CPU && config.optim().offloads();
    }

    /** Gradients come down, and weights where they are, or are a half of, their masters. */
    private MemoryPlan.Transfers transfers(long parameters, int weightBytes) {
      boolean whole = weightBytes < Float.BYTES && !config.optim().splitsMasters();
      return new MemoryPlan.Transfers(
          parameters * (Float.BYTES + (whole ? 0 : weightBytes)), parameters * weightBytes);
    }

    /** What the optimizer keeps, where it keeps it. */
    private void addState(String key, String what, long bytes) {
      (offloaded() ? host : parts).add(Part.always(key, what, bytes));
    }

    /**
     * Weights under an adapter. The CPU's kernels map them from their files, whose pages are not
     * the run's, but for blocks that they do not read; LibTorch's operators, which run adapters on
     * a GPU, have them, and their sums with the adapter, in a buffer each.
     *
     * @param base bytes of all weights
     */
    private long frozen(long base) {
      return estimated ? 2 * base : PolicyFiles.copied(config.model().path(), dtype);
    }

    /** Bounded by what the virtual machine was given. */
    private long heap() {
      Runtime java = Runtime.getRuntime();
      return Math.max(0, Math.min(HEAP, java.maxMemory() - java.totalMemory()));
    }

    private void add(String key, String what, long bytes) {
      parts.add(Part.always(key, what, bytes));
    }

    private LoraConfig adapter() {
      LoraSection lora = config.lora();
      return config.adapter() != null
          ? LoraConfig.read(config.adapter())
          : LoraConfig.of(Objects.requireNonNull(lora.rank()), 1, lora.targets());
    }

    /** Gradients of parts of a mini-batch that wait for their sum: a tree's. */
    private int waiting() {
      Integer all = config.distributed().parts();
      int own = all == null ? 1 : all / ranks;
      return own <= 1 ? 0 : Integer.SIZE - Integer.numberOfLeadingZeros(own - 1);
    }

    /** A step's prompts that one rank samples. */
    private int prompts() {
      return (config.train().prompts() + ranks - 1) / ranks;
    }

    /** Bytes of the largest tensor in float32, which a checkpoint makes of split masters. */
    private long largest() {
      return !config.optim().splitsMasters() || config.adapts()
          ? 0
          : model.shapes().values().stream()
              .mapToLong(s -> s.stream().reduce((long) Float.BYTES, Math::multiplyExact))
              .max()
              .orElse(0);
    }

    private Keep keep() {
      return config.train().recompute() == Recompute.LAYERS ? Keep.INPUTS : Keep.EVERYTHING;
    }

    /** Packed tokens of the rows of so many prompts; a replay has a prompt of its own. */
    private long tokensOf(long prompts) {
      TrainSection train = config.train();
      long sampled = config.samplesPerPrompt();
      Integer most = config.replay().max();
      double replays =
          switch (config.replay().rewrite()) {
            case NONE -> 0;
            case DROP -> train.group() - sampled;
            case ACHIEVE -> most == null ? 3 : (double) most / train.prompts();
          };
      long shared = train.sharePrompts() ? config.limits().prompt() : 0;
      long alone = train.sharePrompts() ? config.limits().response() : longest;
      return prompts * (shared + sampled * alone) + (long) Math.ceil(prompts * replays * longest);
    }

    private long packed(long tokens) {
      return Math.min(tokens, Math.max(longest, config.train().tokensAtOnce()));
    }

    private long updateTokens() {
      Integer part = config.train().miniBatch();
      return packed(tokensOf(part == null ? prompts() : part));
    }

    private long scoredTokens() {
      return packed(tokensOf(prompts()));
    }

    /** Rows of logits at once. */
    private long chunk(long tokens) {
      return Math.min(tokens, Scorer.logitRows(model, logitType(), Scorer.DEFAULT_LOGIT_BYTES));
    }

    private DType logitType() {
      return estimated ? dtype : DType.FLOAT32;
    }

    private ModelWork work(long tokens, Keep keep, long headRows) {
      return new ModelWork(
          tokens, tokens / Math.max(1, longest) + 1, longest, keep, headRows, 0, 0);
    }

    private ModelMemory memory(ModelWork work) {
      Optional<ModelMemory> told = sizes.of(model.shape(dtype), work);
      estimated = told.isEmpty();
      return told.orElseGet(() -> Estimate.of(model, dtype, work));
    }

    /** Bytes of the cache's pages for one row of the greatest length. */
    long leastCache() {
      long page = memory(new ModelWork(0, 0, 0, Keep.NOTHING, 0, 0, 0)).page();
      return page * RolloutEngine.Limits.pagesAlone(config.limits().prompt(), response());
    }

    private long response() {
      return config.limits().response();
    }

    /**
     * Rows decoded at once.
     *
     * @param longest if all become as long as they may
     * @param most whatever their lengths
     */
    private record Rows(int longest, int most) {}

    /** Decoding, after a prefill. */
    private Rows rollout(ModelMemory updating) {
      RolloutEngine.Limits limits = RolloutEngine.Limits.of(config.sampling());
      if (limits.cacheBytes() < leastCache()) {
        throw new ConfigException(
            RolloutEngine.Limits.tooSmall(
                limits.cacheBytes(), leastCache(), config.limits().prompt(), response()));
      }
      int perPrompt = config.samplesPerPrompt();
      int rows = limits.places((long) prompts() * perPrompt, updating.page());
      long prompts = Math.min(prompts(), (rows + perPrompt - 1L) / perPrompt + 1);
      long prompt = config.limits().prompt();
      // A row's last token is not stored.
      long own = Math.max(1, ModelMemory.pages(prompt % ModelMemory.PAGE_TOKENS + response() - 1));
      long shared = ModelMemory.pages(prompt);
      long pages = limits.cacheBytes() / updating.page();
      long all = rows * own + prompts * shared;
      long groups = pages / (shared + perPrompt * own);
      long left = Math.max(0, pages % (shared + perPrompt * own) - shared) / own;
      int longest =
          all <= pages ? rows : (int) Math.max(1, Math.min(groups * perPrompt + left, rows));
      long cache = updating.page() * Math.min(pages, all);
      ModelMemory step = memory(new ModelWork(0, 0, 0, Keep.NOTHING, 0, rows, this.longest));
      long decoding = cache + step.step();
      Map<Phase, Long> paged = always(kept(decoding));
      paged.put(Phase.ROLLOUT, decoding);
      parts.add(Part.of("kv_cache", "keys and values of rows", paged));

      long together =
          Math.min(
              Math.max(prompt, RolloutEngine.PREFILL_TOKENS / prompt * prompt), prompts * prompt);
      if (all > pages) {
        together = Math.max(together, this.longest); // a row that goes on after it has waited
      }
      reading = memory(work(together, Keep.NOTHING, 0)).pass();
      long keysValues = 2L * model.layers() * model.kvHeads() * model.headDim() * element;
      long vocabulary = (long) model.vocabSize() * Float.BYTES;
      Map<Phase, Long> prefilled = always(kept(rows * vocabulary));
      prefilled.put(
          Phase.ROLLOUT,
          together * (keysValues + width * element)
              + together / prompt * vocabulary
              + rows * vocabulary);
      parts.add(Part.of("prefill", "prompts read, logits of rows", prefilled));
      return new Rows(longest, rows);
    }

    /** What small scratch memory stays between the phases. */
    private long kept(long bytes) {
      return bytes <= NativeModel.KEPT ? bytes : 0;
    }

    private Map<Phase, Long> always(long bytes) {
      Map<Phase, Long> all = new EnumMap<>(Phase.class);
      for (Phase phase : Phase.values()) {
        all.put(phase, bytes);
      }
      return all;
    }

    private void passes(ModelMemory updating) {
      long tokens = updateTokens();
      long scored = scoredTokens();
      ModelMemory scoring = memory(work(scored, Keep.NOTHING, 0));
      Map<Phase, Long> activations = new EnumMap<>(Phase.class);
      // Hidden states of the pass and those that predict; in an update also the gradient of the
      // first, in float32.
      long hidden = 2 * tokens * width * element;
      long reference = config.kl().needsReference() ? kept(scoring.pass()) : 0;
      long stays = Math.max(kept(updating.pass() + updating.head()), kept(reading)) + reference;
      activations.put(Phase.ROLLOUT, Math.max(reading + reference, stays));
      activations.put(
          Phase.LOGPROBS,
          Math.max(scoring.pass() + reference, stays) + 2 * scored * width * element);
      activations.put(
          Phase.UPDATE,
          Math.max(updating.pass() + reference, stays) + hidden + tokens * width * Float.BYTES);
      activations.put(Phase.CHECKPOINT, stays);
      parts.add(Part.of("activations", "activations", activations));
      Map<Phase, Long> logits = new EnumMap<>(Phase.class);
      long chunk = chunk(tokens);
      long bytes = chunk * model.vocabSize() * logitType().bytes;
      if (estimated) {
        logits.put(Phase.LOGPROBS, bytes); // kernels that tell their sizes score hidden states
      }
      logits.put(Phase.UPDATE, bytes + updating.head() + chunk * width * Float.BYTES);
      parts.add(Part.of("logits", "logits and their gradient", logits));
    }
  }
}
