package org.hirengine.verify.score;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.GZIPInputStream;
import org.hirengine.testing.SharedData;
import org.hirengine.verify.JudgeList;
import org.hirengine.verify.Verdict;
import org.junit.jupiter.api.Test;

class InstructionScoreTest {

  private static final ObjectMapper JSON = new ObjectMapper();

  /** The reference's verdicts must give the reference's scores. */
  @Test
  void scoresRecordedVerdictsAsTheReferenceDoes() throws IOException {
    JsonNode expected = SharedData.json("conformance/scores.json");
    Map<String, InstructionScore> scores = new HashMap<>();
    for (String bench : List.of("ifeval", "ifbench")) {
      Path file = SharedData.require("conformance/" + bench + ".real.jsonl.gz");
      try (BufferedReader lines =
          new BufferedReader(
              new InputStreamReader(
                  new GZIPInputStream(Files.newInputStream(file)), StandardCharsets.UTF_8))) {
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
          JsonNode row = JSON.readTree(line);
          String source = "|" + row.get("source").asText();
          add(scores, bench + source + " strict", row, "strict");
          add(scores, bench + source + " loose", row, "loose");
          if (row.has("strict_r2")) {
            add(scores, bench + "_r2" + source + " strict", row, "strict_r2");
            add(scores, bench + "_r2" + source + " loose", row, "loose_r2");
          }
        }
      }
    }
    expected
        .properties()
        .forEach(
            entry -> {
              for (String mode : List.of("strict", "loose")) {
                InstructionScore score = scores.remove(entry.getKey() + " " + mode);
                JsonNode e = entry.getValue();
                assertEquals(e.get("prompts").asInt(), score.prompts().total());
                assertEquals(e.get("instructions").asInt(), score.instructions().total());
                assertEquals(e.get(mode + "_prompt").asDouble(), score.prompts().rate(), 1e-15);
                assertEquals(
                    e.get(mode + "_instruction").asDouble(), score.instructions().rate(), 1e-15);
                Map<String, String> tiers = new TreeMap<>();
                score.tier0().forEach((id, t) -> tiers.put(id, t.followed() + "/" + t.total()));
                score.tier1().forEach((id, t) -> tiers.put(id, t.followed() + "/" + t.total()));
                Map<String, String> expectedTiers = new TreeMap<>();
                e.get(mode + "_tiers")
                    .properties()
                    .forEach(t -> expectedTiers.put(t.getKey(), t.getValue().asText()));
                assertEquals(expectedTiers, tiers, entry.getKey());
                SharedData.counted("scores", 1);
              }
            });
    assertEquals(Map.of(), scores, "every source has its expected scores");
  }

  /** A prompt without constraints counts as followed. */
  @Test
  void anEmptyListIsAllSatisfied() {
    JudgeList none = new JudgeList(List.of());
    assertEquals(1, none.cla());
    assertTrue(none.ila() && none.decided());
  }

  @Test
  void whatHasNoVerdictIsNotFollowedAndCounted() {
    InstructionScore score = new InstructionScore();
    score.add(
        List.of("a:x", "plain", "a:y"),
        new JudgeList(
            List.of(Verdict.none("no judge"), Verdict.satisfied(""), Verdict.violated(""))));
    assertEquals(new Tally(0, 1), score.prompts());
    assertEquals(new Tally(1, 3), score.instructions());
    assertEquals(Map.of("a", new Tally(0, 2), "plain", new Tally(1, 1)), score.tier0());
    assertEquals(1, score.undecided());
    assertEquals(0, new InstructionScore().prompts().rate());
    assertThrows(
        IllegalArgumentException.class, () -> score.add(List.of("a"), new JudgeList(List.of())));
  }

  private static void add(
      Map<String, InstructionScore> scores, String name, JsonNode row, String field) {
    List<String> ids = new ArrayList<>();
    row.get("instruction_id_list").forEach(id -> ids.add(id.asText()));
    List<Verdict> verdicts = new ArrayList<>();
    row.get(field)
        .forEach(
            v -> verdicts.add(v.isBoolean() ? Verdict.of(v.asBoolean(), "") : Verdict.failed("")));
    scores.computeIfAbsent(name, n -> new InstructionScore()).add(ids, new JudgeList(verdicts));
  }
}
