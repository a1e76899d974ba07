package org.hirengine.engine.distributed;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.TCPStore;
import org.bytedeco.pytorch.TCPStoreOptions;
import org.bytedeco.pytorch.Tensor;
import org.hirengine.engine.runtime.NativeRuntime;
import org.hirengine.engine.runtime.Tensors;
import org.hirengine.kernels.Device;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Exchanges between ranks, and what they say when a rank or its environment is at fault. */
class ProcessGroupTest {

  /** What rank {@code rank} brings; the same on every call. */
  private static float[] values(int rank, int count) {
    SplittableRandom random = new SplittableRandom(rank + 1);
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }

  /** The sum as it is promised: neighbours first, the largest power of two to the left. */
  private static float tree(float[][] values, int at, int from, int to) {
    if (to - from == 1) {
      return values[from][at];
    }
    int middle = from + 1;
    while ((middle - from) * 2 < to - from) {
      middle += middle - from;
    }
    return tree(values, at, from, middle) + tree(values, at, middle, to);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4})
  void sumsInAFixedOrder(int size) throws Exception {
    for (int count : new int[] {1, 2, 5, 10_007}) {
      float[][] all = new float[size][];
      for (int rank = 0; rank < size; rank++) {
        all[rank] = values(rank, count);
      }
      float[] expected = new float[count];
      for (int i = 0; i < count; i++) {
        expected[i] = tree(all, i, 0, size);
      }
      List<float[]> sums =
          Ranks.run(
              size,
              group -> {
                try (PointerScope scope = new PointerScope()) {
                  Tensor tensor = Tensors.of(values(group.rank(), count));
                  group.sum("test", tensor);
                  return Tensors.floats(tensor);
                }
              });
      for (float[] sum : sums) {
        assertArrayEquals(expected, sum);
      }
    }
  }

  /** More than one piece a shard, the last one shorter. */
  @Test
  void sumsLongTensorsInPieces() throws Exception {
    int count = 2 * (4 << 20) + 12_345;
    List<float[]> sums =
        Ranks.run(
            2,
            group -> {
              try (PointerScope scope = new PointerScope()) {
                Tensor tensor = Tensors.of(values(group.rank(), count));
                group.sum("test", tensor);
                return Tensors.floats(tensor);
              }
            });
    float[] first = values(0, count);
    float[] second = values(1, count);
    for (int i = 0; i < count; i++) {
      first[i] += second[i];
    }
    assertArrayEquals(first, sums.get(0));
    assertArrayEquals(first, sums.get(1));
  }

  @Test
  void givesEveryRankWhatEachHas() throws Exception {
    List<List<String>> gathered =
        Ranks.run(
            3,
            group -> {
              String mine = "x".repeat(group.rank() * 1000);
              List<byte[]> all = group.gather("test", mine.getBytes(StandardCharsets.UTF_8));
              assertEquals("0", group.ofFirst("first", "" + group.rank()));
              assertTrue(group.any("some", group.rank() == 2));
              assertEquals(false, group.any("none", false));
              return all.stream().map(b -> new String(b, StandardCharsets.UTF_8)).toList();
            });
    for (List<String> each : gathered) {
      assertEquals(List.of("", "x".repeat(1000), "x".repeat(2000)), each);
    }
  }

  @Test
  void aRankThatFailsIsNamedWithItsReason() throws Exception {
    List<String> told =
        Ranks.run(
            2,
            group -> {
              if (group.rank() == 1) {
                group.fail(new IllegalStateException("the reward of row 7 is missing\nat a place"));
                return "";
              }
              long deadline = System.nanoTime() + Duration.ofSeconds(30).toNanos();
              while (System.nanoTime() < deadline) {
                try {
                  group.checkOthers();
                } catch (DistributedException e) {
                  assertTrue(e.toldByAnother());
                  return e.getMessage();
                }
                Thread.sleep(50);
              }
              return "";
            });
    assertEquals("rank 1 of 2 failed: the reward of row 7 is missing", told.get(0));
  }

  /** torchrun holds the store itself, and a new start finds there what the last one has left. */
  @Test
  void joinsInTheStoreOfTheLauncherOnceMore() throws Exception {
    NativeRuntime.load(1);
    try (TCPStoreOptions options = new TCPStoreOptions()) {
      options.port((short) 0).isServer(true).waitWorkers(false);
      try (TCPStore agent = new TCPStore("127.0.0.1", options)) {
        int port = Short.toUnsignedInt(agent.getPort());
        Map<String, String> torchrun = new HashMap<>();
        torchrun.put("TORCHELASTIC_USE_AGENT_STORE", "True");
        torchrun.put("TORCHELASTIC_RESTART_COUNT", "0");
        Ranks.run(2, port, torchrun, group -> group.fail(new IllegalStateException("at first")));
        torchrun.put("TORCHELASTIC_RESTART_COUNT", "1");
        List<String> told =
            Ranks.run(2, port, torchrun, group -> group.ofFirst("test", "from " + group.rank()));
        assertEquals(List.of("from 0", "from 0"), told);
      }
    }
  }

  @Test
  void readsTheEnvironmentOfLaunchers() {
    assertEquals(Optional.empty(), Launch.of(Map.of("PATH", "/bin")));
    assertSame(ProcessGroup.ALONE, Ranks.join(Map.of("RANK", "0", "WORLD_SIZE", "1")));
    Map<String, String> torchrun = new HashMap<>(Ranks.environment(3, 4, 29500));
    torchrun.put("LOCAL_RANK", "1");
    torchrun.put("LOCAL_WORLD_SIZE", "2");
    torchrun.put("TORCHELASTIC_USE_AGENT_STORE", "True");
    torchrun.put("TORCHELASTIC_RESTART_COUNT", "2");
    assertEquals(
        new Launch(3, 4, 1, 2, "127.0.0.1", 29500, true, 2), Launch.of(torchrun).orElseThrow());
    Map<String, String> plain =
        Map.of("RANK", "1", "WORLD_SIZE", "2", "MASTER_ADDR", "node", "MASTER_PORT", "29500");
    assertEquals(new Launch(1, 2, 1, 2, "node", 29500, false, 0), Launch.of(plain).orElseThrow());
  }

  @Test
  void namesWhatTheEnvironmentLacks() {
    Map<String, String> environment = new HashMap<>(Ranks.environment(0, 2, 29500));
    environment.remove("MASTER_PORT");
    DistributedException e = assertThrows(DistributedException.class, () -> Launch.of(environment));
    assertEquals("the environment has RANK but no MASTER_PORT", e.getMessage());
    environment.put("MASTER_PORT", "29500");
    environment.put("RANK", "2");
    e = assertThrows(DistributedException.class, () -> Launch.of(environment));
    assertEquals("the environment's RANK is '2', not a number from 0 to 1", e.getMessage());
  }

  private static DistributedException refused(Map<String, String> environment) {
    return assertThrows(
        DistributedException.class,
        () ->
            ProcessGroup.join(
                environment, new GroupOptions(Duration.ofSeconds(1), Device.Kind.CPU, 1)));
  }

  @Test
  void namesAbsentRanksPortsInUseAndStoresThatAreNotThere() throws Exception {
    int port = Ranks.freePort();
    DistributedException absent = refused(Ranks.environment(0, 3, port));
    assertEquals(
        "ranks 1, 2 of 3 did not come to the store at 127.0.0.1:" + port + " within 1 s",
        absent.getMessage());
    DistributedException nobody = refused(Ranks.environment(1, 2, Ranks.freePort()));
    assertTrue(nobody.getMessage().startsWith("rank 1 of 2 found no store at"), nobody.toString());
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getByName("0.0.0.0"))) {
      DistributedException busy = refused(Ranks.environment(0, 2, taken.getLocalPort()));
      assertTrue(busy.getMessage().startsWith("rank 0 of 2 cannot listen at"), busy.toString());
    }
    Map<String, String> named = new HashMap<>(Ranks.environment(0, 2, Ranks.freePort()));
    named.put("GLOO_SOCKET_IFNAME", "nosuch0");
    Thread other =
        new Thread(
            () -> {
              Map<String, String> second = new HashMap<>(named);
              second.put("RANK", "1");
              second.put("LOCAL_RANK", "1");
              refused(second);
            });
    other.start();
    DistributedException device = refused(named);
    other.join();
    assertTrue(device.getMessage().contains("names 'nosuch0'"), device.toString());
  }
}
