package org.hirengine.cli.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.hirengine.engine.tokens.Tokenizer;
import org.hirengine.replay.AchievedRewriter;
import org.hirengine.replay.Floor;
import org.hirengine.replay.Instruction;
import org.hirengine.replay.ObservedParameters;
import org.hirengine.replay.QType;
import org.hirengine.replay.Rewrite;
import org.hirengine.replay.SentenceCatalogue;
import org.hirengine.testing.SharedData;
import org.hirengine.verify.ConstraintSpec;
import org.hirengine.verify.JudgeList;
import org.hirengine.verify.Response;
import org.hirengine.verify.Verifiers;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WorldTest {

  private static final Verifiers VERIFIERS = Verifiers.standard();
  private static final World WORLD = new World(VERIFIERS);
  private static final SentenceCatalogue SENTENCES = new SentenceCatalogue(Sentences.templates());
  private static final List<String> TOKENS = Vocabulary.tokens();
  private static final int UNKNOWN = TOKENS.indexOf(Vocabulary.UNKNOWN);

  @TempDir private static Path folder;
  private static Tokenizer tokenizer;

  @BeforeAll
  static void loadTokenizer() throws IOException {
    PolicyFolder.write(folder);
    tokenizer = Tokenizer.load(folder);
  }

  @AfterAll
  static void closeTokenizer() {
    tokenizer.close();
  }

  /** Every pair satisfies its constraints, under the built-in sentence splitter and NLTK's. */
  @Test
  void truePairsPassTheVerifiers() {
    SplittableRandom random = new SplittableRandom(1);
    Map<String, Integer> counts = new TreeMap<>();
    Set<String> requests = new HashSet<>();
    for (int i = 0; i < 4000; i++) {
      int constraints = 1 + i % 7;
      World.Pair pair = WORLD.truePair(constraints, random.split());
      assertEquals(constraints, pair.constraints().size());
      JudgeList judges = VERIFIERS.judge(pair.constraints(), Response.of(pair.response()));
      assertTrue(judges.ila(), () -> pair + ": " + judges.verdicts());
      assertEquals(constraints, Set.copyOf(pair.constraints()).size());
      pair.constraints().forEach(c -> counts.merge(c.id(), 1, Integer::sum));
      requests.add(promptText(pair));
    }
    assertEquals(Sentences.templates().keySet(), counts.keySet(), "every type is drawn");
    counts.forEach((id, count) -> assertTrue(count > 80, id + " is drawn " + count + " times"));
    assertTrue(requests.size() > 3600, requests.size() + " different requests");
  }

  @Test
  void truePairsHoldUnderNltksSentenceSplitterToo() throws IOException {
    Path english = Files.createDirectories(folder.resolve("nltk/tokenizers/punkt_tab/english"));
    try (Stream<Path> files = Files.list(SharedData.require("conformance/punkt_tab/english"))) {
      for (Path file : files.toList()) {
        Files.copy(file, english.resolve(file.getFileName()));
      }
    }
    Verifiers nltk = Verifiers.builder().textData(folder.resolve("nltk")).build();
    SplittableRandom random = new SplittableRandom(2);
    for (int i = 0; i < 2000; i++) {
      World.Pair pair = WORLD.truePair(1 + i % 7, random.split());
      JudgeList judges = nltk.judge(pair.constraints(), Response.of(pair.response()));
      assertTrue(judges.ila(), () -> pair + ": " + judges.verdicts());
    }
  }

  @Test
  void aShareOfTheConstraintsHoldsInWeakPairs() {
    double cla = 0;
    int pairs = 2000;
    for (double share : new double[] {0, 0.5}) {
      double before = cla;
      cla = 0;
      SplittableRandom random = new SplittableRandom(3);
      for (int i = 0; i < pairs; i++) {
        World.Pair pair = WORLD.pair(3 + i % 5, share, random.split());
        cla += VERIFIERS.judge(pair.constraints(), Response.of(pair.response())).cla() / pairs;
      }
      assertTrue(cla < 0.8 && cla > before + 0.2, "CLA " + cla + " after " + before);
    }
  }

  @Test
  void theSameSeedDrawsTheSamePairs() {
    SplittableRandom first = new SplittableRandom(4);
    SplittableRandom second = new SplittableRandom(4);
    for (int i = 0; i < 50; i++) {
      assertEquals(WORLD.pair(5, 0.5, first), WORLD.pair(5, 0.5, second));
    }
    assertFalse(WORLD.truePair(5, first).equals(WORLD.truePair(5, new SplittableRandom(5))));
  }

  @Test
  void textsSurviveTheTokenizer() {
    SplittableRandom random = new SplittableRandom(6);
    Set<Integer> used = new HashSet<>();
    for (int i = 0; i < 2000; i++) {
      World.Pair pair = WORLD.truePair(1 + i % 7, random.split());
      for (String text : List.of(pair.response(), promptText(pair))) {
        int[] ids = tokenizer.encode(text);
        assertEquals(text, tokenizer.decode(ids, true));
        Arrays.stream(ids).forEach(used::add);
      }
      assertTrue(tokenizer.encode(pair.response()).length <= World.LONGEST_RESPONSE);
    }
    assertFalse(used.contains(UNKNOWN), "a word is missing from the vocabulary");
  }

  /** Whatever tokens a policy writes, decoding joins them as the world does. */
  @Test
  void anyTokensDecodeAsTheWorldJoinsThem() {
    SplittableRandom random = new SplittableRandom(7);
    for (int i = 0; i < 2000; i++) {
      int[] ids = random.ints(random.nextInt(20), UNKNOWN + 4, TOKENS.size()).toArray();
      List<String> tokens = Arrays.stream(ids).mapToObj(TOKENS::get).toList();
      assertEquals(Vocabulary.join(tokens), tokenizer.decode(ids, true), tokens.toString());
    }
  }

  /**
   * Rewritten requests stay within the vocabulary, even for texts that no generator would write.
   */
  @Test
  void rewrittenRequestsStayInTheVocabulary() {
    SplittableRandom random = new SplittableRandom(8);
    List<Instruction> training = new ArrayList<>();
    for (int i = 0; i < 500; i++) {
      training.add(instruction(WORLD.truePair(5 + i % 3, random.split())));
    }
    AchievedRewriter rewriter =
        new AchievedRewriter(
            VERIFIERS, SENTENCES, new ObservedParameters(training), Set.of(), Floor.NONE);
    Map<String, Integer> reached = new HashMap<>();
    int rewritten = 0;
    for (int i = 0; i < 3000; i++) {
      Instruction x = training.get(random.nextInt(training.size()));
      Response y = Response.of(i % 2 == 0 ? babble(random) : another(random));
      JudgeList judges = VERIFIERS.judge(x.constraints(), y);
      if (rewriter.rewrite(x, y, judges, random.split()) instanceof Rewrite.Rewritten done) {
        rewritten++;
        String prompt = done.instruction().promptText();
        int[] ids = tokenizer.encode(prompt);
        assertTrue(Arrays.stream(ids).noneMatch(id -> id == UNKNOWN), prompt + "\n" + y.text());
        assertEquals(prompt, tokenizer.decode(ids, true));
        assertTrue(VERIFIERS.judge(done.instruction().constraints(), y).ila());
        done.instruction().constraints().forEach(c -> reached.merge(c.id(), 1, Integer::sum));
      }
    }
    assertTrue(rewritten > 2500, rewritten + " of 3000");
    assertEquals(Sentences.templates().keySet(), reached.keySet());
  }

  private static String babble(SplittableRandom random) {
    int[] ids = random.ints(1 + random.nextInt(40), UNKNOWN + 4, TOKENS.size()).toArray();
    return Vocabulary.join(Arrays.stream(ids).mapToObj(TOKENS::get).toList());
  }

  private static String another(SplittableRandom random) {
    return WORLD.truePair(1 + random.nextInt(7), random.split()).response();
  }

  private static Instruction instruction(World.Pair pair) {
    return Instruction.of(
        "1", pair.question(), sentences(pair), QType.TYPE1, World.BENCH, pair.constraints());
  }

  private static String promptText(World.Pair pair) {
    return instruction(pair).promptText();
  }

  private static List<String> sentences(World.Pair pair) {
    List<String> sentences = new ArrayList<>();
    for (ConstraintSpec spec : pair.constraints()) {
      sentences.add(
          SENTENCES.sentence(VERIFIERS.type(spec.bench(), spec.id()).orElseThrow(), spec.kwargs()));
    }
    return sentences;
  }
}
