package org.hirengine.engine.model;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntConsumer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.hirengine.engine.model.ForwardPass.Activations;
import org.hirengine.engine.model.ResponseBatch.Sequence;
import org.hirengine.engine.runtime.DeviceException;
import org.hirengine.engine.runtime.GradMode;
import org.hirengine.engine.runtime.Tensors;
import org.hirengine.kernels.DType;
import org.hirengine.kernels.Kernels;
import org.hirengine.kernels.Rows;

/**
 * Log-probs and entropies of response tokens under a policy. The head runs only on the rows that
 * predict them. If kernels score hidden states, no logits are stored; otherwise logits are computed
 * in chunks of bounded size.
 */
public final class Scorer {

  /** Default memory for logits: large enough for GEMMs at full speed, small compared to a model. */
  public static final long DEFAULT_LOGIT_BYTES = 256L << 20;

  private final Policy policy;
  private final Kernels kernels;
  private long logitBytes;
  private int mostTokens = Integer.MAX_VALUE;
  private int shortages;

  /**
   * @param logitBytes memory for logits; at least one row is always computed
   */
  public Scorer(Policy policy, Kernels kernels, long logitBytes) {
    this.policy = policy;
    this.kernels = kernels;
    this.logitBytes = logitBytes;
  }

  /** With {@link #DEFAULT_LOGIT_BYTES}. */
  public Scorer(Policy policy, Kernels kernels) {
    this(policy, kernels, DEFAULT_LOGIT_BYTES);
  }

  /**
   * One value per response token, in the order of {@link ResponseBatch#targets()}.
   *
   * @param logprobs of the token, in nats
   * @param entropies of the distribution that it was drawn from, in nats
   */
  public record Scores(float[] logprobs, float[] entropies) {}

  /**
   * Scores one packed batch.
   *
   * @param temperature logits are divided by it before the softmax
   */
  public Scores score(ResponseBatch batch, double temperature) {
    checkTargets(batch.targets());
    int tokens = batch.responseTokens();
    try (GradMode off = GradMode.disabled();
        PointerScope scope = new PointerScope();
        ForwardPass pass = policy.passes().forward(batch.packed(), Activations.NONE)) {
      Tensor index = Tensors.to(policy.device(), Tensors.ofInts(batch.rows()));
      Tensor hidden = pass.hidden().index_select(0, index);
      Tensor targets = Tensors.to(policy.device(), Tensors.ofInts(batch.targets()));
      Tensor logprobs = Tensors.empty(policy.device(), ScalarType.Float, tokens);
      Tensor entropies = Tensors.empty(policy.device(), ScalarType.Float, tokens);
      if (kernels.runModels() && policy.passes().scoresHidden()) {
        policy.passes().logprobs(hidden, targets, temperature, logprobs, entropies);
      } else {
        scoreLogits(hidden, targets, temperature, logprobs, entropies);
      }
      kernels.synchronize(policy.device());
      return new Scores(Tensors.floats(logprobs.cpu()), Tensors.floats(entropies.cpu()));
    }
  }

  private void scoreLogits(
      Tensor hidden, Tensor targets, double temperature, Tensor logprobs, Tensor entropies) {
    int tokens = (int) targets.size(0);
    int chunk = Math.min(tokens, logitRows(policy, logitBytes));
    Tensor buffer = policy.passes().emptyLogits(chunk);
    for (int at = 0; at < tokens; at += chunk) {
      int count = Math.min(chunk, tokens - at);
      try (PointerScope inner = new PointerScope()) {
        Tensor logits = buffer.narrow(0, 0, count);
        policy.passes().logits(hidden.narrow(0, at, count), logits);
        kernels.tokenLogprob(
            policy.device(),
            rows(logits, policy.passes().logitType()),
            Tensors.address(targets) + 8L * at,
            temperature,
            Tensors.address(logprobs) + 4L * at,
            Tensors.address(entropies) + 4L * at);
      }
    }
  }

  /**
   * Scores sequences in packed batches of about {@code maxTokens} tokens, in order.
   *
   * @param maxTokens tokens of a packed batch; a longer sequence gets its own batch
   * @param sharePrompts compute equal prompts of a batch once
   * @return one entry per sequence
   */
  public List<Scores> score(
      List<? extends Sequence> sequences, double temperature, int maxTokens, boolean sharePrompts) {
    return score(sequences, temperature, maxTokens, sharePrompts, done -> {});
  }

  /**
   * Scores as {@link #score(List, double, int, boolean)} does. A batch that finds no memory is
   * scored once more in halves, and later ones are as small.
   *
   * @param progress called after each batch with the number of sequences done
   */
  public List<Scores> score(
      List<? extends Sequence> sequences,
      double temperature,
      int maxTokens,
      boolean sharePrompts,
      IntConsumer progress) {
    List<Scores> results = new ArrayList<>();
    int from = 0;
    int halvedAt = -1;
    while (from < sequences.size()) {
      int to = from;
      long tokens = 0;
      while (to < sequences.size()) {
        tokens += added(sequences, from, to, sharePrompts);
        if (tokens > Math.min(maxTokens, mostTokens) && to > from) {
          break;
        }
        to++;
      }
      ResponseBatch batch = ResponseBatch.pack(sequences.subList(from, to), sharePrompts);
      Scores all;
      try {
        all = score(batch, temperature);
      } catch (RuntimeException e) {
        if (to == from + 1 || from == halvedAt || !DeviceException.isOutOfMemory(e)) {
          throw e;
        }
        halvedAt = from;
        shortages++;
        mostTokens = Math.max(1, batch.packed().tokens() / 2);
        logitBytes = Math.max(1, logitBytes / 2);
        policy.release();
        continue;
      }
      for (int i = 0; i < batch.sequences(); i++) {
        int begin = batch.offsets()[i];
        int end = batch.offsets()[i + 1];
        results.add(
            new Scores(
                Arrays.copyOfRange(all.logprobs(), begin, end),
                Arrays.copyOfRange(all.entropies(), begin, end)));
      }
      from = to;
      progress.accept(from);
    }
    policy.release();
    return results;
  }

  /** How often memory was out and half of the tokens did. */
  public int shortages() {
    return shortages;
  }

  /**
   * Tokens that sequence {@code i} adds to a batch; a prompt equal to its neighbour's is shared.
   */
  private static int added(
      List<? extends Sequence> sequences, int from, int i, boolean sharePrompts) {
    Sequence sequence = sequences.get(i);
    boolean shared =
        sharePrompts && i > from && Arrays.equals(sequences.get(i - 1).prompt(), sequence.prompt());
    return sequence.response().length + (shared ? 0 : sequence.prompt().length);
  }

  private void checkTargets(int[] targets) {
    for (int id : targets) {
      policy.config().checkToken(id);
    }
  }

  /** Rows of logits that fit into {@code bytes}, at least 1. */
  public static int logitRows(Policy policy, long bytes) {
    return logitRows(policy.config(), policy.passes().logitType(), bytes);
  }

  /** Rows of a model's logits that fit into {@code bytes}, at least 1. */
  public static int logitRows(ModelConfig model, DType logits, long bytes) {
    long row = (long) model.vocabSize() * logits.bytes;
    return (int) Math.max(1, Math.min(Integer.MAX_VALUE, bytes / row));
  }

  /** A contiguous matrix for kernels. */
  public static Rows rows(Tensor matrix, DType dtype) {
    return new Rows(
        Tensors.address(matrix), matrix.size(0), matrix.size(1), matrix.stride(0), dtype);
  }
}
