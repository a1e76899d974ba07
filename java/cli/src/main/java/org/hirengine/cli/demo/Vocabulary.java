package org.hirengine.cli.demo;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * The demo's word-level vocabulary, one token per surface form (river, River, RIVER), and its
 * {@code tokenizer.json}.
 *
 * <p>Spaces are not tokens: the tokenizer's decoder joins words by spaces and removes those that
 * written text does not have (before a comma, inside quotes, around a line break). Four marks need
 * a stand-in inside the vocabulary, because white space separates tokens there and because an
 * opening quote joins the word after it, a closing one the word before it.
 */
final class Vocabulary {

  static final String END_OF_TEXT = "<|endoftext|>";
  static final String END_OF_TURN = "<|im_end|>";
  static final String UNKNOWN = "<|unknown|>";

  static final String LINE_BREAK = "⏎";
  static final String OPEN_QUOTE = "“";
  static final String CLOSE_QUOTE = "”";
  static final String BULLET = "-";
  static final String SEPARATOR = "***";
  static final String OPEN_TITLE = "<<";
  static final String CLOSE_TITLE = ">>";
  static final String POSTSCRIPT = "P.S.";
  static final List<String> PLACEHOLDERS = List.of("[name]", "[place]", "[date]");

  /** The largest number a sentence of the demo can hold. */
  static final int LARGEST_NUMBER = 99;

  private static final List<String> SPECIAL =
      List.of(END_OF_TEXT, END_OF_TURN, UNKNOWN, "<|system|>", "<|user|>", "<|assistant|>");

  private static final List<String> REQUEST_WORDS =
      List.of(
          "write",
          "about",
          "at",
          "least",
          "most",
          "less",
          "than",
          "words",
          "sentences",
          "include",
          "times",
          "avoid",
          "no",
          "comma",
          "exclamation",
          "bullets",
          "title",
          "postscript",
          "placeholders",
          "in",
          "quotes",
          "repeat",
          "request",
          "paragraphs",
          "capital",
          "lowercase",
          "first",
          "last",
          "word",
          "once",
          "name",
          "place",
          "date");

  private Vocabulary() {}

  /** All tokens; a token's id is its index. */
  static List<String> tokens() {
    Set<String> tokens = new LinkedHashSet<>(SPECIAL);
    tokens.addAll(
        List.of(
            ".",
            ",",
            "!",
            LINE_BREAK,
            OPEN_QUOTE,
            CLOSE_QUOTE,
            BULLET,
            SEPARATOR,
            OPEN_TITLE,
            CLOSE_TITLE,
            POSTSCRIPT));
    tokens.addAll(PLACEHOLDERS);
    // Words that a response may hold in any case; "write about" opens a repeated request.
    Stream.concat(Lexicon.CONTENT.stream(), Stream.of(Lexicon.AND, "write", "about"))
        .flatMap(word -> Stream.of(word, Lexicon.title(word), Lexicon.upper(word)))
        .forEach(tokens::add);
    tokens.addAll(REQUEST_WORDS);
    // Names of the parts of a response that become keywords: [name], P.S.
    tokens.addAll(List.of("name", "place", "date", "ps"));
    IntStream.rangeClosed(0, LARGEST_NUMBER).mapToObj(Integer::toString).forEach(tokens::add);
    return new ArrayList<>(tokens);
  }

  /** The text that these tokens decode to. */
  static String join(List<String> tokens) {
    return String.join(" ", tokens)
        .replaceAll(" ?" + LINE_BREAK + " ?", "\n")
        .replaceAll(" (?=[.,!])", "")
        .replace(OPEN_TITLE + " ", OPEN_TITLE)
        .replace(" " + CLOSE_TITLE, CLOSE_TITLE)
        .replace(OPEN_QUOTE + " ", "\"")
        .replace(" " + CLOSE_QUOTE, "\"")
        .replace(OPEN_QUOTE, "\"")
        .replace(CLOSE_QUOTE, "\"");
  }

  /** The vocabulary as a Hugging Face {@code tokenizer.json}. */
  static ObjectNode tokenizerJson() {
    List<String> tokens = tokens();
    ObjectNode root = new ObjectMapper().createObjectNode();
    root.put("version", "1.0").putNull("truncation").putNull("padding");
    ArrayNode added = root.putArray("added_tokens");
    for (String token : SPECIAL) {
      added
          .addObject()
          .put("id", tokens.indexOf(token))
          .put("content", token)
          .put("single_word", false)
          .put("lstrip", false)
          .put("rstrip", false)
          .put("normalized", false)
          .put("special", true);
    }
    root.putObject("normalizer")
        .put("type", "Sequence")
        .putArray("normalizers")
        .addAll(
            List.of(
                regex("(?<=\\S)\"", spaced(CLOSE_QUOTE)),
                literal("\"", spaced(OPEN_QUOTE)),
                literal("\n", spaced(LINE_BREAK)),
                literal(OPEN_TITLE, spaced(OPEN_TITLE)),
                literal(CLOSE_TITLE, spaced(CLOSE_TITLE)),
                regex("\\.(?!S\\.)(?<!P\\.S\\.)", spaced(".")),
                literal(",", spaced(",")),
                literal("!", spaced("!"))));
    root.putObject("pre_tokenizer").put("type", "WhitespaceSplit");
    root.putNull("post_processor");
    ArrayNode decoders = root.putObject("decoder").put("type", "Sequence").putArray("decoders");
    // No token starts with ##: this decoder is only there to put a space between tokens.
    decoders.addObject().put("type", "WordPiece").put("prefix", "##").put("cleanup", false);
    decoders.addObject().put("type", "Fuse");
    decoders.addAll(
        List.of(
            regex(" ?" + LINE_BREAK + " ?", "\n"),
            regex(" (?=[.,!])", ""),
            literal(OPEN_TITLE + " ", OPEN_TITLE),
            literal(" " + CLOSE_TITLE, CLOSE_TITLE),
            literal(OPEN_QUOTE + " ", "\""),
            literal(" " + CLOSE_QUOTE, "\""),
            literal(OPEN_QUOTE, "\""),
            literal(CLOSE_QUOTE, "\"")));
    ObjectNode model = root.putObject("model").put("type", "WordLevel");
    ObjectNode ids = model.putObject("vocab");
    for (int id = 0; id < tokens.size(); id++) {
      ids.put(tokens.get(id), id);
    }
    model.put("unk_token", UNKNOWN);
    return root;
  }

  private static String spaced(String token) {
    return " " + token + " ";
  }

  private static ObjectNode literal(String pattern, String content) {
    return replace("String", pattern, content);
  }

  private static ObjectNode regex(String pattern, String content) {
    return replace("Regex", pattern, content);
  }

  private static ObjectNode replace(String kind, String pattern, String content) {
    ObjectNode node = JsonNodeFactory.instance.objectNode().put("type", "Replace");
    node.putObject("pattern").put(kind, pattern);
    return node.put("content", content);
  }
}
