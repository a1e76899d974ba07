package org.hirengine.engine;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.hirengine.engine.config.TrainConfig;
import org.hirengine.engine.model.InitialWeights;
import org.hirengine.engine.model.ModelConfig;
import org.hirengine.engine.model.Policy;
import org.hirengine.engine.model.PolicyFiles;
import org.hirengine.kernels.DType;
import org.hirengine.replay.Instruction;
import org.hirengine.replay.InstructionJson;
import org.hirengine.replay.JsonLines;
import org.hirengine.replay.QType;
import org.hirengine.verify.ConstraintSpec;

/**
 * A model folder with random weights and a vocabulary of forty words, and instructions whose
 * constraints such a model satisfies now and then: everything that a trainer needs, made in
 * milliseconds.
 */
public final class TinyWorld {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String END = "<|end|>";
  private static final List<String> WORDS =
      List.of(
          "write", "about", "river", "stone", "cloud", "apple", "music", "table", "green", "night",
          "include", "no", "comma", "at", "least", "less", "than", "words", "use", "the", "a",
          "sun", "moon", "tree", "bird", "song", "1", "2", "3", "4", "5", "6", "7", "8", ",", ".");

  private static final List<String> TOPICS =
      List.of("river", "stone", "cloud", "music", "table", "night", "sun", "moon");

  private final Path folder;

  @SuppressWarnings("unused") // distinguishes the constructors
  private TinyWorld(Path folder, boolean existing) {
    this.folder = folder;
  }

  /** A world that another process made. */
  public static TinyWorld existing(Path folder) {
    return new TinyWorld(folder, true);
  }

  /** Makes a world in an empty folder. */
  public TinyWorld(Path folder) throws IOException {
    this.folder = folder;
    Files.createDirectories(model());
    writeTokenizer();
    ObjectNode config = JSON.createObjectNode();
    config.put("model_type", "qwen3");
    config.put("vocab_size", WORDS.size() + 4);
    config.put("hidden_size", 32).put("intermediate_size", 64).put("head_dim", 8);
    config.put("num_hidden_layers", 2).put("num_attention_heads", 4);
    config.put("num_key_value_heads", 2).put("max_position_embeddings", 128);
    config.put("rms_norm_eps", 1e-6).put("rope_theta", 10000.0);
    config.put("tie_word_embeddings", true).put("eos_token_id", 1);
    config.put("initializer_range", 0.3);
    try (Policy policy =
        InitialWeights.random(ModelConfig.parse("tiny", config), Policy.Options.FROZEN, 11)) {
      PolicyFiles.save(policy, DType.FLOAT32, model());
    }
    writeInstructions("train.jsonl", 1, 24);
    writeInstructions("eval.jsonl", 2, 16);
  }

  public Path folder() {
    return folder;
  }

  public Path model() {
    return folder.resolve("model");
  }

  private void writeTokenizer() throws IOException {
    ObjectNode vocabulary = JSON.createObjectNode();
    List<String> special = List.of("<unk>", END, "<|user|>", "<|assistant|>");
    List<String> all = new ArrayList<>(special);
    all.addAll(WORDS);
    for (int i = 0; i < all.size(); i++) {
      vocabulary.put(all.get(i), i);
    }
    ObjectNode tokenizer = JSON.createObjectNode();
    ArrayNode added = tokenizer.putArray("added_tokens");
    for (int i = 0; i < special.size(); i++) {
      ObjectNode token = added.addObject().put("id", i).put("content", special.get(i));
      token.put("single_word", false).put("lstrip", true).put("rstrip", true);
      token.put("normalized", false).put("special", true);
    }
    tokenizer.putObject("pre_tokenizer").put("type", "Whitespace");
    ObjectNode model = tokenizer.putObject("model").put("type", "WordLevel");
    model.set("vocab", vocabulary);
    model.put("unk_token", "<unk>");
    write("tokenizer.json", tokenizer);
    ObjectNode roles = JSON.createObjectNode().put("eos_token", END);
    roles.put(
        "chat_template",
        "{% for m in messages %}{% if m['role'] == 'user' %}<|user|> {{ m['content'] }}"
            + "{% else %}<|assistant|> {{ m['content'] }} "
            + END
            + "{% endif %}{% endfor %}{% if add_generation_prompt %} <|assistant|>{% endif %}");
    write("tokenizer_config.json", roles);
  }

  private void write(String name, ObjectNode json) throws IOException {
    Files.write(model().resolve(name), JSON.writeValueAsBytes(json));
  }

  private void writeInstructions(String name, long seed, int count) throws IOException {
    List<String> lines = new ArrayList<>();
    for (Instruction instruction : instructions(seed, count)) {
      lines.add(JsonLines.write(InstructionJson.write(instruction)));
    }
    Files.write(folder.resolve(name), lines);
  }

  /** Requests with three constraints each. */
  public static List<Instruction> instructions(long seed, int count) {
    SplittableRandom random = new SplittableRandom(seed);
    List<Instruction> instructions = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      String topic = TOPICS.get(random.nextInt(TOPICS.size()));
      String wanted = TOPICS.get(random.nextInt(TOPICS.size()));
      int least = 2 + random.nextInt(4);
      instructions.add(
          Instruction.of(
              "r" + i,
              "write about " + topic,
              List.of("include " + wanted, "no comma", "at least " + least + " words"),
              QType.TYPE1,
              "ifeval",
              List.of(
                  new ConstraintSpec(
                      "ifeval", "keywords:existence", Map.of("keywords", List.of(wanted))),
                  new ConstraintSpec("ifeval", "punctuation:no_comma", Map.of()),
                  new ConstraintSpec(
                      "ifeval",
                      "length_constraints:number_words",
                      Map.of("num_words", least, "relation", "at least")))));
    }
    return instructions;
  }

  /** A configuration of small steps in this world; {@code settings} come last. */
  public TrainConfig config(String out, String... settings) {
    List<String> all =
        new ArrayList<>(
            List.of(
                "model=" + model(),
                "data.train=" + folder.resolve("train.jsonl"),
                "data.eval=" + folder.resolve("eval.jsonl"),
                "out=" + folder.resolve(out),
                "threads=1",
                "verify.threads=2",
                "train.steps=4",
                "train.prompts=4",
                "train.group=8",
                "train.seed=5",
                "limits.prompt=40",
                "limits.response=12",
                "optim.lr=3e-3",
                "eval.every=2",
                "eval.prompts=8",
                "checkpoint.every=2"));
    all.addAll(List.of(settings));
    return TrainConfig.of(all);
  }
}
