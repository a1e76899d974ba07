package org.hirengine.engine.experience;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.hirengine.engine.distributed.Ranks;
import org.hirengine.replay.Instruction;
import org.hirengine.replay.QType;
import org.hirengine.verify.JudgeList;
import org.hirengine.verify.Response;
import org.junit.jupiter.api.Test;

/** A step's tasks over ranks: each is done once, by a rank that has time for it. */
class RankSharesTest {

  private static final int TASKS = 16;
  private static final int EACH = 2;

  private static List<Task> tasks() {
    return IntStream.range(0, TASKS)
        .mapToObj(
            i ->
                new Task(
                    i,
                    new Instruction(
                        "t" + i,
                        "q",
                        List.of(),
                        QType.TYPE3,
                        null,
                        List.of(),
                        null,
                        List.of(),
                        Map.of(),
                        Map.of()),
                    "q",
                    new int[] {1}))
        .toList();
  }

  /** How many tasks each rank did, and whose results came back. */
  private record Result(int made, List<String> texts) {}

  private static List<Result> run(int ranks, int slow) throws Exception {
    return Ranks.run(
        ranks,
        group -> {
          RankShares shares = new RankShares(group);
          List<String> texts = new ArrayList<>();
          int made = 0;
          for (int step = 0; step < 2; step++) {
            int number = step;
            int[] count = new int[1];
            List<Answer> answers =
                shares.answers(
                    tasks(),
                    EACH,
                    share -> {
                      List<Answer> mine = new ArrayList<>();
                      for (int i = 0; i < share.tasks().size(); i++) {
                        if (!share.claim(i)) {
                          continue;
                        }
                        sleep(group.rank() == slow ? 200 : 1);
                        Task task = share.tasks().get(i);
                        for (int row = 0; row < EACH; row++) {
                          String text = number + " " + task.draw() + " " + row;
                          mine.add(
                              new Answer(
                                  task,
                                  Response.of(text),
                                  new JudgeList(List.of()),
                                  1,
                                  true,
                                  null));
                        }
                      }
                      count[0] = share.claimed().size();
                      return mine;
                    });
            made += count[0];
            answers.forEach(answer -> texts.add(answer.response().text()));
          }
          return new Result(made, texts);
        });
  }

  private static void sleep(long millis) {
    try {
      Thread.sleep(millis);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  private static List<String> expected() {
    List<String> texts = new ArrayList<>();
    for (int step = 0; step < 2; step++) {
      for (int task = 0; task < TASKS; task++) {
        for (int row = 0; row < EACH; row++) {
          texts.add(step + " " + task + " " + row);
        }
      }
    }
    return texts;
  }

  @Test
  void everyTaskIsMadeOnceAndInOrder() throws Exception {
    for (int ranks : new int[] {1, 2, 3}) {
      int made = 0;
      for (Result result : run(ranks, -1)) {
        assertEquals(expected(), result.texts);
        made += result.made;
      }
      assertEquals(2 * TASKS, made);
    }
  }

  /** A rank that is done takes over tasks that a slow one has not begun. */
  @Test
  void anIdleRankTakesOverTasks() throws Exception {
    List<Result> results = run(2, 0);
    assertEquals(expected(), results.get(0).texts);
    assertEquals(expected(), results.get(1).texts);
    assertEquals(2 * TASKS, results.get(0).made + results.get(1).made);
    assertTrue(results.get(1).made > TASKS, "made " + results.get(1).made);
  }
}
