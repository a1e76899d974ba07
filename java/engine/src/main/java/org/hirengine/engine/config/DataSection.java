package org.hirengine.engine.config;

import org.hirengine.engine.hub.Location;
import org.jspecify.annotations.Nullable;

/**
 * Section {@code data} of a training run's configuration: what is trained on, and how rows and
 * texts are read.
 */
public record DataSection(
    @Key(
            doc = "Training instructions.",
            value = Key.REQUIRED,
            elsewhere = {"train_file", "train_files", "train_data", "dataset"})
        Location train,
    @Key(
            doc = "Held-out instructions; null runs without evaluation.",
            value = "null",
            elsewhere = {"eval_file", "val_files", "eval_dataset"})
        @Nullable Location eval,
    @Key(
            doc =
                "Lines that cannot be used stop the run, or are skipped, counted and written to"
                    + " bad_rows.jsonl.",
            value = "fail")
        BadRows badRows,
    @Key(doc = "Shuffles the instructions anew for every pass.", value = "true") boolean shuffle,
    @Key(
            doc =
                "How texts of the data that read as control tokens, such as the end of a turn,"
                    + " are encoded: as control tokens (read), or as plain text (split).",
            value = "read")
        ControlTokens controlTokens,
    @Key(
            doc =
                "Local date and time, such as 2026-01-31T12:00, that a chat template's"
                    + " strftime_now returns; null takes the start of the run, which a resumed"
                    + " run keeps.",
            value = "null")
        @Nullable String now) {

  /** What happens to a line of data that cannot be used. */
  public enum BadRows {
    FAIL,
    SKIP
  }

  /** How a control token, such as {@code <|im_end|>}, is read in a text of the data. */
  public enum ControlTokens {
    /** As that token, like other trainers. */
    READ,
    /** As plain text. */
    SPLIT
  }
}
