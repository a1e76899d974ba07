package org.hirengine.engine.gguf;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;

/**
 * The parts of a {@code tokenizer.json} for a SentencePiece BPE model, as the first Llamas have it:
 * blanks are spelled {@code \u2581}, the text is not split into words, and a character without a
 * token is spelled in bytes.
 */
final class SentencePiece {

  private static final String BLANK = "\u2581";

  private SentencePiece() {}

  /**
   * The normalizer.
   *
   * @param prefixed whether a blank is put before a text, and behind each special token
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

  /** The decoder, which takes the blank before a text away again. */
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

  private record Merge(String left, String right, double score) {}

  /**
   * Merges instead of scores: SentencePiece joins the two neighbours whose piece has the highest
   * score, so every way to put a piece together ranks by the piece's score.
   *
   * @param scores by id
   */
  static ArrayNode merges(Map<String, Integer> ids, List<Double> scores) {
    List<Merge> merges = new ArrayList<>();
    ids.forEach(
        (piece, id) -> {
          for (int cut = 1; cut < piece.length(); cut++) {
            String left = piece.substring(0, cut);
            String right = piece.substring(cut);
            if (ids.containsKey(left) && ids.containsKey(right)) {
              merges.add(new Merge(left, right, scores.get(id)));
            }
          }
        });
    merges.sort(Comparator.comparingDouble(Merge::score).reversed());
    ArrayNode json = JsonNodeFactory.instance.arrayNode();
    merges.forEach(merge -> json.addArray().add(merge.left).add(merge.right));
    return json;
  }
}
