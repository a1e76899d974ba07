package org.hirengine.samples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.random.RandomGenerator;
import org.hirengine.engine.Runs;
import org.hirengine.engine.TinyWorld;
import org.hirengine.engine.model.Policy;
import org.hirengine.engine.model.PolicyFiles;
import org.hirengine.verify.ConstraintType;
import org.hirengine.verify.Response;
import org.hirengine.verify.Verdict;
import org.hirengine.verify.Verifier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TrainingSampleTest {

  @TempDir Path temp;

  /** Half of the untrained model's responses satisfy it. */
  private static final class EvenLength implements ConstraintType {
    @Override
    public String id() {
      return "even_length";
    }

    @Override
    public Verifier parse(Map<String, Object> kwargs) {
      return response -> {
        int length = response.text().length();
        return Verdict.of(length % 2 == 0, length + " characters");
      };
    }

    @Override
    public String sentence(Map<String, Object> kwargs) {
      return "Write an even number of characters.";
    }

    @Override
    public Optional<Map<String, Object>> sample(RandomGenerator random, String question) {
      return Optional.of(Map.of());
    }

    @Override
    public Optional<Map<String, Object>> achieved(
        Response response, Map<String, Object> kwargs, RandomGenerator random) {
      return Optional.empty();
    }

    @Override
    public Set<String> clashes() {
      return Set.of();
    }
  }

  @Test
  void trainsAndLeavesAModelFolder() throws IOException {
    TinyWorld world = new TinyWorld(temp);
    Path out = temp.resolve("run");
    Path trained =
        TrainingSample.train(
            world.model(),
            out,
            new EvenLength(),
            List.of("limits.prompt=40", "limits.response=12", "threads=1"));
    assertEquals(out.resolve("checkpoints/step-3"), trained);
    List<String> metrics = Runs.metrics(out);
    assertEquals(3, metrics.size());
    assertTrue(metrics.get(0).contains("house/even_length"), metrics.get(0));
    assertTrue(Files.exists(trained.resolve("tokenizer.json")));
    try (Policy policy = PolicyFiles.load(trained, Policy.Options.FROZEN)) {
      assertTrue(policy.masters().numel() > 0);
    }
  }
}
