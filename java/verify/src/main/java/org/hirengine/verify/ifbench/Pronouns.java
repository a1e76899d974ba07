package org.hirengine.verify.ifbench;

import java.util.List;
import java.util.Set;
import java.util.random.RandomGenerator;
import org.hirengine.text.PyText;
import org.hirengine.verify.Response;
import org.hirengine.verify.TextTools;
import org.hirengine.verify.rule.NumberType;
import org.hirengine.verify.rule.Wording;

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

  Pronouns(Revision revision, TextTools tools) {
    super("count:pronouns", "N", "pronoun", Match.AT_LEAST);
    this.revision = revision;
    this.tools = tools;
  }

  @Override
  protected int count(Response response) {
    return response.analysis("pronouns " + revision, text -> count(text.replace('/', ' ')));
  }

  private int count(String text) {
    String lower = PyText.lower(text);
    List<String> words =
        revision == Revision.R1
            ? PyText.split(PyText.removePunctuation(lower))
            : tools.wordTokens(lower);
    int count = 0;
    for (String word : words) {
      if (PERSONAL.contains(word) || (revision == Revision.R2 && OTHER.contains(word))) {
        count++;
      }
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
