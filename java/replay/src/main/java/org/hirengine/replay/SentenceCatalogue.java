package org.hirengine.replay;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.hirengine.verify.ConstraintType;
import org.jspecify.annotations.Nullable;

/**
 * A data set's own sentences: templates by constraint id, such as {@code
 * "length_constraints:number_words": "{relation} {num_words} words."}.
 *
 * <p>A template's {@code {name}} is the kwarg of that name; whole numbers are written without a
 * fraction, lists as {@code a, b and c}. Types that are not in the catalogue keep the engine's
 * words.
 */
public final class SentenceCatalogue implements Phrasing {

  private static final Pattern FIELD = Pattern.compile("\\{(\\w+)\\}");

  private final Map<String, String> templates;

  /** Templates by constraint id. */
  public SentenceCatalogue(Map<String, String> templates) {
    this.templates = Map.copyOf(templates);
  }

  /**
   * Reads a JSON object of id and template.
   *
   * @throws DataException naming the file and the entry at fault
   */
  public static SentenceCatalogue read(Path file) throws IOException {
    String name = file.toString();
    JsonNode root;
    try {
      root = new ObjectMapper().readTree(Files.readString(file, StandardCharsets.UTF_8));
    } catch (NoSuchFileException e) {
      throw new DataException(name, 0, null, "no such file", "check the path of the catalogue");
    } catch (CharacterCodingException e) {
      throw new DataException(name, 0, null, "is not UTF-8 text", "save the file in UTF-8");
    } catch (JsonProcessingException e) {
      throw new DataException(
          name,
          e.getLocation() == null ? 0 : e.getLocation().getLineNr(),
          null,
          "is not JSON: " + e.getOriginalMessage(),
          "give one JSON object of constraint id and sentence template");
    }
    if (!root.isObject()) {
      throw new DataException(
          name,
          0,
          null,
          "is not a JSON object",
          "give one JSON object of constraint id and sentence template");
    }
    Map<String, String> templates = new LinkedHashMap<>();
    for (Map.Entry<String, JsonNode> entry : root.properties()) {
      if (!entry.getValue().isTextual()) {
        throw new DataException(
            name, 0, entry.getKey(), "is not a string", "give the sentence template as a string");
      }
      templates.put(entry.getKey(), entry.getValue().textValue());
    }
    return new SentenceCatalogue(templates);
  }

  /**
   * {@inheritDoc}
   *
   * @throws IllegalArgumentException when the template names a missing kwarg
   */
  @Override
  public String sentence(ConstraintType type, Map<String, Object> kwargs) {
    String template = templates.get(type.id());
    if (template == null) {
      return type.sentence(kwargs);
    }
    return FIELD
        .matcher(template)
        .replaceAll(field -> Matcher.quoteReplacement(text(type.id(), field.group(1), kwargs)));
  }

  private static String text(String id, String name, Map<String, Object> kwargs) {
    Object value = kwargs.get(name);
    if (value == null) {
      throw new IllegalArgumentException(
          "the sentence template of "
              + id
              + " names {"
              + name
              + "}, its kwargs are "
              + kwargs.keySet());
    }
    return text(value);
  }

  private static String text(@Nullable Object value) {
    if (value instanceof Number number && number.doubleValue() == Math.rint(number.doubleValue())) {
      return Long.toString(number.longValue());
    }
    if (value instanceof List<?> list) {
      int last = list.size() - 1;
      return last < 1
          ? list.stream().map(SentenceCatalogue::text).collect(Collectors.joining())
          : list.subList(0, last).stream()
                  .map(SentenceCatalogue::text)
                  .collect(Collectors.joining(", "))
              + " and "
              + text(list.get(last));
    }
    return String.valueOf(value);
  }
}
