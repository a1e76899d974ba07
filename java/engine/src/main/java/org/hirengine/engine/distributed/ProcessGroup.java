package org.hirengine.engine.distributed;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.bytedeco.pytorch.Tensor;

/**
 * The processes ("ranks") that train one policy together, as torch.distributed has them. All ranks
 * make the same calls in the same order; a call returns when all ranks have made it, or fails with
 * a {@link DistributedException} that names the rank which did not.
 *
 * <p>One thread at a time; {@link #sum} computes, and belongs on the native thread.
 */
public interface ProcessGroup extends AutoCloseable {

  /** A process by itself: every exchange is its own, and costs nothing. */
  ProcessGroup ALONE = new Alone();

  /**
   * Joins the group that the environment names ({@code RANK}, {@code WORLD_SIZE}, {@code
   * MASTER_ADDR}, {@code MASTER_PORT}, as torchrun and other launchers set them); {@link #ALONE}
   * where it names none.
   *
   * @throws DistributedException when the environment is incomplete, or the others cannot be
   *     reached in time
   */
  static ProcessGroup join(Map<String, String> environment, GroupOptions options) {
    Optional<Launch> launch = Launch.of(environment);
    return launch.isEmpty() || launch.get().size() == 1
        ? ALONE
        : TorchGroup.join(launch.get(), options, environment);
  }

  /** This process's number, from 0. */
  int rank();

  /** How many processes there are. */
  int size();

  /** This process's number on its machine, which is also its GPU's. */
  int localRank();

  /** How many processes share this machine. */
  int localSize();

  /** Whether this is the rank that writes the run's files. */
  default boolean first() {
    return rank() == 0;
  }

  /**
   * Gives every rank what each of them has.
   *
   * @param what is exchanged, for messages
   * @return in the order of ranks
   */
  List<byte[]> gather(String what, byte[] mine);

  /** What the first rank says, on all ranks. */
  default String ofFirst(String what, String mine) {
    byte[] bytes = first() ? mine.getBytes(StandardCharsets.UTF_8) : new byte[0];
    return new String(gather(what, bytes).get(0), StandardCharsets.UTF_8);
  }

  /** Whether a condition holds on any rank. */
  default boolean any(String what, boolean mine) {
    return gather(what, new byte[] {(byte) (mine ? 1 : 0)}).stream().anyMatch(b -> b[0] != 0);
  }

  /**
   * Sums a tensor over the ranks, in place. The sum is a tree over neighbouring ranks, (0+1)+(2+3),
   * so it has the same bits on every rank and in every run; NCCL on GPUs sums in an order of its
   * own.
   *
   * @param values contiguous, of the same shape on all ranks
   */
  void sum(String what, Tensor values);

  /**
   * Does the first half of {@link #sum}: each rank's shard of {@code values} becomes the sum, and
   * the rest is left undefined.
   */
  void sumShards(String what, Tensor values, Shards shards);

  /** Does the second half of {@link #sum}: gives every rank the shards of the others. */
  void spreadShards(String what, Tensor values, Shards shards);

  /**
   * Does nothing while all is well.
   *
   * @throws DistributedException when another rank has reported its failure; long work between
   *     exchanges calls this now and then
   */
  void checkOthers();

  /**
   * Tells the others that this rank fails, so that they need not wait for it.
   *
   * @return whether it is the first to say so; otherwise the user hears of it from another
   */
  boolean fail(Throwable cause);

  /** Leaves the group; waits for the others to come here unless it has failed. */
  @Override
  void close();
}
