package org.hirengine.text;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class PyReprTest {

  private static final ObjectMapper JSON = new ObjectMapper();

  /** python-repr.jsonl has what CPython 3.11 prints; python-repr.py wrote it. */
  @Test
  void reprIsPythons() throws IOException {
    int cases = 0;
    try (BufferedReader reader =
        new BufferedReader(
            new InputStreamReader(
                PyReprTest.class.getResourceAsStream("python-repr.jsonl"),
                StandardCharsets.UTF_8))) {
      for (String line; (line = reader.readLine()) != null; cases++) {
        JsonNode expected = JSON.readTree(line);
        String found =
            expected.has("text")
                ? PyRepr.of(expected.get("text").asText())
                : PyRepr.of(
                    Double.longBitsToDouble(
                        Long.parseUnsignedLong(expected.get("bits").asText(), 16)));
        assertEquals(expected.get("repr").asText(), found, line);
      }
    }
    assertTrue(cases > 200, cases + " cases");
  }
}
