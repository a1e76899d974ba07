package org.hirengine.engine.config;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.hirengine.engine.config.DataSection.BadRows;
import org.hirengine.engine.config.DataSection.ControlTokens;
import org.hirengine.engine.hub.Location;
import org.hirengine.kernels.DType;
import org.hirengine.kernels.Device;
import org.jspecify.annotations.Nullable;

/** The resolved configuration of a supervised run ({@code hir sft}). */
public record SftConfig(
    @Key(
            doc =
                "Model to start from: a folder in Hugging Face layout, a .gguf file, or the name"
                    + " of a model on the Hugging Face Hub; null starts from init.",
            value = "null",
            kind = Location.Kind.MODEL,
            elsewhere = {"model_name_or_path", "model_path", "base_model"})
        @Nullable Location model,
    @Key(
            doc =
                "Folder with config.json and the tokenizer's files, whose weights are drawn at"
                    + " random; null starts from model.",
            value = "null")
        @Nullable Path init,
    @Key(
            doc =
                "LoRA adapter to start from, a folder in PEFT's layout. Only the adapter is"
                    + " trained, and written to out. null trains all weights, or a new adapter if"
                    + " lora.rank is set.",
            value = "null",
            elsewhere = {"adapter_path", "lora_path", "peft_model"})
        @Nullable Path adapter,
    @Key(doc = "Device of all tensors.", value = "cpu") Device.Kind device,
    @Key(
            doc = "Number format of the forward and backward pass; masters are always float32.",
            value = "float32")
        DType dtype,
    @Key(doc = "Native threads; null is one per core.", value = "null", min = 1, max = 1024)
        @Nullable Integer threads,
    @Key(
            doc =
                "JSONL of pairs: prompt (or messages) and response in each line; or prompt and"
                    + " completion; or messages that end with the assistant's turn, which is the"
                    + " response.",
            value = Key.REQUIRED,
            elsewhere = {"train_file", "train_files", "dataset"})
        Location data,
    @Key(
            doc =
                "Lines of data that cannot be used stop the run, or are skipped, counted and"
                    + " written to bad_rows.jsonl in out.",
            value = "fail")
        BadRows badRows,
    @Key(
            doc = "Model folder to write, in Hugging Face layout.",
            value = Key.REQUIRED,
            elsewhere = {"output_dir", "save_dir"})
        Path out,
    @Key(
            doc = "Seed of the weights' initialisation and of the order of pairs.",
            value = "0",
            min = 0,
            max = 9e15)
        long seed,
    @Key(
            doc = "Updates; null uses epochs.",
            value = "null",
            min = 1,
            max = 1e9,
            elsewhere = {"max_steps", "total_steps"})
        @Nullable Integer steps,
    @Key(
            doc = "Passes over the pairs, if steps is null.",
            value = "1",
            min = 1,
            max = 1e6,
            elsewhere = {"num_epochs", "num_train_epochs"})
        int epochs,
    @Key(
            doc = "Pairs per update.",
            value = "48",
            min = 1,
            max = 1e6,
            elsewhere = {"batch_size", "train_batch_size", "per_device_train_batch_size"})
        int batch,
    @Key(
            doc =
                "Tokens per micro-batch, prompts included; auto is the largest power of two that"
                    + " fits the memory, at most 16384. Results depend on it by rounding alone,"
                    + " the order in which gradients are summed.",
            value = "auto",
            none = "auto",
            min = 1,
            max = 1e9,
            elsewhere = "micro_batch_size")
        @Nullable Integer microTokens,
    @Key(
            doc = "Most tokens of a pair; longer pairs are skipped and counted.",
            value = "4096",
            min = 2,
            max = 1e7,
            elsewhere = {"max_length", "max_seq_length", "max_seq_len"})
        int maxTokens,
    @Key(doc = "Shuffles the pairs anew for every pass.", value = "true") boolean shuffle,
    @Key(
            doc =
                "How texts in prompts and responses that read as control tokens, such as the end of"
                    + " a turn, are encoded: as control tokens (read), or as plain text (split).",
            value = "read")
        ControlTokens controlTokens,
    @Key(
            doc =
                "Local date and time, such as 2026-01-31T12:00, that a chat template's strftime_now"
                    + " returns; null takes the start of the run.",
            value = "null")
        @Nullable String now,
    @Key(
            doc =
                "Recomputes activations in the backward pass instead of keeping them: less memory,"
                    + " a third more time.",
            value = "false",
            elsewhere = "gradient_checkpointing")
        boolean recompute,
    LoraSection lora,
    OptimSection optim) {

  public SftConfig {
    lora.check(adapter);
    ChatClock.check("now", now);
    TrainConfig.checkMasters(optim, dtype);
    if ((model == null) == (init == null)) {
      throw new IllegalArgumentException(
          "model or init must be set, and not both: a model to continue, or a config.json to"
              + " initialise from");
    }
    if (init != null && (adapter != null || lora.rank() != null)) {
      throw new IllegalArgumentException(
          "init draws weights at random, which an adapter cannot make a model of; set model");
    }
  }

  /** Whether an adapter alone is trained. */
  public boolean adapts() {
    return adapter != null || lora.rank() != null;
  }

  /** Like {@link TrainConfig#load}. */
  public static SftConfig load(Path file, List<String> overrides) {
    return ConfigReader.read(SftConfig.class, file, overrides, algorithm -> Map.of());
  }

  /** Like {@link TrainConfig#of}. */
  public static SftConfig of(List<String> settings) {
    return ConfigReader.read(SftConfig.class, null, settings, algorithm -> Map.of());
  }

  /** Like {@link TrainConfig#locate}. */
  public SftConfig locate(UnaryOperator<Location> find) {
    return Binder.locate(this, find);
  }

  /** Like {@link TrainConfig#toYaml}. */
  public String toYaml() {
    return Binder.yaml(this);
  }
}
