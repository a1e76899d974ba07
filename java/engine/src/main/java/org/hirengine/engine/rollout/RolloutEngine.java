package org.hirengine.engine.rollout;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.function.IntPredicate;
import java.util.function.IntUnaryOperator;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.hirengine.engine.config.SamplingSection;
import org.hirengine.engine.model.Policy;
import org.hirengine.engine.rollout.Completion.FinishReason;
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

  /** Rows at once that memory was found to hold. */
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

  /** A response that is being sampled. */
  private static final class Row {
    final int index;
    final Prompt prompt;
    final int row;
    final int limit;
    int[] tokens = new int[32];
    float[] logprobs = new float[32];
    int count;

    Row(int index, Prompt prompt, int row, int limit) {
      this.index = index;
      this.prompt = prompt;
      this.row = row;
      this.limit = limit;
    }

    void add(int token, float logprob) {
      if (count == tokens.length) {
        tokens = Arrays.copyOf(tokens, 2 * count);
        logprobs = Arrays.copyOf(logprobs, 2 * count);
      }
      tokens[count] = token;
      logprobs[count++] = logprob;
    }
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
   * Samples what nobody else does of prompts that several engines share.
   *
   * @param own so many prompts, the first ones, decide how many rows run at once; the others are
   *     begun when these leave places free
   * @param claims whether this engine is to sample the prompt of that index; asked once, when its
   *     turn comes
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
    try (GradMode off = GradMode.disabled();
        PointerScope scope = new PointerScope()) {
      int capacity = longest + params.maxTokens();
      int allowed = this.limits.places(own * (long) n, decoder.pageBytes(), capacity);
      int places = Math.min(allowed, mostPlaces);
      Completion[] done = new Completion[Math.multiplyExact(prompts.size(), n)];
      int[] told = new int[done.length];
      Turns turns = new Turns(prompts.size(), claims);
      try {
        complete(
            new Run(
                prompts, n, firstRow, params, random, places, listener, limits, turns, done, told),
            capacity);
      } catch (RuntimeException e) {
        if (places == 1 || !DeviceException.isOutOfMemory(e)) {
          throw e;
        }
        // What a row draws depends on nothing but itself: those that are not done begin anew.
        mostPlaces = places / 2;
        shortages++;
        complete(
            new Run(
                prompts,
                n,
                firstRow,
                params,
                random,
                mostPlaces,
                listener,
                limits,
                turns,
                done,
                told),
            capacity);
      }
      return Arrays.asList(done);
    }
  }

  private void complete(Run run, int capacity) {
    try {
      decoder.begin(run.active.length, capacity);
      run.complete();
    } finally {
      run.close();
      decoder.release();
      policy.release();
    }
  }

  /** How often memory was out and half of the rows did. */
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

  /** Which prompts are this engine's to sample; each is asked about once. */
  private static final class Turns {
    private final Boolean[] claimed;
    private final IntPredicate claims;

    Turns(int prompts, IntPredicate claims) {
      claimed = new Boolean[prompts];
      this.claims = claims;
    }

    boolean claim(int prompt) {
      if (claimed[prompt] == null) {
        claimed[prompt] = claims.test(prompt);
      }
      return claimed[prompt];
    }

    /** Whether another engine samples it, as far as is known. */
    boolean lost(int prompt) {
      return Boolean.FALSE.equals(claimed[prompt]);
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

  /** One call of {@link #generate}. */
  private final class Run implements AutoCloseable {
    private final List<Prompt> prompts;
    private final int n;
    private final int firstRow;
    private final RolloutParams params;
    private final RandomStream random;
    private final Row[] active;
    private final long[] lastTokens;
    private final Completion[] done;
    private final TokenSampler draws;
    private final RolloutListener listener;
    private final IntUnaryOperator limits;
    private final Turns turns;
    private int rows;

    /** Next row to admit, counted over all prompts; those that are done are passed over. */
    private int next;

    /** Rows that are neither done nor admitted. */
    private int waiting;

    /** Tokens of each row that the listener has heard. */
    private final int[] told;

    private @Nullable Prefill prefill;

    /** Prompt of the first entry of {@link #prefill}. */
    private int prefillFirst;

    Run(
        List<Prompt> prompts,
        int n,
        int firstRow,
        RolloutParams params,
        RandomStream random,
        int places,
        RolloutListener listener,
        IntUnaryOperator limits,
        Turns turns,
        Completion[] done,
        int[] told) {
      this.limits = limits;
      this.turns = turns;
      this.done = done;
      this.told = told;
      for (int i = 0; i < done.length; i++) {
        waiting += done[i] == null && !turns.lost(i / n) ? 1 : 0;
      }
      this.prompts = prompts;
      this.n = n;
      this.firstRow = firstRow;
      this.params = params;
      this.random = random;
      active = new Row[places];
      lastTokens = new long[places];
      draws = sampler(places);
      this.listener = listener;
    }

    void complete() {
      while (true) {
        if (mayAdmit()) {
          admit();
        }
        if (rows == 0) {
          if (waiting == 0) {
            return;
          }
          continue;
        }
        step();
      }
    }

    /** New rows wait until an eighth of the places is free: one prefill of many rows is cheaper. */
    private boolean mayAdmit() {
      int free = active.length - rows;
      return free > 0 && waiting > 0 && free >= Math.min(waiting, active.length / 8);
    }

    private void admit() {
      while (rows < active.length && waiting > 0) {
        while (done[next] != null || turns.lost(next / n)) {
          next++;
        }
        int prompt = next / n;
        if (!claim(prompt)) {
          continue;
        }
        int most = Math.min(active.length - rows, n - next % n);
        int count = 1;
        while (count < most && done[next + count] == null) {
          count++;
        }
        Prefill current = prefilled(prompt);
        begin(current, prompt, count);
        next += count;
        waiting -= count;
      }
      if (waiting == 0) {
        dropPrefill();
      }
    }

    /** Whether a prompt is ours; if another engine has begun it, its rows wait no longer. */
    private boolean claim(int prompt) {
      boolean known = turns.lost(prompt);
      boolean mine = turns.claim(prompt);
      if (!mine && !known) {
        waiting -= n;
      }
      return mine;
    }

    /** Samples the first token of rows of one prompt; those that continue take their places. */
    private void begin(Prefill current, int prompt, int count) {
      for (int i = 0; i < count; i++) {
        int row = firstRow + next % n + i;
        draws.counter(i, random, 0, row, prompts.get(prompt).id());
      }
      int place = prompt - prefillFirst;
      try (Tensor logits = current.logits().narrow(0, place, 1)) {
        draws.sampleSame(logits, count, params, random.seed());
      }
      int first = rows;
      for (int i = 0; i < count; i++) {
        int limit = Math.min(limits.applyAsInt(next + i), params.maxTokens());
        Row row = new Row(next + i, prompts.get(prompt), firstRow + next % n + i, limit);
        if (!record(row, i)) {
          lastTokens[rows] = draws.tokens[i];
          active[rows++] = row;
        }
      }
      if (rows > first) {
        decoder.admit(current, place, first, rows - first);
      }
    }

    /**
     * The prefill that holds {@code prompt}: the current one, or a new one of this prompt and those
     * after it.
     */
    private Prefill prefilled(int prompt) {
      if (prefill != null && prompt < prefillFirst + prefill.lengths().length) {
        return prefill;
      }
      dropPrefill();
      List<Prompt> batch = new ArrayList<>();
      int tokens = 0;
      int wanted = active.length - rows;
      for (int i = prompt; i < prompts.size() && (long) batch.size() * n < wanted; i++) {
        tokens += prompts.get(i).tokens().length;
        if (!batch.isEmpty() && (tokens > PREFILL_TOKENS || !claim(i))) {
          break;
        }
        batch.add(prompts.get(i));
      }
      prefillFirst = prompt;
      return prefill = Prefill.of(policy, batch);
    }

    private void step() {
      for (int i = 0; i < rows; i++) {
        Row row = active[i];
        draws.counter(i, random, row.count, row.row, row.prompt.id());
      }
      decoder.draw(lastTokens, rows, draws, params, random.seed());
      int sampled = rows;
      for (int i = sampled - 1; i >= 0; i--) {
        lastTokens[i] = draws.tokens[i];
        if (record(active[i], i)) {
          rows--;
          if (i != rows) {
            decoder.move(rows, i);
            active[i] = active[rows];
            lastTokens[i] = lastTokens[rows];
          }
          active[rows] = null;
        }
      }
    }

    /** Takes draw {@code i} as the row's next token; true when that ends the row. */
    private boolean record(Row row, int i) {
      int token = (int) draws.tokens[i];
      row.add(token, draws.logprobs[i]);
      boolean stopped = stops[token];
      if (!stopped) {
        if (row.count > told[row.index]) {
          told[row.index] = row.count;
          listener.token(row.prompt.id(), row.row, token);
        }
        if (row.count < row.limit) {
          return false;
        }
      }
      Completion completion =
          new Completion(
              row.prompt.id(),
              row.row,
              Arrays.copyOf(row.tokens, row.count),
              Arrays.copyOf(row.logprobs, row.count),
              stopped ? FinishReason.STOP : FinishReason.LENGTH);
      done[row.index] = completion;
      listener.completed(row.index, completion);
      return true;
    }

    private void dropPrefill() {
      if (prefill != null) {
        prefill.close();
        prefill = null;
      }
    }

    @Override
    public void close() {
      dropPrefill();
    }
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
