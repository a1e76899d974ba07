package org.hirengine.engine.gguf;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.hirengine.replay.DataException;
import org.jspecify.annotations.Nullable;

/** Builds {@code tokenizer.json} and {@code tokenizer_config.json} from a file's metadata. */
final class GgufTokenizer {

  private static final String PREFIX = "tokenizer.ggml.";
  private static final String TOKENS = PREFIX + "tokens";
  private static final String TYPES = PREFIX + "token_type";
  private static final String MERGES = PREFIX + "merges";
  private static final String PRE = PREFIX + "pre";
  private static final String MODEL = PREFIX + "model";
  private static final String SCORES = PREFIX + "scores";

  static final int NORMAL = 1;
  static final int UNKNOWN = 2;
  static final int CONTROL = 3;
  static final int USER_DEFINED = 4;
  static final int UNUSED = 5;
  static final int BYTE = 6;

  private final Gguf gguf;
  private final List<String> tokens;
  private final List<Long> types;

  /** How text is split; null for a SentencePiece model, which does not split it. */
  private final @Nullable PreTokenizer pre;

  GgufTokenizer(Gguf gguf) {
    this.gguf = gguf;
    boolean bytes = splitsBytes();
    tokens = required(TOKENS, gguf.texts(TOKENS));
    types = required(TYPES, gguf.wholes(TYPES));
    if (types.size() < tokens.size()) {
      throw gguf.bad(TYPES, "has " + types.size() + " entries for " + tokens.size() + " tokens");
    }
    pre = bytes ? pre() : null;
  }

  /** Byte-level BPE or SentencePiece. */
  private boolean splitsBytes() {
    String model = gguf.text(MODEL);
    if (!"gpt2".equals(model) && !"llama".equals(model)) {
      throw new DataException(
          gguf.path().toString(),
          0,
          MODEL,
          model == null ? "is missing" : "is '" + model + "', which is not supported in GGUF files",
          "use a model with byte-level BPE (gpt2) or SentencePiece BPE (llama), or the model's"
              + " Hugging Face folder with its tokenizer.json");
    }
    return "gpt2".equals(model);
  }

  private PreTokenizer pre() {
    String name = gguf.text(PRE);
    PreTokenizer rule = name == null ? null : PreTokenizer.of(name);
    if (rule == null) {
      throw new DataException(
          gguf.path().toString(),
          0,
          PRE,
          name == null
              ? "is missing: how text is split into words is not known"
              : "is '" + name + "', an unknown way of splitting text into words",
          "use a file with one of "
              + PreTokenizer.known()
              + ", or the model's Hugging Face folder with its tokenizer.json");
    }
    return rule;
  }

  private <T> T required(String key, @Nullable T value) {
    if (value == null) {
      throw gguf.bad(key, "is missing");
    }
    return value;
  }

  /** The id of a role's token ({@code bos}, {@code eos}, ...), or -1. */
  static long id(Gguf gguf, String role) {
    String key = PREFIX + role + "_token_id";
    long id = gguf.whole(key, -1);
    long count = gguf.count(TOKENS);
    if (id >= count && !role.startsWith("e") && !role.equals("bos")) {
      return -1; // as in llama.cpp: some files name a padding token that they lack
    }
    if (id >= count) {
      throw gguf.bad(key, "is " + id + ", but there are only " + count + " tokens");
    }
    return id;
  }

  private @Nullable String token(String role) {
    long id = id(gguf, role);
    return id < 0 ? null : tokens.get((int) id);
  }

  /** {@code tokenizer.json}. */
  ObjectNode json() {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.put("version", "1.0");
    json.putNull("truncation").putNull("padding");
    Map<String, Integer> ids = ids();
    json.set("added_tokens", added());
    if (pre == null) {
      json.set("normalizer", SentencePiece.normalizer(prefixed()));
      json.putNull("pre_tokenizer");
      json.set("decoder", SentencePiece.decoder(prefixed()));
    } else {
      json.set("normalizer", pre.normalizer());
      json.set("pre_tokenizer", pre.json());
      json.set("decoder", PreTokenizer.byteLevel(true));
    }
    json.set("post_processor", postProcessor());
    ObjectNode model = json.putObject("model");
    model.put("type", "BPE").putNull("dropout").put("unk_token", token("unknown"));
    model.putNull("continuing_subword_prefix").putNull("end_of_word_suffix");
    model.put("fuse_unk", pre == null).put("byte_fallback", pre == null);
    model.put("ignore_merges", pre != null && pre.ignoresMerges);
    ObjectNode vocabulary = model.putObject("vocab");
    ids.forEach(vocabulary::put);
    model.set("merges", pre == null ? SentencePiece.merges(ids, scores()) : merges(ids));
    return json;
  }

  private List<Double> scores() {
    List<Double> scores = required(SCORES, gguf.numbers(SCORES));
    if (scores.size() < tokens.size()) {
      throw gguf.bad(SCORES, "has " + scores.size() + " entries for " + tokens.size() + " tokens");
    }
    return scores;
  }

  /** Whether a blank is put before a text. */
  private boolean prefixed() {
    return gguf.flag(PREFIX + "add_space_prefix", true);
  }

  /** Every token except the unused ones, which pad the embedding. */
  private Map<String, Integer> ids() {
    Map<String, Integer> ids = new LinkedHashMap<>();
    for (int id = 0; id < tokens.size(); id++) {
      if (type(id) != UNUSED) {
        Integer other = ids.put(tokens.get(id), id);
        if (other != null) {
          throw gguf.bad(
              TOKENS, "gives the ids " + other + " and " + id + " to '" + tokens.get(id) + "'");
        }
      }
    }
    return ids;
  }

  private int type(int id) {
    long type = types.get(id);
    if (type < NORMAL || type > BYTE) {
      throw gguf.bad(
          TYPES, "gives token " + id + " the type " + type + " (" + NORMAL + " to " + BYTE + ")");
    }
    return (int) type;
  }

  /** Tokens that are found in the text before it is split. */
  private ArrayNode added() {
    ArrayNode added = JsonNodeFactory.instance.arrayNode();
    for (int id = 0; id < tokens.size(); id++) {
      int type = type(id);
      if (type == CONTROL || type == UNKNOWN || type == USER_DEFINED) {
        added
            .addObject()
            .put("id", id)
            .put("content", tokens.get(id))
            .put("single_word", false)
            .put("lstrip", false)
            .put("rstrip", false)
            .put("normalized", false)
            .put("special", type != USER_DEFINED);
      }
    }
    return added;
  }

  private ArrayNode merges(Map<String, Integer> ids) {
    ArrayNode merges = JsonNodeFactory.instance.arrayNode();
    for (String merge : required(MERGES, gguf.texts(MERGES))) {
      int blank = merge.indexOf(' ', 1);
      String left = blank < 0 ? "" : merge.substring(0, blank);
      String right = blank < 0 ? "" : merge.substring(blank + 1);
      if (left.isEmpty()
          || right.isEmpty()
          || !ids.containsKey(left)
          || !ids.containsKey(right)
          || !ids.containsKey(left + right)) {
        throw gguf.bad(
            MERGES, "holds '" + merge + "', which is not a pair of tokens that make one");
      }
      merges.addArray().add(left).add(right);
    }
    return merges;
  }

  private boolean addsBos() {
    return gguf.flag(PREFIX + "add_bos_token", pre == null || pre.addsBos) && token("bos") != null;
  }

  private boolean addsEos() {
    return gguf.flag(PREFIX + "add_eos_token", false) && token("eos") != null;
  }

  private ObjectNode postProcessor() {
    ObjectNode template = JsonNodeFactory.instance.objectNode().put("type", "TemplateProcessing");
    ObjectNode known = JsonNodeFactory.instance.objectNode();
    template.set("single", sequence(List.of("A"), known));
    template.set("pair", sequence(List.of("A", "B"), known));
    template.set("special_tokens", known);
    if (known.isEmpty() && pre != null) {
      return PreTokenizer.byteLevel(true).put("trim_offsets", false);
    }
    return template;
  }

  private ArrayNode sequence(List<String> texts, ObjectNode known) {
    ArrayNode sequence = JsonNodeFactory.instance.arrayNode();
    for (int i = 0; i < texts.size(); i++) {
      if (addsBos()) {
        special(sequence, "bos", i, known);
      }
      sequence.addObject().putObject("Sequence").put("id", texts.get(i)).put("type_id", i);
      if (addsEos()) {
        special(sequence, "eos", i, known);
      }
    }
    return sequence;
  }

  private void special(ArrayNode sequence, String role, int typeId, ObjectNode known) {
    String token = token(role);
    sequence.addObject().putObject("SpecialToken").put("id", token).put("type_id", typeId);
    ObjectNode entry = known.putObject(token).put("id", token);
    entry.putArray("ids").add(id(gguf, role));
    entry.putArray("tokens").add(token);
  }

  /** {@code tokenizer_config.json}. */
  ObjectNode settings(long positions) {
    ObjectNode settings = JsonNodeFactory.instance.objectNode();
    settings.put("tokenizer_class", "PreTrainedTokenizerFast");
    settings.put("bos_token", token("bos"));
    settings.put("eos_token", token("eos"));
    settings.put("unk_token", token("unknown"));
    settings.put("pad_token", token("padding"));
    settings.put("add_bos_token", addsBos());
    settings.put("clean_up_tokenization_spaces", false);
    settings.put("model_max_length", positions);
    return settings;
  }
}
