package org.hirengine.engine.model;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.LinkedHashMap;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.hirengine.engine.runtime.GradMode;
import org.hirengine.engine.runtime.Tensors;
import org.hirengine.kernels.DType;

/** Policies from model folders and GGUF files, and back into folders. */
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
   * Loads a model's weights under a configuration that was read before.
   *
   * <p>Where the configuration ties the head to the embedding and the weights hold a head that
   * differs, the head is used and the policy is untied, as transformers 5 does.
   */
  public static Policy load(Path model, ModelConfig config, Policy.Options options) {
    try (StoredModel stored = StoredModel.open(model, config)) {
      Policy policy = new Policy(stored.config(), options);
      try {
        policy
            .parameters()
            .forEach((name, values) -> stored.weights().copyInto(stored.tensor(name), values));
        policy.syncCompute();
        return policy;
      } catch (RuntimeException e) {
        policy.close();
        throw e;
      }
    }
  }

  /**
   * Writes config.json and model.safetensors in HF layout, loadable by transformers; tokenizer
   * files are not written here.
   *
   * @param dtype storage type; FLOAT32 keeps master weights bit for bit
   */
  public static void save(Policy policy, DType dtype, Path target) {
    try (PointerScope scope = new PointerScope()) {
      Files.createDirectories(target);
      Map<String, Tensor> tensors = new LinkedHashMap<>();
      try (GradMode off = GradMode.disabled()) {
        policy
            .parameters()
            .forEach((key, value) -> tensors.put(key, value.to(Tensors.type(dtype))));
      }
      SafetensorsWriter.write(target.resolve(Safetensors.SINGLE), tensors, Map.of("format", "pt"));
      // Renamed into place: a link, as caches have them, is replaced and not written through.
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

  /** The configuration, saying which type the file's tensors have. */
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
