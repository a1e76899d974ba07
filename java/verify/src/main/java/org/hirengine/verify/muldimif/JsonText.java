package org.hirengine.verify.muldimif;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.hirengine.text.PyJson;
import org.hirengine.verify.rule.Wording;

/** JSON as {@code json.loads} reads it, and its values as {@code str} writes them. */
final class JsonText {

  private static final JsonMapper JSON =
      JsonMapper.builder(
              JsonFactory.builder()
                  .streamReadConstraints(
                      StreamReadConstraints.builder()
                          .maxNumberLength(Integer.MAX_VALUE)
                          .maxStringLength(Integer.MAX_VALUE)
                          .maxNameLength(Integer.MAX_VALUE)
                          .maxNestingDepth(Integer.MAX_VALUE)
                          .build())
                  .build())
          .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
          .enable(DeserializationFeature.USE_BIG_INTEGER_FOR_INTS)
          .build();

  private JsonText() {}

  /**
   * The value, or empty if the text is no JSON.
   *
   * @throws ReferenceRaises if it is nested deeper than Python can read
   */
  static Optional<JsonNode> read(String text) {
    return switch (PyJson.read(text)) {
      case INVALID -> Optional.empty();
      case TOO_DEEP ->
          throw new ReferenceRaises("JSON nested deeper than " + PyJson.MAX_DEPTH + " levels");
      case VALID -> Optional.of(tree(text));
    };
  }

  private static JsonNode tree(String text) {
    try {
      return JSON.readTree(withSurrogates(text));
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException("JSON: " + Wording.brief(e.getOriginalMessage()), e);
    }
  }

  /** Writes out escaped halves of surrogate pairs: Jackson refuses lone ones in names. */
  private static String withSurrogates(String text) {
    if (!text.contains("\\ud") && !text.contains("\\uD")) {
      return text;
    }
    StringBuilder out = new StringBuilder(text.length());
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      out.append(c);
      if (c == '\\') {
        boolean half = text.charAt(i + 1) == 'u' && "dD".indexOf(text.charAt(i + 2)) >= 0;
        char code = half ? (char) Integer.parseInt(text.substring(i + 2, i + 6), 16) : 0;
        if (Character.isSurrogate(code)) {
          out.setCharAt(out.length() - 1, code);
          i += 5;
        } else {
          out.append(text.charAt(++i));
        }
      }
    }
    return out.toString();
  }

  /** {@code str} of each value of an object by its key; empty if the text is no object. */
  static Optional<Map<String, String>> fields(String text) {
    Optional<JsonNode> tree =
        PyJson.read(text) == PyJson.Result.VALID ? read(text) : Optional.empty();
    return tree.filter(JsonNode::isObject)
        .map(
            object -> {
              Map<String, String> fields = new LinkedHashMap<>();
              object.properties().forEach(e -> fields.put(e.getKey(), PyValue.str(e.getValue())));
              return fields;
            });
  }

  /** {@code str} of each value of an object or a list; none for anything else. */
  static List<String> values(String text) {
    List<String> values = new ArrayList<>();
    read(text).ifPresent(tree -> tree.forEach(value -> values.add(PyValue.str(value))));
    return values;
  }
}
