package org.hirengine.verify.ifbench;

import org.hirengine.verify.Response;
import org.hirengine.verify.Verdict;
import org.hirengine.verify.rule.BinaryType;
import org.hirengine.verify.rule.Wording;

/**
 * {@code SentTypeRatioChecker} and {@code SentBalanceChecker}: sentences classified by their last
 * mark, and counted against each other.
 */
final class SentenceKinds extends BinaryType {

  private final Sentences sentences;
  private final boolean balance;

  private SentenceKinds(String id, String sentence, Sentences sentences, boolean balance) {
    super(id, sentence);
    this.sentences = sentences;
    this.balance = balance;
  }

  static SentenceKinds ratio(Sentences sentences) {
    return new SentenceKinds(
        "ratio:sentence_type",
        "Write exactly twice as many statements as questions.",
        sentences,
        false);
  }

  static SentenceKinds balance(Sentences sentences) {
    return new SentenceKinds(
        "ratio:sentence_balance",
        "Write as many statements as questions and as many questions as exclamations.",
        sentences,
        true);
  }

  @Override
  protected Verdict check(Response response) {
    int statements = 0;
    int questions = 0;
    int exclamations = 0;
    for (String sentence : sentences.of(response)) {
      statements += sentence.endsWith(".") ? 1 : 0;
      questions += sentence.endsWith("?") ? 1 : 0;
      exclamations += sentence.endsWith("!") ? 1 : 0;
    }
    String found =
        Wording.count(statements, "statement") + ", " + Wording.count(questions, "question");
    return balance
        ? Verdict.of(
            statements == questions && questions == exclamations,
            found + ", " + Wording.count(exclamations, "exclamation") + "; as many of each asked")
        : Verdict.of(statements == 2 * questions, found + "; twice as many statements asked");
  }
}
