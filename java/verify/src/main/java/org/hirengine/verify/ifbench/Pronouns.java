package org.hirengine.verify.ifbench;

import java.util.HashSet;
import java.util.Set;
import java.util.random.RandomGenerator;
import org.hirengine.text.Pieces;
import org.hirengine.text.PyText;
import org.hirengine.verify.Response;
import org.hirengine.verify.TextTools;
import org.hirengine.verify.rule.NumberType;
import org.hirengine.verify.rule.Wording;
import org.hirengine.verify.text.WordSet;

/** {@code PronounCountChecker}: words from a list of pronouns, longer in the second revision. */
final class Pronouns extends NumberType {

  private static final Set<String> PERSONAL =
      Set.of(
          "i",
          "me",
          "my",
          "mine",
          "myself",
          "we",
          "us",
          "our",
          "ours",
          "ourselves",
          "you",
          "your",
          "yours",
          "yourself",
          "yourselves",
          "he",
          "him",
          "his",
          "himself",
          "she",
          "her",
          "hers",
          "herself",
          "it",
          "its",
          "itself",
          "they",
          "them",
          "their",
          "theirs",
          "themselves");

  private static final Set<String> OTHER =
      Set.of(
          "this",
          "that",
          "these",
          "those",
          "who",
          "whom",
          "whose",
          "which",
          "what",
          "whoever",
          "whomever",
          "whatever",
          "whichever",
          "anybody",
          "anyone",
          "anything",
          "everybody",
          "everyone",
          "everything",
          "nobody",
          "nothing",
          "somebody",
          "someone",
          "something",
          "each",
          "either",
          "neither",
          "both",
          "all",
          "some",
          "any",
          "none");

  private final Revision revision;
  private final TextTools tools;
  private final WordSet pronouns;

  Pronouns(Revision revision, TextTools tools) {
    super("count:pronouns", "N", "pronoun", Match.AT_LEAST);
    this.revision = revision;
    this.tools = tools;
    Set<String> words = new HashSet<>(PERSONAL);
    if (revision == Revision.R2) {
      words.addAll(OTHER);
    }
    this.pronouns = WordSet.of(words);
  }

  @Override
  protected int count(Response response) {
    return revision == Revision.R1
        ? response.pieces("pronouns", whole -> bare(whole).filter(pronouns::contains)).size()
        : response.analysis("pronouns R2", this::countTokens);
  }

  private static Pieces bare(Response response) {
    return PyText.bareWords(response.text().replace('/', ' '));
  }

  private int countTokens(String text) {
    int count = 0;
    for (String token : tools.wordTokens(PyText.lower(text.replace('/', ' ')))) {
      count += pronouns.contains(token, 0, token.length()) ? 1 : 0;
    }
    return count;
  }

  @Override
  protected String sentence(int asked) {
    return "Use at least " + Wording.count(asked, "pronoun") + ".";
  }

  @Override
  protected int sampleCount(RandomGenerator random) {
    return 1 + random.nextInt(25);
  }
}
