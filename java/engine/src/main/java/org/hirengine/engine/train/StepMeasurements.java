package org.hirengine.engine.train;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.hirengine.engine.experience.Mismatch;
import org.hirengine.engine.experience.ReplayMaker;
import org.hirengine.engine.experience.StepBatch;
import org.hirengine.engine.experience.Stopwatch;
import org.hirengine.engine.experience.Stopwatch.Part;
import org.hirengine.engine.experience.Trajectory;
import org.hirengine.engine.runs.Metric;
import org.hirengine.engine.runs.StepMetrics;
import org.hirengine.engine.update.LossSums;
import org.hirengine.engine.update.UpdateReport;
import org.hirengine.verify.ConstraintSpec;
import org.hirengine.verify.Verdict;

/** Computes metrics from a step's trajectories, batch and updates. */
final class StepMeasurements {

  private StepMeasurements() {}

  /** Of the sampled responses; those without a verdict count for neither ILA nor CLA. */
  static void sampled(StepMetrics metrics, List<Trajectory> trajectories) {
    int decided = 0;
    double ila = 0;
    double cla = 0;
    long tokens = 0;
    long promptTokens = 0;
    int longest = 0;
    int truncated = 0;
    double entropy = 0;
    long compared = 0;
    double distance = 0;
    double farthest = 0;
    double kl = 0;
    boolean reference = false;
    for (Trajectory t : trajectories) {
      if (t.judges().decided()) {
        decided++;
        ila += t.judges().ila() ? 1 : 0;
        cla += t.judges().cla();
      }
      int length = t.tokens().length;
      tokens += length;
      promptTokens += t.task().promptIds().length;
      longest = Math.max(longest, length);
      truncated += t.stopped() ? 0 : 1;
      Mismatch mismatch = t.mismatch();
      if (mismatch != null) {
        compared += length;
        distance += mismatch.sum();
        farthest = Math.max(farthest, mismatch.max());
      }
      for (int i = 0; i < length; i++) {
        entropy += t.entropies()[i];
        if (t.refLogprobs() != null) {
          reference = true;
          kl += (double) t.oldLogprobs()[i] - t.refLogprobs()[i];
        }
      }
    }
    int count = trajectories.size();
    if (compared > 0) {
      metrics
          .set(Metric.LOGPROB_MISMATCH, distance / compared)
          .set(Metric.LOGPROB_MISMATCH_MAX, farthest);
    }
    if (decided > 0) {
      metrics.set(Metric.ILA, ila / decided).set(Metric.CLA, cla / decided);
    }
    if (reference) {
      metrics.set(Metric.KL, kl / tokens);
    }
    metrics
        .set(Metric.SAMPLED, count)
        .set(Metric.ENTROPY, entropy / tokens)
        .set(Metric.PROMPT_TOKENS, (double) promptTokens / count)
        .set(Metric.RESPONSE_TOKENS, (double) tokens / count)
        .set(Metric.RESPONSE_TOKENS_MAX, longest)
        .set(Metric.TRUNCATED, (double) truncated / count);
    verdicts(metrics, trajectories);
  }

  private static void verdicts(StepMetrics metrics, List<Trajectory> trajectories) {
    Map<String, int[]> byType = new TreeMap<>(); // satisfied, decided
    int failed = 0;
    int all = 0;
    for (Trajectory t : trajectories) {
      List<ConstraintSpec> constraints = t.task().instruction().constraints();
      for (int i = 0; i < constraints.size(); i++) {
        Verdict verdict = t.judges().verdicts().get(i);
        all++;
        failed += verdict.outcome() == Verdict.Outcome.FAILED ? 1 : 0;
        if (verdict.decided()) {
          ConstraintSpec constraint = constraints.get(i);
          int[] counts =
              byType.computeIfAbsent(
                  constraint.bench() + "/" + constraint.id(), type -> new int[2]);
          counts[0] += verdict.satisfied() ? 1 : 0;
          counts[1]++;
        }
      }
    }
    metrics.set(Metric.VERIFIER_FAILURES, (double) failed / Math.max(1, all));
    byType.forEach((type, c) -> metrics.satisfied(type, (double) c[0] / c[1]));
  }

  /** Metrics of the rows trained on, and of their replays. */
  static void trained(StepMetrics metrics, StepBatch batch, ReplayMaker.Result replays) {
    metrics
        .set(Metric.REWARD, batch.meanReward())
        .set(Metric.REWARD_STD, batch.rewardDeviation())
        .set(Metric.TRAINED_ROWS, batch.rows().size())
        .set(Metric.REPLAYED, replays.replays().size())
        .set(Metric.SKIPPED_ROWS, batch.undecided() + replays.skipped())
        .set(Metric.BELOW_FLOOR, replays.belowFloor());
    replays.replays().stream()
        .mapToDouble(replay -> replay.judges().cla())
        .average()
        .ifPresent(cla -> metrics.set(Metric.REPLAY_CLA, cla));
  }

  /** Metrics of the updates. */
  static void updated(StepMetrics metrics, UpdateReport report) {
    metrics.set(Metric.SKIPPED_UPDATES, report.skipped());
    if (report.made() == 0) {
      return;
    }
    LossSums originals = report.originals();
    LossSums replays = report.replays();
    metrics
        .set(Metric.LOSS, report.loss())
        .set(Metric.GRAD_NORM, report.gradientNorm())
        .set(Metric.CLIP_FRACTION, originals.mean(originals.clipped()))
        .set(Metric.APPROX_KL, originals.mean(originals.approxKl()));
    if (replays.weight() > 0) {
      metrics
          .set(Metric.REPLAY_CLIP_FRACTION, replays.mean(replays.clipped()))
          .set(Metric.REPLAY_APPROX_KL, replays.mean(replays.approxKl()));
    }
  }

  /** Times. */
  static void timed(StepMetrics metrics, Stopwatch watch, long generatedTokens) {
    double rollout = watch.seconds(Part.ROLLOUT);
    metrics
        .set(Metric.CPU_SECONDS, watch.cpuSeconds())
        .set(Metric.TOKENS_PER_S, rollout > 0 ? generatedTokens / rollout : 0)
        .set(Metric.SECONDS_ROLLOUT, rollout)
        .set(Metric.SECONDS_VERIFY, watch.seconds(Part.VERIFY))
        .set(Metric.SECONDS_LOGPROB, watch.seconds(Part.LOGPROB))
        .set(Metric.SECONDS_UPDATE, watch.seconds(Part.UPDATE));
  }
}
