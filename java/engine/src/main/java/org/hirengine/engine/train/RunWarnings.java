package org.hirengine.engine.train;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.hirengine.engine.config.DataSection.ControlTokens;
import org.hirengine.engine.config.TrainConfig;
import org.hirengine.engine.config.VerifySection;
import org.hirengine.engine.tokens.PromptEncoder;
import org.hirengine.replay.Coverage;
import org.hirengine.replay.Instruction;

/** What a run warns its listener about, in words: data that it leaves out, and what went wrong. */
final class RunWarnings {

  private final TrainConfig config;
  private final TrainingListener listener;
  private boolean toldOfJudge;

  RunWarnings(TrainConfig config, TrainingListener listener) {
    this.config = config;
    this.listener = listener;
  }

  /** Training data that gets no verdicts. */
  void data(TrainingData train) {
    Coverage coverage = train.coverage();
    listener.data(coverage);
    coverage.warnings().forEach(listener::warning);
    int uncheckable = train.instructions().size() - coverage.checkable();
    if (uncheckable > 0 && config.verify().noVerdict() == VerifySection.NoVerdict.SKIP) {
      listener.warning(
          uncheckable
              + " training instructions have such a constraint; their responses are sampled but not"
              + " trained on (verify.no_verdict)");
    }
  }

  /** Held-out data that gets no verdicts. */
  void heldOut(TrainingData heldOut) {
    heldOut.coverage().warnings().forEach(each -> listener.warning("held-out: " + each));
  }

  /** Held-out prompts that are left out. */
  void heldOutTooLong(int prompts) {
    if (prompts > 0) {
      listener.warning(prompts + " held-out prompts exceed limits.prompt and are left out");
    }
  }

  /** Instructions whose text has control tokens. */
  void controlTokens(List<Instruction> instructions, PromptEncoder encoder) {
    if (config.data().controlTokens() == ControlTokens.SPLIT) {
      return;
    }
    List<Instruction> holding = instructions.stream().filter(encoder::holdsControlTokens).toList();
    if (!holding.isEmpty()) {
      listener.warning(
          holding.size()
              + " training instructions hold control tokens of the model in their texts, the first"
              + " in row "
              + holding.get(0).id()
              + "; they are read as those tokens (data.control_tokens=split makes them plain"
              + " text)");
    }
  }

  /** Lines of data that were skipped. */
  void badRows(int lines, Path reasons) {
    if (lines > 0) {
      listener.warning(lines + " lines of data were left out, with reasons in " + reasons);
    }
  }

  /** The first training prompts that are too long. */
  void promptsTooLong() {
    listener.warning(
        "prompts over limits.prompt are passed over; checkpoints/*/trainer.json counts them"
            + " (too_long)");
  }

  /** Memory that ran out in a step. */
  void memory(int step, int microTokens) {
    listener.warning(
        "step "
            + step
            + ": memory was out; half as much at once did, and stays so ("
            + microTokens
            + " tokens a micro-batch). hir plan shows what to lower; a resumed run begins with"
            + " train.micro_tokens of its config.yaml again");
  }

  /** A judge that does not answer; told once, and again at the end of the run. */
  void judge(String problem) {
    if (!problem.isEmpty() && !toldOfJudge) {
      toldOfJudge = true;
      listener.warning(problem + "; such rows are left out (verify.no_verdict)");
    }
  }

  /** Verdicts that failed in the whole run, by type, and the judge's last problem. */
  void verdicts(Map<String, Long> failures, String judgeProblem) {
    if (!failures.isEmpty()) {
      listener.warning("verdicts that failed and count as violated, by type: " + failures);
    }
    if (toldOfJudge) {
      listener.warning(judgeProblem);
    }
  }

  /** An update that was skipped. */
  void updateLeftOut(int step, String problem) {
    listener.warning("step " + step + ": update left out: " + problem);
  }
}
