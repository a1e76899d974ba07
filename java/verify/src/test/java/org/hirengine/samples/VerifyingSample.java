package org.hirengine.samples;

import java.io.PrintStream;
import java.util.List;
import java.util.Map;
import org.hirengine.verify.ConstraintSpec;
import org.hirengine.verify.JudgeList;
import org.hirengine.verify.Response;
import org.hirengine.verify.Strictness;
import org.hirengine.verify.Verdict;
import org.hirengine.verify.Verifier;
import org.hirengine.verify.Verifiers;

/** Embeds the verifiers: one constraint, then an instruction's whole list, strict and loose. */
public final class VerifyingSample {

  private VerifyingSample() {}

  public static void main(String[] args) {
    run(System.out);
  }

  static void run(PrintStream out) {
    Verifiers verifiers = Verifiers.standard();

    // One constraint, parsed once and checked as often as needed.
    Verifier words =
        verifiers.parse(
            new ConstraintSpec(
                "ifeval",
                "length_constraints:number_words",
                Map.of("num_words", 12, "relation", "at least")));
    Verdict verdict = words.check(Response.of("Rivers carry stories from hill to sea."));
    out.println(verdict.satisfied() + ": " + verdict.reason());

    // An instruction's constraints; the response is analysed once for all of them.
    List<ConstraintSpec> constraints =
        List.of(
            new ConstraintSpec("ifeval", "punctuation:no_comma", Map.of()),
            new ConstraintSpec(
                "ifeval", "keywords:existence", Map.of("keywords", List.of("river", "sea"))),
            new ConstraintSpec(
                "iftrain", "last_word:last_word_answer", Map.of("last_word", "sea")));
    Response response =
        Response.of("Sure, here it is:\nEvery *river* finds its way to the open sea.");
    for (Strictness strictness : Strictness.values()) {
      JudgeList judges = verifiers.judge(constraints, response, strictness);
      out.println(strictness + ": CLA " + judges.cla() + ", ILA " + judges.ila());
      for (int i = 0; i < judges.size(); i++) {
        out.println("  " + constraints.get(i).id() + ": " + judges.verdicts().get(i).reason());
      }
    }

    // Every type can put itself into words for a prompt.
    for (ConstraintSpec constraint : constraints) {
      verifiers
          .type(constraint.bench(), constraint.id())
          .ifPresent(type -> out.println(type.sentence(constraint.kwargs())));
    }
  }
}
