package org.hirengine.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import org.hirengine.verify.JsonlVerifier;
import org.hirengine.verify.Unread;
import org.hirengine.verify.Verifiers;
import org.hirengine.verify.judge.JudgeOptions;
import org.hirengine.verify.judge.ModelJudge;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Options shared by the verifying commands: text data, and how to ask a judge. */
final class VerifierOptions {

  @Option(
      names = "--text-data",
      paramLabel = "DIR",
      description = "Text data in NLTK's layout (default: the environment's NLTK_DATA).")
  private @Nullable Path textData;

  @Option(
      names = "--unread",
      paramLabel = "HOW",
      description =
          "Verdict on a constraint whose words no rule understands: reference (what the reference"
              + " checker answers by default, as in official scores) or no-verdict (default:"
              + " reference).")
  private Unread unread = Unread.REFERENCE;

  @Option(
      names = "--judge-cache",
      paramLabel = "DIR",
      description = "Keep the verdicts of the judge that HIR_JUDGE_URL names in this folder.")
  private @Nullable Path judgeCache;

  @Option(
      names = "--judge-template",
      paramLabel = "FILE",
      description = "The judge's prompt, with {criterion}, {response} and, if wanted, {question}.")
  private @Nullable Path judgeTemplate;

  @Option(
      names = "--judge-parallel",
      paramLabel = "N",
      description = "Parallel requests to the judge (default: ${DEFAULT-VALUE}).")
  private int judgeParallel = JudgeOptions.DEFAULT.parallel();

  @Option(
      names = "--judge-timeout",
      paramLabel = "SECONDS",
      description = "How long an answer of the judge may take (default: ${DEFAULT-VALUE}).")
  private double judgeTimeout = JudgeOptions.DEFAULT.timeoutSeconds();

  @Option(
      names = "--judge-retries",
      paramLabel = "N",
      description = "Retries of a failed request to the judge (default:" + " ${DEFAULT-VALUE}).")
  private int judgeRetries = JudgeOptions.DEFAULT.retries();

  @Option(
      names = "--judge-strip-thinking",
      description = "Read the judge's answer after its last </think>.")
  private boolean judgeStripThinking;

  @Option(
      names = "--strip-thinking",
      description =
          "Verify only the text after the last </think> of a response (verify.strip_thinking).")
  private boolean stripThinking;

  @Option(
      names = "--reasons",
      description = "Write the reason of every verdict, not only of missing ones.")
  private boolean reasons;

  private @Nullable ModelJudge judge;

  private int threads = Runtime.getRuntime().availableProcessors();

  /** All verifiers, and the judge that the environment names, if any. */
  Verifiers verifiers() throws IOException {
    return verifiers(unread);
  }

  /** As {@link #verifiers()}, with another treatment of constraints that no rule understands. */
  Verifiers verifiers(Unread unread) throws IOException {
    try {
      judge =
          new JudgeOptions(
                  judgeCache,
                  judgeTemplate,
                  judgeParallel,
                  judgeTimeout,
                  judgeRetries,
                  judgeStripThinking)
              .judge(System.getenv())
              .orElse(null);
    } catch (IllegalArgumentException e) {
      throw new Failure(
          String.valueOf(e.getMessage()),
          "see --judge-... in hir verify --help, and set the missing option");
    }
    if (textData == null && judge == null && unread == Unread.REFERENCE) {
      return Verifiers.standard();
    }
    Verifiers.Builder builder = Verifiers.builder().unread(unread);
    if (textData != null) {
      builder.textData(textData);
    }
    if (judge != null) {
      builder.judge(judge);
      threads = Math.max(threads, judgeParallel); // threads mostly wait for the judge
    }
    return builder.build();
  }

  /** Verifies responses, and writes verdicts and reasons as the command line asks. */
  JsonlVerifier jsonlVerifier(Verifiers verifiers) {
    JsonlVerifier plain = new JsonlVerifier(verifiers);
    JsonlVerifier told = reasons ? plain.withReasons() : plain;
    return stripThinking ? told.strippingThinking() : told;
  }

  /** Adds the options that determine verdicts to {@code setup}. */
  void describe(ObjectNode setup) {
    setup.put("text_data", textData == null ? null : textData.toString());
    setup.put("judge", System.getenv(ModelJudge.MODEL_VARIABLE));
    setup.put("judge_template", judgeTemplate == null ? null : judgeTemplate.toString());
    setup.put("judge_strip_thinking", judgeStripThinking);
    setup.put("strip_thinking", stripThinking);
    setup.put("unread", unread.toString());
    setup.put("reasons", reasons);
  }

  /** One thread per core, or as many as the judge's parallel requests. */
  int threads() {
    return threads;
  }

  /** Adds counts of the questions to the judge, and warns of those without an answer. */
  void reportJudge(ObjectNode report, PrintWriter err) {
    if (judge == null) {
      return;
    }
    ModelJudge.Tally tally = judge.tally();
    if (tally.failed() > 0) {
      report.put("judge_failed", tally.failed());
    }
    if (tally.unclear() > 0) {
      report.put("judge_unclear", tally.unclear());
    }
    if (tally.failed() > 0 && tally.answered() > 0) {
      err.println("warning: " + judge.failures());
    }
    if (tally.unclear() > 0) {
      err.printf(
          "warning: the judge answered neither YES nor NO %d times%s%n",
          tally.unclear(),
          judgeStripThinking ? "" : "; a judge that thinks aloud needs --judge-strip-thinking");
    }
    err.flush();
  }

  /**
   * @throws Failure when a judge was asked and never answered
   */
  void requireJudge() {
    if (judge != null && judge.tally().failed() > 0 && judge.tally().answered() == 0) {
      throw new Failure(judge.failures(), judge.tally().remedy());
    }
  }
}
