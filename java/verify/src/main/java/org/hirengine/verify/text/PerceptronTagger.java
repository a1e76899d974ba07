package org.hirengine.verify.text;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.hirengine.text.PyChars;
import org.hirengine.text.PyText;

/**
 * A port of NLTK's {@code PerceptronTagger}: a greedy averaged perceptron over suffixes and
 * neighbouring words (Honnibal, 2013), with a dictionary of words that have one tag only.
 */
public final class PerceptronTagger implements PosTagger {

  private static final String NAME = "averaged_perceptron_tagger_eng";
  private static final String[] START = {"-START-", "-START2-"};
  private static final String[] END = {"-END-", "-END2-"};

  /** The weights that one feature gives to some of the classes. */
  private record Weights(int[] classes, double[] values) {}

  private final Map<String, String> tagOfWord;
  private final Map<String, Weights> weights;

  /** In ascending order, so that of equal scores the last class wins, as in NLTK. */
  private final List<String> classes;

  private PerceptronTagger(
      Map<String, String> tagOfWord, Map<String, Weights> weights, List<String> classes) {
    this.tagOfWord = tagOfWord;
    this.weights = weights;
    this.classes = classes;
  }

  /**
   * Reads a model in NLTK's layout: {@code NAME.weights.json} (feature to tag to weight), {@code
   * NAME.tagdict.json} (word to tag) and {@code NAME.classes.json} (list of tags).
   *
   * @throws IOException naming the file that is missing or wrong
   */
  public static PerceptronTagger read(Path folder) throws IOException {
    List<String> classes =
        json(folder, "classes", new TypeReference<List<String>>() {}).stream().sorted().toList();
    Map<String, Integer> index = new HashMap<>();
    for (int i = 0; i < classes.size(); i++) {
      index.put(classes.get(i), i);
    }
    Map<String, Weights> weights = new HashMap<>();
    for (Map.Entry<String, Map<String, Double>> feature :
        json(folder, "weights", new TypeReference<Map<String, Map<String, Double>>>() {})
            .entrySet()) {
      int[] tags = new int[feature.getValue().size()];
      double[] values = new double[tags.length];
      int i = 0;
      for (Map.Entry<String, Double> weight : feature.getValue().entrySet()) {
        Integer tag = index.get(weight.getKey());
        if (tag == null) {
          throw new IOException(
              file(folder, "weights") + ": '" + weight.getKey() + "' is none of the classes");
        }
        tags[i] = tag;
        values[i++] = weight.getValue();
      }
      weights.put(feature.getKey(), new Weights(tags, values));
    }
    Map<String, String> tagOfWord =
        json(folder, "tagdict", new TypeReference<Map<String, String>>() {});
    return new PerceptronTagger(tagOfWord, weights, classes);
  }

  private static Path file(Path folder, String part) {
    return folder.resolve(NAME + "." + part + ".json");
  }

  private static <T> T json(Path folder, String part, TypeReference<T> type) throws IOException {
    Path file = file(folder, part);
    try {
      return new ObjectMapper().readValue(file.toFile(), type);
    } catch (IOException e) {
      throw new IOException("cannot read the tagger's " + file + ": " + e.getMessage(), e);
    }
  }

  @Override
  public String firstTag(List<String> tokens) {
    return tag(tokens.subList(0, Math.min(TOKENS_FOR_FIRST, tokens.size()))).get(0);
  }

  /** The tags of all tokens, from left to right. */
  public List<String> tag(List<String> tokens) {
    List<String> context = new ArrayList<>(List.of(START));
    tokens.forEach(token -> context.add(normalize(token)));
    context.addAll(List.of(END));
    List<String> tags = new ArrayList<>(tokens.size());
    String before = START[0];
    String twoBefore = START[1];
    for (int i = 0; i < tokens.size(); i++) {
      String word = tokens.get(i);
      String tag = tagOfWord.get(word);
      if (tag == null) {
        tag = predict(features(word, context, i + START.length, before, twoBefore));
      }
      tags.add(tag);
      twoBefore = before;
      before = tag;
    }
    return tags;
  }

  private static List<String> features(
      String word, List<String> context, int i, String before, String twoBefore) {
    return List.of(
        "bias",
        "i suffix " + suffix(word),
        "i pref1 " + PyText.slice(word, 0, 1),
        "i-1 tag " + before,
        "i-2 tag " + twoBefore,
        "i tag+i-2 tag " + before + " " + twoBefore,
        "i word " + context.get(i),
        "i-1 tag+i word " + before + " " + context.get(i),
        "i-1 word " + context.get(i - 1),
        "i-1 suffix " + suffix(context.get(i - 1)),
        "i-2 word " + context.get(i - 2),
        "i+1 word " + context.get(i + 1),
        "i+1 suffix " + suffix(context.get(i + 1)),
        "i+2 word " + context.get(i + 2));
  }

  private static String suffix(String word) {
    int n = PyText.length(word);
    return PyText.slice(word, Math.max(0, n - 3), n);
  }

  private String predict(List<String> features) {
    double[] scores = new double[classes.size()];
    for (String feature : features) {
      Weights own = weights.get(feature);
      if (own != null) {
        for (int k = 0; k < own.classes.length; k++) {
          scores[own.classes[k]] += own.values[k];
        }
      }
    }
    int best = 0;
    for (int k = 1; k < scores.length; k++) {
      best = scores[k] >= scores[best] ? k : best;
    }
    return classes.get(best);
  }

  private static String normalize(String word) {
    if (word.indexOf('-') > 0) {
      return "!HYPHEN";
    }
    if (PyText.isDigit(word) && PyText.length(word) == 4) {
      return "!YEAR";
    }
    return !word.isEmpty() && PyChars.isDigit(word.codePointAt(0)) ? "!DIGITS" : PyText.lower(word);
  }
}
