package org.hirengine.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.hirengine.engine.rollout.Completion;
import org.hirengine.engine.rollout.Prompt;
import org.hirengine.engine.rollout.RandomStream;
import org.hirengine.engine.rollout.RolloutEngine;
import org.hirengine.engine.rollout.RolloutListener;
import org.hirengine.engine.rollout.RolloutParams;
import org.hirengine.engine.tokens.StreamedText;
import org.hirengine.kernels.Device;
import org.hirengine.replay.Instruction;

/**
 * Samples responses to instructions, with progress, and hands each over as soon as all before it
 * are there.
 *
 * <p>Rows are sampled in chunks whose bounds depend on the input alone. What is decoded beside a
 * row can change it by rounding, so a run that is continued begins with the whole chunk that it was
 * stopped in, and gets the same rows bit for bit.
 */
final class ResponseSampler {

  private final ModelSession session;
  private final SamplingOptions options;
  private final PrintWriter err;
  private final int rowsAtOnce;
  private int skipped;
  private long sampledTokens;

  ResponseSampler(ModelSession session, SamplingOptions options, PrintWriter err) {
    this.session = session;
    this.options = options;
    this.err = err;
    // A GPU needs a long queue to be busy while a chunk's last rows end, and is soon done.
    rowsAtOnce = session.policy().device().kind() == Device.Kind.CPU ? 256 : 1024;
  }

  /** Takes responses in the order of their instructions, on the thread that samples. */
  interface Receiver {

    /**
     * One response.
     *
     * @param instruction its index
     * @param text decoded up to the stop id, special tokens left out
     */
    void accept(int instruction, String text, Completion completion) throws IOException;
  }

  /** Takes the text of a response as it grows. */
  interface TextReceiver {

    void accept(String text);
  }

  /** Prompts left out because the model has no room for a response to them. */
  int skipped() {
    return skipped;
  }

  /** What the model is asked, without the instructions that it has no room for. */
  private record Asked(List<Prompt> prompts, int longest) {}

  private Asked ask(List<Instruction> instructions) {
    int positions = session.policy().config().maxPositions();
    List<Prompt> prompts = new ArrayList<>();
    int longest = 0;
    for (int i = 0; i < instructions.size(); i++) {
      int[] ids = session.encoder().encode(instructions.get(i));
      if (ids.length + options.room() > positions) {
        skip(instructions.get(i), ids.length, positions);
      } else {
        prompts.add(new Prompt(i, ids));
        longest = Math.max(longest, ids.length);
      }
    }
    return new Asked(prompts, longest);
  }

  private RandomStream random() {
    return new RandomStream(options.seed(), RandomStream.GENERATION, 0);
  }

  private RolloutEngine engine() {
    return session.call(
        () -> new RolloutEngine(session.policy(), session.kernels(), session.stopIds()));
  }

  /**
   * Samples {@code n} responses to each instruction.
   *
   * @param temperature where the command line names none
   * @param kept responses that are there already and are not handed over again
   */
  void sample(
      List<Instruction> instructions, int n, double temperature, long kept, Receiver receiver)
      throws IOException {
    Asked asked = ask(instructions);
    List<Prompt> prompts = asked.prompts;
    int positions = session.policy().config().maxPositions();
    RolloutParams params = options.params(asked.longest, positions, temperature);
    RolloutEngine engine = engine();
    int chunk = Math.max(1, rowsAtOnce / n);
    long rows = (long) prompts.size() * n;
    int first = (int) Math.min(prompts.size(), kept / n / chunk * chunk);
    try (ProgressLine progress = ProgressLine.ofLong("sample", (long) first * n, rows, err)) {
      for (int from = first; from < prompts.size(); from += chunk) {
        List<Prompt> part = prompts.subList(from, Math.min(prompts.size(), from + chunk));
        Rows listener = new Rows((long) from * n, part.size() * n, kept, receiver, progress);
        session.call(() -> engine.generate(part, n, 0, params, random(), listener));
      }
    } catch (UncheckedIOException e) {
      throw e.getCause();
    } finally {
      session.run(engine::close);
    }
  }

  /** A chunk's rows on their way to the receiver. */
  private final class Rows implements RolloutListener {

    private final long first;
    private final Completion[] waiting;
    private final long kept;
    private final Receiver receiver;
    private final ProgressLine progress;
    private int next;
    private int ended;

    /**
     * @param first number of the chunk's first row
     * @param kept rows below this number are there already
     */
    Rows(long first, int count, long kept, Receiver receiver, ProgressLine progress) {
      this.first = first;
      this.waiting = new Completion[count];
      this.kept = kept;
      this.receiver = receiver;
      this.progress = progress;
    }

    @Override
    public void token(int promptId, int row, int token) {
      session.stop().check();
      sampledTokens++;
    }

    @Override
    public void completed(int index, Completion completion) {
      waiting[index] = completion;
      ended++;
      try {
        while (next < waiting.length && waiting[next] != null) {
          if (first + next >= kept) {
            hand(waiting[next]);
          }
          waiting[next++] = null;
        }
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      progress.to(first + ended, progress.rate(sampledTokens, "tokens"));
    }

    private void hand(Completion completion) throws IOException {
      int[] text = Arrays.copyOf(completion.tokens(), completion.textTokens());
      String decoded = session.tokenizer().decode(text, true);
      receiver.accept(completion.promptId(), decoded, completion);
    }
  }

  /**
   * Samples one response and hands its text over as it grows.
   *
   * @param row its number among the responses to this instruction
   * @throws Failure when the model has no room for a response
   */
  Completion stream(Instruction instruction, int row, double temperature, TextReceiver receiver) {
    int[] ids = session.encoder().encode(instruction);
    int positions = session.policy().config().maxPositions();
    if (ids.length + options.room() > positions) {
      throw new Failure(
          noRoom("the prompt", ids.length, positions), "shorten the prompt, or lower --max-tokens");
    }
    RolloutParams params = options.params(ids.length, positions, temperature);
    List<Prompt> prompt = List.of(new Prompt(0, ids));
    StreamedText text = new StreamedText(session.tokenizer());
    RolloutListener listener =
        new RolloutListener() {
          @Override
          public void token(int promptId, int number, int token) {
            session.stop().check();
            sampledTokens++;
            String piece = text.add(token);
            if (!piece.isEmpty()) {
              receiver.accept(piece);
            }
          }
        };
    RolloutEngine engine = engine();
    try {
      Completion completion =
          session.call(() -> engine.generate(prompt, 1, row, params, random(), listener)).get(0);
      receiver.accept(text.end());
      return completion;
    } finally {
      session.run(engine::close);
    }
  }

  private void skip(Instruction instruction, int length, int positions) {
    skipped++;
    err.println("skipped: " + noRoom("prompt " + instruction.id(), length, positions));
  }

  private String noRoom(String prompt, int length, int positions) {
    return String.format(
        Locale.ROOT,
        "%s has %d tokens, which leaves no room for %d new ones in the model's %d positions",
        prompt,
        length,
        options.room(),
        positions);
  }
}
