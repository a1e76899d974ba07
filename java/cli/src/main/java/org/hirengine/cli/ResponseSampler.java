package org.hirengine.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.hirengine.engine.rollout.Completion;
import org.hirengine.engine.rollout.Prompt;
import org.hirengine.engine.rollout.RandomStream;
import org.hirengine.engine.rollout.RolloutCall;
import org.hirengine.engine.rollout.RolloutEngine;
import org.hirengine.engine.rollout.RolloutListener;
import org.hirengine.engine.rollout.RolloutParams;
import org.hirengine.kernels.Device;
import org.hirengine.replay.Instruction;

/**
 * Samples responses to instructions, with progress, and passes each on as soon as all earlier ones
 * are done.
 *
 * <p>Rows are sampled in chunks whose bounds depend on the input alone. Other rows of its batch can
 * change a row by rounding, so a resumed run repeats the whole chunk that it was stopped in, and
 * gets the same rows bit for bit.
 */
final class ResponseSampler {

  private final ModelSession session;
  private final SamplingOptions options;
  private final PrintWriter err;
  private final int rowsAtOnce;
  private final List<Prompt> prompts = new ArrayList<>();
  private final List<Integer> skipped = new ArrayList<>();
  private int longest;
  private long sampledTokens;

  /**
   * @param err receives reports of instructions that leave the model no room for an answer
   */
  ResponseSampler(
      ModelSession session,
      SamplingOptions options,
      PrintWriter err,
      List<Instruction> instructions) {
    this.session = session;
    this.options = options;
    this.err = err;
    int positions = session.policy().config().maxPositions();
    for (int i = 0; i < instructions.size(); i++) {
      int[] ids = session.encoder().encode(instructions.get(i));
      if (ids.length + options.room() > positions) {
        skipped.add(i);
        String prompt = "prompt " + instructions.get(i).id();
        err.println("skipped: " + options.noRoom(prompt, ids.length, positions));
      } else {
        prompts.add(new Prompt(i, ids));
        longest = Math.max(longest, ids.length);
      }
    }
    // A GPU needs a long queue to stay busy while a chunk's last rows end.
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

  /** Indexes of the instructions that are answered, in order. */
  List<Integer> answered() {
    return prompts.stream().map(Prompt::id).toList();
  }

  /** Indexes of the instructions that the model has no room to answer. */
  List<Integer> skipped() {
    return List.copyOf(skipped);
  }

  /** The random numbers of a command's responses. */
  static RandomStream random(SamplingOptions options) {
    return new RandomStream(options.seed(), RandomStream.GENERATION, 0);
  }

  /**
   * Samples {@code n} responses to each instruction.
   *
   * @param temperature if the command line names none
   * @param kept existing responses, which are not passed on again
   */
  void sample(int n, double temperature, long kept, Receiver receiver) throws IOException {
    int positions = session.policy().config().maxPositions();
    RolloutParams params = options.params(longest, positions, temperature);
    RandomStream random = random(options);
    RolloutEngine engine = session.rolloutEngine();
    int chunk = Math.max(1, rowsAtOnce / n);
    long rows = (long) prompts.size() * n;
    int first = (int) Math.min(prompts.size(), kept / n / chunk * chunk);
    try (ProgressLine progress = ProgressLine.ofLong("sample", (long) first * n, rows, err)) {
      for (int from = first; from < prompts.size(); from += chunk) {
        List<Prompt> part = prompts.subList(from, Math.min(prompts.size(), from + chunk));
        Rows listener = new Rows((long) from * n, part.size() * n, kept, receiver, progress);
        RolloutCall call = new RolloutCall(part, n, 0, params, random).heardBy(listener);
        session.call(() -> engine.generate(call));
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
     * @param kept rows below this number exist already
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
}
