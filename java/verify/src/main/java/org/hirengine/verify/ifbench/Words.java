package org.hirengine.verify.ifbench;

import org.hirengine.text.Pieces;
import org.hirengine.text.PyChars;
import org.hirengine.text.PyText;
import org.hirengine.verify.Response;

/** The words of a response in the forms that several rules need, each cached on the response. */
final class Words {

  /** What the references strip off a word's ends: ASCII punctuation and the space. */
  static final String MARKS = PyChars.ASCII_PUNCTUATION + " ";

  private Words() {}

  /** The pieces between white space after all ASCII punctuation is removed. */
  static Pieces bare(Response response) {
    return response.pieces("bare words", whole -> PyText.bareWords(whole.text()));
  }

  /**
   * The same for the lower-cased text. Lower-casing comes first, because punctuation decides
   * whether a sigma is final.
   */
  static Pieces lowerBare(Response response) {
    return response.pieces("lower bare words", whole -> PyText.bareWords(whole.lower()));
  }

  /** The pieces between white space of the text in lower case, each without ASCII marks around. */
  static Pieces lowerStripped(Response response) {
    return response.pieces(
        "lower stripped words", whole -> whole.lowerTokens().trim(PyChars::isPunctuation));
  }

  /** The same, lazily, for rules that mostly fail on one of the first words. */
  static Iterable<String> eachBare(Response response) {
    return PyText.eachBareWord(response.text());
  }

  /** The words of a sentence after all ASCII punctuation is removed. */
  static Pieces bare(String sentence) {
    return PyText.bareWords(sentence);
  }

  /** The first character in lower case. */
  static int initial(String word) {
    int first = word.codePointAt(0);
    return first < 128
        ? PyChars.isUpper(first) ? first + 32 : first
        : PyText.lower(Character.toString(first)).codePointAt(0);
  }

  /** Whether this is a plain English word, fit for a constraint. */
  static boolean plain(String word) {
    return word.length() >= 3 && word.chars().allMatch(c -> c < 128 && PyChars.isAlpha(c));
  }
}
