package org.hirengine.engine.distributed;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.IntStream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.javacpp.chrono.Milliseconds;
import org.bytedeco.pytorch.BroadcastOptions;
import org.bytedeco.pytorch.GlooDeviceVector;
import org.bytedeco.pytorch.ProcessGroupGloo;
import org.bytedeco.pytorch.ReduceOptions;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.Work;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.bytedeco.pytorch.gloo.Device;
import org.bytedeco.pytorch.nccl.ProcessGroupNCCL;
import org.hirengine.engine.runtime.NativeRuntime;
import org.hirengine.engine.runtime.Tensors;
import org.hirengine.kernels.Device.Kind;
import org.jspecify.annotations.Nullable;

/** Ranks over torch.distributed's process groups: Gloo between CPUs, NCCL between GPUs. */
final class TorchGroup implements ProcessGroup {

  /** Elements summed at a time, which bounds the memory for what the others send. */
  private static final long PIECE = 4L << 20;

  private static final long POLL_MILLIS = 20;

  private final Launch launch;
  private final RankStore store;
  private final Pulse pulse;
  private final ProcessGroupGloo gloo;
  private final @Nullable ProcessGroupNCCL nccl;
  private boolean broken;
  private boolean closed;

  private TorchGroup(
      Launch launch,
      RankStore store,
      Pulse pulse,
      ProcessGroupGloo gloo,
      @Nullable ProcessGroupNCCL nccl) {
    this.launch = launch;
    this.store = store;
    this.pulse = pulse;
    this.gloo = gloo;
    this.nccl = nccl;
  }

  static TorchGroup join(Launch launch, GroupOptions options, Map<String, String> environment) {
    NativeRuntime.load(options.threads());
    Duration timeout = options.timeout();
    RankStore store = RankStore.join(launch, timeout);
    Pulse pulse = null;
    try {
      pulse = new Pulse(launch, RankStore.again(launch, timeout), timeout);
      awaitAll(launch, store, timeout);
      ProcessGroupGloo gloo = gloo(launch, store, timeout, environment);
      ProcessGroupNCCL nccl =
          options.device() == Kind.CUDA
              ? new ProcessGroupNCCL(store.torch(), launch.rank(), launch.size())
              : null;
      return new TorchGroup(launch, store, pulse, gloo, nccl);
    } catch (RuntimeException e) {
      RuntimeException told =
          pulse == null || e instanceof DistributedException ? e : pulse.explain(e);
      if (pulse != null) {
        pulse.close();
      }
      store.close();
      throw told;
    }
  }

  /** Gloo would wait too, but name no rank. */
  private static void awaitAll(Launch launch, RankStore store, Duration timeout) {
    store.set("here/" + launch.rank(), "");
    long deadline = System.nanoTime() + timeout.toNanos();
    int awaited = 0; // one question a time, however many ranks ask
    while (true) {
      while (isHere(store, awaited)) {
        if (++awaited == launch.size()) {
          return;
        }
      }
      if (System.nanoTime() > deadline) {
        throw absent(launch, store, awaited, timeout);
      }
      try {
        Thread.sleep(POLL_MILLIS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new DistributedException("interrupted while waiting for the other ranks", "", true);
      }
    }
  }

  private static boolean isHere(RankStore store, int rank) {
    return store.get("here/" + rank) != null;
  }

  /** The first rank that has come says so. */
  private static DistributedException absent(
      Launch launch, RankStore store, int awaited, Duration timeout) {
    List<Integer> absent =
        IntStream.range(awaited, launch.size())
            .filter(rank -> rank == awaited || !isHere(store, rank))
            .boxed()
            .toList();
    boolean toldByAnother =
        IntStream.range(0, launch.rank()).anyMatch(rank -> !absent.contains(rank));
    return new DistributedException(
        "%s did not come to the store at %s:%d within %d s"
            .formatted(launch.names(absent), launch.address(), launch.port(), timeout.toSeconds()),
        "see why it did not start, or raise distributed.timeout",
        toldByAnother);
  }

  private static ProcessGroupGloo gloo(
      Launch launch, RankStore store, Duration timeout, Map<String, String> environment) {
    try (PointerScope scope = new PointerScope()) {
      ProcessGroupGloo.Options options =
          ProcessGroupGloo.Options.create(new Milliseconds(timeout.toMillis()));
      options.devices(new GlooDeviceVector(devices(launch, environment)));
      ProcessGroupGloo gloo =
          new ProcessGroupGloo(store.torch(), launch.rank(), launch.size(), options);
      gloo.retainReference();
      return gloo;
    }
  }

  /**
   * The interfaces named by GLOO_SOCKET_IFNAME, which torch reads only in Python. Without the
   * variable, the loopback if all ranks are on one machine, otherwise the interface that the
   * machine's name resolves to.
   */
  private static Device[] devices(Launch launch, Map<String, String> environment) {
    String names = environment.get("GLOO_SOCKET_IFNAME");
    if (names != null && !names.isBlank()) {
      return Arrays.stream(names.split(","))
          .map(name -> interfaceNamed(name.strip()))
          .toArray(Device[]::new);
    }
    return new Device[] {
      launch.oneMachine()
          ? ProcessGroupGloo.createDeviceForHostname("127.0.0.1")
          : ProcessGroupGloo.createDefaultDevice()
    };
  }

  private static Device interfaceNamed(String name) {
    try {
      return ProcessGroupGloo.createDeviceForInterface(name);
    } catch (RuntimeException e) {
      DistributedException named =
          new DistributedException(
              "GLOO_SOCKET_IFNAME names '"
                  + name
                  + "', which Gloo cannot use: "
                  + RankStore.firstLine(e.getMessage()),
              "name interfaces of this machine (ip link shows them), separated by commas");
      named.initCause(e);
      throw named;
    }
  }

  @Override
  public int rank() {
    return launch.rank();
  }

  @Override
  public int size() {
    return launch.size();
  }

  @Override
  public int localRank() {
    return launch.localRank();
  }

  @Override
  public int localSize() {
    return launch.localSize();
  }

  @Override
  public List<byte[]> gather(String what, byte[] mine) {
    List<byte[]> all = new ArrayList<>();
    exchange(
        what,
        () -> {
          long[] lengths = lengths(mine.length);
          long longest = Arrays.stream(lengths).max().orElse(0);
          // One byte more, so that there is something to exchange even if all values are empty.
          long room = 1 + longest;
          Tensor sent = Tensors.empty(ScalarType.Byte, room);
          Tensor received = Tensors.empty(ScalarType.Byte, room * size());
          Tensors.bytes(sent, 0, (int) room).put(mine);
          await(gloo._allgather_base(received, sent));
          for (int rank = 0; rank < size(); rank++) {
            byte[] part = new byte[(int) lengths[rank]];
            Tensors.bytes(received, rank * room, (int) room).get(part);
            all.add(part);
          }
        });
    return all;
  }

  private long[] lengths(long mine) {
    Tensor received = Tensors.empty(ScalarType.Long, size());
    await(gloo._allgather_base(received, Tensors.of(mine)));
    return Tensors.longs(received);
  }

  @Override
  public void sum(String what, Tensor values) {
    exchange(
        what,
        () -> {
          Tensor flat = values.view(-1);
          if (onGpu(flat)) {
            await(Objects.requireNonNull(nccl).allreduce(new TensorVector(flat)));
            return;
          }
          Shards even = Shards.of(this, flat.numel(), size(), bound -> bound);
          reduce(flat, even);
          spread(flat, even);
        });
  }

  @Override
  public void sumShards(String what, Tensor values, Shards shards) {
    exchange(what, () -> reduce(values.view(-1), shards));
  }

  @Override
  public void spreadShards(String what, Tensor values, Shards shards) {
    exchange(what, () -> spread(values.view(-1), shards));
  }

  private boolean onGpu(Tensor values) {
    return nccl != null && values.is_cuda();
  }

  /** What NCCL does with the shard of a rank. */
  private interface Collective {
    Work start(ProcessGroupNCCL nccl, TensorVector shard, int owner);
  }

  /**
   * NCCL's collectives need equal shards, so each shard is a separate call; the calls run
   * concurrently.
   */
  private void eachShard(Tensor flat, Shards shards, Collective collective) {
    List<Work> works = new ArrayList<>();
    for (int owner = 0; owner < size(); owner++) {
      Tensor shard = shard(flat, shards, owner);
      if (shard.numel() > 0) {
        works.add(collective.start(Objects.requireNonNull(nccl), new TensorVector(shard), owner));
      }
    }
    works.forEach(TorchGroup::await);
  }

  private static Tensor shard(Tensor flat, Shards shards, int rank) {
    return flat.narrow(0, shards.begin(rank), shards.begin(rank + 1) - shards.begin(rank));
  }

  /**
   * Sums this rank's shard. On CPUs every rank sends its part to every other, which moves as many
   * bytes as a ring but lets us choose the order of the sum.
   */
  private void reduce(Tensor flat, Shards shards) {
    if (onGpu(flat)) {
      eachShard(
          flat,
          shards,
          (group, shard, owner) -> group.reduce(shard, new ReduceOptions().rootRank(owner)));
      return;
    }
    long most = 0;
    for (int rank = 0; rank < size(); rank++) {
      most = Math.max(most, shards.begin(rank + 1) - shards.begin(rank));
    }
    Tensor room = Tensors.empty(Tensors.dtype(flat), size(), Math.min(PIECE, Math.max(1, most)));
    for (long at = 0; at < most; at += PIECE) {
      try (PointerScope scope = new PointerScope()) {
        List<Work> works = new ArrayList<>();
        Tensor mine = piece(shard(flat, shards, rank()), at);
        Tensor[] parts = new Tensor[size()];
        for (int peer = 0; peer < size(); peer++) {
          if (peer == rank()) {
            parts[peer] = mine;
            continue;
          }
          Tensor theirs = piece(shard(flat, shards, peer), at);
          parts[peer] = room.select(0, peer).narrow(0, 0, mine.numel());
          if (theirs.numel() > 0) {
            works.add(gloo.send(new TensorVector(theirs), peer, 0));
          }
          if (mine.numel() > 0) {
            works.add(gloo.recv(new TensorVector(parts[peer]), peer, 0));
          }
        }
        works.forEach(TorchGroup::await);
        if (mine.numel() > 0) {
          Tensor sum = treeSum(parts, 0, parts.length);
          if (sum.data_ptr().address() != mine.data_ptr().address()) {
            mine.copy_(sum);
          }
        }
      }
    }
  }

  private static Tensor piece(Tensor shard, long at) {
    long from = Math.min(at, shard.numel());
    return shard.narrow(0, from, Math.min(PIECE, shard.numel() - from));
  }

  /** Adds into the first part of each branch; the largest power of two goes left. */
  private static Tensor treeSum(Tensor[] parts, int from, int to) {
    if (to - from == 1) {
      return parts[from];
    }
    int middle = from + Integer.highestOneBit(to - from - 1);
    Tensor sum = treeSum(parts, from, middle);
    sum.add_(treeSum(parts, middle, to));
    return sum;
  }

  private void spread(Tensor flat, Shards shards) {
    if (onGpu(flat)) {
      eachShard(
          flat,
          shards,
          (group, shard, owner) -> group.broadcast(shard, new BroadcastOptions().rootRank(owner)));
      return;
    }
    List<Work> works = new ArrayList<>();
    Tensor mine = shard(flat, shards, rank());
    for (int peer = 0; peer < size(); peer++) {
      if (peer == rank()) {
        continue;
      }
      if (mine.numel() > 0) {
        works.add(gloo.send(new TensorVector(mine), peer, 1));
      }
      Tensor theirs = shard(flat, shards, peer);
      if (theirs.numel() > 0) {
        works.add(gloo.recv(new TensorVector(theirs), peer, 1));
      }
    }
    works.forEach(TorchGroup::await);
  }

  private static void await(Work work) {
    work._wait();
  }

  private void exchange(String what, Runnable work) {
    pulse.exchange(what);
    try (PointerScope scope = new PointerScope()) {
      work.run();
    } catch (RuntimeException e) {
      broken = true;
      throw pulse.explain(e);
    }
  }

  @Override
  public boolean claim(String work) {
    try {
      return store.count("claims/" + work) == 1;
    } catch (RuntimeException e) {
      broken = true;
      throw pulse.explain(e);
    }
  }

  @Override
  public void forget(String work) {
    store.delete("claims/" + work);
  }

  @Override
  public void checkOthers() {
    pulse.checkOthers();
  }

  @Override
  public boolean fail(Throwable cause) {
    if (broken) {
      return true; // and has reported it, or heard of it
    }
    broken = true;
    return pulse.fail(String.valueOf(cause.getMessage() == null ? cause : cause.getMessage()));
  }

  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    if (!broken && !pulse.failed()) {
      pulse.end();
      try (PointerScope scope = new PointerScope()) {
        await(gloo.barrier()); // the rank that holds the store leaves last
      } catch (RuntimeException e) {
        broken = true; // a rank failed at the very end and reports it
      }
    }
    pulse.close();
    if (!broken) { // abandoned work may still use them
      gloo.close();
      if (nccl != null) {
        nccl.close();
      }
      store.close();
    }
  }
}
