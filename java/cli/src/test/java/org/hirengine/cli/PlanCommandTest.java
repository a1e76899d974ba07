package org.hirengine.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PlanCommandTest {

  private @TempDir Path folder;
  private Path config;

  @BeforeEach
  void setUp() throws IOException {
    config = folder.resolve("run.yaml");
    Files.writeString(
        config,
        "model: %s\ndata: { train: none.jsonl }\nout: run\n".formatted(DemoPolicy.in(folder)));
  }

  @Test
  void saysWhatItTakesAndThatItFits() {
    String said = HirConsole.run("plan", config, "--memory", "8GiB").succeeds().out();
    for (String part : new String[] {"weights", "gradients", "moments", "activations"}) {
      assertTrue(said.contains("\n" + part), said);
    }
    assertTrue(said.contains("8.00 GiB are there: fits"), said);
    assertTrue(said.contains("a step takes about"), said);
    assertFalse(Files.exists(folder.resolve("run")), "nothing is written");
  }

  /** If a run does not fit, the named changes reduce its memory as stated. */
  @Test
  void namesTheKeysThatMakeItFit() throws IOException {
    Object[] large = {"plan", config, "--no-times", "--json", "train.micro_tokens=16384"};
    JsonNode plan = json(HirConsole.run(large).succeeds().out());
    double peak = plan.get("peak_gib").asDouble();
    double sum = 0;
    JsonNode phase = plan.get("phases_gib").get(plan.get("peak_phase").asText());
    for (Iterator<String> names = phase.fieldNames(); names.hasNext(); ) {
      String name = names.next();
      sum += name.equals("together") ? 0 : phase.get(name).asDouble();
    }
    assertEquals(peak, sum, 1e-3);
    assertEquals(16384, plan.get("micro_tokens").asInt());

    HirConsole small = HirConsole.run("plan", config, "--no-times", "--json", "--memory", "1MiB");
    assertEquals(1, small.exit());
    JsonNode refused = json(small.out());
    assertFalse(refused.get("fits").asBoolean());
    JsonNode change = refused.get("changes").get(0);
    HirConsole changed =
        HirConsole.run(
            "plan",
            config,
            "--no-times",
            "--json",
            "train.micro_tokens=" + refused.get("micro_tokens").asInt(),
            "train.recompute=" + refused.get("recompute").asText(),
            "sampling.cache_gib=" + refused.get("cache_gib").asDouble(),
            change.get("settings").get(0).asText());
    assertEquals(
        change.get("peak_gib").asDouble(), json(changed.out()).get("peak_gib").asDouble(), 0.05);
  }

  @Test
  void mistakesAreNamed() {
    HirConsole.run("plan", config, "--memory", "80").failsWith(2, "'80' has no unit: say 80GiB");
    HirConsole.run("plan", config, "model=" + folder + "/none").failsWith(1, "none");
  }

  private static JsonNode json(String text) throws IOException {
    return new ObjectMapper().readTree(text);
  }
}
