package org.hirengine.engine.update;

import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import org.hirengine.engine.experience.TrainingRow;
import org.hirengine.engine.model.ResponseBatch;

/**
 * Rows packed for one forward pass; a prompt that several of them share is packed once. Originals
 * come first, then replays, so that their statistics can be kept apart.
 *
 * @param rows the rows, in the order of their tokens
 * @param responses what the decoder reads, and which response tokens it predicts
 * @param originalTokens how many of those tokens belong to originals
 */
record MicroBatch(List<TrainingRow> rows, ResponseBatch responses, int originalTokens) {

  /**
   * Splits consecutive rows into micro-batches.
   *
   * @param tokens most packed tokens of a micro-batch; a longer row gets its own
   * @param sharePrompts pack a prompt that rows share once
   */
  static List<MicroBatch> cut(List<TrainingRow> rows, int tokens, boolean sharePrompts) {
    List<MicroBatch> batches = new ArrayList<>();
    List<TrainingRow> open = new ArrayList<>();
    IdentityHashMap<int[], Boolean> prompts = new IdentityHashMap<>();
    long size = 0;
    for (TrainingRow row : rows) {
      long added =
          (long) row.response().length
              + (sharePrompts && prompts.containsKey(row.prompt()) ? 0 : row.prompt().length);
      if (!open.isEmpty() && size + added > tokens) {
        batches.add(of(open, sharePrompts));
        open = new ArrayList<>();
        prompts.clear();
        added = (long) row.response().length + row.prompt().length;
        size = 0;
      }
      open.add(row);
      prompts.put(row.prompt(), true);
      size += added;
    }
    if (!open.isEmpty()) {
      batches.add(of(open, sharePrompts));
    }
    return batches;
  }

  /** Packs rows regardless of their number of tokens. */
  static MicroBatch of(List<TrainingRow> rows, boolean sharePrompts) {
    List<TrainingRow> sorted = new ArrayList<>();
    rows.stream().filter(row -> !row.replayed()).forEach(sorted::add);
    int originals = sorted.stream().mapToInt(row -> row.response().length).sum();
    rows.stream().filter(TrainingRow::replayed).forEach(sorted::add);
    return new MicroBatch(sorted, ResponseBatch.pack(sorted, sharePrompts), originals);
  }
}
