package org.hirengine.engine.rollout;

import org.hirengine.kernels.ModelMemory;

/**
 * Decides how many rows the cache's pages are enough for. Rows take pages as they grow, so more run
 * than would fit if all became as long as they may; {@link Generation} pauses some when it was too
 * many.
 *
 * <p>For each row that runs, the budget keeps free the pages of half a mean response. Rows end one
 * after another, so at any time the mean row has grown by half of what it will.
 */
final class PageBudget {

  private final Decoder decoder;
  private final long pages;
  private final int limit;
  private long sampled;
  private long ended;

  /**
   * @param pages that rows and prompts may hold
   * @param limit most tokens of a response
   */
  PageBudget(Decoder decoder, long pages, int limit) {
    this.decoder = decoder;
    this.pages = pages;
    this.limit = limit;
  }

  /** Counts a token. */
  void sampled() {
    sampled++;
  }

  /** Counts a response that is complete. */
  void ended() {
    ended++;
  }

  /** Pages that {@code rows} rows are expected to take yet. */
  private double growth(int rows) {
    // Tokens of unfinished rows count too. Without them the mean would be that of short responses,
    // which end first.
    double mean = ended == 0 ? limit : Math.min(limit, (double) sampled / ended);
    return rows * mean / 2 / ModelMemory.PAGE_TOKENS;
  }

  /** Whether rows with {@code more} pages may begin, so that {@code rows} run. */
  boolean admits(int rows, long more) {
    return decoder.pages() + more + growth(rows) <= pages;
  }

  /** Whether {@code more} pages are there. */
  boolean holds(long more) {
    return decoder.pages() + more <= pages;
  }
}
