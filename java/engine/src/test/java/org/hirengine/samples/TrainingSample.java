package org.hirengine.samples;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.hirengine.engine.HirTrainer;
import org.hirengine.engine.config.TrainConfig;
import org.hirengine.engine.runs.Metric;
import org.hirengine.engine.runs.StepMetrics;
import org.hirengine.engine.runs.Summary;
import org.hirengine.engine.train.TrainingListener;
import org.hirengine.replay.Instruction;
import org.hirengine.replay.QType;
import org.hirengine.verify.ConstraintSpec;
import org.hirengine.verify.ConstraintType;
import org.hirengine.verify.Verifiers;

/**
 * Embeds the trainer: instructions made by the program, a constraint type of its own beside the
 * built-in ones, steps taken one by one, and a checkpoint at the end.
 *
 * <p>The model folder is any Hugging Face folder of a supported family. {@code hir train --resume}
 * continues the run folder, and {@code hir report} shows it.
 */
public final class TrainingSample {

  private TrainingSample() {}

  /**
   * Trains for a few steps.
   *
   * @param model folder of the policy to start from
   * @param out run folder to write
   * @param house a constraint type of the embedding program
   * @param settings further {@code key=value} settings, such as {@code limits.response=64}
   * @return the folder of the trained policy, itself a Hugging Face folder
   */
  public static Path train(Path model, Path out, ConstraintType house, List<String> settings)
      throws IOException {
    // 1. The data: questions, sentences that ask for the constraints, and the constraints.
    List<Instruction> instructions =
        List.of(
            Instruction.of(
                "greeting",
                "write about river",
                List.of("use at least 4 words", "no comma"),
                QType.TYPE1,
                "house",
                List.of(
                    new ConstraintSpec(
                        "ifeval",
                        "length_constraints:number_words",
                        Map.of("num_words", 4, "relation", "at least")),
                    new ConstraintSpec("house", house.id(), Map.of()))));

    // 2. The configuration: the keys of `hir train`, here without a file.
    List<String> keys =
        new ArrayList<>(
            List.of(
                "model=" + model,
                "out=" + out,
                "data.train=unused.jsonl", // the instructions are given below
                "algorithm=hir",
                "train.steps=3",
                "train.prompts=2"));
    keys.addAll(settings);
    TrainConfig config = TrainConfig.of(keys);

    // 3. Training. The trainer owns native memory, so close it.
    Verifiers verifiers = Verifiers.builder().type("house", house).build();
    try (HirTrainer trainer =
        HirTrainer.builder()
            .config(config)
            .verifiers(verifiers)
            .instructions(instructions)
            .listener(new Printer())
            .build()) {
      trainer.step(); // step by step, with your own code in between ...
      Summary summary = trainer.run(); // ... or all remaining steps
      return out.resolve("checkpoints/step-" + summary.steps());
    }
  }

  /** Prints a line per step. */
  private static final class Printer implements TrainingListener {
    @Override
    public void step(StepMetrics metrics) {
      System.out.printf(
          "step %d: CLA %.2f, reward %.2f%n",
          metrics.step(),
          metrics.get(Metric.CLA).orElse(Double.NaN),
          metrics.get(Metric.REWARD).orElse(Double.NaN));
    }
  }
}
