package org.hirengine.engine.diagnose;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import org.hirengine.engine.config.TrainConfig;
import org.hirengine.engine.experience.TrainingRow;
import org.hirengine.engine.model.Scorer;
import org.hirengine.engine.runs.RolloutDump;
import org.hirengine.engine.runs.RolloutRow;
import org.hirengine.engine.runs.RunException;
import org.hirengine.engine.train.Checkpoints;
import org.hirengine.engine.train.TrainingEngine;
import org.hirengine.engine.update.LossSums;
import org.hirengine.engine.update.StepUpdate;
import org.hirengine.engine.update.UpdateReport;
import org.hirengine.kernels.KernelException;
import org.hirengine.kernels.Kernels.KlLoss;
import org.jspecify.annotations.Nullable;

/**
 * Repeats the update of a dumped step and reports what each row contributed.
 *
 * <p>The weights that the step began with are those of the newest checkpoint before it, or of the
 * initial model, carried forward by the updates of the steps in between, which their own dumps
 * hold. Nothing is sampled or verified again, and nothing is written.
 */
public final class StepAudit {

  private final TrainConfig config;
  private final Path rollouts;
  private final int step;

  private StepAudit(TrainConfig config, Path rollouts, int step) {
    this.config = config;
    this.rollouts = rollouts;
    this.step = step;
  }

  /**
   * The repeated update.
   *
   * @param weights folder of the weights that the audit started from
   * @param carried steps whose updates were repeated to reach the dumped one
   * @param updates optimizer updates that were made
   * @param loss as aggregated, mean over the updates; NaN where none was made
   * @param gradientNorm mean over the updates, before clipping; NaN where none was made
   * @param clipFraction of originals
   * @param replayClipFraction of replays
   * @param problem why an update was left out; empty where none was
   * @param rows what each row did, by falling gradient norm, those that are not finite first
   */
  public record Result(
      int step,
      Path weights,
      int carried,
      int updates,
      double loss,
      double gradientNorm,
      double clipFraction,
      double replayClipFraction,
      String problem,
      List<Row> rows) {}

  /**
   * One row under the weights that the step began with.
   *
   * @param record what the dump holds of it
   * @param meanGap mean over its tokens of |log-prob now - old log-prob|: 0 up to rounding for an
   *     original, whose log-probs were taken under these weights
   * @param maxGap the largest such distance
   * @param gradientNorm norm of the gradient of this row by itself; NaN where it or the loss is not
   *     finite
   */
  public record Row(RolloutRow record, double meanGap, double maxGap, double gradientNorm) {}

  /**
   * Repeats a step.
   *
   * @param config the run's configuration, its locations found, perhaps with another device or
   *     number format
   * @param dump {@code RUN_DIR/rollouts/step-N.jsonl}
   * @param model weights to start from instead of the run's own; the optimizer then starts over
   * @throws RunException when the weights cannot be reached from what the run folder holds
   */
  public static Result run(TrainConfig config, Path dump, @Nullable Path model) throws IOException {
    int step =
        RolloutDump.stepOf(dump)
            .orElseThrow(
                () ->
                    new RunException(
                        dump + " is not named as a dump is",
                        "give the path of a rollouts/step-N.jsonl"));
    Path rollouts = dump.toAbsolutePath().getParent();
    return new StepAudit(config, rollouts, step).run(RolloutDump.read(dump), model);
  }

  private Result run(List<RolloutRow> records, @Nullable Path model) throws IOException {
    Path checkpoints = rollouts.resolveSibling("checkpoints");
    Checkpoints.Found found =
        model != null || !Files.isDirectory(checkpoints)
            ? null
            : new Checkpoints(checkpoints, Integer.MAX_VALUE).latestBefore(step).orElse(null);
    Path weights = model != null ? model : found != null ? found.path() : config.model().path();
    int first = model != null ? step : found != null ? found.state().step() + 1 : 1;
    for (int between = first; between < step; between++) {
      if (!Files.exists(RolloutDump.file(rollouts, between))) {
        throw new RunException(
            "the weights before step "
                + step
                + " cannot be reached: "
                + weights
                + " holds those before step "
                + first
                + ", and there is no dump of step "
                + between,
            "name the weights with --model");
      }
    }
    try (TrainingEngine engine =
        TrainingEngine.open(config, weights, TrainingEngine.now(config, found))) {
      if (found != null) {
        engine.executor.run(() -> Checkpoints.restore(found, engine.optimizer));
      }
      StepUpdate update = new StepUpdate(config.train(), engine.update);
      for (int between = first; between < step; between++) {
        update(engine, update, RolloutDump.read(RolloutDump.file(rollouts, between)));
      }
      List<Row> rows = engine.executor.call(() -> rows(engine, records));
      UpdateReport report = update(engine, update, records);
      LossSums originals = report.originals();
      LossSums replays = report.replays();
      return new Result(
          step,
          weights,
          step - first,
          report.made(),
          report.loss(),
          report.gradientNorm(),
          originals.mean(originals.clipped()),
          replays.mean(replays.clipped()),
          report.problem(),
          rows);
    }
  }

  private UpdateReport update(TrainingEngine engine, StepUpdate update, List<RolloutRow> records) {
    boolean withoutSignal = records.stream().mapToDouble(RolloutRow::reward).distinct().count() < 2;
    if (records.isEmpty() || (config.optim().skipNoSignal() && withoutSignal)) {
      return UpdateReport.NONE.leftOut(update.planned(), "");
    }
    List<TrainingRow> rows = trainingRows(records);
    return engine.executor.call(() -> update.run(rows));
  }

  /**
   * The rows as the trainer made them: originals of one draw share their prompt's array, by which
   * micro-batches are cut.
   */
  private List<TrainingRow> trainingRows(List<RolloutRow> records) {
    List<TrainingRow> rows = new ArrayList<>(records.size());
    int[] drawn = new int[0];
    int lastRow = Integer.MAX_VALUE;
    for (RolloutRow record : records) {
      int[] prompt = record.promptIds();
      if (record.replay() == null) {
        boolean sameDraw = record.row() > lastRow && Arrays.equals(drawn, prompt);
        prompt = sameDraw ? drawn : prompt;
        drawn = prompt;
        lastRow = record.row();
      }
      rows.add(
          TrainingRow.of(
              prompt,
              record.responseIds(),
              record.oldLogprobs(),
              config.kl().loss() == KlLoss.NONE ? null : record.refLogprobs(),
              record.advantages(),
              record.replay() != null));
    }
    return rows;
  }

  /** Runs on the native thread. */
  private List<Row> rows(TrainingEngine engine, List<RolloutRow> records) {
    List<TrainingRow> rows = trainingRows(records);
    List<Row> found = new ArrayList<>(records.size());
    for (int i = 0; i < rows.size(); i++) {
      RolloutRow record = records.get(i);
      float[] now = logprobs(engine.scorer, rows.get(i));
      double sum = 0;
      double max = 0;
      for (int t = 0; t < record.oldLogprobs().length; t++) {
        double gap = Math.abs((double) now[t] - record.oldLogprobs()[t]);
        sum += gap;
        max = gap > max || Double.isNaN(gap) ? gap : max;
      }
      double norm = engine.update.gradientNorm(rows.get(i));
      found.add(new Row(record, sum / record.oldLogprobs().length, max, norm));
    }
    // Double.compare puts NaN above everything, and so does this order reversed.
    found.sort(Comparator.comparingDouble(Row::gradientNorm).reversed());
    return found;
  }

  private float[] logprobs(Scorer scorer, TrainingRow row) {
    try {
      return scorer
          .score(List.of(row), config.sampling().temperature(), config.train().tokensAtOnce(), true)
          .get(0)
          .logprobs();
    } catch (KernelException e) {
      if (!e.notFinite()) {
        throw e;
      }
      float[] none = new float[row.response().length];
      Arrays.fill(none, Float.NaN);
      return none;
    }
  }
}
