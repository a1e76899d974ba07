package org.hirengine.verify.judge;

import java.util.Map;
import org.hirengine.verify.ConstraintType;
import org.hirengine.verify.Verifier;
import org.hirengine.verify.rule.Kwargs;

/**
 * A criterion in words: kwargs {@code criterion} and, if the request matters, {@code question}.
 * Nothing is sampled or relabelled, since that would depend on the judge.
 */
final class JudgeType implements ConstraintType {

  static final String ID = "judge:criterion";

  private final ModelJudge judge;

  JudgeType(ModelJudge judge) {
    this.judge = judge;
  }

  @Override
  public String id() {
    return ID;
  }

  @Override
  public Verifier parse(Map<String, Object> kwargs) {
    Kwargs read = Kwargs.of(ID, kwargs);
    String criterion = read.text("criterion");
    String question = read.optionalText("question").orElse("");
    return response -> judge.judge(question, criterion, response.text());
  }

  @Override
  public String sentence(Map<String, Object> kwargs) {
    return Kwargs.of(ID, kwargs).text("criterion");
  }

  @Override
  public boolean verbatim() {
    return true;
  }
}
