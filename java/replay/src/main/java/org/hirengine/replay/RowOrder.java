package org.hirengine.replay;

/**
 * The order of a step's rows: a prompt's responses stay together, and each replay follows its
 * original. Mini-batches are consecutive rows of this order, so it is part of the method.
 */
public final class RowOrder {

  private RowOrder() {}

  /**
   * Puts responses that were sampled later after the first ones of their prompt.
   *
   * @param prompts number of prompts
   * @param sampled responses per prompt sampled first: rows 0 to prompts * sampled - 1, prompt by
   *     prompt
   * @param extra responses per prompt sampled later: the rows after those, prompt by prompt
   * @return for each place, its row; length prompts * (sampled + extra)
   */
  public static int[] byPrompt(int prompts, int sampled, int extra) {
    int[] order = new int[prompts * (sampled + extra)];
    int place = 0;
    for (int prompt = 0; prompt < prompts; prompt++) {
      for (int i = 0; i < sampled; i++) {
        order[place++] = prompt * sampled + i;
      }
      for (int i = 0; i < extra; i++) {
        order[place++] = prompts * sampled + prompt * extra + i;
      }
    }
    return order;
  }

  /**
   * Puts each replay right after its original.
   *
   * @param rows number of originals
   * @param originals the original of each replay, ascending
   * @return for each place, its row: an original below {@code rows}, or {@code rows + j} for replay
   *     j; length rows + originals.length
   */
  public static int[] behindOriginals(int rows, int[] originals) {
    int[] order = new int[rows + originals.length];
    int place = 0;
    int replay = 0;
    for (int row = 0; row < rows; row++) {
      order[place++] = row;
      while (replay < originals.length && originals[replay] == row) {
        order[place++] = rows + replay++;
      }
    }
    if (replay < originals.length) {
      throw new IllegalArgumentException(
          "originals must be ascending rows below " + rows + "; found " + originals[replay]);
    }
    return order;
  }
}
