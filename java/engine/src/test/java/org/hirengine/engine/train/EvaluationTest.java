package org.hirengine.engine.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.util.List;
import java.util.Map;
import org.hirengine.engine.experience.Answer;
import org.hirengine.engine.experience.Task;
import org.hirengine.engine.runs.Metric;
import org.hirengine.replay.Instruction;
import org.hirengine.replay.QType;
import org.hirengine.verify.ConstraintSpec;
import org.hirengine.verify.JudgeList;
import org.hirengine.verify.Response;
import org.hirengine.verify.Verdict;
import org.hirengine.verify.Verifiers;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class EvaluationTest {

  private static final Verifiers VERIFIERS = Verifiers.standard();
  private static final Instruction RIVER =
      Instruction.of(
          "river",
          "Write about a river.",
          List.of("Do not use any commas."),
          QType.TYPE1,
          "ifeval",
          List.of(new ConstraintSpec("ifeval", "punctuation:no_comma", Map.of())));

  @Test
  void saysWhetherAnswersAreAnswers() {
    Map<Metric, Double> values =
        Evaluation.measured(
            List.of(
                answer("A river runs to the sea.", true, -6.0), // sound, satisfies the constraint
                answer("A river, a river, a river.", true, -10.0), // sound, violates it
                answer(" \n", true, -1.0), // blank, satisfies nothing
                answer("** ** **", false, -30.0),
                answer("the river ".repeat(11), false, -2.0),
                answer("I would rather not.", true, -11.0),
                undecided("A river.")));
    assertEquals(4 / 6.0, values.get(Metric.EVAL_ILA));
    assertEquals(4 / 6.0, values.get(Metric.EVAL_CLA));
    assertEquals(1 / 6.0, values.get(Metric.EVAL_SOUND_ILA));
    assertEquals(3 / 6.0, values.get(Metric.EVAL_HOLLOW));
    for (Metric share :
        List.of(
            Metric.EVAL_EMPTY, Metric.EVAL_MARKUP, Metric.EVAL_REPETITION, Metric.EVAL_OFF_TOPIC)) {
      assertEquals(1 / 7.0, values.get(share), share.key());
    }
    assertEquals(2 / 7.0, values.get(Metric.EVAL_TRUNCATED));
    assertEquals(10.0, values.get(Metric.EVAL_TOKENS));
    assertEquals(-60 / 70.0, values.get(Metric.EVAL_REF_LOGPROB), 1e-12);
  }

  /** Within an answer and between answers. */
  @Test
  void repetitionsLowerDistinctTrigrams() {
    assertEquals(1, distinct("One two three four.", "Five six seven."));
    assertEquals(2 / 4.0, distinct("One two three four.", "one, two; three four"));
    assertEquals(1 / 3.0, distinct("no no no no no"));
    assertEquals(0, distinct("Two words."));
  }

  @Test
  void withoutAReferenceThereIsNoLogprob() {
    assertFalse(
        Evaluation.measured(List.of(answer("A river.", true, null)))
            .containsKey(Metric.EVAL_REF_LOGPROB));
  }

  private static double distinct(String... texts) {
    return Evaluation.measured(
            List.of(texts).stream().map(text -> answer(text, true, null)).toList())
        .get(Metric.EVAL_DISTINCT);
  }

  private static Answer answer(String text, boolean stopped, @Nullable Double logprob) {
    Response response = Response.of(text);
    return answer(response, VERIFIERS.judge(RIVER.constraints(), response), stopped, logprob);
  }

  private static Answer undecided(String text) {
    return answer(Response.of(text), new JudgeList(List.of(Verdict.none("no judge"))), true, 0.0);
  }

  private static Answer answer(
      Response response, JudgeList judges, boolean stopped, @Nullable Double logprob) {
    return new Answer(new Task(0, RIVER, "", new int[0]), response, judges, 10, stopped, logprob);
  }
}
