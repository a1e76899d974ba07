package org.hirengine.verify;

import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.function.Supplier;
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

  /** Null in a part until needed: shared analyses often do not need it. */
  private @Nullable String text;

  private final Map<Object, Object> analyses = new ConcurrentHashMap<>(8);
  private volatile @Nullable CodePoints codePoints;
  private volatile @Nullable LooseVariants looseVariants;

  /** The response whose text holds this one's, {@code from} to {@code to}. */
  private final @Nullable Response whole;

  private final int from;
  private final int to;

  private Response(@Nullable String text, @Nullable Response whole, int from, int to) {
    this.text = text;
    this.whole = whole;
    this.from = from;
    this.to = to;
  }

  /**
   * @param text the response; empty if there was none, never null
   */
  public static Response of(String text) {
    Objects.requireNonNull(text, "the text of a response is null: give \"\" where there is none");
    return new Response(text, null, 0, text.length());
  }

  /**
   * Whole lines of this response, which share its analyses.
   *
   * @param from where the lines begin in this response's text: at its beginning or after white
   *     space
   * @param to where they end: at the text's end or before white space
   */
  Response part(int from, int to) {
    return new Response(null, this, from, to);
  }

  public String text() {
    String result = text;
    if (result == null) {
      result = Objects.requireNonNull(whole).text().substring(from, to);
      text = result; // a race makes the same string twice
    }
    return result;
  }

  /** The text's length in UTF-16 units. */
  int length() {
    return to - from;
  }

  /** The text as code points, the unit of every length and index. */
  public CodePoints codePoints() {
    CodePoints result = codePoints;
    if (result == null) {
      result = CodePoints.of(text());
      codePoints = result;
    }
    return result;
  }

  /** The text without surrounding white space. */
  public String stripped() {
    return analysis("stripped", PyText::strip);
  }

  /** True when the text is empty or all white space. */
  public boolean isBlank() {
    return whole == null ? PyText.isBlank(text()) : PyText.isBlank(whole.text(), from, to);
  }

  /** The text in lower case. */
  public String lower() {
    return cached(
        "lower",
        () -> {
          String all = whole == null ? null : whole.lower();
          // A sigma next to white space has the same form as at the end of a text.
          return all != null && whole != null && all.length() == whole.length()
              ? all.substring(from, to)
              : PyText.lower(text());
        });
  }

  /** The runs of three characters. */
  public Trigrams trigrams() {
    return cached(
        "trigrams",
        () ->
            whole == null || whole.codePoints().length() != whole.length()
                ? Trigrams.of(codePoints())
                : whole.trigrams().within(from, to));
  }

  /** The runs of word characters ({@code \w+}) that NLTK counts as words. */
  public Pieces words() {
    return pieces("words", response -> PyText.regexWords(response.text()));
  }

  /** The pieces separated by white space. */
  public Pieces tokens() {
    return pieces("tokens", response -> PyText.split(response.text()));
  }

  /** The pieces between white space of the text in lower case. */
  public Pieces lowerTokens() {
    return pieces("lower tokens", response -> PyText.split(response.lower()));
  }

  /**
   * Pieces separated by white space, or by some kind of it. Such pieces do not depend on the lines
   * before and after, so a variant of a response takes its pieces from the whole response.
   *
   * @param key as for {@link #analysis}
   * @param cut cuts this response, or the one that it is a part of
   */
  public Pieces pieces(Object key, Function<Response, Pieces> cut) {
    return cached(
        key,
        () -> {
          Pieces all = whole == null ? null : whole.pieces(key, cut);
          // Changing case may change lengths, so positions there are not positions here.
          return all != null && whole != null && all.text().length() == whole.length()
              ? all.within(from, to)
              : cut.apply(this);
        });
  }

  /**
   * The sentences by the references' rule-based splitter ({@link SentenceSplitter}); Punkt's are in
   * {@link TextTools#sentences}.
   */
  public List<String> splitSentences() {
    return sentences().pieces();
  }

  private SentenceSplitter.Sentences sentences() {
    return cached(
        "split sentences",
        () -> {
          SentenceSplitter.Sentences all = whole == null ? null : whole.sentences();
          return all != null && all.local()
              ? all.within(from, to)
              : SentenceSplitter.sentences(text());
        });
  }

  /**
   * An analysis of the text, computed when first asked for and cached.
   *
   * @param key identifies the analysis, its parameters included
   */
  public <T> T analysis(Object key, Function<String, T> analyse) {
    return cached(key, () -> analyse.apply(text()));
  }

  @SuppressWarnings("unchecked")
  private <T> T cached(Object key, Supplier<T> analyse) {
    Object result = analyses.get(key);
    if (result == null) {
      result = analyse.get();
      analyses.put(key, result);
    }
    return (T) result;
  }

  /**
   * The texts that loose verification tries, in the reference's order, without blank and repeated
   * ones: the text itself, without asterisks, and without its first line, its last, or both
   * (stripped), each of these also without asterisks. Each is made when needed, since the first
   * that satisfies a constraint ends the search.
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
    return text();
  }
}
