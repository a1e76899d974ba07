package org.hirengine.verify;

import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import org.hirengine.text.CodePoints;
import org.hirengine.text.Pieces;
import org.hirengine.text.PyText;
import org.hirengine.verify.text.SentenceSplitter;
import org.hirengine.verify.text.Trigrams;
import org.jspecify.annotations.Nullable;

/**
 * A response under verification: its text, analysed lazily and only once for all constraints.
 *
 * <p>Safe for use by any number of threads; callers must not modify the returned lists.
 */
public final class Response {

  private final String text;
  private final Map<Object, Object> analyses = new ConcurrentHashMap<>(8);
  private volatile @Nullable CodePoints codePoints;
  private volatile @Nullable LooseVariants looseVariants;

  /** The response whose text holds this one's, {@code from} to {@code to}. */
  private final @Nullable Response whole;

  private final int from;
  private final int to;

  private Response(String text, @Nullable Response whole, int from, int to) {
    this.text = text;
    this.whole = whole;
    this.from = from;
    this.to = to;
  }

  /**
   * @param text the response; empty where there was none, never null
   */
  public static Response of(String text) {
    Objects.requireNonNull(text, "the text of a response is null: give \"\" where there is none");
    return new Response(text, null, 0, 0);
  }

  /**
   * Whole lines of this response, less white space at their ends, with the analyses of its words.
   *
   * @param from where the lines begin in this response's text
   */
  Response part(String lines, int from) {
    int at = text.indexOf(lines, from);
    return new Response(lines, this, at, at + lines.length());
  }

  public String text() {
    return text;
  }

  /** The text as code points, the unit of every length and index. */
  public CodePoints codePoints() {
    CodePoints result = codePoints;
    if (result == null) {
      result = CodePoints.of(text);
      codePoints = result;
    }
    return result;
  }

  /** The text without white space around it. */
  public String stripped() {
    return analysis("stripped", PyText::strip);
  }

  /** True when the text is empty or all white space. */
  public boolean isBlank() {
    return PyText.isBlank(text);
  }

  /** The text in lower case. */
  public String lower() {
    return analysis("lower", PyText::lower);
  }

  /** The runs of three characters. */
  public Trigrams trigrams() {
    return analysis(
        "trigrams",
        own ->
            whole == null || whole.codePoints().length() != whole.text.length()
                ? Trigrams.of(codePoints())
                : whole.trigrams().within(from, to));
  }

  /** The runs of word characters ({@code \w+}) that NLTK counts as words. */
  public Pieces words() {
    return pieces("words", PyText::regexWords);
  }

  /** The pieces separated by white space. */
  public Pieces tokens() {
    return pieces("tokens", PyText::split);
  }

  /** The pieces between white space of the text in lower case. */
  public Pieces lowerTokens() {
    return pieces("lower tokens", own -> PyText.split(PyText.lower(own)));
  }

  /**
   * Pieces that lie between white space, or between some of it: then what precedes a line, and what
   * follows it, changes nothing, and a variant of a response takes its pieces from there.
   *
   * @param key as for {@link #analysis}
   */
  public Pieces pieces(Object key, Function<String, Pieces> cut) {
    return analysis(
        key,
        own -> {
          Pieces all = whole == null ? null : whole.pieces(key, cut);
          // Other cases may have other lengths; places in them are not places here.
          return all != null && whole != null && all.text().length() == whole.text.length()
              ? all.within(from, to)
              : cut.apply(own);
        });
  }

  /**
   * The sentences by the references' rule-based splitter ({@link SentenceSplitter}); Punkt's are in
   * {@link TextTools#sentences}.
   */
  public List<String> splitSentences() {
    return analysis("split sentences", own -> SentenceSplitter.splitLine(onOneLine()));
  }

  /** The text with spaces in place of line ends. */
  private String onOneLine() {
    return analysis(
        "one line",
        own -> whole == null ? own.replace('\n', ' ') : whole.onOneLine().substring(from, to));
  }

  /**
   * An analysis of the text, computed when first asked for and cached.
   *
   * @param key identifies the analysis, its parameters included
   */
  @SuppressWarnings("unchecked")
  public <T> T analysis(Object key, Function<String, T> analyse) {
    Object result = analyses.get(key);
    if (result == null) {
      result = analyse.apply(text);
      analyses.put(key, result);
    }
    return (T) result;
  }

  /**
   * The texts that loose verification tries, in the reference's order, without the blank and the
   * repeated ones: the text itself, without asterisks, and without its first line, its last, or
   * both (stripped), each of these also without asterisks. Each is made when it is asked for: the
   * first that satisfies a constraint ends the search.
   */
  public Iterable<Response> looseVariants() {
    LooseVariants result = looseVariants;
    if (result == null) {
      result = new LooseVariants(this);
      looseVariants = result;
    }
    return result;
  }

  @Override
  public String toString() {
    return text;
  }
}
