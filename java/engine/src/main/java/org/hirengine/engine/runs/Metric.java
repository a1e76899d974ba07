package org.hirengine.engine.runs;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The fields of {@code metrics.jsonl}, each with its meaning: the one place where they are named.
 *
 * <p>A key with a dot is a field of a nested object: {@code eval.ila} is {@code {"eval": {"ila":
 * ...}}}. All numbers are means over the step unless they say otherwise; a field is left out of a
 * step where it has no meaning (no evaluation, no replays, no reference policy).
 */
public enum Metric {
  ILA("ila", "Fraction of sampled responses that satisfy all their constraints."),
  CLA("cla", "Fraction of satisfied constraints, mean over sampled responses."),
  REWARD("reward", "Reward over all trained rows, replays included, before the KL penalty."),
  REWARD_STD(
      "reward_std", "Standard deviation of those rewards; 0 is a batch without a reward signal."),
  KL(
      "kl",
      "Divergence of the sampling policy from the reference policy per response token (k1), in"
          + " nats."),
  KL_BETA("kl_beta", "Weight of the KL penalty in this step's reward."),
  ENTROPY("entropy", "Entropy of the policy per response token of sampled responses, in nats."),
  CLIP_FRACTION(
      "clip_fraction", "Fraction of the originals' tokens whose ratio the clip range cut."),
  REPLAY_CLIP_FRACTION(
      "replay_clip_fraction",
      "The same for replays, whose ratio does not start at 1 under the original's log-probs."),
  APPROX_KL(
      "approx_kl",
      "Old minus new log-prob per token of originals during the update: how far the update moved."),
  REPLAY_APPROX_KL("replay_approx_kl", "The same for replays."),
  GRAD_NORM("grad_norm", "Norm of the gradient before clipping, mean over the step's updates."),
  LOSS("loss", "Loss as aggregated, mean over the step's updates."),
  LR("lr", "Learning rate of the step's last update."),
  REPLAYED("replayed", "Replays trained on."),
  REPLAY_CLA("replay_cla", "CLA of the replayed responses under their original instructions."),
  LAMBDA("lambda", "Weight of CLA against entropy in the selection of replays."),
  LOGPROB_MISMATCH(
      "logprob_mismatch",
      "Distance |d log-prob| per token between decoding and scoring of the same responses, in steps"
          + " that score what was decoded (see sampling.logprobs)."),
  LOGPROB_MISMATCH_MAX("logprob_mismatch_max", "The largest such distance."),
  ROLLOUTS("rollouts", "Responses sampled for training so far, in the whole run."),
  GENERATED_TOKENS("generated_tokens", "Their tokens so far, in the whole run."),
  UPDATES("updates", "Optimizer updates so far, in the whole run."),
  SAMPLED("sampled", "Responses sampled in this step, extra ones for replay included."),
  TRAINED_ROWS("trained_rows", "Rows trained on, originals and replays."),
  SKIPPED_ROWS(
      "skipped_rows",
      "Responses kept out of training (a constraint without a verdict) and pairs that could not be"
          + " replayed."),
  BELOW_FLOOR("below_floor", "Responses that only replay.floor kept from being replayed."),
  SKIPPED_UPDATES(
      "skipped_updates",
      "Updates skipped: a loss or gradient norm that is not finite, or no reward signal."),
  PROMPT_TOKENS("prompt_tokens", "Length of the sampled prompts, in tokens."),
  RESPONSE_TOKENS("response_tokens", "Length of the sampled responses, in tokens."),
  RESPONSE_TOKENS_MAX("response_tokens_max", "The longest sampled response, in tokens."),
  TRUNCATED("truncated", "Fraction of sampled responses that reached the token limit."),
  VERIFIER_FAILURES(
      "verifier_failures",
      "Fraction of verdicts where the verifier threw or spent its step budget."),
  ALARM_ENTROPY("alarm.entropy", "1 where the entropy fell below guards.min_entropy, else 0."),
  ALARM_KL("alarm.kl", "1 where kl exceeded guards.max_kl, else 0."),
  ALARM_MISMATCH(
      "alarm.mismatch", "1 where logprob_mismatch exceeded guards.max_mismatch, else 0."),
  ALARM_TRUNCATION("alarm.truncation", "1 where truncated exceeded guards.max_truncated, else 0."),
  ALARM_VERIFIER(
      "alarm.verifier", "1 where verifier_failures exceeded guards.max_verifier_failures, else 0."),
  ALARM_HOLLOW("alarm.hollow", "1 where eval.hollow exceeded guards.max_hollow, else 0."),
  EVAL_ILA("eval.ila", "ILA on held-out prompts, in steps that evaluate."),
  EVAL_CLA("eval.cla", "CLA on held-out prompts, in steps that evaluate."),
  EVAL_SOUND_ILA(
      "eval.sound_ila",
      "Fraction of held-out answers that satisfy all their constraints and are sound: none of the"
          + " next four."),
  EVAL_EMPTY("eval.empty", "Fraction of held-out answers that are blank."),
  EVAL_MARKUP("eval.markup", "Fraction that are less than half letters and digits."),
  EVAL_REPETITION("eval.repetition", "Fraction that are long and repeat themselves."),
  EVAL_OFF_TOPIC(
      "eval.off_topic", "Fraction without a word of content in common with their request."),
  EVAL_HOLLOW(
      "eval.hollow",
      "Fraction that satisfy all their constraints and are not sound: eval.ila minus"
          + " eval.sound_ila."),
  EVAL_TRUNCATED("eval.truncated", "Fraction of held-out answers truncated at the token limit."),
  EVAL_TOKENS("eval.tokens", "Length of the held-out answers, in tokens."),
  EVAL_DISTINCT(
      "eval.distinct_3",
      "Different word trigrams among those of all held-out answers (distinct-3)."),
  EVAL_REF_LOGPROB(
      "eval.ref_logprob",
      "Log-prob of the held-out answers under the reference policy per token, in nats."),
  EVAL_PROBES_KEPT(
      "eval.probes_kept", "Fraction of eval.probes whose constraints the greedy answer satisfies."),
  EVAL_PROBES_ANSWERED(
      "eval.probes_answered", "Fraction of eval.probes that are satisfied and answered correctly."),
  CPU_SECONDS(
      "cpu_seconds",
      "Processor time of the whole process during the step, in seconds: comparable even if other"
          + " work shares the machine.",
      false),
  TOKENS_PER_S("tokens_per_s", "Generated tokens per second of decoding.", false),
  MEMORY(
      "memory_gib",
      "Memory in use at the step's end, in GiB: of the whole GPU, or resident in this process on"
          + " the CPU.",
      false),
  MEMORY_RETRIES(
      "memory_retries",
      "How often the step ran out of memory and succeeded with half as much at once; absent if"
          + " never.",
      false),
  PREEMPTED_ROWS(
      "preempted_rows",
      "How often a response gave its part of the cache (sampling.cache_gib) to older ones, and went"
          + " on later; absent if never.",
      false),
  RECOMPUTED_TOKENS(
      "recomputed_tokens",
      "Tokens of those responses that ran through the model again; absent if there were none.",
      false),
  SECONDS_ROLLOUT("seconds.rollout", "Wall time of sampling, in seconds.", false),
  SECONDS_VERIFY("seconds.verify", "Wall time of verification, in seconds.", false),
  SECONDS_LOGPROB(
      "seconds.logprob", "Wall time of old and reference log-probs, in seconds.", false),
  SECONDS_UPDATE(
      "seconds.update", "Wall time of forward, backward and optimizer, in seconds.", false);

  /** The step's number, from 1: first field of every line. */
  public static final String STEP = "step";

  /**
   * Fraction of satisfied constraints by type, over the step's sampled responses: {@code
   * {"satisfied": {"ifeval/keywords:existence": 0.41, ...}}}.
   */
  public static final String SATISFIED = "satisfied";

  private static final Map<String, Metric> BY_KEY;

  static {
    Map<String, Metric> byKey = new LinkedHashMap<>();
    for (Metric metric : values()) {
      byKey.put(metric.key, metric);
    }
    BY_KEY = Collections.unmodifiableMap(byKey);
  }

  private final String key;
  private final String description;
  private final boolean compared;

  Metric(String key, String description) {
    this(key, description, true);
  }

  Metric(String key, String description, boolean compared) {
    this.key = key;
    this.description = description;
    this.compared = compared;
  }

  /** The field's name, {@code object.field} when nested. */
  public String key() {
    return key;
  }

  /** Its meaning, with its unit. */
  public String description() {
    return description;
  }

  /**
   * Whether two runs of one configuration and seed must agree on it; false for times and speeds.
   */
  public boolean compared() {
    return compared;
  }

  /** The metric of a key, by which lines are read. */
  static Map<String, Metric> byKey() {
    return BY_KEY;
  }

  /** All fields as a Markdown table, which METRICS.md holds. */
  public static String table() {
    StringBuilder table =
        new StringBuilder("| field | meaning | compared between runs |\n|---|---|---|\n");
    row(table, STEP, "The step's number, from 1.", true);
    for (Metric metric : values()) {
      row(table, metric.key, metric.description, metric.compared);
    }
    row(
        table,
        SATISFIED,
        "Object: fraction of satisfied constraints by type over sampled responses.",
        true);
    return table.toString();
  }

  private static void row(StringBuilder table, String key, String description, boolean compared) {
    String meaning = description.replace("|", "\\|");
    table.append("| `%s` | %s | %s |\n".formatted(key, meaning, compared ? "yes" : "no"));
  }
}
