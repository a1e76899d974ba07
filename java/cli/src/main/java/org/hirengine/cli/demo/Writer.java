package org.hirengine.cli.demo;

import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;

/** Writes one response of a given layout: short clauses of the lexicon's words. */
final class Writer {

  private final Layout layout;
  private final RandomGenerator random;
  private final List<String> tokens = new ArrayList<>();
  private final String echo;
  private int echoes;
  private int placeholders;
  private boolean opening = true;

  private Writer(Layout layout, RandomGenerator random) {
    this.layout = layout;
    this.random = random;
    this.echo = pick(Lexicon.CONTENT);
    this.echoes = layout.echo ? 2 + random.nextInt(3) : 0;
    this.placeholders = layout.placeholders ? 1 + random.nextInt(3) : 0;
  }

  /** The response's tokens; the layout must be filled. */
  static List<String> write(Layout layout, RandomGenerator random) {
    Writer writer = new Writer(layout, random);
    writer.response();
    return writer.tokens;
  }

  private void response() {
    if (layout.quoted) {
      tokens.add(Vocabulary.OPEN_QUOTE);
    }
    if (layout.titled) {
      title();
    }
    if (layout.head == Layout.Head.REQUEST) {
      word("write");
      word("about");
      word(layout.topic);
      end(".");
    }
    switch (layout.body) {
      case SENTENCES -> sentences(1 + random.nextInt(4));
      case BULLETS -> bullets(1 + random.nextInt(4));
      case PARAGRAPHS -> paragraphs(2 + random.nextInt(2));
    }
    if (layout.postscript) {
      lineBreak();
      tokens.add(Vocabulary.POSTSCRIPT);
      opening = true;
      clause();
      end(mark());
    }
    if (layout.quoted) {
      tokens.add(Vocabulary.CLOSE_QUOTE);
    }
  }

  private void title() {
    tokens.add(Vocabulary.OPEN_TITLE);
    for (String word : List.of(pick(Lexicon.ADJECTIVES), pick(Lexicon.NOUNS))) {
      opening = true;
      word(word);
    }
    tokens.add(Vocabulary.CLOSE_TITLE);
    tokens.add(Vocabulary.LINE_BREAK);
    opening = true;
  }

  private void sentences(int count) {
    for (int i = 0; i < count; i++) {
      sentence();
    }
  }

  private void paragraphs(int count) {
    for (int i = 0; i < count; i++) {
      if (i > 0) {
        lineBreak();
        tokens.add(Vocabulary.SEPARATOR);
        tokens.add(Vocabulary.LINE_BREAK);
      }
      sentence();
    }
  }

  private void bullets(int count) {
    for (int i = 0; i < count; i++) {
      lineBreak();
      tokens.add(Vocabulary.BULLET);
      opening = true;
      clause();
    }
  }

  private void lineBreak() {
    boolean atStart =
        tokens.isEmpty()
            || tokens.get(tokens.size() - 1).equals(Vocabulary.LINE_BREAK)
            || tokens.get(tokens.size() - 1).equals(Vocabulary.OPEN_QUOTE);
    if (!atStart) {
      tokens.add(Vocabulary.LINE_BREAK);
    }
  }

  private void sentence() {
    clause();
    while (random.nextDouble() < 0.4) {
      if (layout.commas && random.nextDouble() < 0.7) {
        tokens.add(",");
      } else {
        word(Lexicon.AND);
      }
      clause();
    }
    end(mark());
  }

  private void clause() {
    if (random.nextDouble() < 0.5) {
      word(choose(Lexicon.ADJECTIVES));
    }
    if (placeholders > 0 && random.nextDouble() < 0.6) {
      placeholders--;
      tokens.add(pick(Vocabulary.PLACEHOLDERS));
      opening = false;
    } else {
      word(choose(Lexicon.NOUNS));
    }
    word(choose(Lexicon.VERBS));
    if (random.nextDouble() < 0.4) {
      word(choose(Lexicon.ADVERBS));
    }
  }

  private void end(String mark) {
    tokens.add(mark);
    opening = true;
  }

  private String mark() {
    return layout.exclamations && random.nextDouble() < 0.5 ? "!" : ".";
  }

  private void word(String word) {
    tokens.add(
        switch (layout.casing) {
          case LOWER -> word;
          case UPPER -> Lexicon.upper(word);
          case TITLE -> Lexicon.title(word);
          case SENTENCE -> opening ? Lexicon.title(word) : word;
          case EMPHASIS ->
              random.nextDouble() < 0.25
                  ? Lexicon.upper(word)
                  : opening ? Lexicon.title(word) : word;
        });
    opening = false;
  }

  private String choose(List<String> words) {
    if (echoes > 0 && words.contains(echo) && random.nextDouble() < 0.7) {
      echoes--;
      return echo;
    }
    if (words == Lexicon.NOUNS && random.nextDouble() < 0.25) {
      return layout.topic;
    }
    return pick(words);
  }

  private String pick(List<String> words) {
    return words.get(random.nextInt(words.size()));
  }
}
