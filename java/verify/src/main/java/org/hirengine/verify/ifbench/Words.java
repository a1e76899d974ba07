package org.hirengine.verify.ifbench;

import org.hirengine.text.Pieces;
import org.hirengine.text.PyChars;
import org.hirengine.text.PyText;
import org.hirengine.verify.Response;

/** The words of a response in the forms that several rules ask for, each kept with it. */
final class Words {

  /** What the references strip off a word's ends: ASCII punctuation and the space. */
  static final String MARKS = PyChars.ASCII_PUNCTUATION + " ";

  private Words() {}

  /** The pieces between white space once all ASCII punctuation is gone. */
  static Pieces bare(Response response) {
    return response.pieces("bare words", PyText::bareWords);
  }

  /**
   * The same of the lower-cased text. Lowering comes first, because punctuation decides whether a
   * sigma is final.
   */
  static Pieces lowerBare(Response response) {
    return response.pieces("lower bare words", text -> PyText.bareWords(PyText.lower(text)));
  }

  /** The words of a sentence once all ASCII punctuation is gone. */
  static Pieces bare(String sentence) {
    return PyText.bareWords(sentence);
  }

  /** Is it a plain English word, such as can be asked for? */
  static boolean plain(String word) {
    return word.length() >= 3 && word.chars().allMatch(c -> c < 128 && PyChars.isAlpha(c));
  }
}
