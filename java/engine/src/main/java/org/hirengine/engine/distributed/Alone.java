package org.hirengine.engine.distributed;

import java.util.List;
import org.bytedeco.pytorch.Tensor;

/** A process without others. */
final class Alone implements ProcessGroup {

  @Override
  public int rank() {
    return 0;
  }

  @Override
  public int size() {
    return 1;
  }

  @Override
  public int localRank() {
    return 0;
  }

  @Override
  public int localSize() {
    return 1;
  }

  @Override
  public List<byte[]> gather(String what, byte[] mine) {
    return List.of(mine);
  }

  @Override
  public void sum(String what, Tensor values) {}

  @Override
  public void sumShards(String what, Tensor values, Shards shards) {}

  @Override
  public void spreadShards(String what, Tensor values, Shards shards) {}

  @Override
  public boolean claim(String work) {
    return true;
  }

  @Override
  public void forget(String work) {}

  @Override
  public void checkOthers() {}

  @Override
  public boolean fail(Throwable cause) {
    return true;
  }

  @Override
  public void close() {}
}
