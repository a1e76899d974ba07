package org.hirengine.replay;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.hirengine.verify.ConstraintSpec;
import org.hirengine.verify.Response;
import org.hirengine.verify.Verifiers;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ProbeTest {

  private static final Verifiers VERIFIERS = Verifiers.standard();
  private static final Path REAL =
      Path.of(System.getProperty("hir.root", "../..")).resolve("data/real/probes.jsonl");

  /** For each probe, a text that satisfies its constraints but says nothing, and a sound answer. */
  private static final Map<String, String[]> TEXTS =
      Map.ofEntries(
          texts("no-comma", "** ** **", "The capital of France is Paris."),
          texts("few-words", "***", "People live on Earth."),
          texts("few-sentences", "Sure.", "A week has seven days."),
          texts("lowercase", "it is what it is.", "it is the cat that says meow."),
          texts("capital", "OKAY THAT IS WHAT I WOULD SAY ABOUT IT", "THE SEASON IS SUMMER."),
          texts("few-capitals", "yes yes yes yes yes", "The opposite of hot is cold."),
          texts(
              "many-capitals",
              "A A A A A A A A A A A A A A A A A A A A A A A A A A MONDAY",
              "IT IS MONDAY."),
          texts("forbidden-words", "...", "Bees make honey."),
          texts("keyword", "winter winter winter", "In winter, water freezes to ice."),
          texts(
              "keyword-twice",
              "morning morning",
              "The sun. It rises in the morning, every morning."),
          texts("few-letters", "<<>>", "Blue and yellow give green."),
          texts("many-letters", "a a a a", "Tokyo is in Japan, as a map says."),
          texts("quotation", "\"*\"", "\"Most people in Spain speak Spanish.\""),
          texts("end-phrase", "That is all.", "A spider has eight legs. That is all."),
          texts("json", "[]", "{\"ocean\": \"Pacific\"}"),
          texts("title", "<<title>>", "<<Blood>>\nThe heart pumps it."),
          texts("bullets", "* a\n* b\n* c", "* red\n* yellow\n* green"),
          texts("highlights", "*a* *b*", "The *dog* is called man's best *friend*."),
          texts("sections", "Part 1\nPart 2", "Part 1\nBreakfast.\nPart 2\nIt is eaten early."),
          texts(
              "placeholders", "[] [] [a] [b]", "We breathe oxygen, [name], as you know, [friend]."),
          texts("postscript", "P.S. P.S.", "A puppy.\nP.S. They are sweet."),
          texts("paragraphs", "a\n***\nb", "They need light.\n***\nIt comes from above."),
          texts("first-word", "a\n\nsummer", "July comes after June.\n\nSummer goes on."),
          texts("two-responses", "a\n******\nb", "It is four.\n******\nTwo plus two is 4."),
          texts(
              "repeat-prompt",
              "Which country has the Great Wall?",
              "Which country has the Great Wall?\nChina has it."),
          texts("language", "****", "The elephant has both."));

  private static Map.Entry<String, String[]> texts(String probe, String hollow, String sound) {
    return Map.entry("probe-" + probe, new String[] {hollow, sound});
  }

  @TempDir Path temp;

  @Test
  void hollowTextsKeepTheConstraintsAndTripTheWire() throws IOException {
    Set<String> ids = new HashSet<>();
    Map<String, Probe> probes = new HashMap<>();
    for (Probe probe : Probe.read(REAL)) {
      Instruction x = probe.instruction();
      probes.put(x.id(), probe);
      x.constraints().forEach(constraint -> ids.add(constraint.id()));
      String[] texts = TEXTS.get(x.id());
      for (String text : texts) {
        Response response = Response.of(text);
        assertTrue(
            VERIFIERS.judge(x.constraints(), response).ila(),
            () -> x.id() + ": " + VERIFIERS.judge(x.constraints(), response).verdicts());
      }
      assertFalse(probe.answered(Response.of(texts[0])), x.id());
      assertTrue(probe.answered(Response.of(texts[1])), x.id());
      assertFalse(x.promptText().matches("(?is).*\\b(" + probe.answer() + ")\\b.*"), "tells it");
    }
    assertEquals(TEXTS.keySet(), probes.keySet());
    Set<String> all = new HashSet<>();
    VERIFIERS.types("ifeval").forEach(type -> all.add(type.id()));
    all.remove("detectable_format:constrained_response"); // here the constraint is the answer
    assertEquals(all, ids, "a wire for every type");
  }

  @Test
  void criteriaAreTheEnginesWords() throws IOException {
    for (Probe probe : Probe.read(REAL)) {
      ConstraintSpec spec = probe.instruction().constraints().get(0);
      assertEquals(
          VERIFIERS.type("ifeval", spec.id()).orElseThrow().sentence(spec.kwargs()),
          probe.instruction().criteria().get(0));
    }
  }

  @Test
  void anAnswerIsAWordOfItsOwnAndNoEcho() throws IOException {
    Probe probe = read("\"answer\": [\"Paris\", \"the city of light\"]").get(0);
    for (String yes : List.of("Paris.", "it is PARIS, of course", "The city of light!")) {
      assertTrue(probe.answered(Response.of(yes)), yes);
    }
    for (String no :
        List.of("", "Lyon.", "Parisian food", "** Paris ** ** **", "Paris ".repeat(30))) {
      assertFalse(probe.answered(Response.of(no)), no);
    }
  }

  @Test
  void aProbeWithoutAnswerIsNamed() throws IOException {
    for (String field :
        List.of("\"answers\": \"Paris\"", "\"answer\": 7", "\"answer\": []", "\"answer\": \" \"")) {
      DataException e = assertThrows(DataException.class, () -> read(field));
      assertTrue(
          e.getMessage().contains("probes.jsonl") && e.getMessage().contains("answer"),
          e.getMessage());
    }
  }

  private List<Probe> read(String field) throws IOException {
    return Probe.read(
        Files.writeString(
            temp.resolve("probes.jsonl"),
            "{\"id\": \"1\", \"question\": \"Name the capital of France.\", \"criteria\": [\"No"
                + " commas.\"], \"q_type\": \"type1\", \"bench\": \"ifeval\","
                + " \"instruction_id_list\": [\"punctuation:no_comma\"], \"kwargs\": [{}], "
                + field
                + "}\n"));
  }
}
