package org.hirengine.engine.rollout;

import java.util.List;
import java.util.Set;
import java.util.function.IntPredicate;
import java.util.function.IntUnaryOperator;
import org.bytedeco.javacpp.PointerScope;
import org.hirengine.engine.config.SamplingSection;
import org.hirengine.engine.model.Policy;
import org.hirengine.engine.runtime.DeviceException;
import org.hirengine.engine.runtime.DeviceMemory;
import org.hirengine.engine.runtime.GradMode;
import org.hirengine.kernels.Device;
import org.hirengine.kernels.Kernels;
import org.hirengine.kernels.ModelMemory;
import org.jspecify.annotations.Nullable;

/**
 * Samples responses: each prompt is prefilled once for all of its rows, rows are decoded together,
 * a row that ends leaves the batch at once, and the next waiting row takes its place.
 *
 * <p>What a row samples depends on its prompt, its row number, the random stream and the weights;
 * other rows in the batch change its logits only by rounding. Calls belong on the native executor's
 * thread.
 */
public final class RolloutEngine implements AutoCloseable {

  /** Prompt tokens that go through the model together. */
  public static final int PREFILL_TOKENS = 8192;

  /**
   * Limits on what is decoded at once.
   *
   * @param rows most rows at a time
   * @param cacheBytes memory for their keys and values; if it is short, fewer rows are decoded at a
   *     time
   */
  public record Limits(int rows, long cacheBytes) {

    private static final int ROWS = 256;
    private static final long CPU_CACHE = 4 * DeviceMemory.GIB;

    /**
     * Share of a GPU's free memory; the rest is for activations, temporary gradients and logits.
     */
    private static final double GPU_SHARE = 0.4;

    /** Limits of a configuration whose cache is decided. */
    public static Limits of(SamplingSection sampling) {
      Double gib = sampling.cacheGib();
      if (gib == null) {
        throw new IllegalArgumentException("sampling.cache_gib is not decided");
      }
      return of(Device.CPU, sampling.batch(), gib);
    }

    /**
     * As many rows as are wanted, allowed, and held by the cache; at least one.
     *
     * @param pageBytes of {@link ModelMemory#PAGE_TOKENS} tokens of a row
     * @param capacity tokens of the longest row
     */
    public int places(long wanted, long pageBytes, long capacity) {
      long pages = (capacity + ModelMemory.PAGE_TOKENS - 1) / ModelMemory.PAGE_TOKENS;
      return (int) Math.max(1, Math.min(Math.min(wanted, rows), cacheBytes / (pageBytes * pages)));
    }

    /**
     * Limits from the device's free memory. Allocate weights and optimizer before calling this.
     *
     * @param rows null takes 256
     * @param cacheGib null takes two fifths of a GPU's free memory, 4 GiB on the CPU
     */
    public static Limits of(Device device, @Nullable Integer rows, @Nullable Double cacheGib) {
      long cache =
          cacheGib != null
              ? (long) (cacheGib * DeviceMemory.GIB)
              : device.kind() == Device.Kind.CPU
                  ? CPU_CACHE
                  : DeviceMemory.ofGpu(device.index()).map(Limits::cacheBytes).orElse(CPU_CACHE);
      return new Limits(rows == null ? ROWS : rows, Math.max(1, cache));
    }

    /**
     * Rounded down to whole GiB where possible, so that other programs on the GPU seldom change it.
     */
    static long cacheBytes(DeviceMemory memory) {
      long share = (long) (GPU_SHARE * memory.free());
      return share < DeviceMemory.GIB ? share : share / DeviceMemory.GIB * DeviceMemory.GIB;
    }

    public Limits {
      if (rows < 1 || cacheBytes < 1) {
        throw new IllegalArgumentException("limits must be positive: " + rows + ", " + cacheBytes);
      }
    }
  }

  private final Policy policy;
  private final Kernels kernels;
  private final boolean[] stops;
  private final int tokens;
  private final Limits limits;
  private final Decoder decoder;
  private @Nullable TokenSampler sampler;

  /** Most rows at a time since memory last ran out. */
  private int mostPlaces = Integer.MAX_VALUE;

  private int shortages;

  /**
   * @param stopIds token ids that end a response
   * @param tokens only ids below it are sampled: if the embedding has more rows than the tokenizer
   *     has tokens, the other ids have no text
   */
  public RolloutEngine(
      Policy policy, Kernels kernels, Set<Integer> stopIds, int tokens, Limits limits) {
    this.policy = policy;
    this.kernels = kernels;
    this.limits = limits;
    this.tokens = Math.min(tokens, policy.config().vocabSize());
    this.stops = new boolean[policy.config().vocabSize()];
    for (int id : stopIds) {
      if (id >= 0 && id < stops.length) {
        stops[id] = true;
      }
    }
    this.decoder = Decoder.of(policy, kernels);
  }

  /** With limits from the device's free memory. */
  public RolloutEngine(Policy policy, Kernels kernels, Set<Integer> stopIds, int tokens) {
    this(policy, kernels, stopIds, tokens, Limits.of(policy.device(), null, null));
  }

  /** Samples any id of the model, with limits from the device's free memory. */
  public RolloutEngine(Policy policy, Kernels kernels, Set<Integer> stopIds) {
    this(policy, kernels, stopIds, policy.config().vocabSize());
  }

  /**
   * Samples {@code n} responses to each prompt.
   *
   * @param firstRow number of the first response: extra samples of a prompt continue the numbering,
   *     so that they draw other random numbers
   * @return n completions per prompt, in the order of the prompts and rows
   * @throws IllegalArgumentException when a prompt is empty, or leaves no room for {@code
   *     maxTokens}
   */
  public List<Completion> generate(
      List<Prompt> prompts, int n, int firstRow, RolloutParams params, RandomStream random) {
    return generate(prompts, n, firstRow, params, random, RolloutListener.NONE);
  }

  /**
   * Samples as {@link #generate(List, int, int, RolloutParams, RandomStream)} does, and reports
   * what it samples.
   *
   * @param listener called on this thread
   */
  public List<Completion> generate(
      List<Prompt> prompts,
      int n,
      int firstRow,
      RolloutParams params,
      RandomStream random,
      RolloutListener listener) {
    return generate(
        prompts, n, firstRow, params, random, listener, completion -> params.maxTokens());
  }

  /**
   * Samples with a separate limit for each response.
   *
   * @param limits most tokens of the completion of that index, at least 1; {@code maxTokens}
   *     applies too
   */
  public List<Completion> generate(
      List<Prompt> prompts,
      int n,
      int firstRow,
      RolloutParams params,
      RandomStream random,
      RolloutListener listener,
      IntUnaryOperator limits) {
    return generate(
        prompts, prompts.size(), n, firstRow, params, random, listener, limits, prompt -> true);
  }

  /**
   * Samples a share of prompts that several engines have in common.
   *
   * @param own number of prompts, the first ones, that determine how many rows run at once; the
   *     others are begun when these leave places free
   * @param claims whether this engine samples the prompt of that index; asked once, when its turn
   *     comes
   * @return n completions of each prompt that was claimed, as above; nulls for the others
   */
  public List<@Nullable Completion> generate(
      List<Prompt> prompts,
      int own,
      int n,
      int firstRow,
      RolloutParams params,
      RandomStream random,
      RolloutListener listener,
      IntPredicate claims) {
    return generate(
        prompts,
        own,
        n,
        firstRow,
        params,
        random,
        listener,
        completion -> params.maxTokens(),
        claims);
  }

  private List<@Nullable Completion> generate(
      List<Prompt> prompts,
      int own,
      int n,
      int firstRow,
      RolloutParams params,
      RandomStream random,
      RolloutListener listener,
      IntUnaryOperator limits,
      IntPredicate claims) {
    if (n < 1 || firstRow < 0) {
      throw new IllegalArgumentException(
          "n " + n + " and firstRow " + firstRow + " must be >= 1, 0");
    }
    if (prompts.isEmpty()) {
      return List.of();
    }
    int longest = 0;
    for (Prompt prompt : prompts) {
      check(prompt, params);
      longest = Math.max(longest, prompt.tokens().length);
    }
    int capacity = longest + params.maxTokens();
    Generation generation =
        new Generation(prompts, n, firstRow, params, random, listener, limits, claims);
    try (GradMode off = GradMode.disabled();
        PointerScope scope = new PointerScope()) {
      int allowed = this.limits.places(own * (long) n, decoder.pageBytes(), capacity);
      int places = Math.min(allowed, mostPlaces);
      try {
        complete(generation, places, capacity);
      } catch (RuntimeException e) {
        if (places == 1 || !DeviceException.isOutOfMemory(e)) {
          throw e;
        }
        mostPlaces = places / 2;
        shortages++;
        complete(generation, mostPlaces, capacity);
      }
    }
    return generation.completions();
  }

  private void complete(Generation generation, int places, int capacity) {
    try {
      TokenSampler draws = sampler(places);
      decoder.begin(places, capacity);
      generation.complete(policy, decoder, draws, stops, places);
    } finally {
      decoder.release();
      policy.release();
    }
  }

  /**
   * Whether the log-probs and entropies of completions are, bit for bit, those that scoring
   * computes.
   */
  public boolean exact() {
    return decoder.exact();
  }

  /** How often memory ran out, and half as many rows at a time were enough. */
  public int shortages() {
    return shortages;
  }

  private void check(Prompt prompt, RolloutParams params) {
    if (prompt.tokens().length == 0) {
      throw new IllegalArgumentException("prompt " + prompt.id() + " is empty");
    }
    long needed = (long) prompt.tokens().length + params.maxTokens();
    int positions = policy.config().maxPositions();
    if (needed > positions) {
      throw new IllegalArgumentException(
          "prompt "
              + prompt.id()
              + " has "
              + prompt.tokens().length
              + " tokens: with "
              + params.maxTokens()
              + " new ones it exceeds the model's "
              + positions
              + " positions; shorten it, or lower limits.response");
    }
  }

  private TokenSampler sampler(int rows) {
    TokenSampler existing = sampler;
    if (existing != null && existing.capacity() >= rows) {
      return existing;
    }
    if (existing != null) {
      existing.close();
    }
    return sampler = new TokenSampler(kernels, policy.device(), rows, tokens);
  }

  @Override
  public void close() {
    decoder.close();
    if (sampler != null) {
      sampler.close();
      sampler = null;
    }
  }
}
