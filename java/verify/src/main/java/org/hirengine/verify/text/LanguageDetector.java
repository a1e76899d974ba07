package org.hirengine.verify.text;

import com.cybozu.labs.langdetect.util.NGram;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.hirengine.text.PyChars;
import org.hirengine.text.PyRandom;

/**
 * Language identification by naive Bayes over character n-grams, step by step like the references'
 * Python {@code langdetect} 1.0.9 with seed 0, random draws included: the same text always has the
 * same language.
 *
 * <p>Profiles and character normalisation come from the Java library that it was ported from
 * ({@code com.cybozu.labs:langdetect}); the library's static detector is not used. The Python port
 * has a different Korean profile than the 53 of that library, and adds Catalan and Welsh: these
 * three are resources here, with the totals of each length and then one n-gram with its count per
 * line.
 */
public final class LanguageDetector {

  private static final String[] LANGUAGES = {
    "af", "ar", "bg", "bn", "ca", "cs", "cy", "da", "de", "el", "en", "es", "et", "fa", "fi", "fr",
    "gu", "he", "hi", "hr", "hu", "id", "it", "ja", "kn", "ko", "lt", "lv", "mk", "ml", "mr", "ne",
    "nl", "no", "pa", "pl", "pt", "ro", "ru", "sk", "sl", "so", "sq", "sv", "sw", "ta", "te", "th",
    "tl", "tr", "uk", "ur", "vi", "zh-cn", "zh-tw"
  };

  /** Languages whose profile comes from the Python port. */
  private static final Set<String> PORTED = Set.of("ca", "cy", "ko");

  private static final int TRIALS = 7;
  private static final int ITERATION_LIMIT = 1000;
  private static final int MAX_LENGTH = 10_000;
  private static final double ALPHA = 0.5;
  private static final double ALPHA_WIDTH = 0.05;
  private static final double BASE_FREQUENCY = 10_000;
  private static final double CONVERGED = 0.99999;
  private static final double LEAST_PROBABILITY = 0.1;

  /** n-gram (up to three characters of 16 bits, length above them) to its row. */
  private final LongIndex rows;

  /** For each row the languages that have the n-gram, and its frequency in each. */
  private final byte[][] rowLanguages;

  private final double[][] rowFrequencies;
  private final char[] normalized = new char[0x10000];

  private LanguageDetector() throws IOException {
    for (int c = 0; c < normalized.length; c++) {
      normalized[c] = NGram.normalize((char) c);
    }
    rows = new LongIndex(1 << 18);
    List<byte[]> languages = new ArrayList<>();
    List<double[]> frequencies = new ArrayList<>();
    for (int language = 0; language < LANGUAGES.length; language++) {
      for (Map.Entry<String, Double> gram : profile(LANGUAGES[language]).entrySet()) {
        int row = rows.putIfAbsent(key(gram.getKey()), languages.size());
        if (row == languages.size()) {
          languages.add(new byte[] {(byte) language});
          frequencies.add(new double[] {gram.getValue()});
        } else {
          int n = languages.get(row).length;
          byte[] widerLanguages = Arrays.copyOf(languages.get(row), n + 1);
          double[] widerFrequencies = Arrays.copyOf(frequencies.get(row), n + 1);
          widerLanguages[n] = (byte) language;
          widerFrequencies[n] = gram.getValue();
          languages.set(row, widerLanguages);
          frequencies.set(row, widerFrequencies);
        }
      }
    }
    rowLanguages = languages.toArray(byte[][]::new);
    rowFrequencies = frequencies.toArray(double[][]::new);
  }

  /** The codes of the languages that can be detected. */
  public static List<String> languages() {
    return List.of(LANGUAGES);
  }

  /** The detector; profiles are read on first use. */
  public static LanguageDetector instance() {
    return Holder.INSTANCE;
  }

  private static final class Holder {
    static final LanguageDetector INSTANCE = make();

    private static LanguageDetector make() {
      try {
        return new LanguageDetector();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  private static long key(String gram) {
    long key = gram.length();
    for (int i = 0; i < gram.length(); i++) {
      key = key << 16 | gram.charAt(i);
    }
    return key;
  }

  /** A language's n-grams with their relative frequencies among n-grams of their length. */
  private static Map<String, Double> profile(String language) throws IOException {
    Map<String, Double> grams = new LinkedHashMap<>();
    long[] totals = new long[3];
    if (PORTED.contains(language)) {
      readPorted(language, grams, totals);
    } else {
      readLibrary(language, grams, totals);
    }
    grams.replaceAll((gram, count) -> count / totals[gram.length() - 1]);
    return grams;
  }

  private static void readPorted(String language, Map<String, Double> grams, long[] totals)
      throws IOException {
    String name = "languages/" + language + ".tsv";
    try (InputStream in = LanguageDetector.class.getResourceAsStream(name)) {
      if (in == null) {
        throw new IOException("language profile not found in hir-verify: " + name);
      }
      List<String> lines = new String(in.readAllBytes(), StandardCharsets.UTF_8).lines().toList();
      String[] counts = lines.get(0).split("\t");
      for (int i = 0; i < totals.length; i++) {
        totals[i] = Long.parseLong(counts[i]);
      }
      for (String line : lines.subList(1, lines.size())) {
        int tab = line.indexOf('\t');
        grams.put(
            line.substring(0, tab), (double) Long.parseLong(line, tab + 1, line.length(), 10));
      }
    }
  }

  private static void readLibrary(String language, Map<String, Double> grams, long[] totals)
      throws IOException {
    try (InputStream in = NGram.class.getResourceAsStream("/profiles/" + language)) {
      if (in == null) {
        throw new IOException("language profile not found in the langdetect jar: " + language);
      }
      JsonParser parser = new JsonFactory().createParser(in);
      while (parser.nextToken() != null) {
        if (parser.currentToken() != JsonToken.FIELD_NAME) {
          continue;
        }
        String field = parser.currentName();
        parser.nextToken();
        if (field.equals("n_words")) {
          for (int i = 0; parser.nextToken() != JsonToken.END_ARRAY; i++) {
            totals[i] = parser.getLongValue();
          }
        } else if (parser.currentToken() == JsonToken.VALUE_NUMBER_INT && field.length() <= 3) {
          grams.put(field, (double) parser.getLongValue());
        }
      }
    }
  }

  /**
   * The most likely language as an ISO 639-1 code ({@code zh-cn} and {@code zh-tw} apart), {@code
   * unknown} if none stands out, or empty if the text has no letters.
   */
  public Optional<String> detect(String text) {
    int[] grams = grams(withoutMinorityLatin(clean(text)));
    if (grams.length == 0) {
      return Optional.empty();
    }
    double[] mean = new double[LANGUAGES.length];
    PyRandom random = new PyRandom(0);
    for (int trial = 0; trial < TRIALS; trial++) {
      double[] p = trial(grams, random);
      for (int i = 0; i < mean.length; i++) {
        mean[i] += p[i] / TRIALS;
      }
    }
    int best = 0;
    for (int i = 1; i < mean.length; i++) {
      best = mean[i] > mean[best] ? i : best;
    }
    return Optional.of(mean[best] > LEAST_PROBABILITY ? LANGUAGES[best] : "unknown");
  }

  private double[] trial(int[] grams, PyRandom random) {
    double[] p = new double[LANGUAGES.length];
    double[] factors = new double[LANGUAGES.length];
    Arrays.fill(p, 1.0 / p.length);
    double weight = (ALPHA + random.gauss() * ALPHA_WIDTH) / BASE_FREQUENCY;
    for (int i = 0; ; i++) {
      update(p, grams[random.below(grams.length)], weight, factors);
      if (i % 5 == 0 && (normalize(p) > CONVERGED || i >= ITERATION_LIMIT)) {
        return p;
      }
    }
  }

  /**
   * @param factors room for the factor of each language
   */
  private void update(double[] p, int row, double weight, double[] factors) {
    byte[] languages = rowLanguages[row];
    double[] frequencies = rowFrequencies[row];
    Arrays.fill(factors, weight);
    for (int i = 0; i < languages.length; i++) {
      factors[languages[i]] = weight + frequencies[i];
    }
    for (int i = 0; i < p.length; i++) {
      p[i] *= factors[i];
    }
  }

  private static double normalize(double[] p) {
    double sum = 0;
    for (double x : p) {
      sum += x;
    }
    double max = 0;
    for (int i = 0; i < p.length; i++) {
      p[i] /= sum;
      max = Math.max(max, p[i]);
    }
    return max;
  }

  /** Without addresses, Vietnamese marks composed, spaces run together, cut to a length. */
  private static int[] clean(String text) {
    String s = withoutMail(withoutUrls(text));
    if (s.chars().anyMatch(c -> c >= 0x300 && c <= 0x323)) {
      s = NGram.normalize_vi(s);
    }
    int[] all = s.codePoints().limit(MAX_LENGTH).toArray();
    int n = 0;
    int previous = 0;
    for (int c : all) {
      if (c != ' ' || previous != ' ') {
        all[n++] = c;
      }
      previous = c;
    }
    return Arrays.copyOf(all, n);
  }

  private static boolean in(String s, int i, String marks) {
    char c = s.charAt(i);
    return (c >= '0' && c <= '9')
        || (c >= 'A' && c <= 'Z')
        || (c >= 'a' && c <= 'z')
        || marks.indexOf(c) >= 0;
  }

  private static int run(String s, int from, int max, String marks) {
    int end = from;
    while (end < s.length() && end - from < max && in(s, end, marks)) {
      end++;
    }
    return end;
  }

  /** {@code https?://[-_.?&~;+=/#0-9A-Za-z]{1,2076}} becomes a space. */
  private static String withoutUrls(String s) {
    if (!s.contains("://")) {
      return s;
    }
    StringBuilder out = new StringBuilder(s.length());
    int copied = 0;
    for (int at = s.indexOf("http"); at >= 0; at = s.indexOf("http", at)) {
      int from = s.startsWith("s", at + 4) ? at + 5 : at + 4;
      int end = s.startsWith("://", from) ? run(s, from + 3, 2076, "-_.?&~;+=/#") : from + 3;
      if (end > from + 3) {
        out.append(s, copied, at).append(' ');
        copied = end;
        at = end;
      } else {
        at++;
      }
    }
    return out.append(s, copied, s.length()).toString();
  }

  /** {@code [-_.0-9A-Za-z]{1,64}@[-_0-9A-Za-z]{1,255}[-_.0-9A-Za-z]{1,255}} becomes a space. */
  private static String withoutMail(String s) {
    if (s.indexOf('@') < 0) {
      return s;
    }
    StringBuilder out = new StringBuilder(s.length());
    int copied = 0;
    for (int at = s.indexOf('@'); at >= 0; at = s.indexOf('@', at + 1)) {
      int from = at;
      while (from > copied && at - from < 64 && in(s, from - 1, "-_.")) {
        from--;
      }
      int first = run(s, at + 1, 255, "-_");
      int end = run(s, first, 255, "-_.");
      if (from < at && first > at + 1 && end >= at + 3) {
        out.append(s, copied, from).append(' ');
        copied = end;
        at = end - 1;
      }
    }
    return out.append(s, copied, s.length()).toString();
  }

  /** Removes Latin letters from a text that is mostly in another script. */
  private static int[] withoutMinorityLatin(int[] text) {
    int latin = 0;
    int other = 0;
    for (int c : text) {
      if (c >= 'A' && c <= 'z') {
        latin++;
      } else if (c >= 0x300) {
        other++;
      }
    }
    return latin * 2 < other ? Arrays.stream(text).filter(c -> c < 'A' || c > 'z').toArray() : text;
  }

  /** The rows of the known n-grams, in the text's order; none from words in capitals. */
  private int[] grams(int[] text) {
    int[] found = new int[3 * text.length];
    int n = 0;
    // The last three characters: a, b, c; a and b are -1 if a word has just begun.
    int a = -1;
    int b = -1;
    int c = ' ';
    boolean capitals = false;
    for (int raw : text) {
      int next = raw < 0x10000 ? normalized[raw] : raw;
      if (c == ' ') {
        a = -1;
        b = -1;
        capitals = false;
        if (next == ' ') {
          continue;
        }
      }
      boolean afterUpper = PyChars.isUpper(c);
      a = b;
      b = c;
      c = next;
      capitals = PyChars.isUpper(next) && (afterUpper || capitals);
      if (capitals || c > 0xFFFF) {
        continue;
      }
      n = add(found, n, c == ' ' ? -1 : rows.get(1L << 16 | c));
      if (b <= 0xFFFF) {
        n = add(found, n, rows.get((2L << 16 | b) << 16 | c));
        if (a >= 0 && a <= 0xFFFF) {
          n = add(found, n, rows.get(((3L << 16 | a) << 16 | b) << 16 | c));
        }
      }
    }
    return Arrays.copyOf(found, n);
  }

  private static int add(int[] found, int n, int row) {
    if (row < 0) {
      return n;
    }
    found[n] = row;
    return n + 1;
  }
}
