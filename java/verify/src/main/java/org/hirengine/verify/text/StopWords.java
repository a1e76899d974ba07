package org.hirengine.verify.text;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Set;

/** English function words, in lower case: NLTK's list where it is installed, else our own. */
public final class StopWords {

  private StopWords() {}

  /** A list of our own, by word class. */
  public static Set<String> builtIn() {
    return WordList.resource("stopwords-english.txt");
  }

  /**
   * NLTK's {@code corpora/stopwords/english}, one word a line.
   *
   * @throws IOException where the file cannot be read
   */
  public static Set<String> read(Path file) throws IOException {
    return WordList.read(file);
  }
}
