package org.hirengine.cli.demo;

import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * What a response will look like. Wishes claim the features that they need, each with at most one
 * value; {@link #fill} then decides everything that was not asked for, so that the presence of a
 * feature says little about the request.
 */
final class Layout {

  /** How the response begins. */
  enum Head {
    /** With a plain word. */
    WORD,
    /** With the request, repeated. */
    REQUEST,
    /** With a quote mark, a title or a bullet. */
    MARK
  }

  /** What the body is made of. */
  enum Body {
    SENTENCES,
    BULLETS,
    PARAGRAPHS
  }

  /** The letter case of the words. */
  enum Casing {
    SENTENCE,
    LOWER,
    UPPER,
    TITLE,
    /** Sentence case with some words in capitals. */
    EMPHASIS
  }

  final String topic;
  @Nullable Head head;
  @Nullable Body body;
  @Nullable Casing casing;
  @Nullable Boolean quoted;
  @Nullable Boolean titled;
  @Nullable Boolean postscript;
  @Nullable Boolean commas;
  @Nullable Boolean exclamations;
  @Nullable Boolean placeholders;
  @Nullable Boolean echo;

  Layout(String topic) {
    this.topic = topic;
  }

  /** True when {@code wanted} is what was claimed, or nothing was. */
  static <T> boolean free(@Nullable T claimed, T wanted) {
    return claimed == null || claimed.equals(wanted);
  }

  void fill(RandomGenerator random) {
    if (body == null) {
      double draw = random.nextDouble();
      boolean bullets = draw < 0.10 && free(head, Head.MARK);
      body = bullets ? Body.BULLETS : draw > 0.90 ? Body.PARAGRAPHS : Body.SENTENCES;
      if (bullets) {
        head = Head.MARK;
      }
    }
    quoted = decide(quoted, 0.06, free(head, Head.MARK), random);
    titled = decide(titled, 0.08, free(head, Head.MARK), random);
    if (head == null) {
      boolean marked = quoted || titled;
      head = marked ? Head.MARK : random.nextDouble() < 0.05 ? Head.REQUEST : Head.WORD;
    }
    postscript = decide(postscript, 0.08, true, random);
    commas = decide(commas, 0.6, true, random);
    exclamations = decide(exclamations, 0.4, true, random);
    placeholders = decide(placeholders, 0.08, true, random);
    echo = decide(echo, 0.1, true, random);
    if (casing == null) {
      double draw = random.nextDouble();
      casing =
          draw < 0.70
              ? Casing.SENTENCE
              : draw < 0.80
                  ? Casing.LOWER
                  : draw < 0.85 ? Casing.UPPER : draw < 0.90 ? Casing.TITLE : Casing.EMPHASIS;
    }
  }

  private static boolean decide(
      @Nullable Boolean claimed, double share, boolean possible, RandomGenerator random) {
    return claimed != null ? claimed : possible && random.nextDouble() < share;
  }
}
