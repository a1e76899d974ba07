package org.hirengine.engine.update;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.function.Function;
import org.bytedeco.pytorch.Tensor;
import org.hirengine.engine.distributed.DistributedException;
import org.hirengine.engine.distributed.ProcessGroup;
import org.hirengine.engine.distributed.Shards;
import org.hirengine.engine.experience.TrainingRow;
import org.hirengine.engine.runtime.GradMode;
import org.hirengine.engine.runtime.Tensors;
import org.hirengine.kernels.KernelException;
import org.jspecify.annotations.Nullable;

/**
 * Splits a mini-batch into parts that ranks compute. Every token's weight comes from the whole
 * mini-batch, so gradients and sums are added, never averaged: a rank counts in proportion to its
 * tokens, and one without tokens adds zeros and takes part in every exchange.
 *
 * <p>Each rank has the same number of consecutive parts. The gradients of the parts are summed as a
 * tree, (0+1)+(2+3), first within a rank and then over ranks: so four parts have the same bits on
 * one rank, on two and on four.
 */
public final class GradientParts {

  private final Tensor gradients;
  private final ProcessGroup group;
  private final int parts;
  private final Shards shards;

  /**
   * @param gradients the buffer that gradients are added to
   * @param parts parts of a mini-batch, from {@link #of}
   * @param shards what of the sum each rank needs
   */
  public GradientParts(Tensor gradients, ProcessGroup group, int parts, Shards shards) {
    this.gradients = gradients;
    this.group = group;
    this.parts = parts;
    this.shards = shards;
  }

  /**
   * How many parts there are.
   *
   * @param asked null is one a rank
   * @throws DistributedException when the ranks cannot have as many parts each
   */
  public static int of(ProcessGroup group, @Nullable Integer asked) {
    int parts = asked == null ? group.size() : asked;
    if (parts % group.size() != 0) {
      throw new DistributedException(
          "distributed.parts is %d, not a multiple of the %d ranks".formatted(parts, group.size()),
          "set distributed.parts to a multiple, or start another number of ranks");
    }
    return parts;
  }

  /**
   * Computes this rank's parts and sums all of them: each rank has its shard of the sum then.
   *
   * @param miniBatch all its rows, on every rank
   * @param accumulate adds the gradient of some rows to the buffer, which is zero at first
   * @return sums over the whole mini-batch
   * @throws KernelException on all ranks, when some part's numbers are not finite
   */
  UpdateReport sum(
      List<TrainingRow> miniBatch, Function<List<TrainingRow>, UpdateReport> accumulate) {
    if (parts == 1) {
      return accumulate.apply(miniBatch);
    }
    List<List<TrainingRow>> cut = cut(miniBatch, parts);
    int each = parts / group.size();
    List<UpdateReport> mine = new ArrayList<>();
    KernelException failure = null;
    try (TreeSum sum = new TreeSum(gradients)) {
      for (List<TrainingRow> part : cut.subList(group.rank() * each, (group.rank() + 1) * each)) {
        sum.next();
        mine.add(accumulate.apply(part));
      }
      sum.finish();
    } catch (KernelException e) {
      if (!e.notFinite()) {
        throw e;
      }
      failure = e;
    }
    UpdateReport report = UpdateReport.NONE;
    for (byte[] sums : group.gather("loss", failure == null ? bytes(mine) : text(failure))) {
      report = plus(report, ByteBuffer.wrap(sums));
    }
    if (shards.whole()) {
      group.sum("gradients", gradients);
    } else {
      group.sumShards("gradients", gradients, shards);
    }
    return report;
  }

  /**
   * Parts of consecutive rows with about equal packed tokens; a prompt that neighbours share counts
   * once. Depends only on the rows and the number of parts.
   */
  static List<List<TrainingRow>> cut(List<TrainingRow> rows, int parts) {
    long[] before = new long[rows.size() + 1];
    for (int i = 0; i < rows.size(); i++) {
      TrainingRow row = rows.get(i);
      boolean shared = i > 0 && rows.get(i - 1).prompt() == row.prompt();
      before[i + 1] = before[i] + row.response().length + (shared ? 0 : row.prompt().length);
    }
    List<List<TrainingRow>> cut = new ArrayList<>(parts);
    int from = 0;
    for (int part = 1; part <= parts; part++) {
      long goal = before[rows.size()] * part / parts;
      int to = from;
      while (to < rows.size() && before[to + 1] - goal <= goal - before[to]) {
        to++; // its end is at least as close as its start
      }
      to = part == parts ? rows.size() : to;
      cut.add(rows.subList(from, to));
      from = to;
    }
    return cut;
  }

  private static byte[] bytes(List<UpdateReport> reports) {
    ByteBuffer out = ByteBuffer.allocate(1 + reports.size() * 2 * LossSums.BYTES).put((byte) 0);
    for (UpdateReport report : reports) {
      report.originals().write(out);
      report.replays().write(out);
    }
    return out.array();
  }

  private static byte[] text(KernelException failure) {
    byte[] reason = String.valueOf(failure.getMessage()).getBytes(StandardCharsets.UTF_8);
    return ByteBuffer.allocate(1 + reason.length).put((byte) 1).put(reason).array();
  }

  /** Adds a rank's parts in order, or throws the rank's failure. */
  private static UpdateReport plus(UpdateReport report, ByteBuffer in) {
    if (in.get() != 0) {
      byte[] reason = new byte[in.remaining()];
      in.get(reason);
      throw new KernelException(
          KernelException.Reason.NOT_FINITE, new String(reason, StandardCharsets.UTF_8));
    }
    UpdateReport sum = report;
    while (in.hasRemaining()) {
      sum = sum.plus(LossSums.read(in), LossSums.read(in));
    }
    return sum;
  }

  /**
   * Sums gradients that are computed one after another in one buffer, as a tree: sums of equal size
   * are added as soon as there are two, like carries in a binary counter. Holds a copy for every
   * one bit of the number of parts so far.
   */
  private static final class TreeSum implements AutoCloseable {

    private record Sum(Tensor values, int parts) {}

    private final Tensor buffer;
    private final Deque<Sum> waiting = new ArrayDeque<>();
    private boolean filled;

    TreeSum(Tensor buffer) {
      this.buffer = buffer;
    }

    /** Frees the buffer for another part. */
    void next() {
      if (filled) {
        int parts = carry(false);
        try (GradMode off = GradMode.disabled()) {
          waiting.push(new Sum(Tensors.own(buffer.clone()), parts));
          buffer.zero_();
        }
      }
      filled = true;
    }

    /** Leaves the sum of all parts in the buffer. */
    void finish() {
      carry(true);
    }

    private int carry(boolean all) {
      int parts = 1;
      try (GradMode off = GradMode.disabled()) {
        while (!waiting.isEmpty() && (all || waiting.peek().parts == parts)) {
          try (Tensor left = waiting.pop().values) {
            buffer.add_(left);
          }
          parts *= 2;
        }
      }
      return parts;
    }

    @Override
    public void close() {
      waiting.forEach(sum -> sum.values.close());
    }
  }
}
