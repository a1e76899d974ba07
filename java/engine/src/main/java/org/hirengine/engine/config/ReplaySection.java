package org.hirengine.engine.config;

import java.nio.file.Path;
import org.hirengine.replay.Floor;
import org.hirengine.replay.ReplaySelector;
import org.jspecify.annotations.Nullable;

/** Section {@code replay} of a training run's configuration: how failed responses are replayed. */
public record ReplaySection(
    @Key(doc = "How instructions of failed responses are rewritten for replays.", value = "drop")
        Rewrite rewrite,
    @Key(
            doc =
                "Responses sampled per prompt before replays; with rewrite none all of"
                    + " train.group are sampled.",
            value = "6",
            min = 1,
            max = 1e6)
        int sampled,
    @Key(doc = "How candidates are ranked (rewrite drop).", value = "both")
        ReplaySelector.Selection selection,
    @Key(
            doc = "Replays are chosen in the whole batch, or evenly per prompt (rewrite drop).",
            value = "batch")
        ReplaySelector.Scope scope,
    @Key(
            doc = "Weight of CLA against entropy at step 0: lambda = lambda0 * (1 + eta)^step.",
            value = "2",
            min = 0,
            max = 1e9)
        double lambda0,
    @Key(
            doc = "Growth of lambda per step; 0 keeps it constant.",
            value = "0.05",
            min = 0,
            max = 1e3)
        double eta,
    @Key(
            doc = "Prompt under which a replay's old and reference log-probs are taken.",
            value = "original")
        OldLogprobs oldLogprobs,
    @Key(
            doc =
                "Replays stay outside their original's group (advantage of one standard"
                    + " deviation) or enter it; for grpo, rloo, dr-grpo, reinforce++-baseline.",
            value = "own")
        ReplayGroup group,
    @Key(
            doc =
                "Most replays per step (rewrite achieve), chosen at random; null is three per"
                    + " prompt.",
            value = "null",
            min = 0,
            max = 1e9)
        @Nullable Integer max,
    @Key(
            doc =
                "Goal in place of a violated constraint (rewrite achieve): the nearest that the"
                    + " response achieved, or the hardest of several, which most other responses"
                    + " of the prompt fail.",
            value = "nearest")
        Goal goal,
    @Key(
            doc =
                "What a response must be to be replayed: anything (none, as in the paper), prose"
                    + " (mostly letters, without endless repetition), or topic (prose with a word"
                    + " of the request). With rewrite achieve also what goals must be: other"
                    + " responses fail them, and under topic their words are not only this"
                    + " response's. Small policies learn to write markup that satisfies by saying"
                    + " nothing.",
            value = "none")
        Floor floor,
    @Key(
            doc =
                "JSON file of sentence templates by constraint id for rewritten constraints"
                    + " (rewrite achieve); null takes the engine's words.",
            value = "null")
        @Nullable Path sentences,
    @Key(
            doc =
                "Constraint ids, separated by commas, that are dropped when violated and never"
                    + " relabelled (rewrite achieve), for instance those whose sentences cannot"
                    + " be matched; null relabels all.",
            value = "null")
        @Nullable String dropTypes) {

  /** Which achieved goal replaces a violated constraint. */
  public enum Goal {
    /** The nearest to what was asked. */
    NEAREST,
    /** Of several, the one that most other responses of the prompt fail. */
    HARDEST
  }

  /** How failed responses are replayed. */
  public enum Rewrite {
    /** No replay: plain reinforcement learning on all sampled responses. */
    NONE,
    /** Under the instruction without the violated constraints (the paper). */
    DROP,
    /** Under the instruction with the violated constraints replaced by what was achieved. */
    ACHIEVE
  }

  /** Under which prompt a replay's old and reference log-probs are taken. */
  public enum OldLogprobs {
    ORIGINAL,
    REWRITTEN
  }

  /** Whether replays enter their original's group statistics. */
  public enum ReplayGroup {
    OWN,
    SHARED
  }
}
