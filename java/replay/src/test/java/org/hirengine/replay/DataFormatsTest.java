package org.hirengine.replay;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.zip.GZIPInputStream;
import org.hirengine.testing.SharedData;
import org.hirengine.verify.ConstraintSpec;
import org.hirengine.verify.Response;
import org.hirengine.verify.Verifiers;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class DataFormatsTest {

  private static final String TYPE1 =
      """
      {"id": 3, "source": "type1", "prompt": "Write.", "criteria": ["Use no comma.", "Use 5 words."], \
      "ground_truth": {"instruction_id_list": ["punctuation:no_comma", "length_constraints:number_words"], \
      "kwargs": [{}, {"num_words": 5.0, "relation": "at least", "letter": null}]}}\
      """;

  private static final String TYPE4 =
      """
      {"id": 6, "source": "type4", "prompt": "Write.", "criteria": ["Be kind.", "End with a dot."], \
      "ground_truth": {"checker": ["[llm] kindness", "[rule] last character"], \
      "functions": ["", "import os\\nos.system('touch /tmp/run')"]}}\
      """;

  @Test
  void readsTheFourTypesOfHir() throws IOException {
    InstructionReader.Result data =
        read(
            TYPE1
                + """

                {"id": 4, "source": "type2", "question": "Ask.", "prompt": "Ask.\\n\\n- Palindromes.", \
                "criteria": ["Palindromes."], "messages": [{"role": "user", "content": "Ask.\\n\\n- Palindromes."}], \
                "ground_truth": {"instruction_id_list": ["words:palindrome"], "kwargs": [null]}}
                {"id": 5, "source": "type3", "prompt": "Write.", "criteria": ["Use 5 words."], \
                "ground_truth": {"constraints": [["Length", "Words", "Use 5 words."]], "constraint_pattern": "Listing"}}
                """
                + TYPE4);
    List<Instruction> rows = data.instructions();
    assertEquals(
        Map.of("hir-16k type1", 1, "hir-16k type2", 1, "hir-16k type3", 1, "hir-16k type4", 1),
        data.rows());

    assertEquals("Write. Use no comma. Use 5 words.", rows.get(0).promptText());
    assertEquals("ifeval", rows.get(0).bench());
    Verifiers verifiers = Verifiers.standard();
    Response five = Response.of("one two three four five");
    assertTrue(verifiers.judge(rows.get(0).constraints(), five).ila(), "5.0 is 5");

    assertEquals("ifbench", rows.get(1).bench());
    assertEquals(QType.TYPE4, rows.get(1).qType(), "told by the prompt beside the question");
    assertEquals(List.of(new Message("user", "Ask.\n\n- Palindromes.")), rows.get(1).messages());

    assertEquals("Length_Words", rows.get(2).constraints().get(0).id());
    assertEquals("Listing", rows.get(2).extra().get("constraint_pattern"));

    List<ConstraintSpec> judged = rows.get(3).constraints();
    assertEquals(Map.of("criterion", "Be kind.", "question", "Write."), judged.get(0).kwargs());
    assertEquals(List.of("judge", "judge"), judged.stream().map(ConstraintSpec::bench).toList());
    assertFalse(judged.toString().contains("os.system"), "Python source goes no further");
    assertFalse(verifiers.judge(judged, Response.of("Kind.")).verdicts().get(1).decided());
    for (Instruction x : rows) {
      assertEquals(x, read(JsonLines.write(InstructionJson.write(x))).instructions().get(0));
    }
  }

  @Test
  void iftrainRowsMayMixIfeval() throws IOException {
    Instruction x =
        read("""
        {"source": "type2", "prompt": "p", "criteria": ["a", "b"], "ground_truth": {"instruction_id_list": \
        ["copy:copy", "punctuation:no_comma"], "kwargs": [{"prompt_to_repeat": "p"}, {}]}}\
        """)
            .instructions()
            .get(0);
    assertEquals("iftrain", x.bench());
  }

  @Test
  void idsOfSeveralBenchmarksKeepTheirOwnRules() throws IOException {
    Instruction x =
        read("""
        {"prompt": "p", "instruction_id_list": ["words:palindrome", "punctuation:no_comma"], "kwargs": [{}, {}]}\
        """)
            .instructions()
            .get(0);
    assertNull(x.bench());
    assertEquals(
        List.of("ifbench", "ifeval"), x.constraints().stream().map(ConstraintSpec::bench).toList());
    assertEquals(x, read(JsonLines.write(InstructionJson.write(x))).instructions().get(0));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "[{'instruction_id': ['keywords:forbidden_words', 'copy:copy'], 'kwargs':"
            + " [{'forbidden_words': [\\\"it's\\\", 'a\\\\'b\\\\u00e9'], 'N': None},"
            + " {'prompt_to_repeat': 'p'}]}]",
        "[{\\\"instruction_id\\\": [\\\"keywords:forbidden_words\\\", \\\"copy:copy\\\"],"
            + " \\\"kwargs\\\": [{\\\"forbidden_words\\\": [\\\"it's\\\", \\\"a'b\\u00e9\\\"]},"
            + " {\\\"prompt_to_repeat\\\": \\\"p\\\"}]}]",
      })
  void readsOpenInstruct(String truth) throws IOException {
    InstructionReader.Result data =
        read(
            """
            {"key": "k1", "messages": [{"role": "user", "content": "Write."}], "ground_truth": "%s", \
            "dataset": "ifeval", "constraint_type": "multi", "constraint": "Many."}\
            """
                .formatted(truth));
    Instruction x = data.instructions().get(0);
    assertEquals(Map.of("open-instruct ifeval", 1), data.rows());
    assertEquals("k1", x.id());
    assertEquals("Write.", x.promptText());
    assertEquals("iftrain", x.bench());
    assertEquals(
        Map.of("forbidden_words", List.of("it's", "a'bé")), x.constraints().get(0).kwargs());
  }

  @Test
  void anOpenInstructFunctionIsAType() throws IOException {
    InstructionReader.Result data =
        read(
            """
            {"messages": [{"role": "user", "content": "Write."}], "constraint": "Lower case.", \
            "ground_truth": "{\\"func_name\\": \\"validate_lowercase\\", \\"N\\": null}"}\
            """);
    Coverage coverage = Coverage.of(data, Verifiers.standard());
    assertEquals(1, coverage.verified());
    assertEquals("rlvr-ifeval", data.instructions().get(0).bench());
  }

  private static final String TRUTH =
      "[{'instruction_id': ['punctuation:no_comma'], 'kwargs': [None]}]";

  /** The layouts of open-instruct's data sets over time, with ' for ". */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      value = {
        "{'messages': MESSAGES, 'ground_truth': 'TRUTH', 'dataset': 'ifeval'} | iftrain | ifeval",
        "{'messages': MESSAGES, 'ground_truth': 'TRUTH'} | iftrain |",
        "{'messages': MESSAGES, 'ground_truth': ['TRUTH'], 'dataset': ['ifeval']} | iftrain |"
            + " ifeval",
        "{'prompt': 'Write.', 'ground_truth': ['TRUTH'], 'dataset': ['ifeval']} | iftrain | ifeval",
        "{'prompt': 'Write.', 'messages': MESSAGES, 'ground_truth': ['TRUTH'], 'dataset':"
            + " ['ifeval'], 'constraint_type': null, 'constraint': null} | iftrain | ifeval",
        "{'messages': ANSWERED, 'ground_truth': 'TRUTH', 'dataset': 'ifeval'} | iftrain | ifeval",
        "{'messages': MESSAGES, 'ground_truth': [{'instruction_id': ['punctuation:no_comma'],"
            + " 'kwargs': [{}]}], 'dataset': ['ifeval']} | iftrain | ifeval",
        "{'messages': MESSAGES, 'ground_truth': {'func_name':'validate_no_commas','N':null},"
            + " 'dataset': 'ifeval_old'} | ENGINE | ",
        "{'messages': MESSAGES, 'ground_truth': 'FUNCTION', 'dataset': 'ifeval_old'} |"
            + " rlvr-ifeval | ifeval_old",
        "{'messages': MESSAGES, 'ground_truth': ['FUNCTION'], 'dataset': ['ifeval_old']} |"
            + " rlvr-ifeval | ifeval_old",
      })
  void readsAllLayoutsOfOpenInstruct(String row, String bench, String source) throws IOException {
    String json =
        row.replace('\'', '"')
            .replace("MESSAGES", "[{\"role\": \"user\", \"content\": \"Write.\"}]")
            .replace(
                "ANSWERED",
                "[{\"role\": \"user\", \"content\": \"Write.\"},"
                    + " {\"role\": \"assistant\", \"content\": \"Done\"}]")
            .replace("TRUTH", TRUTH)
            .replace(
                "FUNCTION", "{\\\"func_name\\\": \\\"validate_no_commas\\\", \\\"N\\\": null}");
    InstructionReader.Result data = read(json);
    Instruction x = data.instructions().get(0);
    assertEquals("Write.", x.promptText());
    if (bench.equals("ENGINE")) {
      assertEquals(1, Coverage.of(data, Verifiers.standard()).bare().size());
      return;
    }
    assertEquals(Map.of("open-instruct" + (source == null ? "" : " " + source), 1), data.rows());
    Coverage coverage = Coverage.of(data, Verifiers.standard());
    assertEquals(1, coverage.verified(), coverage.toString());
    ConstraintSpec spec = x.constraints().get(0);
    assertTrue(Verifiers.standard().judge(List.of(spec), Response.of("None.")).ila());
    assertFalse(Verifiers.standard().judge(List.of(spec), Response.of("One, two")).ila());
  }

  /** Rows of other verifiers, and rows that only look like verl's. */
  @Test
  void rowsWithoutConstraintsAreCountedAndNamed() throws IOException {
    InstructionReader.Result data =
        read(
            """
            {"messages": [{"role": "user", "content": "1+1?"}], "ground_truth": "2", "dataset": "gsm8k"}
            {"messages": [{"role": "user", "content": "1+1?"}], "ground_truth": ["2"], "dataset": ["math"]}
            {"prompt": [{"role": "user", "content": "Write."}], "reward_model": {"ground_truth": null}}
            """);
    Coverage coverage = Coverage.of(data, Verifiers.standard());
    assertEquals(List.of("x:1", "x:2", "x:3"), coverage.bare());
    assertEquals(
        Map.of("open-instruct gsm8k", 1, "open-instruct math", 1, "engine", 1), data.rows());
    assertEquals(0, coverage.checkable());
    DataException mixed =
        assertThrows(
            DataException.class,
            () ->
                read(
                    "{\"prompt\": \"p\", \"ground_truth\": [\"TRUTH\", \"4\"], \"dataset\":"
                            .replace("TRUTH", TRUTH)
                        + " [\"ifeval\", \"general-quality\"]}"));
    assertTrue(
        mixed.getMessage().contains("field 'ground_truth[1]': is for a verifier that is not here"),
        mixed.getMessage());
  }

  /** Files from spreadsheets and tools in place of JSON Lines, and what the error must say. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      value = {
        "{'prompt': 'p', 'bench': 'ifeval', 'instruction_id_list': ['punctuation:no_comma'],"
            + " 'kwargs': '[{}]'} | field 'kwargs': is \"[{}]\", a string | not its JSON as text",
        "{'prompt': 'p', 'bench': 'ifeval', 'instruction_id_list': ['punctuation:no_comma'],"
            + " 'kwargs': ['{}']} | field 'kwargs[0]': is \"{}\", a string | not its JSON as text",
        "{'prompt': 'p', 'bench': 'ifeval', 'instruction_id_list': 'punctuation:no_comma'} | field"
            + " 'instruction_id_list': is | not its JSON as text",
        "{'prompt': 'p', 'instruction_id_list': ['punctuation:no_coma'], 'kwargs': [{}]} | field"
            + " 'instruction_id_list[0]': is the unknown id 'punctuation:no_coma' | did you mean"
            + " 'punctuation:no_comma'?",
        "{'prompt': NaN} | is not valid JSON at column 15: NaN is no JSON: write a number or null"
            + " |",
        "{'prompt': 'p'} {} | something follows the value |",
        "{'prompt': 'p',} | is not valid JSON at column 16: Unexpected character ('}' |",
      })
  void hintsLeadToTheFault(String row, String problem, String remedy) {
    DataException e =
        assertThrows(DataException.class, () -> read(TYPE1 + "\n" + row.replace('\'', '"')));
    assertTrue(e.getMessage().startsWith("x:2: "), e.getMessage());
    assertTrue(e.getMessage().contains(problem), e.getMessage());
    assertFalse(e.getMessage().contains("`") || e.getMessage().contains("ALLOW"), e.getMessage());
    if (remedy != null) {
      assertTrue(e.remedy().contains(remedy), e.remedy());
    }
    DataException alone = assertThrows(DataException.class, () -> read(row.replace('\'', '"')));
    assertTrue(alone.getMessage().contains(problem), alone.getMessage());
    assertEquals(e.remedy(), alone.remedy());
  }

  /** Other formats where only JSON Lines are read. */
  @Test
  void otherFilesAreNamed() {
    Map<byte[], String> files =
        Map.of(
            new byte[] {'P', 'A', 'R', '1', (byte) 0xFF, 0},
            "x: is a Parquet table, not JSON Lines",
            new byte[] {0x1F, (byte) 0x8B, 8, 0},
            "x: is packed by gzip",
            new byte[] {0x28, (byte) 0xB5, 0x2F, (byte) 0xFD},
            "x: is packed by zstd",
            new byte[] {(byte) 0xFF, (byte) 0xFE, '{', 0},
            "x: is text in UTF-16",
            "[\n{}]".getBytes(StandardCharsets.UTF_8),
            "x:1: begins a JSON array",
            "[{}]".getBytes(StandardCharsets.UTF_8),
            "x:1: begins a JSON array",
            new byte[] {'{', (byte) 0xE9, '}'},
            "x:1: is not valid UTF-8");
    files.forEach(
        (bytes, problem) -> {
          JsonLines lines = new JsonLines(new ByteArrayInputStream(bytes), "x");
          DataException e =
              assertThrows(DataException.class, () -> lines.parse(lines.next()), problem);
          assertTrue(e.getMessage().startsWith(problem), e.getMessage());
        });
  }

  @Test
  void readsBenchmarkPrompts() throws IOException {
    InstructionReader.Result data =
        read(
            """
            {"key": 1000, "prompt": "Write without commas.", "instruction_id_list": ["punctuation:no_comma"], "kwargs": [{}]}
            {"key": "0", "prompt": "Write.", "instruction_id_list": ["count:numbers"], "kwargs": [{"N": 5.0}]}
            """);
    assertEquals(Map.of("ifeval/ifbench", 2), data.rows());
    assertEquals(
        List.of("ifeval", "ifbench"),
        data.instructions().stream().map(Instruction::bench).toList());
    assertEquals("1000", data.instructions().get(0).id());
  }

  @Test
  void readsMulDimIfAsOneArray() throws IOException {
    InstructionReader.Result data =
        read(
            """
            \uFEFF
             [
              {"id": "1", "conversations": [{"role": "user", "content": "Write 5 words."}],
               "constraints": [["Length", "Words", "Write 5 words."]],
               "constraint_pattern": "Listing", "difficulty": "Level 1"}
             ]
            """);
    Instruction x = data.instructions().get(0);
    assertEquals(Map.of("muldimif", 1), data.rows());
    assertEquals("muldimif", x.bench());
    assertEquals("Write 5 words.", x.promptText());
    assertEquals("Level 1", x.extra().get("difficulty"));
    assertEquals(x, read(JsonLines.write(InstructionJson.write(x))).instructions().get(0));
  }

  @Test
  void readsVerl() throws IOException {
    Instruction x =
        read("""
        {"data_source": "type1", "prompt": [{"role": "system", "content": "S"}, \
        {"role": "user", "content": "Write. Use no comma."}], "reward_model": {"style": "rule", "ground_truth": \
        "{\\"instruction_id_list\\": [\\"punctuation:no_comma\\"], \\"kwargs\\": [{}]}"}, \
        "extra_info": {"index": 12, "question": "Write.", "criteria": ["Use no comma."], "q_type": "type1"}}\
        """)
            .instructions()
            .get(0);
    assertEquals("12", x.id());
    assertEquals("Write.", x.question());
    assertEquals(
        List.of(new Message("system", "S"), new Message("user", "Write. Use no comma.")),
        x.messages());
    assertEquals("ifeval", x.bench());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      value = {
        "{\"source\": \"type1\", \"prompt\": \"p\", \"criteria\": [\"c\"]} | field 'ground_truth':"
            + " is missing",
        "{\"source\": \"type1\", \"prompt\": \"p\", \"criteria\": [\"c\"], \"ground_truth\": {}} |"
            + " field 'ground_truth': has none of",
        "{\"source\": \"type1\", \"prompt\": \"p\", \"criteria\": [\"c\"], \"ground_truth\":"
            + " {\"instruction_id_list\": [\"punctuation:no_comma\"]}} | field 'kwargs': is"
            + " missing",
        "{\"source\": \"type1\", \"prompt\": \"p\", \"criteria\": [], \"ground_truth\":"
            + " {\"instruction_id_list\": [\"punctuation:no_comma\"], \"kwargs\": [{}]}} | field"
            + " 'criteria': has 0 sentences for 1",
        "{\"source\": \"type3\", \"prompt\": \"p\", \"criteria\": [\"c\"], \"ground_truth\":"
            + " {\"constraints\": [[\"a\"]]}} | field 'constraints[0]': is [\"a\"]",
        "{\"source\": \"type4\", \"prompt\": \"p\", \"criteria\": [\"c\"], \"ground_truth\":"
            + " {\"checker\": [\"[llm]\", \"[llm]\"]}} | field 'ground_truth.checker': has 2"
            + " entries for 1",
        "{\"source\": \"type4\", \"prompt\": \"p\", \"criteria\": [\"c\"], \"ground_truth\":"
            + " {\"checker\": [\"exec\"]}} | field 'ground_truth.checker[0]': begins with neither",
        "{\"messages\": [], \"constraint\": \"\", \"ground_truth\": \"__import__('os')\"} | field"
            + " 'ground_truth': has at character 1 neither",
        "{\"messages\": [], \"constraint\": \"\", \"ground_truth\": \"[{'a': 1\"} | field"
            + " 'ground_truth': has at character 9 the end",
        "{\"messages\": [], \"constraint\": \"\", \"ground_truth\": \"[{}]\"} | field"
            + " 'ground_truth': has no list 'instruction_id'",
        "{\"conversations\": [], \"constraints\": [[\"a\", \"b\", \"c\"]]} | field 'question': is"
            + " missing",
        "{\"prompt\": \"p\", \"instruction_id_list\": [\"no:such\"], \"kwargs\": [{}]} | field"
            + " 'bench': is missing",
        "{\"prompt\": [{}], \"reward_model\": {\"ground_truth\": \"{\"}} | field"
            + " 'reward_model.ground_truth': is not valid JSON",
        "{\"prompt\": \"p\", \"reward_model\": {\"ground_truth\": {}}} | field 'prompt': is no"
            + " list",
      })
  void aBadRowOfAnyFormatNamesItsField(String row, String problem) throws IOException {
    DataException e = assertThrows(DataException.class, () -> read(TYPE1 + "\n" + row));
    assertTrue(e.getMessage().startsWith("x:2: "), e.getMessage());
    assertTrue(e.getMessage().contains(problem), e.getMessage());
    assertTrue(e.remedy().length() > 10);

    InstructionReader.Result kept =
        new InstructionReader().skippingBad().read(stream("[" + TYPE1 + "," + row + ", 5]"), "x");
    assertEquals(1, kept.instructions().size());
    assertEquals(List.of(2L, 3L), kept.bad().stream().map(BadRow::line).toList());
    assertEquals("5", kept.bad().get(1).text());
  }

  @Test
  void brokenArraysNameThePlace() {
    DataException open = assertThrows(DataException.class, () -> read("[\n{\"prompt\": \"a\"},"));
    assertTrue(open.getMessage().startsWith("x:2: is not valid JSON at line 2"), open.getMessage());
    assertThrows(DataException.class, () -> read("[{\"prompt\": \"a\"}] {}"));
    assertThrows(DataException.class, () -> read("[{\"prompt\": \"a\", \"prompt\": \"b\"}]"));
    assertThrows(DataException.class, () -> read("[]"));
  }

  @Test
  void coverageCountsWhoDecides() throws IOException {
    Coverage coverage = Coverage.of(read(TYPE1 + "\n" + TYPE4), Verifiers.standard());
    assertEquals(2, coverage.verified());
    assertEquals(1, coverage.judged());
    assertEquals(Map.of("judge/judge:python", 1), coverage.unverified());
    assertEquals(
        List.of("x:2: row '6', constraint 2 (judge:python): only Python source that comes with"),
        coverage.unchecked().stream()
            .filter(Unchecked::isOfTheData)
            .map(each -> each.describe().replaceFirst(" the row could check it", ""))
            .toList());
    assertEquals(
        List.of(Unchecked.Kind.NO_JUDGE, Unchecked.Kind.PYTHON),
        coverage.unchecked().stream().map(Unchecked::kind).toList());
    assertEquals(1, coverage.checkable());
    assertEquals(1, coverage.partly());
    assertEquals("rows: 2 (hir-16k type1 1, hir-16k type4 1)", coverage.lines().get(0));
    assertEquals(2, coverage.warnings().size());
    assertTrue(
        coverage.warnings().get(0).startsWith("1 constraint with a Python checker, which is never"),
        coverage.warnings().toString());
  }

  /** Rows of published benchmarks, which do not name their benchmark. */
  @ParameterizedTest
  @CsvSource({
    "ifeval.real, ifeval",
    "ifbench.real, ifbench",
    "iftrain.adversarial, iftrain",
    "muldimif.synthetic, muldimif"
  })
  void publishedRowsAreRecognised(String file, String bench) throws IOException {
    StringBuilder lines = new StringBuilder();
    int count = 0;
    try (BufferedReader in =
        new BufferedReader(
            new InputStreamReader(
                new GZIPInputStream(
                    Files.newInputStream(SharedData.require("conformance/" + file + ".jsonl.gz"))),
                StandardCharsets.UTF_8))) {
      for (String line = in.readLine(); line != null; line = in.readLine(), count++) {
        ObjectNode row = (ObjectNode) JsonLines.MAPPER.readTree(line);
        row.remove(List.of("bench", "response"));
        if (bench.equals("muldimif")) {
          row.putArray("conversations").addObject().put("role", "user").put("content", "p");
        }
        lines.append(JsonLines.write(row)).append('\n');
      }
    }
    List<Instruction> rows = read(lines.toString()).instructions();
    assertEquals(count, rows.size());
    Set<String> benches = new TreeSet<>();
    rows.forEach(x -> benches.add(x.bench()));
    assertEquals(Set.of(bench), benches);
    SharedData.counted("readers " + file, count);
  }

  private static InstructionReader.Result read(String text) throws IOException {
    return new InstructionReader().read(stream(text), "x");
  }

  private static ByteArrayInputStream stream(String text) {
    return new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8));
  }
}
