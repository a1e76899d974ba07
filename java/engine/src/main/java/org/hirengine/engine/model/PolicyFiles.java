package org.hirengine.engine.model;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.LinkedHashMap;
import java.util.Map;
import org.hirengine.engine.gguf.GgufModel;
import org.hirengine.engine.runtime.Tensors;
import org.hirengine.kernels.DType;
import org.hirengine.kernels.Kernels;
import org.jspecify.annotations.Nullable;

/** Loads policies from model folders and GGUF files, and saves them as folders. */
public final class PolicyFiles {

  private PolicyFiles() {}

  /**
   * Loads a model folder (config.json and safetensors) or a GGUF file.
   *
   * @throws ModelException or {@link org.hirengine.replay.DataException} naming the file, the
   *     tensor or field, and what to do
   */
  public static Policy load(Path model, Policy.Options options) {
    return load(model, ModelConfig.read(model), options);
  }

  /**
   * Loads a model's weights with a configuration that was read before.
   *
   * <p>If the configuration ties the head to the embedding but the weights have a head that
   * differs, the head is used and the policy is untied, as in transformers 5.
   */
  public static Policy load(Path model, ModelConfig config, Policy.Options options) {
    return open(model, config, options, Policy.kernels(options), null);
  }

  /**
   * Loads a model with an adapter on it. The model's own weights are not trained; if kernels run
   * the passes, they are mapped from its files, which must not be written to meanwhile.
   *
   * @param options {@code trainable}: the adapter
   * @param adapter read from a folder, or new ({@link Lora#at}, {@link Lora#fresh})
   * @throws ModelException also naming the adapter's file and field
   */
  public static Policy adapted(Path model, Policy.Options options, Lora.Source adapter) {
    return open(model, ModelConfig.read(model), options, Policy.kernels(options), adapter);
  }

  /**
   * Bytes of the weights that {@link #adapted} copies in the CPU's memory, because kernels do not
   * read them where the file is mapped: those of a GGUF file in rarer blocks, such as Q5_K.
   */
  public static long copied(Path model, DType type) {
    if (!GgufModel.is(model)) {
      return 0;
    }
    try (StoredModel stored = StoredModel.open(model)) {
      return FrozenBase.copied(stored, type);
    }
  }

  /** With given kernels instead of this machine's best. */
  static Policy open(
      Path model,
      ModelConfig config,
      Policy.Options options,
      Kernels kernels,
      Lora.@Nullable Source adapter) {
    try (StoredModel stored = StoredModel.open(model, config)) {
      Policy policy = new Policy(stored.config(), options, kernels, adapter, stored);
      try {
        policy.fill((name, values) -> stored.weights().copyInto(stored.tensor(name), values));
        return policy;
      } catch (RuntimeException e) {
        policy.close();
        throw e;
      }
    }
  }

  /**
   * Writes config.json and model.safetensors in HF layout, loadable by transformers; tokenizer
   * files are not written here. With an adapter, writes only the adapter, in PEFT's format in
   * float32.
   *
   * @param dtype storage type; FLOAT32 keeps master weights bit for bit
   */
  public static void save(Policy policy, DType dtype, Path target) {
    if (policy.lora() != null) {
      policy.lora().save(target);
      return;
    }
    try {
      Files.createDirectories(target);
      Map<String, SafetensorsWriter.Source> tensors = new LinkedHashMap<>();
      policy
          .config()
          .shapes()
          .forEach(
              (name, shape) ->
                  tensors.put(
                      name,
                      SafetensorsWriter.source(
                          Tensors.type(dtype),
                          shape.stream().mapToLong(Long::longValue).toArray(),
                          () -> policy.master(name))));
      SafetensorsWriter.writeSources(
          target.resolve(Safetensors.SINGLE), tensors, Map.of("format", "pt"));
      // Renamed into place, so that a link into a cache is replaced and not written through.
      Path aside = target.resolve("config.json.tmp");
      Files.writeString(
          aside,
          new ObjectMapper()
                  .writerWithDefaultPrettyPrinter()
                  .writeValueAsString(json(policy.config(), dtype))
              + "\n");
      Files.move(
          aside,
          target.resolve("config.json"),
          StandardCopyOption.ATOMIC_MOVE,
          StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      throw ModelException.unwritable(target, e);
    }
  }

  /**
   * Writes a policy with everything that other tools need.
   *
   * @param companions the tokenizer and templates that belong to it
   */
  public static void save(Policy policy, DType dtype, CompanionFiles companions, Path target) {
    save(policy, dtype, target);
    try {
      companions.write(target);
    } catch (IOException e) {
      throw ModelException.unwritable(target, e);
    }
  }

  /** The configuration with the type of the file's tensors. */
  private static ObjectNode json(ModelConfig config, DType dtype) {
    ObjectNode json = config.json().deepCopy();
    String name = dtype == DType.FLOAT32 ? "float32" : "bfloat16";
    if (json.has("torch_dtype")) {
      json.put("torch_dtype", name);
    }
    if (json.has("dtype") || !json.has("torch_dtype")) {
      json.put("dtype", name);
    }
    return json;
  }
}
