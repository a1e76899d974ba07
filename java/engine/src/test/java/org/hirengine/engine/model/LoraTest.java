package org.hirengine.engine.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.hirengine.engine.config.TrainConfig;
import org.hirengine.engine.convert.ModelConverter;
import org.hirengine.engine.convert.ModelConverter.Storage;
import org.hirengine.engine.gguf.GgmlType;
import org.hirengine.engine.gguf.GgufFixture;
import org.hirengine.engine.libtorch.LibTorchKernelProvider;
import org.hirengine.engine.model.ForwardPass.Activations;
import org.hirengine.engine.plan.Planner;
import org.hirengine.engine.runtime.GradMode;
import org.hirengine.engine.runtime.NativeRuntime;
import org.hirengine.engine.runtime.Tensors;
import org.hirengine.kernels.DType;
import org.hirengine.kernels.Device;
import org.hirengine.kernels.Kernels;
import org.hirengine.testing.SharedData;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Adapters compared with PEFT's results and with dense gradients, and through files. */
class LoraTest {

  private static final int LENGTH = 28;

  @TempDir Path folder;

  private static Path peft(String name) {
    return SharedData.require("golden/peft/" + name);
  }

  private static Path base(String name) {
    return SharedData.require("golden/models/" + name.replaceAll("-.*", "") + "-tiny");
  }

  /** LibTorch's operators, or this machine's best kernels. */
  private static Kernels kernels(String provider) {
    return provider.equals("libtorch")
        ? new LibTorchKernelProvider().kernels()
        : NativeRuntime.kernels(Device.Kind.CPU);
  }

  private static Policy open(
      String provider, Path model, Policy.Options options, Lora.@Nullable Source adapter) {
    NativeRuntime.load();
    return PolicyFiles.open(model, ModelConfig.read(model), options, kernels(provider), adapter);
  }

  /** The two golden rows without padding, and which next tokens are known. */
  private record Rows(PackedBatch batch, int[] row, int[] place, int[] target) {

    static Rows of(Safetensors golden) {
      long[] ids = GoldenModel.longs(golden, "input_ids");
      long[] mask = GoldenModel.longs(golden, "attention_mask");
      int[] packed = new int[2 * LENGTH];
      int[] lengths = new int[2];
      int[] row = new int[2 * LENGTH];
      int[] place = new int[2 * LENGTH];
      int[] target = new int[2 * LENGTH];
      int count = 0;
      int predictions = 0;
      for (int r = 0; r < 2; r++) {
        for (int t = 0; t < LENGTH; t++) {
          if (mask[r * LENGTH + t] == 0) {
            continue;
          }
          if (lengths[r] > 0) {
            row[predictions] = count - 1;
            place[predictions] = r * (LENGTH - 1) + t - 1;
            target[predictions++] = (int) ids[r * LENGTH + t];
          }
          packed[count++] = (int) ids[r * LENGTH + t];
          lengths[r]++;
        }
      }
      return new Rows(
          new PackedBatch(Arrays.copyOf(packed, count), lengths),
          Arrays.copyOf(row, predictions),
          Arrays.copyOf(place, predictions),
          Arrays.copyOf(target, predictions));
    }

    float[] at(float[] golden) {
      float[] values = new float[place.length];
      for (int i = 0; i < place.length; i++) {
        values[i] = golden[place[i]];
      }
      return values;
    }
  }

  private static float[] logprobs(Policy policy, Rows rows) {
    try (PointerScope scope = new PointerScope();
        ForwardPass pass = policy.passes().forward(rows.batch(), Activations.NONE)) {
      float[] logits = Tensors.floats(policy.passes().logits(pass.hidden()));
      int vocabulary = policy.config().vocabSize();
      float[] values = new float[rows.row().length];
      for (int i = 0; i < values.length; i++) {
        int from = rows.row()[i] * vocabulary;
        double sum = 0;
        for (int v = 0; v < vocabulary; v++) {
          sum += Math.exp(logits[from + v]);
        }
        values[i] = (float) (logits[from + rows.target()[i]] - Math.log(sum));
      }
      return values;
    }
  }

  /** Adds the gradients of -sum(weights * logprobs) / 2. */
  private static void backward(Policy policy, Rows rows, float[] weights, Activations activations) {
    try (PointerScope scope = new PointerScope();
        ForwardPass pass = policy.passes().forward(rows.batch(), activations)) {
      int vocabulary = policy.config().vocabSize();
      float[] logits = Tensors.floats(policy.passes().logits(pass.hidden()).to(ScalarType.Float));
      float[] gradient = new float[logits.length];
      for (int i = 0; i < rows.row().length; i++) {
        int from = rows.row()[i] * vocabulary;
        double sum = 0;
        for (int v = 0; v < vocabulary; v++) {
          sum += Math.exp(logits[from + v]);
        }
        for (int v = 0; v < vocabulary; v++) {
          double hit = v == rows.target()[i] ? 1 : 0;
          gradient[from + v] = (float) (-weights[i] / 2 * (hit - Math.exp(logits[from + v]) / sum));
        }
      }
      Tensor flow =
          Tensors.of(gradient)
              .view(rows.batch().tokens(), vocabulary)
              .to(Tensors.type(policy.passes().logitType()));
      pass.backward(policy.passes().headBackward(flow, pass.hidden()));
    }
  }

  @ParameterizedTest
  @CsvSource({
    "qwen3-all-r4, kernels", "qwen3-all-r4, libtorch",
    "qwen3-attention-rslora, kernels", "qwen3-attention-rslora, libtorch",
    "qwen3-patterns, kernels", "qwen3-patterns, libtorch",
    "llama3-regex, kernels", "llama3-regex, libtorch",
    "qwen2-all-linear, kernels", "qwen2-all-linear, libtorch",
    "qwen3-some-layers, kernels", "qwen3-some-layers, libtorch",
  })
  void asPeftComputes(String name, String provider) throws IOException {
    Path adapter = peft(name);
    try (Safetensors golden = Safetensors.open(adapter.resolve("golden.safetensors"));
        Safetensors gradients = Safetensors.open(adapter.resolve("golden_grads.safetensors"));
        Policy policy = open(provider, base(name), Policy.Options.TRAINABLE, Lora.at(adapter))) {
      Rows rows = Rows.of(golden);
      assertArrayEquals(
          rows.at(GoldenModel.floats(golden, "logprobs")), logprobs(policy, rows), 1e-4f);
      float[] weights = rows.at(GoldenModel.floats(golden, "weights"));
      for (Activations activations : List.of(Activations.KEEP, Activations.RECOMPUTE)) {
        policy.zeroGradients();
        backward(policy, rows, weights, activations);
        assertEquals(gradients.names(), policy.parameterGradients().keySet());
        policy
            .parameterGradients()
            .forEach(
                (key, gradient) -> {
                  float[] want = GoldenModel.floats(gradients, key);
                  double norm = 0;
                  for (float g : want) {
                    norm += (double) g * g;
                  }
                  assertArrayEquals(
                      want, Tensors.floats(gradient), (float) (1e-4 * Math.sqrt(norm)), key);
                });
      }
      try (Policy reference = policy.reference(null);
          Policy start = policy.reference(policy.lora())) {
        float[] off = rows.at(GoldenModel.floats(golden, "logprobs_off"));
        float[] with = logprobs(policy, rows);
        assertArrayEquals(off, logprobs(reference, rows), 1e-4f);
        // Both alternate on one kernel.
        assertArrayEquals(with, logprobs(start, rows), 0f);
        assertArrayEquals(with, logprobs(policy, rows), 0f);
        assertArrayEquals(off, logprobs(reference, rows), 1e-4f);
      }
      PolicyFiles.save(policy, DType.FLOAT32, folder.resolve("again"));
      Path merged = folder.resolve("merged");
      ModelConverter.convert(base(name), merged, Storage.F32, Lora.at(adapter));
      try (Policy again =
              open(provider, base(name), Policy.Options.FROZEN, Lora.at(folder.resolve("again")));
          Policy one = open(provider, merged, Policy.Options.FROZEN, null)) {
        assertArrayEquals(logprobs(policy, rows), logprobs(again, rows), 0f);
        assertArrayEquals(
            rows.at(GoldenModel.floats(golden, "logprobs_merged")), logprobs(one, rows), 1e-4f);
      }
      SharedData.counted("golden/peft", 1);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "refuse-dora, qwen3, use_dora",
    "refuse-bias, qwen2, bias",
    "refuse-modules-to-save, qwen3, modules_to_save",
    "refuse-embedding, qwen3, embed_tokens",
  })
  void whatIsNotDoneIsRefusedByName(String name, String model, String field) {
    Path adapter = peft(name);
    ModelException e =
        assertThrows(
            ModelException.class,
            () -> PolicyFiles.adapted(base(model), Policy.Options.FROZEN, Lora.at(adapter)));
    assertTrue(e.getMessage().contains("adapter_config.json"), e.getMessage());
    assertTrue(e.getMessage().contains(field), e.getMessage());
    SharedData.counted("golden/peft refusals", 1);
  }

  /** As GGUF files number them. */
  private static final Map<GgmlType, Integer> IDS =
      Map.ofEntries(
          Map.entry(GgmlType.F16, 1),
          Map.entry(GgmlType.Q4_0, 2),
          Map.entry(GgmlType.Q4_1, 3),
          Map.entry(GgmlType.Q5_0, 6),
          Map.entry(GgmlType.Q5_1, 7),
          Map.entry(GgmlType.Q8_0, 8),
          Map.entry(GgmlType.Q2_K, 10),
          Map.entry(GgmlType.Q3_K, 11),
          Map.entry(GgmlType.Q4_K, 12),
          Map.entry(GgmlType.Q5_K, 13),
          Map.entry(GgmlType.Q6_K, 14),
          Map.entry(GgmlType.BF16, 30));

  /** Those that native code decodes. */
  private static final Set<GgmlType> MAPPED =
      Set.of(
          GgmlType.F16, GgmlType.BF16, GgmlType.Q8_0, GgmlType.Q4_0, GgmlType.Q4_K, GgmlType.Q6_K);

  private static final DType[] TYPES = {DType.FLOAT32, DType.BFLOAT16};

  private static Policy adapted(ModelConfig config, DType type, String provider) {
    NativeRuntime.load();
    Policy policy =
        InitialWeights.random(
            config,
            new Policy.Options(Device.CPU, type, true),
            3,
            kernels(provider),
            Lora.fresh(LoraConfig.of(5, 7, "q,v,o,gate,down"), 11));
    // B starts at zero, so A's gradients do too.
    Random random = new Random(5);
    for (Tensor parameter : policy.parameters().values()) {
      try (GradMode off = GradMode.disabled();
          PointerScope scope = new PointerScope()) {
        float[] drawn = new float[Math.toIntExact(parameter.numel())];
        for (int i = 0; i < drawn.length; i++) {
          drawn[i] = (float) (0.1 * random.nextGaussian());
        }
        parameter.copy_(Tensors.of(drawn).view(Tensors.shape(parameter)));
      }
    }
    policy.weightsChanged();
    return policy;
  }

  /** dB = s dW A^T and dA = s B^T dW, where dW is the gradient of the merged weights. */
  @ParameterizedTest
  @ValueSource(strings = {"kernels", "libtorch"})
  void gradientsFollowFromTheMergedWeights(String provider) {
    for (DType type : TYPES) {
      for (String family : List.of("qwen2", "qwen3", "llama", "mistral")) {
        ModelConfig config = TestModels.config(family, 50, 0.3);
        Rows rows = rows(50);
        float[] weights = new float[rows.row().length];
        Random random = new Random(2);
        for (int i = 0; i < weights.length; i++) {
          weights[i] = (float) random.nextGaussian();
        }
        try (Policy policy = adapted(config, type, provider);
            Policy dense = InitialWeights.random(config, Policy.Options.TRAINABLE, 3)) {
          policy.zeroGradients();
          backward(policy, rows, weights, Activations.KEEP);
          Map<String, float[]> a = new HashMap<>();
          Map<String, float[]> b = new HashMap<>();
          for (Map.Entry<String, Lora.Part> part : policy.lora().parts().entrySet()) {
            a.put(part.getKey(), Tensors.floats(part.getValue().a()));
            b.put(part.getKey(), Tensors.floats(part.getValue().b()));
            try (GradMode off = GradMode.disabled();
                PointerScope scope = new PointerScope()) {
              Tensor weight = dense.parameters().get(part.getKey());
              if (type == DType.BFLOAT16) {
                weight.copy_(weight.to(ScalarType.BFloat16));
              }
              weight.copy_(policy.lora().merged(part.getValue(), weight));
            }
          }
          dense.syncCompute();
          dense.zeroGradients();
          backward(dense, rows, weights, Activations.KEEP);
          double slack = type == DType.FLOAT32 ? 1e-4 : 0.06;
          for (Map.Entry<String, Lora.Part> entry : policy.lora().parts().entrySet()) {
            LoraConfig.Target target = entry.getValue().target();
            float[] dw = Tensors.floats(dense.parameterGradients().get(entry.getKey()));
            int rank = target.rank();
            int columns = (int) target.columns();
            double[] da = new double[rank * columns];
            double[] db = new double[(int) target.rows() * rank];
            for (int r = 0; r < target.rows(); r++) {
              for (int j = 0; j < rank; j++) {
                for (int c = 0; c < columns; c++) {
                  double g = target.scale() * dw[r * columns + c];
                  db[r * rank + j] += g * a.get(entry.getKey())[j * columns + c];
                  da[j * columns + c] += g * b.get(entry.getKey())[r * rank + j];
                }
              }
            }
            near(da, Tensors.floats(entry.getValue().aGradient()), slack, entry.getKey() + " A");
            near(db, Tensors.floats(entry.getValue().bGradient()), slack, entry.getKey() + " B");
          }
        }
      }
    }
  }

  private static void near(double[] want, float[] got, double slack, String what) {
    double norm = Math.sqrt(Arrays.stream(want).map(x -> x * x).sum());
    assertTrue(norm > 0, what);
    double distance = 0;
    for (int i = 0; i < want.length; i++) {
      distance += (want[i] - got[i]) * (want[i] - got[i]);
    }
    assertTrue(
        Math.sqrt(distance) <= slack * norm, what + " is off by " + Math.sqrt(distance) / norm);
  }

  private static Rows rows(int vocabulary) {
    Random random = new Random(9);
    int[] ids = TestModels.tokens(random, 41, vocabulary);
    int[] row = new int[39];
    int[] target = new int[39];
    for (int i = 0, at = 0; i < 41; i++) {
      if (i != 19 && i != 40) {
        row[at] = i;
        target[at++] = ids[i + 1];
      }
    }
    return new Rows(new PackedBatch(ids, new int[] {20, 21}), row, new int[39], target);
  }

  /** Frozen weights are read straight from their files, in every type that kernels know. */
  @ParameterizedTest
  @ValueSource(strings = {"BF16", "F32"})
  void mappedFoldersAreTheWeights(Storage storage) throws IOException {
    ModelConfig config = TestModels.config("llama", 50, 0.3);
    Path model = folder.resolve("model");
    try (Policy policy = InitialWeights.random(config, Policy.Options.FROZEN, 4)) {
      PolicyFiles.save(policy, DType.FLOAT32, model);
    }
    Path stored = folder.resolve("stored");
    ModelConverter.convert(model, stored, storage);
    for (DType type : TYPES) {
      Policy.Options options = new Policy.Options(Device.CPU, type, false);
      Lora.Source fresh = Lora.fresh(LoraConfig.of(3, 6, "q,k,up"), 1);
      try (Policy plain = PolicyFiles.load(stored, options);
          Policy mapped = PolicyFiles.adapted(stored, options, fresh)) {
        Rows rows = rows(50);
        assertArrayEquals(logprobs(plain, rows), logprobs(mapped, rows), 0f, storage + " " + type);
      }
    }
  }

  /**
   * Native code decodes blocks to the same bits as {@code Blocks}, with heads in Hugging Face's
   * order. Blocks that it does not decode are copied, and counted by the plan.
   */
  @ParameterizedTest
  @EnumSource(names = "F32", mode = EnumSource.Mode.EXCLUDE)
  void mappedBlocksAreTheWeights(GgmlType type) throws IOException {
    GgufFixture fixture = new GgufFixture("llama");
    fixture.own("embedding_length", 512L).own("feed_forward_length", 512L);
    fixture.tensor("output_norm.weight", 512).tensor("blk.0.attn_norm.weight", 512);
    fixture.tensor("blk.0.ffn_norm.weight", 512);
    Map<String, Integer> rows = new LinkedHashMap<>();
    rows.put("token_embd.weight", GgufFixture.ROWS);
    for (String name : List.of("attn_q", "attn_output", "ffn_gate", "ffn_up", "ffn_down")) {
      rows.put("blk.0." + name + ".weight", 512);
    }
    rows.put("blk.0.attn_k.weight", 256);
    rows.put("blk.0.attn_v.weight", 256);
    int width = 512 / type.elements * type.bytes / 4;
    Random random = new Random(8);
    for (Map.Entry<String, Integer> entry : rows.entrySet()) {
      float[] bits = new float[entry.getValue() * width];
      for (int i = 0; i < bits.length; i++) {
        bits[i] = Float.intBitsToFloat(random.nextInt() & 0xbbbbbbbb); // no scale is a NaN
      }
      fixture.tensor(entry.getKey(), bits, entry.getValue(), width);
    }
    Path file = fixture.write(folder.resolve("blocks.gguf"));
    byte[] bytes = Files.readAllBytes(file);
    for (String name : rows.keySet()) {
      int at = indexOf(bytes, name.getBytes(StandardCharsets.UTF_8)) + name.length();
      ByteBuffer entry = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
      entry.putLong(at + 4, 512).putInt(at + 20, IDS.get(type));
    }
    Files.write(file, bytes);
    int[] ids = TestModels.tokens(random, 20, GgufFixture.ROWS);
    PackedBatch batch = new PackedBatch(ids, new int[] {20});
    Lora.Source fresh = Lora.fresh(LoraConfig.of(3, 6, "q,k,up"), 1);
    for (DType compute : TYPES) {
      Policy.Options options = new Policy.Options(Device.CPU, compute, false);
      try (Policy plain = PolicyFiles.load(file, options);
          Policy mapped = PolicyFiles.adapted(file, options, fresh)) {
        float[] want = logits(plain, batch);
        for (float logit : want) {
          assertTrue(Float.isFinite(logit));
        }
        assertArrayEquals(want, logits(mapped, batch), 0f, compute.toString());
      }
      long matrices = 512L * rows.values().stream().mapToInt(Integer::intValue).sum();
      long copies = MAPPED.contains(type) ? 0 : compute.bytes * matrices;
      assertEquals(copies, PolicyFiles.copied(file, compute));
      assertEquals(copies, plannedWeights(file, compute), 1 << 20);
    }
  }

  /** Bytes that the plan of a run with an adapter has for weights. */
  private static long plannedWeights(Path model, DType compute) {
    TrainConfig run =
        TrainConfig.of(List.of("model=" + model, "data.train=d", "out=o", "lora.rank=3"))
            .with("dtype", compute)
            .with("limits.prompt", 8) // so that tables of positions are small
            .with("limits.response", 8);
    Kernels kernels = NativeRuntime.kernels(Device.Kind.CPU);
    return new Planner(ModelConfig.read(model), Device.Kind.CPU, kernels::modelMemory, 1, 0)
        .decide(run, 64L << 30)
        .part("weights");
  }

  private static float[] logits(Policy policy, PackedBatch batch) {
    try (PointerScope scope = new PointerScope();
        ForwardPass pass = policy.passes().forward(batch, Activations.NONE)) {
      return Tensors.floats(policy.passes().logits(pass.hidden()));
    }
  }

  private static int indexOf(byte[] bytes, byte[] part) {
    for (int i = 0; i + part.length <= bytes.length; i++) {
      if (Arrays.equals(bytes, i, i + part.length, part, 0, part.length)) {
        return i;
      }
    }
    throw new IllegalArgumentException("not in the file");
  }

  @Test
  void anAdapterThatDoesNotArriveIsAnError() throws IOException {
    ModelConfig config = TestModels.config("qwen3", 50, 0.3);
    Path written = folder.resolve("adapter");
    try (Policy policy = adapted(config, DType.FLOAT32, "kernels")) {
      PolicyFiles.save(policy, DType.FLOAT32, written);
    }
    Map<String, Tensor> whole = new LinkedHashMap<>();
    try (Safetensors file = Safetensors.open(written.resolve(Lora.FILE))) {
      file.names().forEach(name -> whole.put(name, file.tensor(name)));
    }
    String q = "base_model.model.model.layers.1.self_attn.q_proj.lora_B.weight";
    assertTrue(whole.containsKey(q));
    Map<String, Tensor> changed = new LinkedHashMap<>(whole);
    changed.remove(q);
    refused(written, config, changed, q);
    changed = new LinkedHashMap<>(whole);
    changed.put("base_model.model.model.layers.1.mlp.up_proj.lora_A.weight", Tensors.of(1f));
    refused(written, config, changed, "up_proj.lora_A.weight");
    changed = new LinkedHashMap<>(whole);
    changed.put(q, Tensors.of(new float[8 * 64]).view(64, 8));
    refused(written, config, changed, q + " has shape [64, 8], expected [64, 5]");
    changed = new LinkedHashMap<>();
    for (Map.Entry<String, Tensor> entry : whole.entrySet()) {
      changed.put(entry.getKey().replace("base_model.model.", ""), entry.getValue());
    }
    refused(written, config, changed, "holds no tensor base_model.model.");
    refused(written, config, Map.of(), "no tensors");
    changed = new LinkedHashMap<>(whole);
    changed.put(q, Tensors.empty(ScalarType.Float, 0));
    refused(written, config, changed, q + " has shape [0], expected [64, 5]");
    ModelConfig wider = TestModels.config("qwen3", 50, 0.3);
    ObjectNode json = wider.json().deepCopy();
    json.put("hidden_size", 64);
    refused(written, ModelConfig.parse("wider", json), whole, "expected [5, 64]");
    whole.values().forEach(Tensor::close);
  }

  private static void refused(
      Path adapter, ModelConfig config, Map<String, Tensor> tensors, String message) {
    SafetensorsWriter.write(adapter.resolve(Lora.FILE), tensors, Map.of("format", "pt"));
    ModelException e =
        assertThrows(
            ModelException.class, () -> Lora.at(adapter).open(config, Device.CPU, false).close());
    assertTrue(e.getMessage().contains(message), e.getMessage());
  }

  @Test
  void patternsAndScalesAreAsPeftReadsThem() throws IOException {
    ModelConfig model = TestModels.config("qwen3", 50, 0.3);
    ObjectNode json = new ObjectMapper().createObjectNode();
    json.put("peft_type", "LORA").put("r", 8).put("lora_alpha", 16);
    json.putArray("target_modules").add("q_proj").add("v_proj");
    json.putObject("rank_pattern").put("q_proj", 4);
    json.putObject("alpha_pattern").put("layers.0.self_attn.q_proj", 64);
    Map<String, Double> scales = new HashMap<>();
    read(json).targets(model).forEach(t -> scales.put(t.module(), t.scale()));
    assertEquals(
        Map.of(
            "model.layers.0.self_attn.q_proj", 16.0,
            "model.layers.1.self_attn.q_proj", 4.0,
            "model.layers.0.self_attn.v_proj", 2.0,
            "model.layers.1.self_attn.v_proj", 2.0),
        scales);
    json.put("use_rslora", true).put("r", 16).remove("rank_pattern");
    json.remove("alpha_pattern");
    read(json).targets(model).forEach(t -> assertEquals(4.0, t.scale()));
    json.putObject("rank_pattern").put("k_proj", 4);
    LoraConfig nothing = read(json);
    String message = assertThrows(ModelException.class, () -> nothing.targets(model)).getMessage();
    assertTrue(message.contains("rank_pattern.k_proj"), message);
    json.remove("rank_pattern");
    json.put("target_modules", "all-linear");
    assertEquals(14, read(json).targets(model).size());
    json.put("exclude_modules", ".*mlp.*");
    assertEquals(8, read(json).targets(model).size());
    for (String key : List.of("layer_replication", "lora_bias", "some_new_thing")) {
      json.put(key, "x");
      String refusal = assertThrows(ModelException.class, () -> read(json)).getMessage();
      assertTrue(refusal.contains(key), refusal);
      json.putNull(key);
      read(json);
    }
    json.put("init_lora_weights", "pissa_niter_4");
    assertThrows(ModelException.class, () -> read(json));
  }

  private LoraConfig read(ObjectNode json) throws IOException {
    Files.writeString(folder.resolve(LoraConfig.FILE), json.toString());
    return LoraConfig.read(folder);
  }

  /** Where nothing is trained, an adapter without an effect is a mistake. */
  @Test
  void anAdapterThatChangesNothingIsRefusedByName() {
    ModelConfig config = TestModels.config("qwen3", 50, 0.3);
    Path written = folder.resolve("fresh");
    try (Lora fresh = Lora.fresh(LoraConfig.of(4, 8, "q,o"), 1).open(config, Device.CPU, true)) {
      fresh.save(written);
      Lora.at(written).open(config, Device.CPU, true).close(); // training may begin with it
      ModelException e =
          assertThrows(
              ModelException.class,
              () -> Lora.trained(written).open(config, Device.CPU, false).close());
      assertTrue(e.getMessage().contains(Lora.FILE + ": every lora_B is zero"), e.getMessage());
      Tensor last = null;
      for (Map.Entry<String, Tensor> entry : fresh.parameters().entrySet()) {
        last = entry.getKey().contains("lora_B") ? entry.getValue() : last;
      }
      last.view(-1).data_ptr_float().put(last.numel() - 1, 1e-9f);
      fresh.save(written);
      Lora.trained(written).open(config, Device.CPU, false).close();
    }
  }

  @Test
  void whatWasWrittenIsReadBackBitForBit() throws IOException {
    ModelConfig config = TestModels.config("qwen3", 50, 0.3);
    Path written = folder.resolve("saved");
    try (Lora lora = Lora.fresh(LoraConfig.of(4, 8, "q,o"), 1).open(config, Device.CPU, true)) {
      lora.save(written);
      Path file = written.resolve(Lora.FILE);
      lora.checkWritten(file);
      byte[] bytes = Files.readAllBytes(file);
      Arrays.fill(bytes, bytes.length - 4, bytes.length, (byte) 1);
      Files.write(file, bytes);
      ModelException e = assertThrows(ModelException.class, () -> lora.checkWritten(file));
      assertTrue(e.getMessage().contains("reads back other numbers"), e.getMessage());
    }
  }

  /**
   * In bfloat16 even the first small step has its effect on average, and with B = 0 the model does
   * not change.
   */
  @Test
  void aFreshAdapterChangesNothing() {
    ModelConfig config = TestModels.config("qwen3", 50, 0.3);
    Rows rows = rows(50);
    for (DType type : TYPES) {
      Policy.Options options = new Policy.Options(Device.CPU, type, true);
      try (Policy policy =
              InitialWeights.random(config, options, 3, Lora.fresh(LoraConfig.of(4, 8, "q,o"), 1));
          Policy reference = policy.reference(null);
          Policy plain =
              InitialWeights.random(config, new Policy.Options(Device.CPU, type, false), 3)) {
        assertArrayEquals(logprobs(plain, rows), logprobs(policy, rows), 0f);
        assertArrayEquals(logprobs(plain, rows), logprobs(reference, rows), 0f);
      }
    }
  }
}
