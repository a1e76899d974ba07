package org.hirengine.replay;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class InstructionReaderTest {

  private static final String GOOD =
      """
      {"id": 12, "question": "Write.", "criteria": ["Use at least 5 words.", "Add a title."], "q_type": "type3", \
      "bench": "ifeval", "instruction_id_list": ["length_constraints:number_words", "detectable_format:title"], \
      "kwargs": [{"num_words": 5, "relation": "at least", "letter": null}, null], "system": "Be brief.", \
      "messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}], \
      "chat_template_kwargs": {"enable_thinking": false}, "topic": {"a": [1, 2.5, null]}, "note": null}\
      """;

  @Test
  void readsEveryFieldAndWritesItBack() throws IOException {
    Instruction x = read(GOOD).instructions().get(0);
    assertEquals("12", x.id());
    assertEquals(QType.TYPE3, x.qType());
    assertEquals(Map.of("num_words", 5, "relation", "at least"), x.constraints().get(0).kwargs());
    assertEquals(Map.of(), x.constraints().get(1).kwargs());
    assertEquals(List.of("system", "user", "assistant", "user"), roles(x));
    assertEquals(Map.of("enable_thinking", false), x.templateOptions());
    assertTrue(x.extra().containsKey("note"));
    assertEquals("{topic={a=[1, 2.5, null]}, note=null}", x.extra().toString());

    ObjectNode written = InstructionJson.write(x);
    assertEquals(x, read(JsonLines.write(written)).instructions().get(0));
  }

  /** A pipe, as from the shell's {@code <(...)}, has no position and no size. */
  @Test
  void readsPipes(@TempDir Path folder) throws Exception {
    Path pipe = folder.resolve("pipe");
    assertEquals(0, new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor());
    Thread feeding =
        new Thread(
            () -> {
              try {
                Files.writeString(pipe, GOOD + "\n" + GOOD);
              } catch (IOException e) {
                throw new UncheckedIOException(e);
              }
            });
    feeding.start();
    assertEquals(2, new InstructionReader().read(pipe).instructions().size());
    feeding.join();
  }

  @Test
  void readsMulDimIfConstraints() throws IOException {
    Instruction x =
        read("""
        {"question": "Write.", "criteria": ["Use 5 words."], "bench": "muldimif", "constraints": [["Length", "Words", "Use 5 words."]]}\
        """)
            .instructions()
            .get(0);
    assertEquals("Length_Words", x.constraints().get(0).id());
    assertEquals("Use 5 words.", x.constraints().get(0).kwargs().get("constraint"));
    assertEquals(x, read(JsonLines.write(InstructionJson.write(x))).instructions().get(0));
  }

  @Test
  void readsWholePromptsAndChats() throws IOException {
    List<Instruction> rows =
        read("""
        {"prompt": "Say hi."}

        {"prompt": [{"role": "system", "content": "S"}, {"role": "user", "content": "Say hi."}]}
        {"messages": [{"role": "user", "content": "A"}, {"role": "assistant", "content": "B"}, {"role": "user", "content": "C"}], "key": 5}
        {"key": 9, "prompt": "Say hi without a comma.", "instruction_id_list": ["punctuation:no_comma"], "kwargs": [{}], "bench": "ifeval"}
        """)
            .instructions();
    assertEquals(List.of(new Message("user", "Say hi.")), rows.get(0).messages());
    assertEquals("1", rows.get(0).id());
    assertEquals(List.of("system", "user"), roles(rows.get(1)));
    assertEquals(List.of("user", "assistant", "user"), roles(rows.get(2)));
    assertEquals("C", rows.get(2).question());
    assertEquals("5", rows.get(2).id());
    assertEquals("Say hi without a comma.", rows.get(3).promptText());
    assertEquals(1, rows.get(3).constraints().size());
    for (Instruction x : rows) {
      Instruction again = read(JsonLines.write(InstructionJson.write(x))).instructions().get(0);
      assertEquals(x, again);
    }
  }

  @Test
  void defaultBenchIsForRowsThatNameNone() throws IOException {
    String row =
        """
        {"prompt": "p", "instruction_id_list": ["punctuation:no_comma"], "kwargs": [{}]}\
        """;
    Instruction x =
        new InstructionReader()
            .withDefaultBench("ifeval")
            .read(stream(row), "x.jsonl")
            .instructions()
            .get(0);
    assertEquals("ifeval", x.constraints().get(0).bench());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      value = {
        "{\"question\": | is not valid JSON",
        "[1] | is not a JSON object",
        "{\"question\": \"a\", \"question\": \"b\"} | Duplicate field 'question'",
        "{\"question\": \"a\"} {} | is not valid JSON",
        "{\"id\": 1} | field 'question': is missing",
        "{\"question\": 5} | field 'question': is 5",
        "{\"question\": \"a\", \"id\": [1]} | field 'id': is [1]",
        "{\"question\": \"a\", \"criteria\": \"b\"} | field 'criteria': is \"b\"",
        "{\"question\": \"a\", \"criteria\": [1]} | field 'criteria': is [1]",
        "{\"question\": \"a\", \"q_type\": \"type9\"} | field 'q_type': unknown q_type 'type9'",
        "{\"question\": \"a\", \"criteria\": [\"c\"], \"instruction_id_list\": [\"t\"], \"kwargs\":"
            + " [{}]} | field 'bench': is missing",
        "{\"question\": \"a\", \"bench\": \"ifeval\", \"instruction_id_list\": [\"t\"], \"kwargs\":"
            + " [{}]} | field 'criteria': has 0 sentences for 1 constraints",
        "{\"question\": \"a\", \"bench\": \"ifeval\", \"criteria\": [\"c\"],"
            + " \"instruction_id_list\": [\"t\"]} | field 'kwargs': is missing",
        "{\"question\": \"a\", \"bench\": \"ifeval\", \"criteria\": [\"c\"],"
            + " \"instruction_id_list\": [\"t\"], \"kwargs\": [{},{}]} | field 'kwargs': has 2"
            + " entries for 1 ids",
        "{\"question\": \"a\", \"bench\": \"ifeval\", \"criteria\": [\"c\"],"
            + " \"instruction_id_list\": [\"t\"], \"kwargs\": [3]} | field 'kwargs[0]': is 3",
        "{\"question\": \"a\", \"bench\": \"muldimif\", \"criteria\": [\"c\"], \"constraints\":"
            + " [[\"a\", \"b\"]]} | field 'constraints[0]': is [\"a\",\"b\"]",
        "{\"question\": \"a\", \"messages\": {}} | field 'messages': is {}",
        "{\"question\": \"a\", \"messages\": [{\"role\": \"user\"}]} | field 'messages[0]': lacks",
        "{\"question\": \"a\", \"messages\": [{\"role\": \"user\", \"content\": \"a\","
            + " \"tool_calls\": []}]} | field 'messages[0]': has fields besides",
        "{\"messages\": [{\"role\": \"assistant\", \"content\": \"a\"}]} | field 'messages': end"
            + " with a turn of 'assistant'",
        "{\"question\": \"a\", \"chat_template_kwargs\": 1} | field 'chat_template_kwargs': is 1",
      })
  void aBadRowNamesFileLineFieldAndRemedy(String row, String problem) {
    DataException e =
        assertThrows(DataException.class, () -> read("{\"question\": \"fine\"}\n" + row + "\n"));
    assertTrue(e.getMessage().startsWith("x.jsonl:2: "), e.getMessage());
    assertTrue(e.getMessage().contains(problem), e.getMessage());
    assertEquals(1, e.getMessage().lines().count());
    assertTrue(e.remedy().length() > 10);
  }

  @Test
  void textThatIsNotUtf8NamesItsLine() {
    byte[] bytes =
        "{\"question\": \"a\"}\n{\"question\": \"?\"}\n".getBytes(StandardCharsets.UTF_8);
    bytes[bytes.length - 4] = (byte) 0xC3;
    DataException e =
        assertThrows(
            DataException.class,
            () -> new InstructionReader().read(new ByteArrayInputStream(bytes), "x.jsonl"));
    assertEquals("x.jsonl:2: is not valid UTF-8", e.getMessage());
  }

  @Test
  void badRowsCanBeSetAside() throws IOException {
    InstructionReader.Result result =
        new InstructionReader()
            .skippingBad()
            .read(
                stream("{\"question\": \"a\"}\nnot json\n{\"question\": 1}\n{\"question\": \"b\"}"),
                "x.jsonl");
    assertEquals(
        List.of("a", "b"), result.instructions().stream().map(Instruction::question).toList());
    assertEquals(List.of(2L, 3L), result.bad().stream().map(BadRow::line).toList());
    assertEquals("not json", result.bad().get(0).text());
  }

  @Test
  void aConstraintThatTheVerifiersRefuseNamesItsPlace() {
    DataException e =
        assertThrows(
            DataException.class,
            () ->
                new InstructionReader()
                    .checking(
                        spec -> {
                          if (spec.id().endsWith("title")) {
                            throw new IllegalArgumentException("unknown id");
                          }
                        })
                    .read(stream(GOOD), "x.jsonl"));
    assertEquals(
        "x.jsonl:1: field 'constraint 2 (detectable_format:title)': unknown id", e.getMessage());
  }

  @Test
  void anEmptyDataSetIsAnError() {
    assertThrows(DataException.class, () -> read(""));
    assertThrows(DataException.class, () -> read("\n \n"));
    DataException none =
        assertThrows(
            DataException.class,
            () -> new InstructionReader().skippingBad().read(stream("nope\n"), "x.jsonl"));
    assertTrue(none.getMessage().startsWith("x.jsonl: holds no good row; the first: x.jsonl:1: "));
    DataException missing =
        assertThrows(
            DataException.class, () -> new InstructionReader().read(Path.of("/no/such.jsonl")));
    assertEquals("/no/such.jsonl: no such file", missing.getMessage());
  }

  @Test
  void aByteOrderMarkAndWindowsLineEndsAreNoFault() throws IOException {
    assertEquals(
        2, read("\uFEFF{\"question\": \"a\"}\r\n{\"question\": \"b\"}\r\n").instructions().size());
  }

  @Test
  void halfSurrogatesSurviveWriting() throws IOException {
    Instruction x = read("{\"question\": \"a\\ud800b é\"}").instructions().get(0);
    assertEquals("a\ud800b é", x.question());
    byte[] written = JsonLines.write(InstructionJson.write(x)).getBytes(StandardCharsets.UTF_8);
    assertEquals(
        x.question(),
        new InstructionReader()
            .read(new ByteArrayInputStream(written), "y")
            .instructions()
            .get(0)
            .question());
  }

  private static List<String> roles(Instruction x) {
    return x.messages().stream().map(Message::role).toList();
  }

  private static InstructionReader.Result read(String text) throws IOException {
    return new InstructionReader().read(stream(text), "x.jsonl");
  }

  private static ByteArrayInputStream stream(String text) {
    return new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8));
  }
}
