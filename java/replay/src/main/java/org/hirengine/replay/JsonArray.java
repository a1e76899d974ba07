package org.hirengine.replay;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.InputStream;
import org.jspecify.annotations.Nullable;

/**
 * The entries of one JSON array, read one at a time. If the JSON itself is broken, nothing after
 * that place can be read, so reading ends even if bad rows are set aside.
 */
final class JsonArray implements DataRows {

  /** The next entry follows this one. */
  private static final ObjectReader ENTRIES =
      JsonLines.MAPPER.reader().without(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

  private final JsonParser parser;
  private final String name;
  private long count;

  JsonArray(InputStream in, String name) throws IOException {
    this.name = name;
    parser = JsonLines.MAPPER.createParser(in);
    parser.disable(JsonParser.Feature.AUTO_CLOSE_SOURCE);
    try {
      parser.nextToken();
    } catch (JsonProcessingException e) {
      throw broken(e);
    }
  }

  @Override
  public @Nullable DataRow next() throws IOException {
    count++;
    try {
      if (parser.nextToken() == JsonToken.END_ARRAY) {
        if (parser.nextToken() != null) {
          throw new DataException(
              name,
              count,
              null,
              "follows the end of the array",
              "write one JSON array and nothing else, or one JSON object per line");
        }
        return null;
      }
      return new Entry(name, count, ENTRIES.<JsonNode>readTree(parser));
    } catch (JsonProcessingException e) {
      throw broken(e);
    }
  }

  private DataException broken(JsonProcessingException e) {
    return new DataException(
        name,
        count,
        null,
        "is not valid JSON at line "
            + e.getLocation().getLineNr()
            + ", column "
            + e.getLocation().getColumnNr()
            + " of the file: "
            + JsonFault.describe(e),
        "correct the file: rows after a syntax error cannot be separated");
  }

  private record Entry(String file, long number, JsonNode node) implements DataRow {

    @Override
    public String text() {
      return JsonLines.write(node);
    }

    @Override
    public ObjectNode parse() {
      if (node instanceof ObjectNode object) {
        return object;
      }
      throw new DataException(
          file, number, null, "is not a JSON object", "write an array of JSON objects");
    }
  }
}
