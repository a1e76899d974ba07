package org.hirengine.verify.text;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Set;

/** English function words, in lower case: NLTK's list if installed, else our own. */
public final class StopWords {

  private StopWords() {}

  /** A list of our own, by word class. */
  public static Set<String> builtIn() {
    return WordList.resource("stopwords-english.txt");
  }

  /**
   * NLTK's {@code corpora/stopwords/english}, one word per line.
   *
   * @throws IOException if the file cannot be read
   */
  public static Set<String> read(Path file) throws IOException {
    return WordList.read(file);
  }
}
