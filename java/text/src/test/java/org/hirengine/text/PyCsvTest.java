package org.hirengine.text;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import org.junit.jupiter.api.Test;

/** Rows equal those of Python 3.11's csv.reader over io.StringIO(text). */
class PyCsvTest {

  private static List<List<String>> rows(String text) {
    return PyCsv.read(text, ',');
  }

  @Test
  void plainRows() {
    assertEquals(List.of(), rows(""));
    assertEquals(List.of(List.of("a", "b"), List.of("c", "")), rows("a,b\nc,\n"));
    assertEquals(List.of(List.of("a"), List.of(), List.of("b")), rows("a\r\n\nb"));
    assertEquals(List.of(List.of(" a ", " b")), rows(" a , b"));
    assertEquals(List.of(List.of("a,b", "c")), PyCsv.read("a,b\tc", '\t'));
  }

  @Test
  void quotedFields() {
    assertEquals(List.of(List.of("a,b", "c\"d")), rows("\"a,b\",\"c\"\"d\""));
    assertEquals(List.of(List.of("a\nb", "c")), rows("\"a\nb\",c"));
    assertEquals(List.of(List.of("a\r\nb")), rows("\"a\r\nb\""));
    assertEquals(List.of(List.of("ab\"c")), rows("\"a\"b\"c"), "text behind a closing quote");
    assertEquals(List.of(List.of("a\"b\"")), rows("a\"b\""), "quotes within an unquoted field");
    assertEquals(List.of(List.of("")), rows("\"\""));
    assertEquals(List.of(List.of("a", "b\n")), rows("a,\"b\n"), "never closed");
    assertEquals(List.of(List.of("\"x\"", "y")), rows("\"\"\"x\"\"\",y"));
  }

  @Test
  void whatPythonRefuses() {
    assertThrows(PyCsv.CsvException.class, () -> rows("a\rb"));
    assertThrows(PyCsv.CsvException.class, () -> rows("\"a\"\rb"));
    assertThrows(PyCsv.CsvException.class, () -> rows("\ra"));
    assertEquals(List.of(List.of("a")), rows("a\r\r\n"));
    assertEquals(1, rows("a".repeat(131_072)).size());
    assertThrows(PyCsv.CsvException.class, () -> rows("a".repeat(131_073)));
  }
}
