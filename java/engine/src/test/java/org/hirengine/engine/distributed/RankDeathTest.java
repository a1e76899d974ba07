package org.hirengine.engine.distributed;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.hirengine.engine.HirTrainer;
import org.hirengine.engine.Runs;
import org.hirengine.engine.TinyWorld;
import org.hirengine.engine.runs.RunFolder;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.io.TempDir;

/** However a rank ends, the others end too and say which; the run continues as if undisturbed. */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class RankDeathTest {

  /** Kills in a row of one run; the hosted build makes a few, {@code -Dhir.kills=20} more. */
  private static final int KILLS = Integer.getInteger("hir.kills", 2);

  /** So many that no kill comes too late: a rank gives more than eleven signs a step. */
  private static final int STEPS = 4 * KILLS;

  private static final int LIMIT_SECONDS = 300;

  private static final List<Launched> launched = new ArrayList<>();

  @TempDir static Path temp;
  private static TinyWorld world;
  private static Launched hanging;
  private static Launched incomplete;

  /** These mostly wait for their time-outs: the other tests run meanwhile. */
  @BeforeAll
  static void startThoseThatWait() throws IOException {
    world = new TinyWorld(temp);
    hanging = start(2, "hanging", "STOP:1:20", 12);
    incomplete = start(3, "incomplete", "absent:1:0", 12);
  }

  @AfterAll
  static void endAll() throws InterruptedException {
    for (Launched group : launched) {
      for (Process rank : group.ranks) {
        rank.destroyForcibly().waitFor();
      }
    }
  }

  /** The processes of one group and where their error lines go. */
  private record Launched(List<Process> ranks, List<Path> logs) {

    int exit(int rank) {
      return ranks.get(rank).exitValue();
    }

    /** The error lines of all, once all but {@code stopped} have ended. */
    List<String> errors(int stopped) throws Exception {
      List<String> lines = new ArrayList<>();
      for (int rank = 0; rank < ranks.size(); rank++) {
        assertTrue(
            rank == stopped || ranks.get(rank).waitFor(LIMIT_SECONDS, TimeUnit.SECONDS),
            "rank " + rank + " goes on");
        Files.readAllLines(logs.get(rank)).stream()
            .filter(line -> line.startsWith("error: "))
            .forEach(lines::add);
      }
      return lines;
    }
  }

  private static Launched start(int size, String out, String doom, int timeout) throws IOException {
    Launched group = new Launched(new ArrayList<>(), new ArrayList<>());
    launched.add(group);
    int port = Ranks.freePort();
    for (int rank = 0; rank < size; rank++) {
      ProcessBuilder builder =
          new ProcessBuilder(
              ProcessHandle.current().info().command().orElse("java"),
              "-XX:TieredStopAtLevel=1",
              "-XX:+UseSerialGC",
              "-Dai.djl.offline=true",
              "-cp",
              System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
              RankTestChild.class.getName(),
              temp.toString(),
              out,
              doom,
              Integer.toString(timeout),
              Integer.toString(STEPS));
      builder.environment().putAll(Ranks.environment(rank, size, port));
      builder.environment().put("TORCH_CPP_LOG_LEVEL", "FATAL");
      Path log = temp.resolve(out + "-" + rank + ".err");
      group.logs.add(log);
      group.ranks.add(
          builder
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .redirectError(log.toFile())
              .start());
    }
    return group;
  }

  private static void assertOneLine(List<String> errors, String beginning) {
    assertEquals(1, errors.size(), errors.toString());
    assertTrue(errors.get(0).startsWith("error: " + beginning), errors.get(0));
  }

  private static void resume(String out) throws Exception {
    Ranks.run(
        2,
        group -> {
          try (HirTrainer trainer =
              HirTrainer.builder()
                  .config(RankTestChild.config(world, out, STEPS, 2, 60))
                  .existing(RunFolder.Existing.RESUME)
                  .distributed(group)
                  .build()) {
            return trainer.run();
          }
        });
  }

  /** One run, killed again and again: now one rank and now the other, wherever it is. */
  @Test
  @Order(1)
  void killedAtAnyMomentAndContinued() throws Exception {
    SplittableRandom random = new SplittableRandom(KILLS);
    for (int kill = 0; kill < KILLS; kill++) {
      // A rank gives some fifteen signs a step; continuing takes up to two steps again.
      int moment = 1 + random.nextInt(45);
      int doomed = kill % 2;
      Launched group = start(2, "killed", "KILL:" + doomed + ":" + moment, 60);
      List<String> errors = group.errors(-1);
      assertEquals(137, group.exit(doomed));
      assertEquals(1, group.exit(1 - doomed));
      assertOneLine(errors, "rank " + doomed + " of 2");
    }
    resume("killed");
    resume("whole");
    Runs.assertSame(temp.resolve("whole"), temp.resolve("killed"), STEPS);
  }

  @Test
  @Order(2)
  void aRankThatFailsOrExitsIsNamed() throws Exception {
    Launched failing = start(3, "failing", "throw:1:0", 60);
    Launched exiting = start(2, "exiting", "exit:1:10", 60);
    assertOneLine(failing.errors(-1), "verification failed");
    failing.ranks.forEach(rank -> assertEquals(1, rank.exitValue()));
    assertOneLine(exiting.errors(-1), "rank 1 of 2 ended or hangs");
    assertEquals(1, exiting.exit(0));
  }

  @Test
  @Order(3)
  void aRankThatHangsOrNeverJoinsIsNamed() throws Exception {
    assertOneLine(incomplete.errors(-1), "rank 1 of 3 did not come to the store at 127.0.0.1:");
    assertEquals(1, incomplete.exit(0));
    assertEquals(1, incomplete.exit(2));
    assertOneLine(hanging.errors(1), "rank 1 of 2 ended or hangs: no sign of life while");
    assertEquals(1, hanging.exit(0));
  }
}
