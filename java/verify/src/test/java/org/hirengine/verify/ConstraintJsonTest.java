package org.hirengine.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The constraints of a line, and the errors for malformed ones. */
class ConstraintJsonTest {

  private static ObjectNode line(String json) throws IOException {
    return (ObjectNode) new ObjectMapper().readTree(json);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      textBlock =
          """
          {"instruction_id_list": "[]"} | instruction_id_list | is "[]", a string | write a list of strings itself, not its JSON as text
          {"instruction_id_list": ["a", 1]} | instruction_id_list | is ["a",1] | write a list of strings
          {"instruction_id_list": {}} | instruction_id_list | is {} | write a list of strings
          {"constraints": "[]"} | constraints | is "[]", a string | write a list of lists itself, not its JSON as text
          {"constraints": [["a", "b", "c"], ["a", "b"]]} | constraints[1] | is ["a","b"] | write [category, subcategory, sentence], three strings
          {"instruction_id_list": ["a"]} | kwargs | is missing | write a list with one object per id, {} where an id takes none
          {"instruction_id_list": ["a"], "kwargs": {}} | kwargs | is {} | write a list with one object per id, {} where an id takes none
          {"instruction_id_list": ["a"], "kwargs": []} | kwargs | has 0 entries for 1 ids | write a list with one object per id, {} where an id takes none
          {"instruction_id_list": ["a"], "kwargs": "[{}]"} | kwargs | is "[{}]", a string | write a list of objects itself, not its JSON as text
          {"instruction_id_list": ["a"], "kwargs": ["{}"]} | kwargs[0] | is "{}", a string | write an object itself, not its JSON as text
          {"instruction_id_list": ["a", "b"], "kwargs": [{}, 2]} | kwargs[1] | is 2 | write an object
          """)
  void faultsNameFieldProblemAndRemedy(String json, String field, String problem, String remedy)
      throws IOException {
    ObjectNode line = line(json);
    String bench = json.contains("constraints") ? null : "ifeval";
    FieldException e = assertThrows(FieldException.class, () -> ConstraintJson.read(line, bench));
    assertEquals(List.of(field, problem, remedy), List.of(e.field(), e.problem(), e.remedy()));
  }

  /** A value is quoted whole up to 60 characters. */
  @Test
  void longValuesAreCut() throws IOException {
    for (int length : new int[] {58, 59}) {
      ObjectNode line = line("{\"kwargs\": [\"%s\"]}".formatted("x".repeat(length)));
      line.putArray("instruction_id_list").add("a");
      FieldException e =
          assertThrows(FieldException.class, () -> ConstraintJson.read(line, "ifeval"));
      String quoted = length == 58 ? '"' + "x".repeat(58) + '"' : '"' + "x".repeat(59) + "...";
      assertEquals("is " + quoted + ", a string", e.problem());
    }
  }

  @Test
  void idsWinOverTriples() throws IOException {
    ObjectNode line =
        line(
            "{\"constraints\": \"as a table has them\", \"instruction_id_list\": [\"a:b\"],"
                + " \"kwargs\": [null]}");
    assertEquals(
        List.of(new ConstraintSpec("ifeval", "a:b", Map.of())),
        ConstraintJson.read(line, "ifeval"));
    ObjectNode triples =
        line("{\"constraints\": [[\"Length\", \"Words\", \"At most 50 words.\"]]}");
    List<ConstraintSpec> read = ConstraintJson.read(triples, null);
    assertEquals(read, ConstraintJson.read(triples, ConstraintJson.MULDIMIF));
    assertEquals("Length_Words", read.get(0).id());
    assertEquals(List.of(), ConstraintJson.read(triples, "ifeval"), "of another benchmark");
  }
}
