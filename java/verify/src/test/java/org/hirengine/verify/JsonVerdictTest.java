package org.hirengine.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Map;
import org.hirengine.text.PyJson;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class JsonVerdictTest {

  /** {@code ~} stands for a line break. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{'a': 1,} | at line 1, column 9: '}', where a name in double quotes belongs",
        "{~  'a': 1~  'b': 2~} | at line 3, column 3: '\"', where a comma or '}' belongs",
        "[1, 2 | at line 1, column 6: the text ends, where a comma or ']' belongs",
        "[1,] | at line 1, column 4: ']', where a value belongs",
        "{'a' 1} | at line 1, column 6: '1', where a colon belongs",
        "{'a':} | at line 1, column 6: '}', where a value belongs",
        "{a: 1} | at line 1, column 2: 'a', where a name in double quotes belongs",
        "{'a': 'b | at line 1, column 9: the text ends, where the closing double quote belongs",
        "['a~b'] | at line 1, column 4: '\\n', where its escape (such as \\n) belongs",
        "['\\x'] | at line 1, column 4: 'x', where an escape that JSON knows belongs",
        "['\\u12g4'] | at line 1, column 7: 'g', where a hexadecimal digit belongs",
        "01 | at line 1, column 2: '1', where nothing more belongs",
        "[True] | at line 1, column 2: 'T', where a value belongs",
        "Sure! {} | at line 1, column 1: 'S', where a value belongs",
        "{'a': 1} {} | at line 1, column 10: '{', where nothing more belongs",
        "['\uD83D\uDE00', x] | at line 1, column 7: 'x', where a value belongs",
      })
  void aFaultHasAPlaceAndACause(String text, String problem) {
    String json = text.replace('\'', '"').replace('~', '\n');
    assertEquals(PyJson.Result.INVALID, PyJson.read(json));
    assertEquals(problem, PyJson.problem(json));
    assertEquals(
        Verdict.violated("not valid JSON " + problem),
        Verifiers.standard()
            .judge(
                new ConstraintSpec("ifeval", "detectable_format:json_format", Map.of()),
                Response.of(json),
                Strictness.STRICT));
  }

  /** Python accepts them, and levels are counted in what it reads. */
  @Test
  void halvesOfSurrogatePairsMayBeNames() {
    ConstraintSpec levels =
        new ConstraintSpec(
            "muldimif",
            "Format_Json",
            Map.of("constraint", "The JSON must have at most 2 levels of nesting, and at most 2."));
    for (String name : new String[] {"\\ud800", "\\uD83D\\uDE00", "\\\\ud800", "\ud800"}) {
      assertEquals(
          Verdict.Outcome.SATISFIED,
          Verifiers.standard()
              .judge(levels, Response.of("{\"" + name + "\": [1]}"), Strictness.STRICT)
              .outcome(),
          name);
    }
  }
}
