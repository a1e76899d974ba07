package org.hirengine.cli.demo;

import static org.hirengine.cli.demo.Layout.free;

import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.random.RandomGenerator;
import org.hirengine.cli.demo.Layout.Body;
import org.hirengine.cli.demo.Layout.Casing;
import org.hirengine.cli.demo.Layout.Head;
import org.hirengine.verify.ConstraintSpec;

/**
 * What a request of the demo can wish for: how the wish shapes the response to write, and which
 * constraints the written response then yields.
 *
 * <p>Constraints are derived from the finished text with the real verifiers, so they are satisfied
 * by construction; {@link World} confirms every pair nevertheless.
 */
enum Wish {
  WORDS_AT_LEAST {
    @Override
    Optional<List<ConstraintSpec>> read(Draft draft, RandomGenerator random) {
      int words = draft.most(WORDS, n -> relation("num_words", n, AT_LEAST));
      return atLeast(words - random.nextInt(5)).map(n -> List.of(words(n, AT_LEAST)));
    }
  },
  WORDS_LESS_THAN {
    @Override
    Optional<List<ConstraintSpec>> read(Draft draft, RandomGenerator random) {
      int words = draft.most(WORDS, n -> relation("num_words", n, AT_LEAST));
      return one(words(words + 1 + random.nextInt(5), LESS_THAN));
    }
  },
  /** IFEval has no "exactly n words": it takes two constraints. */
  WORDS_EXACTLY {
    @Override
    int constraints() {
      return 2;
    }

    @Override
    Optional<List<ConstraintSpec>> read(Draft draft, RandomGenerator random) {
      int words = draft.most(WORDS, n -> relation("num_words", n, AT_LEAST));
      return Optional.of(List.of(words(words, AT_LEAST), words(words + 1, LESS_THAN)));
    }
  },
  SENTENCES_AT_LEAST {
    @Override
    boolean shape(Layout layout, RandomGenerator random) {
      return sentences(layout);
    }

    @Override
    Optional<List<ConstraintSpec>> read(Draft draft, RandomGenerator random) {
      int sentences = draft.most(SENTENCES, n -> relation("num_sentences", n, AT_LEAST));
      return sentences < 2 ? Optional.empty() : one(sentences(sentences, AT_LEAST));
    }
  },
  SENTENCES_LESS_THAN {
    @Override
    boolean shape(Layout layout, RandomGenerator random) {
      return sentences(layout);
    }

    @Override
    Optional<List<ConstraintSpec>> read(Draft draft, RandomGenerator random) {
      int sentences = draft.most(SENTENCES, n -> relation("num_sentences", n, AT_LEAST));
      return one(sentences(sentences + 1, LESS_THAN));
    }
  },
  INCLUDE {
    @Override
    Optional<List<ConstraintSpec>> read(Draft draft, RandomGenerator random) {
      return one("keywords:existence", Map.of("keywords", List.of(draft.anyWord(random))));
    }
  },
  OFTEN {
    @Override
    boolean shape(Layout layout, RandomGenerator random) {
      layout.echo = true;
      return true;
    }

    @Override
    Optional<List<ConstraintSpec>> read(Draft draft, RandomGenerator random) {
      String id = "keywords:frequency";
      for (String word : draft.words()) {
        int times = draft.most(id, n -> frequency(word, n));
        if (times >= 2) {
          return one(id, frequency(word, times));
        }
      }
      return Optional.empty();
    }

    private Map<String, Object> frequency(String word, int n) {
      return Map.of("keyword", word, "frequency", n, "relation", AT_LEAST);
    }
  },
  ONCE {
    @Override
    Optional<List<ConstraintSpec>> read(Draft draft, RandomGenerator random) {
      return one("keywords:word_once", Map.of("keyword", draft.anyWord(random)));
    }
  },
  AVOID {
    @Override
    Optional<List<ConstraintSpec>> read(Draft draft, RandomGenerator random) {
      List<String> absent =
          Lexicon.CONTENT.stream().filter(word -> !draft.words().contains(word)).toList();
      String word = absent.get(random.nextInt(absent.size()));
      return one("keywords:forbidden_words", Map.of("forbidden_words", List.of(word)));
    }
  },
  NO_COMMA {
    @Override
    boolean shape(Layout layout, RandomGenerator random) {
      layout.commas = false;
      return true;
    }

    @Override
    Optional<List<ConstraintSpec>> read(Draft draft, RandomGenerator random) {
      return one("punctuation:no_comma", Map.of());
    }
  },
  NO_EXCLAMATION {
    @Override
    boolean shape(Layout layout, RandomGenerator random) {
      layout.exclamations = false;
      return true;
    }

    @Override
    Optional<List<ConstraintSpec>> read(Draft draft, RandomGenerator random) {
      return one("punctuation:punctuation_exclamation", Map.of());
    }
  },
  BULLETS {
    @Override
    boolean shape(Layout layout, RandomGenerator random) {
      if (!free(layout.head, Head.MARK) || !free(layout.body, Body.BULLETS)) {
        return false;
      }
      layout.head = Head.MARK;
      layout.body = Body.BULLETS;
      return true;
    }

    @Override
    Optional<List<ConstraintSpec>> read(Draft draft, RandomGenerator random) {
      String id = "detectable_format:number_bullet_lists";
      int bullets = draft.fewest(id, n -> Map.of("num_bullets", n));
      return one(id, Map.of("num_bullets", bullets));
    }
  },
  PARAGRAPHS {
    @Override
    boolean shape(Layout layout, RandomGenerator random) {
      if (!free(layout.body, Body.PARAGRAPHS)) {
        return false;
      }
      layout.body = Body.PARAGRAPHS;
      return true;
    }

    @Override
    Optional<List<ConstraintSpec>> read(Draft draft, RandomGenerator random) {
      String id = "length_constraints:number_paragraphs";
      int paragraphs = draft.fewest(id, n -> Map.of("num_paragraphs", n));
      return one(id, Map.of("num_paragraphs", paragraphs));
    }
  },
  TITLE {
    @Override
    boolean shape(Layout layout, RandomGenerator random) {
      if (!free(layout.head, Head.MARK)) {
        return false;
      }
      layout.head = Head.MARK;
      layout.titled = true;
      return true;
    }

    @Override
    Optional<List<ConstraintSpec>> read(Draft draft, RandomGenerator random) {
      return one("detectable_format:title", Map.of());
    }
  },
  QUOTES {
    @Override
    boolean shape(Layout layout, RandomGenerator random) {
      if (!free(layout.head, Head.MARK)) {
        return false;
      }
      layout.head = Head.MARK;
      layout.quoted = true;
      return true;
    }

    @Override
    Optional<List<ConstraintSpec>> read(Draft draft, RandomGenerator random) {
      return one("startend:quotation", Map.of());
    }
  },
  POSTSCRIPT {
    @Override
    boolean shape(Layout layout, RandomGenerator random) {
      if (!free(layout.postscript, true)) {
        return false;
      }
      layout.postscript = true;
      return true;
    }

    @Override
    Optional<List<ConstraintSpec>> read(Draft draft, RandomGenerator random) {
      return one(
          "detectable_content:postscript", Map.of("postscript_marker", Vocabulary.POSTSCRIPT));
    }
  },
  PLACEHOLDERS {
    @Override
    boolean shape(Layout layout, RandomGenerator random) {
      layout.placeholders = true;
      return true;
    }

    @Override
    Optional<List<ConstraintSpec>> read(Draft draft, RandomGenerator random) {
      String id = "detectable_content:number_placeholders";
      int placeholders = draft.most(id, n -> Map.of("num_placeholders", n));
      return atLeast(placeholders).map(n -> List.of(World.spec(id, Map.of("num_placeholders", n))));
    }
  },
  REPEAT {
    @Override
    boolean shape(Layout layout, RandomGenerator random) {
      if (!free(layout.head, Head.REQUEST) || !free(layout.body, Body.SENTENCES)) {
        return false;
      }
      layout.head = Head.REQUEST;
      return true;
    }

    @Override
    Optional<List<ConstraintSpec>> read(Draft draft, RandomGenerator random) {
      return one("combination:repeat_prompt", Map.of("prompt_to_repeat", draft.question()));
    }
  },
  CAPITALS_AT_LEAST {
    @Override
    boolean shape(Layout layout, RandomGenerator random) {
      return cased(layout, random.nextDouble() < 0.7 ? Casing.EMPHASIS : Casing.UPPER);
    }

    @Override
    Optional<List<ConstraintSpec>> read(Draft draft, RandomGenerator random) {
      int capitals = draft.most(CAPITALS, n -> capitals(n, AT_LEAST));
      return atLeast(capitals - random.nextInt(3))
          .map(n -> List.of(World.spec(CAPITALS, capitals(n, AT_LEAST))));
    }
  },
  CAPITALS_LESS_THAN {
    @Override
    boolean shape(Layout layout, RandomGenerator random) {
      return cased(layout, random.nextDouble() < 0.7 ? Casing.SENTENCE : Casing.LOWER);
    }

    @Override
    Optional<List<ConstraintSpec>> read(Draft draft, RandomGenerator random) {
      int capitals = draft.most(CAPITALS, n -> capitals(n, AT_LEAST));
      return one(CAPITALS, capitals(capitals + 1 + random.nextInt(2), LESS_THAN));
    }
  },
  LOWERCASE_AT_MOST {
    @Override
    boolean shape(Layout layout, RandomGenerator random) {
      return cased(layout, random.nextDouble() < 0.5 ? Casing.UPPER : Casing.TITLE);
    }

    @Override
    Optional<List<ConstraintSpec>> read(Draft draft, RandomGenerator random) {
      String id = "count:lowercase_counting";
      int fewest = draft.fewest(id, n -> Map.of("N", n));
      return one(id, Map.of("N", fewest + random.nextInt(3)));
    }
  },
  FIRST_WORD {
    @Override
    boolean shape(Layout layout, RandomGenerator random) {
      if (!free(layout.head, Head.WORD) || layout.body == Body.BULLETS) {
        return false;
      }
      layout.head = Head.WORD;
      return true;
    }

    @Override
    Optional<List<ConstraintSpec>> read(Draft draft, RandomGenerator random) {
      return one("first_word:first_word_answer", Map.of("first_word", draft.words().get(0)));
    }
  },
  LAST_WORD {
    @Override
    Optional<List<ConstraintSpec>> read(Draft draft, RandomGenerator random) {
      String last = draft.words().get(draft.words().size() - 1);
      return one("last_word:last_word_answer", Map.of("last_word", last));
    }
  };

  private static final Set<Wish> LENGTHS =
      EnumSet.of(WORDS_AT_LEAST, WORDS_LESS_THAN, WORDS_EXACTLY);
  private static final Set<Wish> COUNTS_OF_SENTENCES =
      EnumSet.of(SENTENCES_AT_LEAST, SENTENCES_LESS_THAN);

  private static final String WORDS = "length_constraints:number_words";
  private static final String SENTENCES = "length_constraints:number_sentences";
  private static final String CAPITALS = "change_case:capital_word_frequency";
  private static final String AT_LEAST = "at least";
  private static final String LESS_THAN = "less than";

  /** How many constraints the wish takes. */
  int constraints() {
    return 1;
  }

  /** Whether the other wish is about the same quantity. */
  boolean rivals(Wish other) {
    return (LENGTHS.contains(this) && LENGTHS.contains(other))
        || (COUNTS_OF_SENTENCES.contains(this) && COUNTS_OF_SENTENCES.contains(other));
  }

  /** Claims the features that the wish needs; false if an earlier wish conflicts with it. */
  boolean shape(Layout layout, RandomGenerator random) {
    return true;
  }

  /** The constraints that the text yields for this wish; may be empty. */
  abstract Optional<List<ConstraintSpec>> read(Draft draft, RandomGenerator random);

  private static boolean sentences(Layout layout) {
    // Whether a postscript's full stops end sentences depends on the splitter's abbreviations.
    if (!free(layout.body, Body.SENTENCES) || !free(layout.postscript, false)) {
      return false;
    }
    layout.body = Body.SENTENCES;
    layout.postscript = false;
    return true;
  }

  private static boolean cased(Layout layout, Casing casing) {
    if (layout.casing != null) {
      return false;
    }
    layout.casing = casing;
    return true;
  }

  private static ConstraintSpec words(int n, String relation) {
    return World.spec(WORDS, relation("num_words", n, relation));
  }

  private static ConstraintSpec sentences(int n, String relation) {
    return World.spec(SENTENCES, relation("num_sentences", n, relation));
  }

  private static Map<String, Object> relation(String name, int n, String relation) {
    return Map.of(name, n, "relation", relation);
  }

  private static Map<String, Object> capitals(int n, String relation) {
    return Map.of("capital_frequency", n, "capital_relation", relation);
  }

  private static Optional<Integer> atLeast(int n) {
    return n < 1 ? Optional.empty() : Optional.of(n);
  }

  private static Optional<List<ConstraintSpec>> one(String id, Map<String, Object> kwargs) {
    return one(World.spec(id, kwargs));
  }

  private static Optional<List<ConstraintSpec>> one(ConstraintSpec spec) {
    return Optional.of(List.of(spec));
  }
}
