package org.hirengine.engine.rollout;

import static java.util.Comparator.comparingInt;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.PriorityQueue;
import org.bytedeco.pytorch.Tensor;
import org.hirengine.engine.model.Policy;
import org.hirengine.engine.rollout.Completion.FinishReason;
import org.hirengine.kernels.ModelMemory;
import org.jspecify.annotations.Nullable;

/**
 * One call of {@link RolloutEngine#generate}: which rows are done, being decoded, or waiting. If
 * memory runs out, {@link #complete} can be called again with fewer places: what a row draws
 * depends only on itself, so rows that are done stay, and the others start again.
 */
final class Generation {

  private final RolloutCall call;
  private final List<Prompt> prompts;
  private final int n;

  /** Which prompts are this engine's; null until asked, and each is asked about once. */
  private final Boolean[] claimed;

  private final Completion[] done;

  /** Tokens of each row that the listener has heard. */
  private final int[] told;

  private int most;
  private int preempted;
  private int recomputed;

  Generation(RolloutCall call) {
    this.call = call;
    prompts = call.prompts();
    n = call.n();
    claimed = new Boolean[prompts.size()];
    done = new Completion[Math.multiplyExact(prompts.size(), n)];
    told = new int[done.length];
  }

  /**
   * Samples all rows that are not done.
   *
   * @param decoder begun with {@code places} places
   * @param pages that rows and prompts may hold; any row fits alone
   * @param draws with room for {@code places} rows
   * @param stops by token id: whether it ends a response
   */
  void complete(
      Policy policy, Decoder decoder, long pages, TokenSampler draws, boolean[] stops, int places) {
    most = 0;
    PageBudget budget = new PageBudget(decoder, pages, call.params().maxTokens());
    try (Attempt attempt = new Attempt(policy, decoder, budget, draws, stops, places)) {
      attempt.complete();
    }
  }

  /** Most rows that the last {@link #complete} decoded at once. */
  int most() {
    return most;
  }

  /** How often a row gave its pages to older ones. */
  int preempted() {
    return preempted;
  }

  /** Tokens that those rows had to run through the model again, prompts not counted. */
  int recomputed() {
    return recomputed;
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

    /** Tokens in the cache: all but the last one, which the next step appends. */
    int cached() {
      return prompt.tokens().length + count - 1;
    }

    /** What is in the cache, as a prompt. */
    Prompt asPrompt() {
      int[] ids = Arrays.copyOf(prompt.tokens(), cached());
      System.arraycopy(tokens, 0, ids, prompt.tokens().length, count - 1);
      return new Prompt(prompt.id(), ids);
    }
  }

  /**
   * Decodes with a fixed number of places, from prefill to the last row's end.
   *
   * <p>If the next step needs more pages than there are, the youngest rows give theirs back. They
   * go on before new rows begin, oldest first: what they had runs through the model again, as a
   * prompt does, and no token is drawn twice. The oldest row never stops, so every row ends.
   */
  private final class Attempt implements AutoCloseable {
    private final Policy policy;
    private final Decoder decoder;
    private final PageBudget budget;
    private final TokenSampler draws;
    private final boolean[] stops;
    private final Row[] active;
    private final long[] lastTokens;
    private int rows;

    /** Next row to admit, counted over all prompts; those that are done are passed over. */
    private int next;

    /** Rows that are neither done nor admitted. */
    private int waiting;

    /** Rows that gave their pages back, oldest first. */
    private final PriorityQueue<Row> paused = new PriorityQueue<>(comparingInt(row -> row.index));

    private @Nullable Prefill prefill;

    /** Prompt of the first entry of {@link #prefill}. */
    private int prefillFirst;

    /** A prompt in the cache whose rows have not all been admitted. */
    private Decoder.@Nullable Stored stored;

    private int storedPrompt;

    Attempt(
        Policy policy,
        Decoder decoder,
        PageBudget budget,
        TokenSampler draws,
        boolean[] stops,
        int places) {
      this.policy = policy;
      this.decoder = decoder;
      this.budget = budget;
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
        resume();
        if (paused.isEmpty() && mayAdmit()) {
          admit();
        }
        if (rows == 0) {
          if (waiting == 0) {
            return;
          }
          continue;
        }
        most = Math.max(most, rows);
        makeRoom();
        step();
      }
    }

    /** Continues paused rows for which there are pages. */
    private void resume() {
      while (rows < active.length && !paused.isEmpty()) {
        Row row = paused.element();
        if (rows == 0) {
          forget(); // now the row fits, as any does alone
        } else if (!budget.admits(rows + 1, ModelMemory.pages(row.cached()) + 1)) {
          return;
        }
        paused.remove();
        try (Prefill had = Prefill.of(policy, List.of(row.asPrompt()));
            Decoder.Stored alone = decoder.store(had, 0)) {
          alone.admit(rows, 1);
        }
        recomputed += row.count - 1;
        lastTokens[rows] = row.tokens[row.count - 1];
        active[rows++] = row;
      }
    }

    /** New rows wait until there is room for an eighth: one prefill of many rows is cheaper. */
    private boolean mayAdmit() {
      int room = room();
      return room > 0 && room >= Math.min(waiting, (rows + room) / 8);
    }

    /** Number of rows, the next ones, that have places and pages. */
    private int room() {
      int free = Math.min(active.length - rows, waiting);
      int room = 0;
      long pages = 0;
      int known = stored == null ? -1 : storedPrompt;
      for (int i = next; room < free; i++) {
        int prompt = i / n;
        if (done[i] != null || lost(prompt)) {
          continue;
        }
        pages += 1 + (prompt == known ? 0 : ModelMemory.pages(prompts.get(prompt).tokens().length));
        known = prompt;
        boolean alone = rows + room == 0;
        if (!alone && !budget.admits(rows + room + 1, pages)) {
          break;
        }
        room++;
      }
      return room;
    }

    private void admit() {
      for (int room = room(); room > 0; room = room()) {
        while (done[next] != null || lost(next / n)) {
          next++;
        }
        int prompt = next / n;
        if (!claim(prompt)) {
          continue;
        }
        int most = Math.min(room, n - next % n);
        int count = 1;
        while (count < most && done[next + count] == null) {
          count++;
        }
        Prefill current = prefilled(prompt, room);
        begin(current, prompt, count);
        next += count;
        waiting -= count;
        if (next % n == 0) {
          forget();
        }
      }
      if (waiting == 0) {
        forget();
        dropPrefill();
      }
    }

    /** Whether a prompt is ours; if another engine has begun it, its rows wait no longer. */
    private boolean claim(int prompt) {
      if (claimed[prompt] == null) {
        claimed[prompt] = call.claims().test(prompt);
        if (!claimed[prompt]) {
          waiting -= n;
        }
      }
      return claimed[prompt];
    }

    /** Samples the first token of rows of one prompt; those that continue take their places. */
    private void begin(Prefill current, int prompt, int count) {
      int number = call.firstRow() + next % n;
      for (int i = 0; i < count; i++) {
        draws.counter(i, call.random(), 0, number + i, prompts.get(prompt).id());
      }
      int place = prompt - prefillFirst;
      try (Tensor logits = current.logits().narrow(0, place, 1)) {
        draws.sampleSame(logits, count, call.params(), call.random().seed());
      }
      int first = rows;
      for (int i = 0; i < count; i++) {
        int limit = Math.min(call.limits().applyAsInt(next + i), call.params().maxTokens());
        Row row =
            new Row(next + i, prompts.get(prompt), number + i, limit, call.params().entropies());
        if (!record(row, i)) {
          lastTokens[rows] = draws.tokens[i];
          active[rows++] = row;
        }
      }
      if (rows > first) {
        stored(current, prompt).admit(first, rows - first);
      }
    }

    private Decoder.Stored stored(Prefill current, int prompt) {
      Decoder.Stored known = stored;
      if (known != null && storedPrompt == prompt) {
        return known;
      }
      forget();
      storedPrompt = prompt;
      return stored = decoder.store(current, prompt - prefillFirst);
    }

    /** Lets go of the stored prompt; rows that continue it keep it. */
    private void forget() {
      if (stored != null) {
        stored.close();
        stored = null;
      }
    }

    /**
     * The prefill that holds {@code prompt}: the current one, or a new one of this prompt and those
     * after it, for {@code wanted} rows.
     */
    private Prefill prefilled(int prompt, int wanted) {
      if (prefill != null && prompt < prefillFirst + prefill.lengths().length) {
        return prefill;
      }
      dropPrefill();
      List<Prompt> batch = new ArrayList<>();
      int tokens = 0;
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

    /** Lets the youngest rows wait until the others have pages for their next tokens. */
    private void makeRoom() {
      if (!budget.holds(pagesOfStep())) {
        forget();
      }
      while (rows > 1 && !budget.holds(pagesOfStep())) {
        int youngest = 0;
        for (int i = 1; i < rows; i++) {
          youngest = active[i].index > active[youngest].index ? i : youngest;
        }
        paused.add(active[youngest]);
        remove(youngest);
        decoder.keep(rows);
        preempted++;
      }
    }

    /** Pages that the next step takes. */
    private long pagesOfStep() {
      long pages = 0;
      for (int i = 0; i < rows; i++) {
        pages += active[i].cached() % ModelMemory.PAGE_TOKENS == 0 ? 1 : 0;
      }
      return pages;
    }

    private void step() {
      for (int i = 0; i < rows; i++) {
        Row row = active[i];
        draws.counter(i, call.random(), row.count, row.row, row.prompt.id());
      }
      decoder.draw(lastTokens, rows, draws, call.params(), call.random().seed());
      int sampled = rows;
      for (int i = sampled - 1; i >= 0; i--) {
        lastTokens[i] = draws.tokens[i];
        if (record(active[i], i)) {
          remove(i);
        }
      }
      if (rows < sampled) {
        decoder.keep(rows);
      }
    }

    /** Ends the row in a place; the last row moves there. */
    private void remove(int place) {
      rows--;
      if (place != rows) {
        decoder.move(rows, place);
        active[place] = active[rows];
        lastTokens[place] = lastTokens[rows];
      }
      active[rows] = null;
    }

    /** Takes draw {@code i} as the row's next token; true when that ends the row. */
    private boolean record(Row row, int i) {
      int token = (int) draws.tokens[i];
      row.add(token, draws.logprobs[i], draws.entropies[i]);
      budget.sampled();
      boolean stopped = stops[token];
      if (!stopped) {
        if (row.count > told[row.index]) {
          told[row.index] = row.count;
          call.listener().token(row.prompt.id(), row.row, token);
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
      budget.ended();
      call.listener().completed(row.index, completion);
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
      forget();
      dropPrefill();
    }
  }
}
