package org.hirengine.engine.rollout;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntPredicate;
import java.util.function.IntUnaryOperator;
import org.bytedeco.pytorch.Tensor;
import org.hirengine.engine.model.Policy;
import org.hirengine.engine.rollout.Completion.FinishReason;
import org.jspecify.annotations.Nullable;

/**
 * One call of {@link RolloutEngine#generate}: which rows are done, being decoded, or waiting. If
 * memory runs out, {@link #complete} can be called again with fewer places: what a row draws
 * depends only on itself, so rows that are done stay, and the others start again.
 */
final class Generation {

  private final List<Prompt> prompts;
  private final int n;
  private final int firstRow;
  private final RolloutParams params;
  private final RandomStream random;
  private final RolloutListener listener;
  private final IntUnaryOperator limits;
  private final IntPredicate claims;

  /** Which prompts are this engine's; null until asked, and each is asked about once. */
  private final Boolean[] claimed;

  private final Completion[] done;

  /** Tokens of each row that the listener has heard. */
  private final int[] told;

  /** Parameters as in {@link RolloutEngine#generate}. */
  Generation(
      List<Prompt> prompts,
      int n,
      int firstRow,
      RolloutParams params,
      RandomStream random,
      RolloutListener listener,
      IntUnaryOperator limits,
      IntPredicate claims) {
    this.prompts = prompts;
    this.n = n;
    this.firstRow = firstRow;
    this.params = params;
    this.random = random;
    this.listener = listener;
    this.limits = limits;
    this.claims = claims;
    claimed = new Boolean[prompts.size()];
    done = new Completion[Math.multiplyExact(prompts.size(), n)];
    told = new int[done.length];
  }

  /**
   * Samples all rows that are not done.
   *
   * @param decoder begun with {@code places} places
   * @param draws with room for {@code places} rows
   * @param stops by token id: whether it ends a response
   */
  void complete(Policy policy, Decoder decoder, TokenSampler draws, boolean[] stops, int places) {
    try (Attempt attempt = new Attempt(policy, decoder, draws, stops, places)) {
      attempt.complete();
    }
  }

  /** The rows in order; null where another engine sampled the prompt. */
  List<@Nullable Completion> completions() {
    return Arrays.asList(done);
  }

  /** Whether another engine samples a prompt, as far as is known. */
  private boolean lost(int prompt) {
    return Boolean.FALSE.equals(claimed[prompt]);
  }

  /** A response that is being sampled. */
  private static final class Row {
    final int index;
    final Prompt prompt;
    final int row;
    final int limit;
    int[] tokens = new int[32];
    float[] logprobs = new float[32];
    float @Nullable [] entropies;
    int count;

    Row(int index, Prompt prompt, int row, int limit, boolean entropies) {
      this.index = index;
      this.prompt = prompt;
      this.row = row;
      this.limit = limit;
      this.entropies = entropies ? new float[32] : null;
    }

    void add(int token, float logprob, float entropy) {
      if (count == tokens.length) {
        tokens = Arrays.copyOf(tokens, 2 * count);
        logprobs = Arrays.copyOf(logprobs, 2 * count);
        entropies = entropies == null ? null : Arrays.copyOf(entropies, 2 * count);
      }
      if (entropies != null) {
        entropies[count] = entropy;
      }
      tokens[count] = token;
      logprobs[count++] = logprob;
    }
  }

  /** Decodes with a fixed number of places, from prefill to the last row's end. */
  private final class Attempt implements AutoCloseable {
    private final Policy policy;
    private final Decoder decoder;
    private final TokenSampler draws;
    private final boolean[] stops;
    private final Row[] active;
    private final long[] lastTokens;
    private int rows;

    /** Next row to admit, counted over all prompts; those that are done are passed over. */
    private int next;

    /** Rows that are neither done nor admitted. */
    private int waiting;

    private @Nullable Prefill prefill;

    /** Prompt of the first entry of {@link #prefill}. */
    private int prefillFirst;

    Attempt(Policy policy, Decoder decoder, TokenSampler draws, boolean[] stops, int places) {
      this.policy = policy;
      this.decoder = decoder;
      this.draws = draws;
      this.stops = stops;
      active = new Row[places];
      lastTokens = new long[places];
      for (int i = 0; i < done.length; i++) {
        waiting += done[i] == null && !lost(i / n) ? 1 : 0;
      }
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
        while (done[next] != null || lost(next / n)) {
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
      if (claimed[prompt] == null) {
        claimed[prompt] = claims.test(prompt);
        if (!claimed[prompt]) {
          waiting -= n;
        }
      }
      return claimed[prompt];
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
        int number = firstRow + next % n + i;
        Row row = new Row(next + i, prompts.get(prompt), number, limit, params.entropies());
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
        if (!batch.isEmpty() && (tokens > RolloutEngine.PREFILL_TOKENS || !claim(i))) {
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
      row.add(token, draws.logprobs[i], draws.entropies[i]);
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
              row.entropies == null ? null : Arrays.copyOf(row.entropies, row.count),
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
}
