package org.hirengine.text;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigInteger;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PyLiteralTest {

  @Test
  void readsWhatPythonPrints() {
    assertEquals(
        Arrays.asList(1, -2.5, true, null, List.of("\n")),
        PyLiteral.parse("(1, -2.5, True, None, ['\\n',],)"));
    assertEquals(
        Map.of("a", List.of(), "it's", Map.of("b", false)),
        PyLiteral.parse("{'a': [], \"it's\": {'b': False}}"));
    assertEquals(3_000_000_000L, PyLiteral.parse(" 3000000000 "));
    assertEquals(BigInteger.TEN.pow(30), PyLiteral.parse("1" + "0".repeat(30)));
    assertEquals("\u00e9\\q/", PyLiteral.parse("'\\xe9\\q\\/'"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"[1", "{1: 2}", "{'a' 1}", "'open", "__import__('os')", "1 2", "'\\x4'"})
  void refusesTheRestAndNamesThePlace(String text) {
    String message =
        assertThrows(IllegalArgumentException.class, () -> PyLiteral.parse(text)).getMessage();
    assertTrue(message.startsWith("has at character "), message);
  }

  @Test
  void deepNestingEndsWithAnError() {
    assertThrows(IllegalArgumentException.class, () -> PyLiteral.parse("[".repeat(100_000)));
  }
}
