package org.hirengine.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.hirengine.testing.SharedData;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class JsonlVerifierTest {

  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir Path folder;

  private static ObjectNode line(String json) throws IOException {
    return (ObjectNode) JSON.readTree(json.replace('\'', '"'));
  }

  @Test
  void replacesVerdictsAndKeepsEverythingElse() throws IOException {
    ObjectNode line =
        line(
            "{'key':7,'strict':[true,true,true],'bench':'ifeval','response':'*One, two*\\nthree.',"
                + "'instruction_id_list':['punctuation:no_comma','length_constraints:number_words',"
                + "'no:such_type'],'kwargs':[{},{'num_words':3.0,'relation':'at least',"
                + "'extra':null},null],'other':{'a':[1]}}");
    new JsonlVerifier(Verifiers.standard()).verify(line);
    JsonNode reasons = line.remove("reasons");
    assertEquals(3, reasons.size());
    assertTrue(reasons.get(0).isNull() && reasons.get(1).isNull(), reasons::toString);
    assertTrue(reasons.get(2).asText().contains("no:such_type"), reasons::toString);
    assertEquals(
        line(
            "{'key':7,'strict':[false,true,null],'bench':'ifeval',"
                + "'response':'*One, two*\\nthree.',"
                + "'instruction_id_list':['punctuation:no_comma','length_constraints:number_words',"
                + "'no:such_type'],'kwargs':[{},{'num_words':3.0,'relation':'at least',"
                + "'extra':null},null],'other':{'a':[1]},'loose':[true,true,null]}"),
        line);
  }

  @Test
  void reasonsAreWrittenOnDemandAndOfWhatNobodyCanCheck() throws IOException {
    JsonlVerifier plain = new JsonlVerifier(Verifiers.standard());
    String ifeval =
        "{'bench':'ifeval','response':'one, two','instruction_id_list':['punctuation:no_comma',"
            + "'length_constraints:number_words'],'kwargs':[{},{'num_words':9,"
            + "'relation':'at least'}],'reasons':['old']}";
    ObjectNode line = line(ifeval);
    plain.verify(line);
    assertFalse(line.has("reasons"), "those of an earlier run are gone");
    line = line(ifeval);
    plain.withReasons().verify(line);
    assertEquals(2, line.get("reasons").size());
    assertEquals("2 words, at least 9 asked", line.at("/reasons/1").asText());
    for (JsonlVerifier verifier : List.of(plain, plain.withReasons())) {
      ObjectNode muldimif =
          line(
              "{'bench':'muldimif','response':'one','constraints':["
                  + "['Content','No_Such_Thing','Be a poem.'],"
                  + "['Length','Words','At most 50 words.'],"
                  + "['Length','Words','At least 50 words.']]}");
      verifier.verify(muldimif);
      assertEquals("[null,1,0]", muldimif.path("verdict").toString());
      assertTrue(muldimif.at("/reasons/0").asText().contains("No_Such_Thing"), muldimif::toString);
      assertEquals(verifier == plain, muldimif.at("/reasons/1").isNull());
    }
  }

  @Test
  void thinkingIsStrippedOnDemand() throws IOException {
    String json =
        "{'bench':'ifeval','response':'<think>a, b</think>no comma',"
            + "'instruction_id_list':['punctuation:no_comma'],'kwargs':[{}]}";
    JsonlVerifier verifier = new JsonlVerifier(Verifiers.standard());
    ObjectNode line = line(json);
    verifier.verify(line);
    assertFalse(line.at("/strict/0").asBoolean());
    line = line(json);
    verifier.strippingThinking().verify(line);
    assertTrue(line.at("/strict/0").asBoolean());
    assertEquals(line(json).get("response"), line.get("response"), "the response stays whole");
    assertEquals("x </th", Thinking.strip("<think>1</think> 2 </think>\n x </th"));
    assertEquals("<think>cut off", Thinking.strip("<think>cut off"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '^',
      value = {
        "{'response':'x'} | bench",
        "{'bench':'nobench','response':'x'} | bench",
        "{'bench':'ifeval','response':'x'} | instruction_id_list",
        "{'bench':'ifeval','response':'x','instruction_id_list':'a'} | instruction_id_list",
        "{'bench':'ifeval','response':'x','instruction_id_list':['a',1]} | instruction_id_list",
        "{'bench':'ifeval','response':'x','instruction_id_list':['a']} | kwargs",
        "{'bench':'ifeval','response':'x','instruction_id_list':['a'],'kwargs':[]} | kwargs",
        "{'bench':'ifeval','response':'x','instruction_id_list':['a'],'kwargs':[3]} | kwargs[0]",
        "{'bench':'ifeval','response':3,'instruction_id_list':['a'],'kwargs':[{}]} | response",
        "{'bench':'ifeval','instruction_id_list':['a'],'kwargs':[{}]} | response",
      })
  void faultsNameTheFieldAndLeaveTheLineAlone(String json, String field) throws IOException {
    ObjectNode line = line(json);
    ObjectNode before = line.deepCopy();
    JsonlVerifier verifier = new JsonlVerifier(Verifiers.standard());
    FieldException fault = assertThrows(FieldException.class, () -> verifier.verify(line));
    assertEquals(field, fault.field());
    assertFalse(fault.remedy().isBlank());
    assertEquals(before, line);
  }

  @Test
  void linesOnManyThreadsGiveTheSameAsEachAlone() throws IOException {
    JsonlVerifier verifier = new JsonlVerifier(Conformance.withReferenceTextData(folder));
    List<ObjectNode> lines = new ArrayList<>();
    List<ObjectNode> alone = new ArrayList<>();
    for (JsonNode node : Conformance.lines("ifeval.real").subList(0, 200)) {
      ObjectNode line = (ObjectNode) node;
      line.remove(List.of("strict", "loose"));
      alone.add(line.deepCopy());
      lines.add(line);
    }
    alone.forEach(verifier::verify);
    lines.parallelStream().forEach(verifier::verify);
    assertEquals(alone, lines);
    assertTrue(lines.stream().allMatch(l -> l.get("strict").size() == l.get("loose").size()));
    SharedData.counted("verify.jsonl", lines.size());
  }
}
