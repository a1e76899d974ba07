package org.hirengine.cli;

import java.util.List;
import org.hirengine.engine.rollout.Completion;
import org.hirengine.engine.rollout.Prompt;
import org.hirengine.engine.rollout.RolloutCall;
import org.hirengine.engine.rollout.RolloutEngine;
import org.hirengine.engine.rollout.RolloutListener;
import org.hirengine.engine.rollout.RolloutParams;
import org.hirengine.engine.tokens.StreamedText;
import org.hirengine.replay.Instruction;

/** Samples responses to one instruction, one after another, and shows each as it grows. */
final class ResponseStream implements AutoCloseable {

  private final ModelSession session;
  private final SamplingOptions options;
  private final List<Prompt> prompt;
  private final RolloutParams params;
  private final RolloutEngine engine;

  /** Takes the text of a response piece by piece, on the thread that samples. */
  interface Receiver {

    void accept(String text);
  }

  /**
   * @param temperature if the command line names none
   * @throws Failure when the model has no room for a response
   */
  ResponseStream(
      ModelSession session, SamplingOptions options, Instruction instruction, double temperature) {
    this.session = session;
    this.options = options;
    int[] ids = session.encoder().encode(instruction);
    int positions = session.policy().config().maxPositions();
    if (ids.length + options.room() > positions) {
      throw new Failure(
          options.noRoom("the prompt", ids.length, positions),
          "shorten the prompt, or lower --max-tokens");
    }
    prompt = List.of(new Prompt(0, ids));
    params = options.params(ids.length, positions, temperature);
    engine = session.rolloutEngine();
  }

  /**
   * Samples the response of this number among the responses to the instruction; the one that {@link
   * ResponseSampler} gives it.
   */
  Completion show(int row, Receiver receiver) {
    StreamedText text = new StreamedText(session.tokenizer());
    RolloutListener listener =
        new RolloutListener() {
          @Override
          public void token(int promptId, int number, int token) {
            session.stop().check();
            String piece = text.add(token);
            if (!piece.isEmpty()) {
              receiver.accept(piece);
            }
          }
        };
    RolloutCall call =
        new RolloutCall(prompt, 1, row, params, ResponseSampler.random(options)).heardBy(listener);
    Completion completion = session.call(() -> engine.generate(call)).get(0);
    receiver.accept(text.end());
    return completion;
  }

  @Override
  public void close() {
    session.run(engine::close);
  }
}
