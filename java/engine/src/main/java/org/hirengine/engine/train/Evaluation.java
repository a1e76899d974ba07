package org.hirengine.engine.train;

import java.util.ArrayList;
import java.util.List;
import org.hirengine.engine.config.TrainConfig;
import org.hirengine.engine.experience.Sampler;
import org.hirengine.engine.experience.Stopwatch;
import org.hirengine.engine.experience.Task;
import org.hirengine.engine.experience.TaskSource;
import org.hirengine.engine.rollout.RandomStream;
import org.hirengine.engine.runs.Summary.Accuracy;
import org.hirengine.replay.DataException;
import org.hirengine.replay.Instruction;
import org.hirengine.verify.JudgeList;

/**
 * Accuracy on held-out instructions, sampled with a separate seed and purpose: every evaluation of
 * a run uses the same random numbers, and training uses others.
 */
final class Evaluation {

  private final TrainConfig.Eval config;
  private final Sampler sampler;
  private final List<Task> tasks = new ArrayList<>();
  private int tooLong;

  /**
   * @param source makes prompts of instructions
   */
  Evaluation(
      TrainConfig.Eval config, Sampler sampler, TaskSource source, List<Instruction> heldOut) {
    this.config = config;
    this.sampler = sampler;
    for (int i = 0; i < heldOut.size(); i++) {
      if (config.prompts() != null && tasks.size() >= config.prompts()) {
        break;
      }
      source.task(i, heldOut.get(i)).ifPresentOrElse(tasks::add, () -> tooLong++);
    }
    if (tasks.isEmpty()) {
      throw new DataException(
          "held-out data",
          0,
          null,
          "holds no prompt within limits.prompt",
          "raise limits.prompt, or leave data.eval out");
    }
  }

  /** Held-out prompts left out because they exceed the limit. */
  int tooLong() {
    return tooLong;
  }

  /**
   * Samples and judges. Responses without a verdict on some constraint are left out.
   *
   * @return fractions; 0 where no response got all its verdicts
   */
  Accuracy run() {
    RandomStream random = new RandomStream(config.seed(), RandomStream.EVALUATION, 0);
    List<JudgeList> decided =
        sampler
            .judged(tasks, config.samples(), config.temperature(), random, new Stopwatch())
            .stream()
            .filter(JudgeList::decided)
            .toList();
    return new Accuracy(
        decided.stream().mapToDouble(judges -> judges.ila() ? 1 : 0).average().orElse(0),
        decided.stream().mapToDouble(JudgeList::cla).average().orElse(0));
  }
}
