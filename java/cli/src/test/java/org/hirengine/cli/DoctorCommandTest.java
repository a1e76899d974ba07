package org.hirengine.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DoctorCommandTest {

  @Test
  void aMachineThatRunsTheTestsCanTrain() throws Exception {
    HirProcess.Result run = HirProcess.run("", "doctor", "--json");
    assertEquals(0, run.exit(), run.out() + run.err());
    Map<String, String> states = new HashMap<>();
    for (JsonNode finding : new ObjectMapper().readTree(run.out())) {
      states.merge(
          finding.get("what").asText(), finding.get("state").asText(), (a, b) -> a + " " + b);
    }
    assertEquals("ok", states.get("Java"));
    assertEquals("ok", states.get("LibTorch"));
    assertTrue(states.get("kernels").endsWith("ok"), states.toString());
    assertEquals("ok ok", states.get("products"), "float32 and bfloat16");
    assertTrue(states.containsKey("CPU") && states.containsKey("GPU"), states.toString());
  }

  /**
   * If native libraries do not fit, the doctor still examines everything, and its exit code says
   * so.
   */
  @Test
  void missingNativesAreFindings() throws Exception {
    HirProcess.Result run =
        HirProcess.java(
            "",
            List.of("-Dorg.bytedeco.javacpp.platform=linux-unknown"),
            Hir.class.getName(),
            "doctor");
    assertEquals(1, run.exit(), run.out() + run.err());
    assertTrue(run.out().lines().anyMatch(l -> l.matches("missing +LibTorch .*")), run.out());
    assertTrue(run.out().lines().anyMatch(l -> l.matches("ok +CPU .*")), run.out());
    assertTrue(run.out().lines().anyMatch(l -> l.contains("text data")), run.out());
    assertFalse((run.out() + run.err()).contains("\tat "), "no stack trace");
  }

  /** A row that can never get a verdict, and what the doctor must say about it. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      value = {
        "length_constraints:number_words | {'num_words':'40','relation':'at least'} | kwarg"
            + " 'num_words' must be a whole number from 0, not the string '40'",
        "length_constraints:number_words | {'num_words':40,'relation':'at most'} | kwarg"
            + " 'relation' must be 'less than' or 'at least', not 'at most'",
        "length_constraints:nth_paragraph_first_word | {'num_paragraphs':2,'first_word':'a'} |"
            + " kwarg 'nth_paragraph' is missing",
        "keywords:existence | {'keywords':[]} | kwarg 'keywords' is empty",
        "language:response_language | {'language':'English'} | a code such as 'en', not 'English'",
        "language:response_language | {'language':'zh-cn'} | a code such as 'zh', not 'zh-cn'",
        "lenght_constraints:number_word | {} | did you mean 'length_constraints:number_words'?",
      })
  void whatCanNeverGetAVerdictIsNamed(String id, String kwargs, String why, @TempDir Path folder)
      throws Exception {
    Path file = folder.resolve("data.jsonl");
    String row =
        "{\"id\": \"r%d\", \"prompt\": \"p\", \"bench\": \"ifeval\", \"instruction_id_list\":"
            + " [\"punctuation:no_comma\", \"%s\"], \"kwargs\": [{}, %s]}";
    Files.write(
        file,
        List.of(
            row.formatted(1, "detectable_format:title", "{}"),
            row.formatted(2, id, kwargs.replace('\'', '"'))));
    HirConsole run = HirConsole.run("doctor", "--data", file);
    assertEquals(1, run.exit(), run.out() + run.err());
    List<String> faults = run.out().lines().filter(l -> l.startsWith("no verdict: ")).toList();
    assertEquals(1, faults.size(), run.out());
    assertTrue(
        faults.get(0).startsWith("no verdict: " + file + ":2: row 'r2', constraint 2 (" + id),
        faults.get(0));
    assertTrue(faults.get(0).contains(why), faults.get(0));
    assertTrue(run.out().contains("3 with a verifier, 0 for a judge, 1 with neither"), run.out());

    JsonNode report =
        new ObjectMapper().readTree(HirConsole.run("doctor", "--json", "--data", file).out());
    assertEquals(1, report.get("unchecked").size());
    assertEquals("r2", report.get("unchecked").get(0).get("row").asText());
    assertTrue(report.get("unchecked").get(0).get("reason").asText().contains(why));

    Files.write(file, List.of(row.formatted(1, "detectable_format:title", "{}")));
    HirConsole.run("doctor", "--data", file).succeeds();
  }

  @Test
  void wordsThatNobodyUnderstandsAreNamed(@TempDir Path folder) throws Exception {
    Path file =
        Files.writeString(
            folder.resolve("d.jsonl"),
            "{\"id\": \"m\", \"prompt\": \"p\", \"constraints\": [[\"Length\", \"Words\", \"At most"
                + " 9 words\"], [\"Length\", \"Words\", \"9 words or less\"]]}\n");
    HirConsole run = HirConsole.run("doctor", "--data", file);
    assertEquals(1, run.exit(), run.out());
    assertTrue(
        run.out()
            .contains(
                "no verdict: "
                    + file
                    + ":1: row 'm', constraint 2 (Length_Words): not understood: no limit"),
        run.out());
    assertTrue(run.out().contains("1 with a verifier, 0 for a judge, 1 with neither"), run.out());
  }

  @Test
  void rowsWithoutConstraintsAreCountedAndNamed(@TempDir Path folder) throws Exception {
    Path file =
        Files.writeString(folder.resolve("d.jsonl"), "{\"prompt\": \"p\"}\n{\"prompt\": \"q\"}\n");
    HirConsole run = HirConsole.run("doctor", "--data", file);
    assertEquals(1, run.exit(), run.out());
    assertTrue(run.out().contains("rows: 2 (engine 2), without constraints: 2"), run.out());
    assertTrue(
        run.out().contains("no constraints: " + file + ":2: neither 'instruction_id_list' nor"),
        run.out());
  }

  @Test
  void controlTokensInADataFileAreCounted(@TempDir Path folder) throws Exception {
    Path file = folder.resolve("data.jsonl");
    Files.writeString(
        file,
        """
        {"id": "plain", "prompt": "a < b | c > d", "bench": "ifeval",\
         "instruction_id_list": ["punctuation:no_comma"], "kwargs": [{}]}
        {"id": "first", "prompt": "stop<|im_end|>", "bench": "ifeval",\
         "instruction_id_list": ["punctuation:no_comma"], "kwargs": [{}]}
        {"id": "second", "prompt": "hi", "system": "</s>", "bench": "ifeval",\
         "instruction_id_list": ["punctuation:no_comma"], "kwargs": [{}]}
        """);
    HirConsole run = HirConsole.run("doctor", "--data", file).succeeds();
    assertTrue(
        run.out()
            .contains("control tokens: 2 rows contain text that reads as one, first row first"),
        run.out());
    JsonNode report =
        new ObjectMapper().readTree(HirConsole.run("doctor", "--data", file, "--json").out());
    assertEquals(2, report.get("control_tokens").asInt());
  }

  @Test
  void aDataFileIsExamined(@TempDir Path folder) throws Exception {
    Path file = folder.resolve("data.json");
    Files.writeString(
        file,
        """
        [{"id": 1, "source": "type1", "prompt": "p", "criteria": ["No comma."], "ground_truth":
          {"instruction_id_list": ["punctuation:no_comma"], "kwargs": [{}]}},
         {"id": 2, "source": "type4", "prompt": "p", "criteria": ["Kind.", "Dot."], "ground_truth":
          {"checker": ["[llm] kind", "[rule] dot"], "functions": ["", "exit()"]}},
         {"id": 3, "source": "type1", "prompt": "p", "criteria": []}]
        """);
    HirProcess.Result run = HirProcess.run("", "doctor", "--data", file.toString());
    assertEquals(1, run.exit(), run.out() + run.err());
    assertTrue(run.out().contains("rows: 2 (hir-16k type1 1, hir-16k type4 1), bad: 1"), run.out());
    assertTrue(run.out().contains("1 with a verifier, 1 for a judge"), run.out());
    assertTrue(run.out().contains("bad: " + file + ":3: field 'ground_truth'"), run.out());
    assertTrue(
        run.out()
            .contains(
                "no verdict: " + file + ":2: row '2', constraint 2 (judge:python): only Python"),
        run.out());
  }
}
