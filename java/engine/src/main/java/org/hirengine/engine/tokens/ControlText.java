package org.hirengine.engine.tokens;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Distinguishes control tokens that a chat template writes from equal text in the data.
 *
 * <p>Before rendering, a mark is inserted after the first character of every control token in a
 * text. Text that reads as a control token after rendering is therefore the template's, and is put
 * between two more marks. A tokenizer whose control tokens are spelt with these marks recognises
 * only those. The marks are Unicode non-characters, which texts for interchange do not contain;
 * they are removed from texts that do.
 */
final class ControlText {

  private static final char HIDDEN = 0xFDD0;
  private static final char OPEN = 0xFDD1;
  private static final char CLOSE = 0xFDD2;

  /** Control tokens by first character, longest first. */
  private final Map<Character, List<String>> tokens = new HashMap<>();

  ControlText(Collection<String> controlTokens) {
    for (String token : controlTokens) {
      if (!token.isEmpty()) {
        tokens.computeIfAbsent(token.charAt(0), first -> new ArrayList<>()).add(token);
      }
    }
    tokens.values().forEach(same -> same.sort(Comparator.comparingInt(String::length).reversed()));
  }

  /** The longest control token that begins at {@code at}, or an empty text. */
  private String at(String text, int at) {
    for (String token : tokens.getOrDefault(text.charAt(at), List.of())) {
      if (text.startsWith(token, at)) {
        return token;
      }
    }
    return "";
  }

  /** Whether a text contains a control token. */
  boolean isIn(String text) {
    for (int i = 0; i < text.length(); i++) {
      if (!at(text, i).isEmpty()) {
        return true;
      }
    }
    return false;
  }

  /** Prepares a text of the data for rendering. */
  String hide(String text) {
    StringBuilder hidden = new StringBuilder(text.length() + 8);
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      hidden.append(c == HIDDEN || c == OPEN || c == CLOSE ? '\uFFFD' : c);
      if (!at(text, i).isEmpty()) {
        hidden.append(HIDDEN);
      }
    }
    return hidden.toString();
  }

  /** A rendered text without marks. */
  static String shown(String rendered) {
    return rendered.replace(String.valueOf(HIDDEN), "");
  }

  /** A rendered text for {@link #marking}'s tokenizer. */
  String marked(String rendered) {
    StringBuilder marked = new StringBuilder(rendered.length() + 64);
    for (int i = 0; i < rendered.length(); ) {
      String token = at(rendered, i);
      boolean hidden = i + 1 < rendered.length() && rendered.charAt(i + 1) == HIDDEN;
      if (token.isEmpty() || hidden) {
        if (rendered.charAt(i) != HIDDEN) {
          marked.append(rendered.charAt(i));
        }
        i++;
      } else {
        marked.append(spelt(token));
        i += token.length();
      }
    }
    return marked.toString();
  }

  /** A control token as the marking tokenizer spells it. */
  static String spelt(String token) {
    return OPEN + token + CLOSE;
  }

  /**
   * A tokenizer.json whose control tokens are spelt between marks, with everything else unchanged.
   *
   * @param json the tokenizer
   * @param special its control tokens
   */
  static String marking(String json, Set<String> special) throws JsonProcessingException {
    ObjectNode root = (ObjectNode) ModelFile.JSON.readTree(json);
    for (JsonNode added : root.path("added_tokens")) {
      rename((ObjectNode) added, "content", special);
    }
    if (root.path("model") instanceof ObjectNode model) {
      rename(model, "unk_token", special);
      if (model.path("vocab") instanceof ObjectNode vocabulary) {
        ObjectNode renamed = vocabulary.objectNode();
        vocabulary
            .properties()
            .forEach(
                entry ->
                    renamed.set(
                        special.contains(entry.getKey()) ? spelt(entry.getKey()) : entry.getKey(),
                        entry.getValue()));
        model.set("vocab", renamed);
      }
      for (JsonNode piece : model.path("vocab")) {
        if (piece instanceof ArrayNode pair && special.contains(pair.path(0).asText())) {
          pair.set(0, TextNode.valueOf(spelt(pair.get(0).asText())));
        }
      }
    }
    return ModelFile.JSON.writeValueAsString(root);
  }

  private static void rename(ObjectNode owner, String field, Set<String> special) {
    if (special.contains(owner.path(field).asText())) {
      owner.put(field, spelt(owner.get(field).asText()));
    }
  }
}
