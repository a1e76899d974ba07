package org.hirengine.engine.gguf;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The parts of a {@code tokenizer.json} for a SentencePiece BPE model, as used by the first Llamas:
 * blanks are spelled {@code \u2581}, the text is not split into words, and a character without a
 * token is spelled in bytes.
 */
public final class SentencePiece {

  private static final String BLANK = "\u2581";

  private SentencePiece() {}

  /**
   * The normalizer.
   *
   * @param prefixed whether a blank is put before a text, and after each special token
   */
  static ObjectNode normalizer(boolean prefixed) {
    ObjectNode sequence = node("Sequence");
    ArrayNode steps = sequence.putArray("normalizers");
    if (prefixed) {
      steps.add(node("Prepend").put("prepend", BLANK));
    }
    steps.add(replace(" ", BLANK));
    return sequence;
  }

  /** The decoder, which removes the blank before a text. */
  static ObjectNode decoder(boolean prefixed) {
    ObjectNode sequence = node("Sequence");
    ArrayNode steps = sequence.putArray("decoders");
    steps.add(replace(BLANK, " ")).add(node("ByteFallback")).add(node("Fuse"));
    if (prefixed) {
      steps.add(node("Strip").put("content", " ").put("start", 1).put("stop", 0));
    }
    return sequence;
  }

  private static ObjectNode replace(String text, String content) {
    ObjectNode replace = node("Replace");
    replace.putObject("pattern").put("String", text);
    return replace.put("content", content);
  }

  private static ObjectNode node(String type) {
    return JsonNodeFactory.instance.objectNode().put("type", type);
  }

  /**
   * Whether a {@code tokenizer.json} is such a model.
   *
   * @param tokenizer the file
   */
  public static boolean is(JsonNode tokenizer) {
    JsonNode normalizer = tokenizer.path("normalizer");
    return tokenizer.path("pre_tokenizer").isNull()
        && tokenizer.path("model").path("byte_fallback").asBoolean()
        && (normalizer.equals(normalizer(true)) || normalizer.equals(normalizer(false)));
  }

  /** Whether a blank is put before a text, for a file that {@link #is} such a model. */
  public static boolean prefixed(JsonNode tokenizer) {
    return tokenizer.path("normalizer").equals(normalizer(true));
  }

  /**
   * Scores instead of merges, by id: the earlier a piece is merged, the higher.
   *
   * @param merges pairs of pieces, in order of priority
   * @return null if the merges are not those of a SentencePiece model: all ways to compose each
   *     piece, concatenated
   */
  public static @Nullable List<Float> scores(
      List<String> tokens, Map<String, Integer> ids, List<String> merges) {
    Map<String, Integer> ranks = new HashMap<>();
    Map<String, Integer> ways = new HashMap<>();
    String last = "";
    for (String merge : merges) {
      String piece = merge.replace(" ", "");
      if (!piece.equals(last) && ranks.put(piece, ranks.size()) != null) {
        return null;
      }
      ways.merge(piece, 1, Integer::sum);
      last = piece;
    }
    List<Float> scores = new ArrayList<>();
    for (String token : tokens) {
      if (ids.containsKey(token) && cuts(token, ids).size() != ways.getOrDefault(token, 0)) {
        return null;
      }
      scores.add(
          ranks.containsKey(token) ? -ranks.get(token) : -(float) (ranks.size() + scores.size()));
    }
    return scores;
  }

  /** The positions at which a piece splits into two other pieces. */
  private static List<Integer> cuts(String piece, Map<String, Integer> ids) {
    List<Integer> cuts = new ArrayList<>();
    for (int cut = 1; cut < piece.length(); cut++) {
      if (ids.containsKey(piece.substring(0, cut)) && ids.containsKey(piece.substring(cut))) {
        cuts.add(cut);
      }
    }
    return cuts;
  }

  private record Merge(String left, String right, double score) {}

  /**
   * Merges instead of scores: SentencePiece joins the two neighbours whose piece has the highest
   * score, so every way to compose a piece ranks by the piece's score.
   *
   * @param scores by id
   */
  static ArrayNode merges(Map<String, Integer> ids, List<Double> scores) {
    List<Merge> merges = new ArrayList<>();
    ids.forEach(
        (piece, id) -> {
          for (int cut : cuts(piece, ids)) {
            merges.add(new Merge(piece.substring(0, cut), piece.substring(cut), scores.get(id)));
          }
        });
    merges.sort(Comparator.comparingDouble(Merge::score).reversed());
    ArrayNode json = JsonNodeFactory.instance.arrayNode();
    merges.forEach(merge -> json.addArray().add(merge.left).add(merge.right));
    return json;
  }
}
