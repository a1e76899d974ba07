package org.hirengine.engine.plan;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.hirengine.engine.config.ConfigException;
import org.hirengine.engine.config.TrainConfig;
import org.hirengine.engine.config.TrainSection;
import org.hirengine.engine.config.TrainSection.Recompute;
import org.hirengine.engine.gguf.GgmlType;
import org.hirengine.engine.gguf.GgufFixture;
import org.hirengine.engine.model.ModelConfig;
import org.hirengine.engine.runtime.NativeExecutor;
import org.hirengine.kernels.Device;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PlannerTest {

  private static final Pattern RESULT = Pattern.compile("PLANNED (\\d+) MEASURED (\\d+)");
  private static final long GIB = 1L << 30;

  @TempDir Path temp;

  /** Four shapes: even, wide with an untied head, deep and narrow, and with long responses. */
  private static ObjectNode shape(String name) {
    ObjectNode json = new ObjectMapper().createObjectNode();
    json.put("rms_norm_eps", 1e-6).put("rope_theta", 10000.0).put("max_position_embeddings", 4096);
    json.put("initializer_range", 0.02).put("tie_word_embeddings", !name.equals("wide"));
    switch (name) {
      case "even" -> sizes(json, "qwen3", 16384, 512, 1536, 8, 8, 4, 64);
      case "wide" -> sizes(json, "llama", 12000, 896, 2432, 3, 14, 2, 64);
      case "deep" -> sizes(json, "qwen2", 4096, 256, 1024, 18, 4, 4, 64);
      case "long" -> sizes(json, "qwen3", 32000, 384, 1024, 6, 6, 3, 128);
      default -> throw new IllegalArgumentException(name);
    }
    return json;
  }

  private static void sizes(ObjectNode json, String type, int... n) {
    json.put("model_type", type).put("vocab_size", n[0]).put("hidden_size", n[1]);
    json.put("intermediate_size", n[2]).put("num_hidden_layers", n[3]);
    json.put("num_attention_heads", n[4]).put("num_key_value_heads", n[5]).put("head_dim", n[6]);
  }

  /** A file of 8-bit blocks, to lay an adapter on. */
  private Path blocks() throws IOException {
    long width = 640;
    long wide = 1920;
    long keys = 320;
    long layers = 8;
    GgufFixture fixture = new GgufFixture("llama").matrices(GgmlType.Q8_0);
    fixture.own("embedding_length", width).own("feed_forward_length", wide);
    fixture.own("attention.head_count", 10L).own("attention.head_count_kv", keys / 64);
    fixture.own("block_count", layers).own("context_length", 4096L);
    fixture.tensor("token_embd.weight", GgufFixture.ROWS, width);
    fixture.tensor("output_norm.weight", width);
    for (int i = 0; i < layers; i++) {
      String layer = "blk." + i + ".";
      fixture.tensor(layer + "attn_norm.weight", width).tensor(layer + "ffn_norm.weight", width);
      fixture.tensor(layer + "attn_q.weight", width, width);
      fixture.tensor(layer + "attn_k.weight", keys, width);
      fixture.tensor(layer + "attn_v.weight", keys, width);
      fixture.tensor(layer + "attn_output.weight", width, width);
      fixture.tensor(layer + "ffn_gate.weight", wide, width);
      fixture.tensor(layer + "ffn_up.weight", wide, width);
      fixture.tensor(layer + "ffn_down.weight", width, wide);
    }
    return fixture.write(temp.resolve("base.gguf"));
  }

  private static TrainConfig config(String... settings) {
    return TrainConfig.of(
        Stream.concat(
                Stream.of("model=m", "data.train=d", "out=o", "kl.beta=0"), Stream.of(settings))
            .toList());
  }

  /** Within a tenth of the highest resident memory of a process that takes the planned step. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "even | dtype=bfloat16 train.micro_tokens=1280",
        "even | dtype=bfloat16 train.recompute=layers optim.masters=split optim.moments=bfloat16",
        "wide | dtype=bfloat16 optim.masters=split optim.moments=int8 kl.beta=0.1",
        "wide | dtype=float32 train.micro_tokens=320",
        "deep | dtype=bfloat16 optim.moments=bfloat16 optim.offload=cpu",
        "deep | dtype=float32 train.recompute=layers kl.beta=0.1",
        "long | dtype=float32 train.micro_tokens=1024 limits.response=448 train.prompts=1",
        "long | dtype=bfloat16 optim.masters=split optim.moments=int8 limits.response=448"
            + " train.prompts=1 sampling.cache_gib=0.02",
        "long | dtype=float32 train.micro_tokens=1024 limits.response=448 sampling.cache_gib=0.05",
        "even | dtype=bfloat16 lora.rank=8 kl.beta=0.1",
        "long | dtype=bfloat16 lora.rank=16 limits.response=448 train.prompts=1"
            + " train.recompute=layers",
        "blocks | dtype=bfloat16 lora.rank=8 limits.response=192",
      })
  void isCloseToTheMeasuredPeak(String shape, String settings) throws Exception {
    Path model;
    if (shape.equals("blocks")) {
      model = blocks();
    } else {
      model = temp.resolve("config.json");
      Files.writeString(model, shape(shape).toString());
    }
    String path =
        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xms400m",
                "-Xmx400m",
                "-XX:+AlwaysPreTouch",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-cp",
                path,
                PlannedStep.class.getName(),
                model.toString(),
                "train.prompts=4",
                "train.group=4",
                "replay.sampled=4",
                "limits.prompt=64",
                "limits.response=64",
                "kl.beta=0"));
    command.addAll(List.of(settings.strip().split(" ")));
    Path log = temp.resolve("log");
    Process child =
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile()).start();
    assertTrue(child.waitFor(300, TimeUnit.SECONDS), "the child did not end");
    String said = Files.readString(log);
    Matcher result = RESULT.matcher(said);
    assertTrue(result.find(), said);
    double planned = Long.parseLong(result.group(1));
    double measured = Long.parseLong(result.group(2));
    System.out.printf(
        "memory plan, %s, %s: planned %.3f GiB, measured %.3f (%+.1f%%)%n",
        shape, settings, planned / GIB, measured / GIB, 100 * (planned / measured - 1));
    assertEquals(1, planned / measured, 0.1, said);
  }

  private static MemoryPlan decide(long available, String... settings) {
    ModelConfig model = ModelConfig.parse("even", shape("even"));
    try (NativeExecutor executor = new NativeExecutor(1)) {
      return executor.call(
          () ->
              new Planner(model, Device.Kind.CPU, sizes(), 1, GIB / 2)
                  .decide(config(settings), available));
    }
  }

  @Test
  void takesTheLargestMicroBatchThatFitsAndRecomputesLast() {
    String[] given = {"dtype=bfloat16", "limits.prompt=512", "limits.response=512"};
    MemoryPlan roomy = decide(64 * GIB, given);
    assertEquals(16384, roomy.config().train().microTokens());
    assertEquals(Recompute.NONE, roomy.config().train().recompute());
    assertEquals(4.0, roomy.config().sampling().cacheGib());
    int before = 16384;
    Recompute last = Recompute.NONE;
    for (double gib = 8; gib > 1.5; gib *= 0.9) {
      MemoryPlan plan = decide((long) (gib * GIB), given);
      TrainSection train = plan.config().train();
      if (plan.peak() <= gib * GIB) {
        boolean switched = last == Recompute.NONE && train.recompute() == Recompute.LAYERS;
        assertTrue(train.tokensAtOnce() <= before || switched, plan.table().toString());
        assertTrue(last == Recompute.NONE || train.recompute() == Recompute.LAYERS);
      }
      before = train.tokensAtOnce();
      last = train.recompute();
    }
    assertEquals(Recompute.LAYERS, last);
  }

  /** How many of 64 rows a cache holds if all become as long as they may, and if none does. */
  @Test
  void rowsFollowTheCache() {
    String[] given = {
      "dtype=bfloat16",
      "train.prompts=8",
      "replay.sampled=8",
      "limits.prompt=128",
      "limits.response=128",
      "train.micro_tokens=1024",
      "train.recompute=false"
    };
    long page = 8L * 4 * 2 * 64 * 32 * 2; // layers, heads, keys and values, size, tokens, bytes
    // A prompt has four pages for its eight rows, and each of them at most four of its own.
    int[][] cases = {{12, 2}, {19, 3}, {20, 4}, {36, 8}, {44, 9}, {72, 16}, {288, 64}, {400, 64}};
    for (int[] one : cases) {
      int pages = one[0];
      String cache = "sampling.cache_gib=" + (double) pages * page / GIB;
      MemoryPlan plan =
          decide(
              64 * GIB, Stream.concat(Stream.of(given), Stream.of(cache)).toArray(String[]::new));
      assertEquals(one[1], plan.rows(), pages + " pages");
      assertEquals(Math.min(64, pages), plan.mostRows());
      long kept = Math.min(pages, 8 * 36) * page;
      long part = plan.part("kv_cache");
      assertTrue(kept <= part && part < kept + (8 << 20), pages + " pages: " + part);
    }
    ConfigException e =
        assertThrows(
            ConfigException.class,
            () -> decide(64 * GIB, "limits.response=2048", "sampling.cache_gib=0.001"));
    assertTrue(e.getMessage().startsWith("sampling.cache_gib: "), e.getMessage());
  }

  @Test
  void keepsConfiguredValues() {
    MemoryPlan plan =
        decide(GIB / 2, "train.micro_tokens=3000", "train.recompute=false", "sampling.cache_gib=1");
    assertEquals(3000, plan.config().train().microTokens());
    assertEquals(Recompute.NONE, plan.config().train().recompute());
    assertEquals(1.0, plan.config().sampling().cacheGib());
    assertTrue(plan.peak() > GIB / 2);
  }

  @Test
  void remediesFitTogetherAndNameTheKeys() {
    ModelConfig model = ModelConfig.parse("even", shape("even"));
    try (NativeExecutor executor = new NativeExecutor(1)) {
      executor.run(
          () -> {
            Planner planner = new Planner(model, Device.Kind.CPU, sizes(), 1, 0);
            TrainConfig config =
                config("limits.prompt=512", "limits.response=512", "train.micro_tokens=16384");
            MemoryPlan plan = planner.decide(config, 64 * GIB);
            long most = plan.peak() / 3;
            List<Remedies.Change> changes = new Remedies(planner, most).of(plan);
            Remedies.Change last = changes.get(changes.size() - 1);
            assertTrue(last.peak() <= most, changes.toString());
            List<String> settings = new ArrayList<>(List.of("kl.beta=0"));
            settings.addAll(List.of("limits.prompt=512", "limits.response=512"));
            settings.addAll(last.settings());
            MemoryPlan again = planner.decide(config(settings.toArray(String[]::new)), most * 2);
            assertTrue(again.peak() <= most * 1.01, again.table().toString());
            assertTrue(changes.stream().anyMatch(c -> c.settings().contains("optim.moments=int8")));
          });
    }
  }

  private static Planner.Sizes sizes() {
    var kernels = org.hirengine.engine.runtime.NativeRuntime.kernels(Device.Kind.CPU);
    return kernels::modelMemory;
  }

  /** The published shape of a model with 4 billion parameters, on a card with 80 GiB. */
  @Test
  void aLargeModelFitsWithItsOptimizerOnTheHost() {
    ObjectNode json = new ObjectMapper().createObjectNode();
    json.put("max_position_embeddings", 40960).put("rms_norm_eps", 1e-6);
    json.put("rope_theta", 1e6).put("initializer_range", 0.02).put("tie_word_embeddings", true);
    sizes(json, "qwen3", 151936, 2560, 9728, 36, 32, 8, 128);
    ModelConfig model = ModelConfig.parse("4b", json);
    Planner planner = new Planner(model, Device.Kind.CUDA, (shape, work) -> Optional.empty(), 1, 0);
    String[] settings = {
      "device=cuda",
      "dtype=bfloat16",
      "limits.prompt=1024",
      "limits.response=2048",
      "train.group=8",
      "kl.beta=0.001",
      "train.micro_tokens=4096",
      "train.recompute=layers",
      "sampling.cache_gib=8"
    };
    MemoryPlan without = planner.decide(config(settings), 80 * GIB);
    assertTrue(without.peak() > 80 * GIB, String.join("\n", without.table()));
    assertEquals(0, without.hostBytes());
    List<Remedies.Change> changes = new Remedies(planner, 80 * GIB).of(without);
    Remedies.Change offload =
        changes.stream()
            .filter(c -> c.settings().equals(List.of("optim.offload=cpu")))
            .findFirst()
            .orElseThrow();
    assertTrue(offload.peak() <= 80 * GIB, changes.toString());

    String[] more =
        Stream.concat(Stream.of(settings), Stream.of("optim.offload=cpu")).toArray(String[]::new);
    MemoryPlan with = planner.decide(config(more), 80 * GIB);
    assertTrue(with.peak() <= 80 * GIB, with.table().toString());
    assertEquals(0, with.part("masters") + with.part("moments"));
    // 4.02 billion parameters: 4 bytes of masters and 8 of moments each, and little beside them.
    double parameters = 4_022_468_096d;
    assertEquals(12 * parameters, with.hostBytes(), 0.002 * 12 * parameters);
    MemoryPlan.Transfers transfers = Objects.requireNonNull(with.transfers());
    assertEquals(4 * parameters, transfers.down(), 0.001 * parameters);
    assertEquals(2 * parameters, transfers.up(), 0.001 * parameters);
    assertEquals(4 * parameters / 25e9, transfers.seconds(), 0.01);
    assertEquals(
        with.hostBytes() / (double) GIB,
        with.json().get("host_gib").get("together").asDouble(),
        1e-3);
    assertTrue(with.table().stream().anyMatch(l -> l.contains("at 25 GB/s each way")));

    // Half of a split master is the weight itself, which is then copied down, too.
    MemoryPlan split =
        planner.decide(
            config(
                Stream.concat(
                        Stream.of(more), Stream.of("optim.masters=split", "optim.moments=int8"))
                    .toArray(String[]::new)),
            80 * GIB);
    assertEquals(
        6 * parameters, Objects.requireNonNull(split.transfers()).down(), 0.001 * parameters);
    assertEquals(4.04 * parameters, split.hostBytes(), 0.2 * parameters);
  }

  /** Plans for a card that this machine lacks, with estimated activations. */
  @Test
  void plansForADeviceThatIsNotThere() throws IOException {
    ModelConfig model = ModelConfig.parse("even", shape("even"));
    Planner planner = new Planner(model, Device.Kind.CUDA, (shape, work) -> Optional.empty(), 1, 0);
    MemoryPlan plan = planner.decide(config("device=cuda", "dtype=bfloat16"), 80 * GIB);
    assertTrue(plan.estimated());
    assertEquals(0, plan.part("java_heap"));
    assertTrue(plan.json().get("peak_gib").asDouble() > 1, plan.json().toString());
    assertTrue(plan.json().get("parts_gib").has("moments"), plan.json().toString());

    // LibTorch's operators keep the base and its sums with the adapter; the reference is a copy.
    MemoryPlan adapted =
        planner.decide(config("device=cuda", "dtype=bfloat16", "lora.rank=8"), 80 * GIB);
    assertEquals(2 * plan.part("weights"), adapted.part("weights"), 0.05 * plan.part("weights"));
    MemoryPlan compared =
        planner.decide(
            config("device=cuda", "dtype=bfloat16", "lora.rank=8", "kl.beta=0.1"), 80 * GIB);
    assertEquals(plan.part("weights"), compared.part("reference"));
  }
}
