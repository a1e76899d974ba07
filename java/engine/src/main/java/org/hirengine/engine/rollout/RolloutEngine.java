package org.hirengine.engine.rollout;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.List;
import java.util.Locale;
import java.util.Set;
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
 * <p>Rows take memory for keys and values as they grow. If it is short, the youngest wait and go on
 * later.
 *
 * <p>What a row samples depends on its prompt, its row number, the random stream and the weights.
 * Other rows in the batch, and waiting, change its logits only by rounding; on the CPU, by the
 * kernels that run whole models, not by a bit. Calls belong on the native executor's thread.
 */
public final class RolloutEngine implements AutoCloseable {

  /** Prompt tokens that go through the model together. */
  public static final int PREFILL_TOKENS = 8192;

  /**
   * Limits on what is decoded at once.
   *
   * @param rows most rows at a time
   * @param cacheBytes memory for their keys and values, which rows take as they grow; if it is
   *     short, fewer rows are decoded at a time
   * @param stretches whether a row that needs more than that, alone, gets it
   */
  public record Limits(int rows, long cacheBytes, boolean stretches) {

    private static final int ROWS = 256;
    private static final long CPU_CACHE = 4 * DeviceMemory.GIB;

    /**
     * Share of a GPU's free memory; the rest is for activations, temporary gradients and logits.
     */
    private static final double GPU_SHARE = 0.4;

    /** Limits that hold. */
    public Limits(int rows, long cacheBytes) {
      this(rows, cacheBytes, false);
    }

    /** Limits of a configuration whose cache is decided. */
    public static Limits of(SamplingSection sampling) {
      Double gib = sampling.cacheGib();
      if (gib == null) {
        throw new IllegalArgumentException("sampling.cache_gib is not decided");
      }
      return of(Device.CPU, sampling.batch(), gib);
    }

    /**
     * Most rows at a time: as many as are wanted, allowed, and could begin; at least one.
     *
     * @param rowBytes that a row takes at least
     */
    public int places(long wanted, long rowBytes) {
      return (int) Math.max(1, Math.min(Math.min(wanted, rows), cacheBytes / rowBytes));
    }

    /**
     * Pages of the cache.
     *
     * @param pageBytes of {@link ModelMemory#PAGE_TOKENS} tokens of a row
     * @param prompt tokens of the longest prompt
     * @param response most tokens of a response
     * @throws IllegalArgumentException when they do not hold the longest row
     */
    long pages(long pageBytes, long prompt, long response) {
      long pages = cacheBytes / pageBytes;
      long needed = pagesAlone(prompt, response);
      if (pages >= needed) {
        return pages;
      }
      if (stretches) {
        return needed;
      }
      throw new IllegalArgumentException(
          tooSmall(cacheBytes, needed * pageBytes, prompt, response));
    }

    /**
     * Pages of the longest row. Its last token is never stored, but the end of its prompt is,
     * twice.
     */
    public static long pagesAlone(long prompt, long response) {
      return ModelMemory.pages(prompt + response - 1) + 1;
    }

    /** What is wrong with a cache that does not hold one row. */
    public static String tooSmall(long bytes, long needed, long prompt, long response) {
      return String.format(
          Locale.ROOT,
          "sampling.cache_gib: the cache of %s GiB does not hold a row with a prompt of %d tokens"
              + " and a response of %d, which takes %s GiB: set sampling.cache_gib to that, or"
              + " lower limits.response or limits.prompt",
          gib(bytes, RoundingMode.HALF_EVEN),
          prompt,
          response,
          gib(needed, RoundingMode.UP));
    }

    private static BigDecimal gib(long bytes, RoundingMode rounding) {
      return BigDecimal.valueOf(bytes).divide(BigDecimal.valueOf(DeviceMemory.GIB), 4, rounding);
    }

    /**
     * Limits from the device's free memory. Allocate weights and optimizer before calling this.
     *
     * @param rows null takes 256
     * @param cacheGib null takes two fifths of a GPU's free memory, 4 GiB on the CPU; or what the
     *     longest row needs, if that is more
     */
    public static Limits of(Device device, @Nullable Integer rows, @Nullable Double cacheGib) {
      long cache =
          cacheGib != null
              ? (long) (cacheGib * DeviceMemory.GIB)
              : device.kind() == Device.Kind.CPU
                  ? CPU_CACHE
                  : DeviceMemory.ofGpu(device.index()).map(Limits::cacheBytes).orElse(CPU_CACHE);
      return new Limits(rows == null ? ROWS : rows, Math.max(1, cache), cacheGib == null);
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
  private int preempted;
  private int recomputed;

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
   * Samples {@code n} responses to each prompt, as {@link #generate(RolloutCall)} does.
   *
   * @return n completions per prompt, in the order of the prompts and rows
   */
  public List<Completion> generate(
      List<Prompt> prompts, int n, int firstRow, RolloutParams params, RandomStream random) {
    return generate(new RolloutCall(prompts, n, firstRow, params, random));
  }

  /**
   * Samples responses.
   *
   * @return n completions of each prompt, in the order of the prompts and rows; nulls for prompts
   *     that were not claimed
   * @throws IllegalArgumentException when a prompt is empty, or leaves no room for as many new
   *     tokens as a response may have, or when the cache does not hold the longest row
   */
  public List<@Nullable Completion> generate(RolloutCall call) {
    List<Prompt> prompts = call.prompts();
    RolloutParams params = call.params();
    if (prompts.isEmpty()) {
      return List.of();
    }
    int longest = 0;
    for (Prompt prompt : prompts) {
      check(prompt, params);
      longest = Math.max(longest, prompt.tokens().length);
    }
    int capacity = longest + params.maxTokens();
    Generation generation = new Generation(call);
    try (GradMode off = GradMode.disabled();
        PointerScope scope = new PointerScope()) {
      long pages = limits.pages(decoder.pageBytes(), longest, params.maxTokens());
      int allowed = limits.places(call.own() * (long) call.n(), decoder.rowBytes(capacity));
      int places = Math.min(allowed, mostPlaces);
      try {
        complete(generation, places, capacity, pages);
      } catch (RuntimeException e) {
        if (places == 1 || !DeviceException.isOutOfMemory(e)) {
          throw e;
        }
        // The cache may have been too small for all places: less is half of what ran.
        mostPlaces = Math.max(1, (generation.most() > 1 ? generation.most() : places) / 2);
        shortages++;
        complete(generation, mostPlaces, capacity, pages);
      }
    } finally {
      preempted += generation.preempted();
      recomputed += generation.recomputed();
    }
    return generation.completions();
  }

  private void complete(Generation generation, int places, int capacity, long pages) {
    try {
      TokenSampler draws = sampler(places);
      decoder.begin(places, capacity);
      generation.complete(policy, decoder, pages, draws, stops, places);
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

  /** How often a row gave its part of the cache to older rows, and went on later. */
  public int preempted() {
    return preempted;
  }

  /** Tokens of responses that those rows had to run through the model again. */
  public int recomputed() {
    return recomputed;
  }

  /** How often memory ran out, and half as many rows at a time were enough. */
  public int shortages() {
    return shortages;
  }

  /** Pages of the cache that are in use. */
  long pages() {
    return decoder.pages();
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
