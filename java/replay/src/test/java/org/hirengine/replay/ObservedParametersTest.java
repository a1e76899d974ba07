package org.hirengine.replay;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import org.hirengine.verify.ConstraintSpec;
import org.hirengine.verify.ConstraintType;
import org.hirengine.verify.Response;
import org.hirengine.verify.Verifiers;
import org.junit.jupiter.api.Test;

class ObservedParametersTest {

  private static final Verifiers VERIFIERS = Verifiers.standard();
  private static final String AVOID = "keywords:forbidden_words";
  private static final String REPEAT = "combination:repeat_prompt";

  private static final List<Instruction> TRAINING =
      List.of(
          ask("Write about rivers.", spec(AVOID, Map.of("forbidden_words", List.of("river")))),
          ask("Write about seas.", spec(AVOID, Map.of("forbidden_words", List.of("sea")))),
          ask(
              "Write about hills.",
              spec(REPEAT, Map.of("prompt_to_repeat", "Write about hills."))));

  private final ObservedParameters parameters = new ObservedParameters(TRAINING);

  @Test
  void drawsWhatTrainingAsksFor() {
    Set<Object> words = new HashSet<>();
    for (int seed = 0; seed < 50; seed++) {
      words.add(sample(AVOID, seed).orElseThrow().get("forbidden_words"));
    }
    assertEquals(Set.of(List.of("river"), List.of("sea")), words);
    assertEquals(Optional.empty(), sample("detectable_format:title", 1));
  }

  @Test
  void aParameterThatIsTheQuestionFollowsIt() {
    assertEquals(
        Map.of("prompt_to_repeat", "Write about rivers."), sample(REPEAT, 3).orElseThrow());
  }

  /** A forbidden word that y uses is replaced by one that training forbids and y avoids. */
  @Test
  void relabelsStayWithinTraining() {
    assertEquals(
        Set.of(spec(AVOID, Map.of("forbidden_words", List.of("sea")))), goals(TRAINING.get(0)));
  }

  /** A missing title is replaced by a constraint that training asks for and y satisfies. */
  @Test
  void swapsStayWithinTraining() {
    assertEquals(
        Set.of(
            spec(AVOID, Map.of("forbidden_words", List.of("sea"))),
            spec(REPEAT, Map.of("prompt_to_repeat", "Write about rivers."))),
        goals(ask("Write about rivers.", spec("detectable_format:title", Map.of()))));
  }

  /** Rewrites x with one constraint. */
  private Set<ConstraintSpec> goals(Instruction x) {
    AchievedRewriter rewriter =
        new AchievedRewriter(VERIFIERS, ConstraintType::sentence, parameters, Set.of(), Floor.NONE);
    Response y = Response.of("Write about rivers. A river, far away");
    Set<ConstraintSpec> goals = new HashSet<>();
    for (int seed = 0; seed < 50; seed++) {
      Rewrite done =
          rewriter.rewrite(x, y, VERIFIERS.judge(x.constraints(), y), new SplittableRandom(seed));
      if (done instanceof Rewrite.Rewritten rewritten) {
        goals.addAll(rewritten.instruction().constraints());
      }
    }
    assertTrue(VERIFIERS.judge(List.copyOf(goals), y).ila());
    return goals;
  }

  private Optional<Map<String, Object>> sample(String id, int seed) {
    return parameters.sample(
        VERIFIERS.type("ifeval", id).orElseThrow(), TRAINING.get(0), new SplittableRandom(seed));
  }

  private static ConstraintSpec spec(String id, Map<String, Object> kwargs) {
    return new ConstraintSpec("ifeval", id, kwargs);
  }

  private static Instruction ask(String question, ConstraintSpec spec) {
    return Instruction.of(
        "1", question, List.of("sentence."), QType.TYPE1, "ifeval", List.of(spec));
  }
}
