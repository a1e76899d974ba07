package org.hirengine.verify.ifbench;

import java.util.List;
import org.hirengine.text.PyChars;
import org.hirengine.verify.ConstraintType;
import org.hirengine.verify.TextTools;
import org.hirengine.verify.rule.KeywordPosition;

/** All constraint types of IFBench. */
public final class IfBenchTypes {

  private IfBenchTypes() {}

  /** The types in the order of their ids' groups, with the rules of a revision. */
  public static List<ConstraintType> all(TextTools tools, Revision revision) {
    Sentences sentences = new Sentences(revision, tools);
    return List.of(
        new Conjunctions(),
        new KeywordsMultiple(),
        new Numbers(),
        new PersonNames(revision),
        new Pronouns(revision, tools),
        new AllPunctuation(),
        new UniqueWordCount(),
        new WordCountRange(),
        new JapaneseWords(),
        SentenceKinds.balance(sentences),
        SentenceKinds.ratio(sentences),
        new TrigramOverlap(revision),
        new StopWordRatio(revision, tools),
        new EqualSentences(sentences),
        new AlphabetLoop(revision),
        new ThreeVowels(),
        new ConsonantClusters(),
        new Palindromes(),
        new PrimeLengths(),
        new StartVerb(tools),
        new WordRepeats(),
        new AlternatingSyllables(tools),
        new NoEqualInitials(),
        new ChainedSentences(sentences),
        new FramedParagraphs(revision),
        keywordPosition(revision, tools, sentences),
        new SecondWords(revision, tools),
        new SentenceKeyword(sentences),
        new WordIncrement(sentences),
        new AlliterationIncrement(sentences),
        new NestedBrackets(),
        new NestedQuotes(),
        new Options(),
        new WordPerLine(),
        new EmojiSentences(sentences),
        new IndentStairs(),
        new QuoteExplained(revision),
        new ListMarker(),
        new ItalicThesis(),
        new SubBullets(),
        new SentencesThenBullets(sentences),
        new TitleCase(revision, tools),
        new OutputTemplate(),
        new NoWhitespace(),
        new RepeatChanged(revision),
        new RepeatSentence(),
        new RepeatSpan(revision),
        new MultiplesOfSeven(),
        new MultipleChoice(),
        new AfricanCountries(),
        new ReversedWords(),
        new ReversedLetters(),
        new AlphabetStory(sentences),
        new EuropeanCapitals(),
        new CsvCities(),
        new CsvSpecialCharacter(),
        new CsvQuotes(),
        new NapoleonDates());
  }

  /** The second revision ignores case and tokens of punctuation alone. */
  private static ConstraintType keywordPosition(
      Revision revision, TextTools tools, Sentences sentences) {
    String id = "words:keywords_specific_position";
    return revision == Revision.R1
        ? new KeywordPosition(id, sentences::of, tools::wordTokens, false)
        : new KeywordPosition(
            id,
            sentences::of,
            sentence ->
                tools.wordTokens(sentence).stream()
                    .filter(token -> token.codePoints().anyMatch(PyChars::isAlnum))
                    .toList(),
            true);
  }
}
