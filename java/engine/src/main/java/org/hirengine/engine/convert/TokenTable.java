package org.hirengine.engine.convert;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.hirengine.engine.gguf.GgufWriter;
import org.hirengine.engine.gguf.PreTokenizer;
import org.hirengine.engine.gguf.SentencePiece;
import org.hirengine.engine.model.ModelException;
import org.jspecify.annotations.Nullable;

/**
 * The tokens of a {@code tokenizer.json} as a GGUF file lists them.
 *
 * @param tokens one for each row of the embedding; rows without a token are {@code [PAD<id>]}
 * @param types of the tokens: 1 normal, 2 unknown, 3 control, 4 user-defined (found in texts, but
 *     not special), 5 unused, 6 a byte
 * @param merges {@code "left right"}, in order of priority
 * @param pre how text is split into words; null for a SentencePiece model
 * @param scores of a SentencePiece model's tokens
 * @param ids of the existing tokens
 * @param tokenizer the file
 */
record TokenTable(
    List<String> tokens,
    List<Integer> types,
    List<String> merges,
    @Nullable PreTokenizer pre,
    @Nullable List<Float> scores,
    Map<String, Integer> ids,
    JsonNode tokenizer) {

  private static final String PREFIX = "tokenizer.ggml.";
  private static final Pattern BYTE_NAME = Pattern.compile("<0x[0-9A-F]{2}>");
  private static final int NORMAL = 1;
  private static final int UNKNOWN = 2;
  private static final int CONTROL = 3;
  private static final int USER_DEFINED = 4;
  private static final int UNUSED = 5;
  private static final int BYTE = 6;

  /**
   * Reads a tokenizer.
   *
   * @param label names the file in errors
   * @param rows of the embedding
   */
  static TokenTable of(String label, JsonNode tokenizer, int rows) {
    JsonNode model = tokenizer.path("model");
    PreTokenizer pre = PreTokenizer.of(tokenizer);
    boolean pieces = SentencePiece.is(tokenizer);
    boolean bytes =
        pre != null
            && !model.path("byte_fallback").asBoolean()
            && tokenizer.path("decoder").path("type").asText().equals("ByteLevel");
    if (!model.path("type").asText("BPE").equals("BPE") || (!pieces && !bytes)) {
      throw unnamed(label);
    }
    List<@Nullable String> tokens = new ArrayList<>();
    List<Integer> types = new ArrayList<>();
    Map<String, Integer> ids = new HashMap<>();
    Table table = new Table(label, rows, tokens, types, ids);
    model.path("vocab").properties().forEach(e -> table.add(e.getKey(), e.getValue(), NORMAL));
    for (JsonNode token : tokenizer.path("added_tokens")) {
      int type = token.path("special").asBoolean() ? CONTROL : USER_DEFINED;
      table.add(token.path("content").asText(), token.path("id"), type);
    }
    List<String> named = new ArrayList<>();
    for (int id = 0; id < rows; id++) {
      String token = id < tokens.size() ? tokens.get(id) : null;
      named.add(token == null ? "[PAD" + id + "]" : token);
      if (id == types.size()) {
        types.add(UNUSED);
      }
    }
    List<String> merges = merges(label, model);
    if (!pieces) {
      return new TokenTable(named, types, merges, pre, null, ids, tokenizer);
    }
    List<Float> scores = SentencePiece.scores(named, ids, merges);
    if (scores == null) {
      throw unnamed(label);
    }
    String unknown = model.path("unk_token").asText();
    for (int id = 0; id < rows; id++) {
      if (named.get(id).equals(unknown)) {
        types.set(id, UNKNOWN);
      } else if (BYTE_NAME.matcher(named.get(id)).matches()) {
        types.set(id, BYTE);
      }
    }
    return new TokenTable(named, types, merges, null, scores, ids, tokenizer);
  }

  private static ModelException unnamed(String label) {
    return new ModelException(
        label
            + ": GGUF files have no name for this way of splitting text; supported are"
            + " SentencePiece BPE tokenizers, and byte-level ones that split like one of "
            + PreTokenizer.known());
  }

  private record Table(
      String label,
      int rows,
      List<@Nullable String> tokens,
      List<Integer> types,
      Map<String, Integer> ids) {

    void add(String token, JsonNode idNode, int type) {
      int id = idNode.isInt() ? idNode.intValue() : -1;
      if (id < 0 || id >= rows) {
        throw new ModelException(
            label
                + ": gives '"
                + token
                + "' the id "
                + idNode
                + ", but the embedding has "
                + rows
                + " rows; are they of the same model?");
      }
      while (tokens.size() <= id) {
        tokens.add(null);
        types.add(UNUSED);
      }
      String other = tokens.get(id);
      Integer otherId = ids.put(token, id);
      if ((other != null && !other.equals(token)) || (otherId != null && otherId != id)) {
        throw new ModelException(label + ": gives '" + token + "' and another token one id");
      }
      tokens.set(id, token);
      types.set(id, type);
    }
  }

  private static List<String> merges(String label, JsonNode model) {
    List<String> merges = new ArrayList<>();
    for (JsonNode merge : model.path("merges")) {
      String pair =
          merge.isTextual()
              ? merge.asText()
              : merge.path(0).asText() + " " + merge.path(1).asText();
      if (pair.indexOf(' ', 1) != pair.lastIndexOf(' ')) {
        throw new ModelException(
            label
                + ": the merge "
                + merge
                + " contains a blank, which GGUF files cannot represent");
      }
      merges.add(pair);
    }
    return merges;
  }

  void write(GgufWriter to) {
    to.put(PREFIX + "model", pre == null ? "llama" : "gpt2");
    to.put(PREFIX + "pre", pre == null ? "default" : pre.label());
    to.putTexts(PREFIX + "tokens", tokens);
    to.putInts(PREFIX + "token_type", types);
    if (scores == null) {
      to.putTexts(PREFIX + "merges", merges);
    } else {
      to.putFloats(PREFIX + "scores", scores);
      to.put(PREFIX + "add_space_prefix", SentencePiece.prefixed(tokenizer));
    }
  }

  /** Whether the tokenizer puts a token before each text. */
  boolean begins(int id) {
    JsonNode first = single().path(0).path("SpecialToken").path("id");
    return Integer.valueOf(id).equals(ids.get(first.asText()));
  }

  /** Whether the tokenizer puts a token after each text. */
  boolean ends(int id) {
    JsonNode steps = single();
    JsonNode last = steps.path(steps.size() - 1).path("SpecialToken").path("id");
    return Integer.valueOf(id).equals(ids.get(last.asText()));
  }

  /** The template for one text, of the post-processor or of one of its parts. */
  private JsonNode single() {
    JsonNode postProcessor = tokenizer.path("post_processor");
    for (JsonNode part : postProcessor.path("processors")) {
      if (part.has("single")) {
        return part.path("single");
      }
    }
    return postProcessor.path("single");
  }
}
