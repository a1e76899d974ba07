package org.hirengine.verify;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.hirengine.verify.text.LanguageDetector;
import org.hirengine.verify.text.LexiconTagger;
import org.hirengine.verify.text.PerceptronTagger;
import org.hirengine.verify.text.PosTagger;
import org.hirengine.verify.text.Punkt;
import org.hirengine.verify.text.PunktParameters;
import org.hirengine.verify.text.StopWords;
import org.hirengine.verify.text.Syllables;
import org.hirengine.verify.text.WordTokenizer;
import org.jspecify.annotations.Nullable;

/**
 * The analysers that need data files. Each result is cached on its {@link Response}.
 *
 * <p>The data are NLTK's if installed (then verdicts equal the reference's), otherwise built in;
 * {@link #builtIns} names what was replaced.
 */
public final class TextTools {

  private final List<String> builtIns = new ArrayList<>();
  private final Punkt punkt;
  private final WordTokenizer tokenizer;
  private final PosTagger tagger;
  private final Set<String> stopWords;
  private final Syllables syllables;

  private TextTools(List<Path> folders) throws IOException {
    Path parameters = find(folders, "tokenizers/punkt_tab/english");
    this.punkt =
        new Punkt(
            parameters == null ? PunktParameters.builtIn() : PunktParameters.read(parameters));
    this.tokenizer = new WordTokenizer(punkt);
    Path model = find(folders, "taggers/averaged_perceptron_tagger_eng");
    this.tagger = model == null ? new LexiconTagger() : PerceptronTagger.read(model);
    Path words = find(folders, "corpora/stopwords/english");
    this.stopWords = words == null ? StopWords.builtIn() : StopWords.read(words);
    Path counts = find(folders, "syllapy/words.csv");
    this.syllables = counts == null ? Syllables.builtIn() : Syllables.read(counts);
  }

  /**
   * Reads text data in NLTK's layout.
   *
   * @throws IOException if an existing file cannot be read
   */
  public static TextTools of(Path folder) throws IOException {
    if (!Files.isDirectory(folder)) {
      throw new IOException("text data folder not found: " + folder);
    }
    return new TextTools(List.of(folder));
  }

  /**
   * Reads text data from the folders that the environment variable NLTK_DATA names, if any.
   *
   * @throws IOException if an existing file cannot be read
   */
  public static TextTools standard() throws IOException {
    List<Path> folders = new ArrayList<>();
    String variable = System.getenv("NLTK_DATA");
    if (variable != null) {
      for (String folder : variable.split(File.pathSeparator, -1)) {
        if (!folder.isBlank()) {
          folders.add(Path.of(folder));
        }
      }
    }
    return new TextTools(folders);
  }

  private @Nullable Path find(List<Path> folders, String name) {
    for (Path folder : folders) {
      if (Files.exists(folder.resolve(name))) {
        return folder.resolve(name);
      }
    }
    builtIns.add(name);
    return null;
  }

  /** What was not found, as paths within NLTK's layout; a built-in replaces each. */
  public List<String> builtIns() {
    return List.copyOf(builtIns);
  }

  /** The sentences by Punkt ({@code sent_tokenize}). */
  public List<String> sentences(Response response) {
    return response.analysis(punkt, punkt::sentences);
  }

  /** The same, found lazily, for rules that often need only the first. */
  public Iterable<String> eachSentence(Response response) {
    return punkt.each(response.text());
  }

  /** The sentences of a part of a response, such as one line. */
  public List<String> sentences(String part) {
    return punkt.sentences(part);
  }

  /** The tokens by Punkt and the Treebank rules ({@code word_tokenize}). */
  public List<String> wordTokens(Response response) {
    return response.analysis(tokenizer, tokenizer::tokens);
  }

  /** The tokens of a part of a response, such as one sentence. */
  public List<String> wordTokens(String part) {
    return tokenizer.tokens(part);
  }

  /** The Penn Treebank tag of the first token ({@code pos_tag}); empty if there is none. */
  public Optional<String> firstTag(Response response) {
    return response.analysis(tagger, text -> firstTag(punkt.each(text).iterator()));
  }

  private Optional<String> firstTag(Iterator<String> sentences) {
    List<String> tokens = new ArrayList<>();
    while (sentences.hasNext() && tokens.size() < PosTagger.TOKENS_FOR_FIRST) {
      tokens.addAll(WordTokenizer.tokenize(sentences.next()));
    }
    return tokens.isEmpty() ? Optional.empty() : Optional.of(tagger.firstTag(tokens));
  }

  /** Function words in lower case. */
  public Set<String> stopWords() {
    return stopWords;
  }

  /** The syllables of a word in lower case, without punctuation. */
  public int syllables(String word) {
    return syllables.count(word);
  }

  /** The language of the text by {@link LanguageDetector#detect}; empty if none can be detected. */
  public Optional<String> language(Response response) {
    return response.analysis("language", text -> LanguageDetector.instance().detect(text));
  }
}
