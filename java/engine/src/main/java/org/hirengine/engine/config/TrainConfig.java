package org.hirengine.engine.config;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.hirengine.engine.algo.AdvantageEstimator;
import org.hirengine.engine.algo.KlPenalty;
import org.hirengine.engine.algo.LossAggregation;
import org.hirengine.engine.hub.Location;
import org.hirengine.kernels.DType;
import org.hirengine.kernels.Device;
import org.hirengine.kernels.Kernels.KlLoss;
import org.hirengine.kernels.MomentType;
import org.hirengine.replay.Floor;
import org.hirengine.replay.ReplaySelector;
import org.hirengine.verify.Unread;
import org.jspecify.annotations.Nullable;

/**
 * The resolved configuration of a training run: defaults (the reference's), then the algorithm's
 * preset, then the file, then {@code key=value} overrides.
 */
public record TrainConfig(
    @Key(
            doc =
                "Policy to start from: a folder in Hugging Face layout, a .gguf file, or the name"
                    + " of a model on the Hugging Face Hub.",
            value = Key.REQUIRED,
            kind = Location.Kind.MODEL,
            elsewhere = {"model_name_or_path", "model_path", "base_model"})
        Location model,
    @Key(
            doc =
                "LoRA adapter to start from, a folder in PEFT's layout. Only the adapter is"
                    + " trained; the reference policy keeps its initial state.",
            value = "null",
            elsewhere = {"adapter_path", "lora_path", "peft_model"})
        @Nullable Path adapter,
    @Key(doc = "Device of all tensors.", value = "cpu") Device.Kind device,
    @Key(
            doc = "Number format of the forward and backward pass; masters are always float32.",
            value = "float32",
            elsewhere = {"torch_dtype", "precision"})
        DType dtype,
    @Key(doc = "Native threads; null is one per core.", value = "null", min = 1, max = 1024)
        @Nullable Integer threads,
    @Key(
            doc = "Preset of reward, replay and advantage; each of their keys can still be set.",
            value = "hir")
        Algorithm algorithm,
    @Key(
            doc = "Run folder to write.",
            value = Key.REQUIRED,
            elsewhere = {"output_dir", "save_dir"})
        Path out,
    Data data,
    Train train,
    Lora lora,
    Limits limits,
    Sampling sampling,
    Reward reward,
    Replay replay,
    Advantage advantage,
    Kl kl,
    Loss loss,
    Optim optim,
    Verify verify,
    Eval eval,
    Checkpoint checkpoint,
    Log log,
    Guards guards,
    Distributed distributed) {

  /** Presets; {@link #preset} says what each sets. */
  public enum Algorithm {
    HIR,
    HIR_ACHIEVE,
    RL_ILA,
    RL_CLA,
    GRPO
  }

  /** The reward of a sampled response. */
  public enum RewardKind {
    /** 1 if all constraints are satisfied, else 0. */
    ILA,
    /** The fraction of satisfied constraints. */
    CLA
  }

  /** Strict verdicts, or loose ones (the best of the response and its trimmed variants). */
  public enum VerdictMode {
    STRICT,
    LOOSE
  }

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

  /** How beta changes. */
  public enum Controller {
    FIXED,
    ADAPTIVE
  }

  /** Learning rate over steps, after the warm-up. */
  public enum Schedule {
    CONSTANT,
    LINEAR,
    COSINE
  }

  /** What a backward pass computes again. */
  public enum Recompute {
    NONE,
    /** Each layer, from its input. */
    LAYERS,
    /** Layers where they would not fit otherwise. */
    AUTO
  }

  /** How masters of bfloat16 weights are kept. */
  public enum Masters {
    /** Beside the weights. */
    FLOAT32,
    /** As the weights and the 16 bits that they lack. */
    SPLIT
  }

  /** What happens to a row with a constraint that got no verdict. */
  public enum NoVerdict {
    /** Left out of training, and counted. */
    SKIP,
    /** Trained on as if the constraint were violated. */
    VIOLATED
  }

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

  public record Data(
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
          @Nullable String now) {}

  public record Train(
      @Key(
              doc = "Training steps at most.",
              value = "100",
              min = 0,
              max = 1e9,
              elsewhere = {"max_steps", "total_steps", "num_steps"})
          int steps,
      @Key(
              doc = "Sampled responses at most; the step that would exceed it is not started.",
              value = "null",
              min = 1,
              max = 1e15)
          @Nullable Long maxRollouts,
      @Key(
              doc =
                  "Seed of every random choice of the run. It selects rows by position, so the same"
                      + " rows in another order give another run.",
              value = "0",
              min = 0,
              max = 9e15)
          long seed,
      @Key(
              doc = "Prompts per step (B).",
              value = "64",
              min = 1,
              max = 1e6,
              elsewhere = {"batch_size", "train_batch_size", "per_device_train_batch_size"})
          int prompts,
      @Key(
              doc = "Trajectories per prompt (n): sampled ones and replays together.",
              value = "8",
              min = 1,
              max = 1e6,
              elsewhere = {"num_generations", "group_size", "rollouts_per_prompt"})
          int group,
      @Key(
              doc = "Prompts per mini-batch, one optimizer update each; null takes all at once.",
              value = "null",
              min = 1,
              max = 1e6,
              elsewhere = {"mini_batch_size", "ppo_mini_batch_size"})
          @Nullable Integer miniBatch,
      @Key(
              doc =
                  "Tokens per micro-batch, prompts included; auto is the largest power of two that"
                      + " fits the memory, at most 16384. Results depend on it by rounding alone,"
                      + " the order in which gradients are summed: the run's config.yaml records"
                      + " the number, and a resumed run keeps it.",
              value = "auto",
              none = "auto",
              min = 1,
              max = 1e9,
              elsewhere = {"micro_batch_size", "ppo_micro_batch_size"})
          @Nullable Integer microTokens,
      @Key(
              doc =
                  "Computes a prompt once for all its rows in a micro-batch; results do not depend"
                      + " on it.",
              value = "true")
          boolean sharePrompts,
      @Key(
              doc = "Passes over each step's rows.",
              value = "1",
              min = 1,
              max = 1000,
              elsewhere = {"num_epochs", "num_iterations", "ppo_epochs"})
          int epochs,
      @Key(
              doc =
                  "What the backward pass computes again instead of keeping it: nothing, or all"
                      + " of a layer but its input, for less memory and a third more time; auto"
                      + " does so where nothing else fits. Results do not depend on it. false and"
                      + " true are read as none and layers.",
              value = "auto",
              aliases = {"false=none", "true=layers"},
              elsewhere = {"gradient_checkpointing", "activation_checkpointing"})
          Recompute recompute) {

    /** Tokens of a micro-batch beyond which nothing gets faster. */
    public static final int USEFUL_TOKENS = 16384;

    /** Tokens of a micro-batch; the most that is useful where it was left open. */
    public int tokensAtOnce() {
      return microTokens == null ? USEFUL_TOKENS : microTokens;
    }

    /** Optimizer updates of one pass over a step's rows. */
    public int updatesPerEpoch() {
      return miniBatch == null ? 1 : (prompts + miniBatch - 1) / miniBatch;
    }
  }

  public record Lora(
      @Key(
              doc =
                  "Rank of a new LoRA adapter. Only the adapter is trained and saved; the model"
                      + " (which may be an 8-bit or 4-bit .gguf file) is frozen. null trains all"
                      + " weights, or the adapter that `adapter` names.",
              value = "null",
              min = 1,
              max = 65536,
              elsewhere = {"r", "lora_r", "lora_rank"})
          @Nullable Integer rank,
      @Key(
              doc = "The adapter adds alpha / rank * B A to a weight; null is twice the rank.",
              value = "null",
              min = 0.001,
              max = 1e6,
              elsewhere = "lora_alpha")
          @Nullable Double alpha,
      @Key(
              doc =
                  "Projections with an adapter: some of q, k, v, o, gate, up, down, separated by"
                      + " commas.",
              value = "q,k,v,o,gate,up,down",
              elsewhere = {"target_modules", "lora_target_modules"})
          String targets,
      @Key(
              doc =
                  "Dropout before the adapter; must be 0, since sampling, scoring and training must"
                      + " use the same policy.",
              value = "0",
              min = 0,
              max = 0,
              elsewhere = "lora_dropout")
          double dropout) {}

  public record Limits(
      @Key(
              doc = "Prompt tokens; a longer prompt is skipped and counted, never truncated.",
              value = "2048",
              min = 1,
              max = 1e7,
              elsewhere = "max_prompt_length")
          int prompt,
      @Key(
              doc = "Response tokens.",
              value = "4096",
              min = 1,
              max = 1e7,
              elsewhere = {
                "max_response_length",
                "max_completion_length",
                "max_new_tokens",
                "max_tokens"
              })
          int response) {}

  public record Sampling(
      @Key(
              doc = "Temperature of sampling, and of all log-probs.",
              value = "1",
              min = 0.01,
              max = 100)
          double temperature,
      @Key(
              doc =
                  "Keeps the k likeliest tokens; 0 is off, as training requires: its loss uses the"
                      + " probabilities among all tokens.",
              value = "0",
              min = 0,
              max = 1e9)
          int topK,
      @Key(
              doc = "Keeps the likeliest tokens that add up to p; 1 is off (see sampling.top_k).",
              value = "1",
              min = 1e-9,
              max = 1)
          double topP,
      @Key(
              doc =
                  "Drops tokens less likely than p times the likeliest; 0 is off (see"
                      + " sampling.top_k).",
              value = "0",
              min = 0,
              max = 1)
          double minP,
      @Key(doc = "Most rows decoded at once; null is 256.", value = "null", min = 1, max = 1e6)
          @Nullable Integer batch,
      @Key(
              doc =
                  "GiB for keys and values of the rows decoded at once; null takes what the run's"
                      + " memory plan leaves, at most 4. Results do not depend on it.",
              value = "null",
              min = 0.001,
              max = 1e6)
          @Nullable Double cacheGib) {}

  public record Reward(
      @Key(doc = "Reward of a sampled response.", value = "ila", shorthand = true) RewardKind kind,
      @Key(doc = "Which verdicts count.", value = "strict") VerdictMode mode) {}

  public record Replay(
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
          @Nullable String dropTypes) {}

  public record Advantage(
      @Key(doc = "Advantage estimator.", value = "reinforce++", shorthand = true)
          AdvantageEstimator estimator,
      @Key(doc = "Discount (reinforce++).", value = "1", min = 0, max = 1) double gamma) {}

  public record Kl(
      @Key(
              doc = "Weight of the KL penalty in the reward; 0 needs no reference policy.",
              value = "0.001",
              min = 0,
              max = 1e6,
              elsewhere = {"kl_coef", "kl_coeff", "kl_weight"})
          double beta,
      @Key(doc = "Estimator of the KL in the reward.", value = "k1") KlPenalty penalty,
      @Key(doc = "Whether beta is steered towards kl.target.", value = "fixed")
          Controller controller,
      @Key(doc = "Target of the adaptive controller.", value = "0.1", min = 1e-12, max = 1e6)
          double target,
      @Key(
              doc = "Time constant of the adaptive controller, in rows.",
              value = "10000",
              min = 1,
              max = 1e12)
          double horizon,
      @Key(doc = "Estimator of the KL in the loss; none is off.", value = "none") KlLoss loss,
      @Key(doc = "Weight of the KL in the loss.", value = "0.001", min = 0, max = 1e6)
          double lossWeight) {

    /** Whether log-probs of a reference policy are needed. */
    public boolean needsReference() {
      return beta > 0 || (loss != KlLoss.NONE && lossWeight > 0);
    }
  }

  public record Loss(
      @Key(
              doc = "Lower clip range of the ratio.",
              value = "0.2",
              min = 0,
              max = 1,
              elsewhere = {"clip_ratio", "clip_range", "cliprange", "clip_eps"})
          double clipLow,
      @Key(doc = "Upper clip range of the ratio.", value = "0.2", min = 0, max = 1e6)
          double clipHigh,
      @Key(
              doc =
                  "Dual clip: bound c > 1 of the loss where the advantage is negative; null is"
                      + " off.",
              value = "3",
              min = 1,
              max = 1e9)
          @Nullable Double clipDual,
      @Key(
              doc = "How token losses become one number, over the whole mini-batch.",
              value = "token-mean")
          LossAggregation aggregation,
      @Key(
              doc = "Weight of the entropy bonus.",
              value = "0",
              min = 0,
              max = 1e6,
              elsewhere = {"entropy_coef", "entropy_coeff"})
          double entropyBonus) {}

  /** The optimizer, AdamW. */
  public record Optim(
      @Key(
              doc = "Learning rate of AdamW.",
              value = "1e-6",
              min = 0,
              max = 10,
              elsewhere = "learning_rate")
          double lr,
      @Key(
              doc = "Learning rate after the warm-up.",
              value = "constant",
              elsewhere = {"lr_scheduler", "lr_scheduler_type", "scheduler"})
          Schedule schedule,
      @Key(
              doc = "Updates over which the learning rate rises from 0.",
              value = "0",
              min = 0,
              max = 1e9,
              elsewhere = "warmup_steps")
          int warmup,
      @Key(
              doc = "Final value of linear and cosine schedules, as a fraction of lr.",
              value = "0",
              min = 0,
              max = 1)
          double finalFraction,
      @Key(
              doc = "Decay of the first moment.",
              value = "0.9",
              min = 0,
              max = 0.999999,
              elsewhere = "adam_beta1")
          double beta1,
      @Key(
              doc = "Decay of the second moment.",
              value = "0.999",
              min = 0,
              max = 0.9999999,
              elsewhere = "adam_beta2")
          double beta2,
      @Key(
              doc = "Added to the root of the second moment.",
              value = "1e-8",
              min = 0,
              max = 1,
              elsewhere = {"eps", "adam_epsilon"})
          double epsilon,
      @Key(doc = "Decoupled weight decay.", value = "0.01", min = 0, max = 10) double weightDecay,
      @Key(
              doc = "Largest gradient norm; larger gradients are scaled down. null is off.",
              value = "1",
              min = 1e-12,
              max = 1e12,
              elsewhere = {"max_grad_norm", "grad_clip", "gradient_clipping"})
          @Nullable Double clip,
      @Key(doc = "Skips the update of a step whose rewards are all equal.", value = "false")
          boolean skipNoSignal,
      @Key(
              doc =
                  "Masters beside bfloat16 weights: float32, or split into the weight and the 16"
                      + " bits that it lacks, the same numbers in 2 bytes a parameter less (a"
                      + " weight halfway between two is rounded to the smaller one). An adapter's"
                      + " are float32.",
              value = "float32")
          Masters masters,
      @Key(
              doc =
                  "How the two moments are kept: 8, 4 or about 2 bytes a parameter. The narrow ones"
                      + " are rounded at random, so that small changes count on average; in int8"
                      + " the embedding, vectors and small matrices are bfloat16. A resumed run"
                      + " must keep it.",
              value = "float32")
          MomentType moments) {

    /** Whether masters are weights and what rounding took from them. */
    public boolean splitsMasters() {
      return masters == Masters.SPLIT;
    }
  }

  public record Verify(
      @Key(doc = "Threads that verify; null is one per core.", value = "null", min = 1, max = 1024)
          @Nullable Integer threads,
      @Key(doc = "Leaves text up to the last </think> out of verification.", value = "false")
          boolean stripThinking,
      @Key(doc = "Folder with NLTK's data; null looks at $NLTK_DATA.", value = "null")
          @Nullable Path textData,
      @Key(doc = "What happens to a row with a constraint that got no verdict.", value = "skip")
          NoVerdict noVerdict,
      @Key(
              doc =
                  "Constraints whose words no rule understands (MulDimIF's sentences): no verdict,"
                      + " or the reference's default, which is often that any response satisfies"
                      + " them.",
              value = "no-verdict")
          Unread unread,
      Judge judge) {}

  /**
   * Settings of the judge of constraints in words; the environment gives its address, model and key
   * (HIR_JUDGE_URL, HIR_JUDGE_MODEL, HIR_JUDGE_KEY).
   */
  public record Judge(
      @Key(doc = "Folder that keeps the judge's verdicts; null keeps none.", value = "null")
          @Nullable Path cache,
      @Key(
              doc =
                  "File with the judge's prompt, which holds {criterion} and {response}; null is"
                      + " the built-in one.",
              value = "null")
          @Nullable Path template,
      @Key(doc = "Parallel requests to the judge.", value = "8", min = 1, max = 1024) int parallel,
      @Key(
              doc = "Seconds that a connection to the judge, and an answer, may take.",
              value = "60",
              min = 0.001,
              max = 86400)
          double timeoutS,
      @Key(doc = "Retries of a failed request to the judge.", value = "4", min = 0, max = 100)
          int retries,
      @Key(doc = "Reads the judge's answer after its last </think>.", value = "false")
          boolean stripThinking) {}

  public record Eval(
      @Key(
              doc = "Steps between evaluations; 0 evaluates before and after only.",
              value = "10",
              min = 0,
              max = 1e9,
              elsewhere = {"eval_steps", "eval_every", "test_freq"})
          int every,
      @Key(
              doc =
                  "Most held-out instructions to use, from the start of the data; null takes all.",
              value = "512",
              min = 1,
              max = 1e9)
          @Nullable Integer prompts,
      @Key(doc = "Responses sampled per held-out instruction.", value = "1", min = 1, max = 1e4)
          int samples,
      @Key(doc = "Temperature; 0 is greedy.", value = "1", min = 0, max = 100) double temperature,
      @Key(doc = "Seed of evaluation, separate from the run's.", value = "1", min = 0, max = 9e15)
          long seed,
      @Key(
              doc =
                  "Requests with one right answer (field answer) under constraints that need none,"
                      + " asked greedily at every evaluation: trip wires for a policy that"
                      + " satisfies by saying nothing; null asks none.",
              value = "null")
          @Nullable Location probes) {}

  public record Checkpoint(
      @Key(
              doc = "Steps between checkpoints; 0 saves at the end only.",
              value = "20",
              min = 0,
              max = 1e9,
              elsewhere = {"save_steps", "save_every", "save_freq"})
          int every,
      @Key(
              doc = "Checkpoints kept, the newest ones.",
              value = "2",
              min = 1,
              max = 1e6,
              elsewhere = "save_total_limit")
          int keep) {}

  public record Log(
      @Key(doc = "Writes rollouts/step-N.jsonl.", value = "true") boolean rollouts,
      @Key(doc = "Writes TensorBoard event files.", value = "true") boolean tensorboard) {}

  /** Limits beyond which a step raises a warning and a metric; the run continues. */
  public record Guards(
      @Key(doc = "Warns if mean token entropy falls below this (nats).", value = "0.02", min = 0)
          double minEntropy,
      @Key(doc = "Warns if the mean KL from the reference exceeds this.", value = "1", min = 0)
          double maxKl,
      @Key(
              doc =
                  "Warns if log-probs of decoding and scoring differ by more than this on average.",
              value = "0.02",
              min = 0)
          double maxMismatch,
      @Key(
              doc = "Warns if a larger fraction of responses reaches the token limit.",
              value = "0.5",
              min = 0,
              max = 1)
          double maxTruncated,
      @Key(
              doc = "Warns if a larger fraction of verdicts failed (exceptions and spent budgets).",
              value = "0.01",
              min = 0,
              max = 1)
          double maxVerifierFailures,
      @Key(
              doc =
                  "Warns where more held-out answers satisfy all constraints by saying nothing"
                      + " (fraction).",
              value = "0.1",
              min = 0,
              max = 1)
          double maxHollow) {}

  /** Training on several processes ("ranks"), which a launcher starts. */
  public record Distributed(
      @Key(
              doc =
                  "Seconds that a rank waits for the others; must exceed the time that one rank's"
                      + " sampling can lag behind another's.",
              value = "300",
              min = 1,
              max = 86400)
          int timeout,
      @Key(
              doc =
                  "Parts of a mini-batch whose gradients are summed in a fixed order, a multiple"
                      + " of the ranks; a power of two gives the same bits on 1, 2, 4, ... ranks"
                      + " up to it. null is one part per rank.",
              value = "null",
              min = 1,
              max = 1024)
          @Nullable Integer parts) {}

  /** Relations between keys; each message begins with the key to change. */
  public TrainConfig {
    if (replay.rewrite == Rewrite.DROP && replay.sampled > train.group) {
      throw new IllegalArgumentException(
          "replay.sampled (%d) must not exceed train.group (%d)"
              .formatted(replay.sampled, train.group));
    }
    if (train.miniBatch != null && train.miniBatch > train.prompts) {
      throw new IllegalArgumentException(
          "train.mini_batch (%d) must not exceed train.prompts (%d)"
              .formatted(train.miniBatch, train.prompts));
    }
    if (adapter != null && lora.rank != null) {
      throw new IllegalArgumentException(
          "lora.rank (%d) is for a new adapter, but adapter (%s) has its own rank; set one of them"
              .formatted(lora.rank, adapter));
    }
    if (lora.rank != null) {
      LoraTargets.of(lora.targets);
    }
    checkMasters(optim, dtype);
    refuseFilters(sampling);
    ChatClock.check("data.now", data.now);
    if (loss.clipDual != null && !(loss.clipDual > 1)) {
      throw new IllegalArgumentException(
          "loss.clip_dual (%s) must be greater than 1".formatted(loss.clipDual));
    }
  }

  static void checkMasters(Optim optim, DType dtype) {
    if (optim.splitsMasters() && dtype != DType.BFLOAT16) {
      throw new IllegalArgumentException(
          "optim.masters (split) needs dtype: bfloat16; float32 weights are their own masters");
    }
  }

  /**
   * The loss weighs a token by the ratio of its probabilities among all tokens, now and when it was
   * sampled. A filter draws from fewer tokens, with other probabilities: the gradient would be that
   * of no policy, and push against tokens that could not be drawn.
   */
  private static void refuseFilters(Sampling sampling) {
    String on =
        sampling.topK != 0
            ? "sampling.top_k (%d)".formatted(sampling.topK)
            : sampling.topP != 1
                ? "sampling.top_p (%s)".formatted(sampling.topP)
                : sampling.minP != 0 ? "sampling.min_p (%s)".formatted(sampling.minP) : null;
    if (on != null) {
      throw new IllegalArgumentException(
          on
              + " must be off in training: responses would be drawn from other probabilities than"
              + " the loss uses, among fewer tokens; lower sampling.temperature instead, which the"
              + " loss accounts for, and filter when generating");
    }
  }

  /** The preset's name as it is written in YAML, such as {@code hir-achieve}. */
  public String algorithmName() {
    return Binder.enumName(algorithm);
  }

  /** Whether only an adapter is trained. */
  public boolean adapts() {
    return adapter != null || lora.rank != null;
  }

  /**
   * Native threads of each of several processes that share this machine: the configured number,
   * else an equal share of its cores.
   */
  public int threads(int processes) {
    return threads != null
        ? threads
        : Math.max(1, Runtime.getRuntime().availableProcessors() / processes);
  }

  /** Responses sampled per prompt at the beginning of a step. */
  public int samplesPerPrompt() {
    return replay.rewrite == Rewrite.NONE ? train.group : replay.sampled;
  }

  /** The keys that a preset sets; all others keep their defaults, which are the reference's. */
  public static Map<String, String> preset(Algorithm algorithm) {
    return switch (algorithm) {
      case HIR -> Map.of();
      case HIR_ACHIEVE ->
          Map.of(
              "replay.rewrite",
              "achieve",
              "replay.goal",
              "hardest",
              "replay.old_logprobs",
              "rewritten",
              "reward.kind",
              "cla");
      case RL_ILA -> Map.of("replay.rewrite", "none");
      case RL_CLA -> Map.of("replay.rewrite", "none", "reward.kind", "cla");
      case GRPO -> Map.of("replay.rewrite", "none", "advantage.estimator", "grpo");
    };
  }

  /**
   * Reads a YAML file.
   *
   * @param overrides {@code key=value} each; their paths are relative to the working directory
   * @throws ConfigException naming file, line, key and what is allowed
   */
  public static TrainConfig load(Path file, List<String> overrides) {
    return ConfigReader.read(TrainConfig.class, file, overrides, TrainConfig::presetOf);
  }

  /** A configuration of {@code key=value} settings alone, for embedding. */
  public static TrainConfig of(List<String> settings) {
    return ConfigReader.read(TrainConfig.class, null, settings, TrainConfig::presetOf);
  }

  private static Map<String, String> presetOf(String algorithm) {
    for (Algorithm known : Algorithm.values()) {
      if (Binder.enumName(known).equals(algorithm)) {
        return preset(known);
      }
    }
    return Map.of(); // binding reports the unknown name
  }

  /**
   * A copy with each location replaced by what {@code find} returns for it, such as {@link
   * org.hirengine.engine.hub.Hub#find}.
   */
  public TrainConfig locate(UnaryOperator<Location> find) {
    return Binder.locate(this, find);
  }

  /** A copy with the value of one key replaced; the value is of the key's type. */
  public TrainConfig with(String key, Object value) {
    return Binder.with(this, key, value);
  }

  /** A copy with what passes keep decided. */
  public TrainConfig withPasses(int microTokens, Recompute recompute) {
    return with("train.micro_tokens", microTokens).with("train.recompute", recompute);
  }

  /** A copy with room for keys and values decided, in GiB. */
  public TrainConfig withCache(double gib) {
    return with("sampling.cache_gib", gib);
  }

  /** All keys with their values, and what each means as a comment above it; paths are absolute. */
  public String toYaml() {
    return Binder.yaml(this);
  }
}
