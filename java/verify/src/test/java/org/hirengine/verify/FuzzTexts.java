package org.hirengine.verify;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.random.RandomGenerator;

/** Random texts that verifiers may stumble over: crafted ones, and mutations of them. */
final class FuzzTexts {

  /** Everything that the types look for, once each. */
  private static final List<String> CRAFTED =
      List.of(
          "",
          "The river runs. Does it stop? No! It runs, and \"runs\" (on [and {on}]).",
          "<<A Title>>\n\nSECTION 1\nOne two three.\n\n***\n\nSection 2\nFour: five; six.",
          """
          * one
          * two
            - three
          \t- four
              * five
          1. six
          2) seven

          * *bold* **x** ***y***\
          """,
          "```json\n{\"a\": [1, {\"b\": null}, -0.5e3], \"\\ud800\": NaN}\n```",
          "id,name,value\r\n1,\"a, \"\"b\"\"\",3\n2,c\n\n3,'d',\"e",
          "| a | b |\n|---|:-:|\n| 1 | 2 |\n| 3 |\n\n# H1\n## H2\n> quote\n> quote",
          "<root a=\"1\"><item b='2'/></root> <i>thesis</i> <em>x",
          "P.S. Mr. Smith of St. Louis, Ph.D., paid $3.50 at 5 p.m... e.g. on 1804-12-02?!",
          "My answer is yes. My answer is no. Question 1: A) x B) y C) z D) w",
          "level noon racecar A man, a plan, a canal: Panama able was I ere I saw Elba",
          "Paris, Rome; Kenya and Chad! Napoleon was crowned on 2 December 1804.",
          "a an the and but or nor for yet so because 2 3 5 7 11 49 1,000 3/4 -7",
          "\u4F60\u597D\uFF0C\u4E16\u754C\u3002\u6F22\u5B57\u548C\u6C49\u5B57\uFF01",
          "\u3053\u3093\u306B\u3061\u306F\u3002\u6771\u4EAC\u30BF\u30EF\u30FC\uFF1F",
          "one \uD83D\uDE00. two \uD83D\uDC68\u200D\uD83D\uDC69! three \uD83C\uDDE9\uD83C\uDDEA",
          "******\nfirst answer\n******\nsecond answer\n******",
          "Name three uses of copper and say why it suits them. ".repeat(3),
          "can't won't they're I'd gonna cannot '' `` -- ... \u201Cq\u201D \u2018r\u2019"
              + " \u00ABs\u00BB");

  private static final List<String> SPACES =
      List.of(
          " ", "\n", "\n\n", "\r\n", "\r", "\t", "\u000B", "\f", "\u001C", "\u0085", "\u00A0",
          "\u2028", "\u2029", "\u3000", "\u200B", "\uFEFF", " \n \n");

  private static final List<String> SPECKS =
      List.of(
          "\u0000",
          "\uD800",
          "\uDC00",
          "\uDBFF",
          "\u0301",
          "\u20E3",
          "\uFE0F",
          "\u200D",
          "\u202E",
          "\u0130",
          "\u0131",
          "\u017F",
          "\u212A",
          "\u00DF",
          "\u1E9E",
          "\u00BD",
          "\u00B2",
          "\uFB01",
          "*",
          "**",
          "\"",
          "'",
          "`",
          "<<",
          ">>",
          "[",
          "]",
          "(",
          ")",
          "{",
          "}",
          ".",
          "?!",
          ",",
          "-",
          "\\",
          "$",
          "^",
          "|",
          "#",
          "1",
          "9".repeat(30),
          "a",
          "Z");

  private static final List<String> BRACKETS =
      List.of("[", "(", "{", "([{", "\"'", "<<", "{\"a\":[");

  private static final Map<Character.UnicodeScript, List<Integer>> SCRIPTS = scripts();

  private FuzzTexts() {}

  private static Map<Character.UnicodeScript, List<Integer>> scripts() {
    Map<Character.UnicodeScript, List<Integer>> scripts =
        new EnumMap<>(Character.UnicodeScript.class);
    for (int c = 0; c <= Character.MAX_CODE_POINT; c++) {
      scripts.computeIfAbsent(Character.UnicodeScript.of(c), s -> new ArrayList<>()).add(c);
    }
    return scripts;
  }

  private static <T> T any(RandomGenerator random, List<T> list) {
    return list.get(random.nextInt(list.size()));
  }

  /**
   * Some words in one script, each of Unicode's equally likely; unassigned code points count as a
   * script.
   */
  private static String inAScript(RandomGenerator random) {
    List<Integer> letters = any(random, List.copyOf(SCRIPTS.values()));
    StringBuilder text = new StringBuilder();
    for (int n = random.nextInt(40); n >= 0; n--) {
      text.appendCodePoint(any(random, letters));
      if (random.nextInt(6) == 0) {
        text.append(any(random, SPACES));
      }
    }
    return text.toString();
  }

  /** Usually short; one in forty has up to 20,000 characters. */
  private static String run(RandomGenerator random) {
    String piece = any(random, random.nextBoolean() ? SPECKS : SPACES);
    if (random.nextBoolean()) {
      piece += any(random, random.nextBoolean() ? SPECKS : SPACES);
    }
    int length = random.nextInt(random.nextInt(40) == 0 ? 20_000 : 60);
    return piece.repeat(1 + length / piece.length());
  }

  private static String nested(RandomGenerator random) {
    String open = any(random, BRACKETS);
    int depth = random.nextInt(random.nextInt(40) == 0 ? 3_000 : 30);
    StringBuilder close = new StringBuilder(open.repeat(depth)).reverse();
    for (int i = 0; i < close.length(); i++) {
      int pair = "[({<".indexOf(close.charAt(i));
      if (pair >= 0) {
        close.setCharAt(i, "])}>".charAt(pair));
      }
    }
    return open.repeat(depth) + any(random, CRAFTED) + close.substring(random.nextInt(2) * depth);
  }

  private static String piece(RandomGenerator random) {
    return switch (random.nextInt(7)) {
      case 0 -> any(random, CRAFTED);
      case 1 -> any(random, SPACES);
      case 2 -> any(random, SPECKS);
      case 3 -> inAScript(random);
      case 4 -> run(random);
      case 5 -> nested(random);
      default -> Character.toString(random.nextInt(Character.MAX_CODE_POINT + 1));
    };
  }

  /** A crafted text after up to a dozen insertions, cuts, repetitions and changes of case. */
  static String next(RandomGenerator random) {
    StringBuilder text = new StringBuilder(any(random, CRAFTED));
    for (int n = random.nextInt(12); n > 0; n--) {
      int from = random.nextInt(text.length() + 1);
      int to = from + random.nextInt(Math.min(400, text.length() - from) + 1);
      String part = text.substring(from, to);
      switch (random.nextInt(7)) {
        case 0 -> text.delete(from, to);
        case 1 -> text.insert(to, part);
        case 2 -> text.replace(from, to, part.toUpperCase(Locale.ROOT));
        case 3 -> text.replace(from, to, part.toLowerCase(Locale.ROOT));
        case 4 -> text.replace(from, to, new StringBuilder(part).reverse().toString());
        default -> text.insert(from, piece(random));
      }
    }
    return text.toString();
  }
}
