package org.hirengine.engine.experience;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.hirengine.engine.config.ReplaySection.Rewrite;
import org.hirengine.engine.config.TrainConfig;
import org.hirengine.replay.Resampling;
import org.hirengine.replay.RowOrder;

/**
 * Samples the responses of a training step (ALGORITHM 2.1), and more of them if too few can be
 * replayed (2.2).
 */
public final class StepSampler {

  private final TrainConfig config;
  private final Sampler sampler;

  public StepSampler(TrainConfig config, Sampler sampler) {
    this.config = config;
    this.sampler = sampler;
  }

  /**
   * Responses of a step.
   *
   * @param trajectories by prompt
   * @param places how many replays the paper's rule has room for
   */
  public record Sampled(List<Trajectory> trajectories, int places) {}

  /**
   * Samples a group of responses to each task.
   *
   * @param rollouts responses sampled in earlier steps, which {@code train.max_rollouts} counts too
   */
  public Sampled sample(List<Task> tasks, int step, long rollouts, Stopwatch watch) {
    int first = config.samplesPerPrompt();
    List<Trajectory> trajectories = sampler.trajectories(tasks, first, 0, step, watch);
    if (config.replay().rewrite() != Rewrite.DROP) {
      return new Sampled(trajectories, 0);
    }
    int prompts = tasks.size();
    int group = config.train().group();
    int candidates = (int) trajectories.stream().filter(Trajectory::partlySatisfied).count();
    int wanted = Resampling.plan(group, first, prompts, candidates).extraPerPrompt();
    int extra = Math.min(wanted, affordable(rollouts + trajectories.size(), prompts));
    int places = (group - first - extra) * prompts;
    if (extra == 0) {
      return new Sampled(trajectories, places);
    }
    List<Trajectory> all = new ArrayList<>(trajectories);
    all.addAll(sampler.trajectories(tasks, extra, first, step, watch));
    List<Trajectory> ordered =
        IntStream.of(RowOrder.byPrompt(prompts, first, extra)).mapToObj(all::get).toList();
    return new Sampled(ordered, places);
  }

  /** Extra responses per prompt that {@code train.max_rollouts} leaves room for. */
  private int affordable(long rollouts, int prompts) {
    Long most = config.train().maxRollouts();
    return most == null
        ? Integer.MAX_VALUE
        : (int) Math.min(Integer.MAX_VALUE, (most - rollouts) / prompts);
  }
}
