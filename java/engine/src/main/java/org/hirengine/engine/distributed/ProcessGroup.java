package org.hirengine.engine.distributed;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.bytedeco.pytorch.Tensor;

/**
 * The processes ("ranks") that train one policy together, as in torch.distributed. All ranks make
 * the same calls in the same order; a call returns when all ranks have made it, or fails with a
 * {@link DistributedException} that names the rank which did not.
 *
 * <p>One thread at a time; {@link #sum} computes, and belongs on the native thread.
 */
public interface ProcessGroup extends AutoCloseable {

  /** A process without others: it exchanges only with itself, at no cost. */
  ProcessGroup ALONE = new Alone();

  /**
   * Joins the group that the environment names ({@code RANK}, {@code WORLD_SIZE}, {@code
   * MASTER_ADDR}, {@code MASTER_PORT}, as torchrun and other launchers set them); {@link #ALONE} if
   * it names none.
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
   * Gathers the value of each rank on every rank.
   *
   * @param what names the exchange in messages
   * @return the values in the order of ranks
   */
  List<byte[]> gather(String what, byte[] mine);

  /** The first rank's value, on all ranks. */
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
   * so it has the same bits on every rank and in every run; NCCL on GPUs sums in its own order.
   *
   * @param values contiguous, of the same shape on all ranks
   */
  void sum(String what, Tensor values);

  /**
   * The first half of {@link #sum}: each rank's shard of {@code values} becomes the sum, and the
   * rest is undefined.
   */
  void sumShards(String what, Tensor values, Shards shards);

  /** The second half of {@link #sum}: gives every rank the shards of the others. */
  void spreadShards(String what, Tensor values, Shards shards);

  /**
   * Claims work that any rank may do. Unlike the exchanges, ranks call it when they like.
   *
   * @param work its name, never used before
   * @return whether this rank is the first to claim it
   */
  boolean claim(String work);

  /** Forgets a claim that all ranks are done with; one rank does it. */
  void forget(String work);

  /**
   * Throws if another rank has failed; long work between exchanges calls this now and then.
   *
   * @throws DistributedException when another rank has reported its failure
   */
  void checkOthers();

  /**
   * Tells the others that this rank fails, so that they do not wait for it.
   *
   * @return whether it is the first to report; otherwise another rank tells the user
   */
  boolean fail(Throwable cause);

  /** Leaves the group; unless it has failed, waits until the others leave too. */
  @Override
  void close();
}
