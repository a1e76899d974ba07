package org.hirengine.verify.muldimif;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.hirengine.text.CodePoints;
import org.hirengine.text.PyText;
import org.hirengine.text.regex.PyPattern;
import org.jspecify.annotations.Nullable;

/**
 * What a sentence of {@code Format_Table} asks of a table ({@code parse_constraint}): limits of
 * rows and columns and of the words of a title, names of columns, contents. It is read in lower
 * case.
 */
final class TableDemand {

  private static final String NUMBER =
      "(\\d+|\\b(?:" + NumberWords.TO_HUNDRED.alternatives() + ")\\b)";

  /** {@code row_patterns}. */
  private static final LimitRules ROWS =
      rules()
          .exactly("exactly\\s+N\\s+row")
          .atMost(
              "no\\s+more\\s+than\\s+N\\s+row",
              "not\\s+have\\s+more\\s+than\\s+N\\s+row",
              "must\\s+not\\s+exceed\\s+N\\s+row",
              "not\\s+exceed\\s+N\\s+row",
              "not\\s+exceeding\\s+N\\s+row",
              "row\\s+limit\\s+of\\s+N")
          .exactly("N\\s+rows?\\s+must\\s+be\\s+included", "exactly\\s+.+and N\\s+row")
          .atMost(
              "not exceed\\s+.+and N\\s+row",
              "a maximum of\\s+N\\s+rows",
              "limited to\\s+N\\s+rows",
              "a maximum of\\s+.+and N\\s+row",
              "limit the number of rows to\\s+N",
              "limit it to\\s+N\\s+rows",
              "limit the table to\\s+N\\s+rows",
              "the number of rows in each table does not exceed\\s+N");

  /** {@code col_patterns}, except the single column, which is looked for last. */
  private static final LimitRules COLUMNS =
      rules()
          .exactly("exactly\\s+N\\s+column")
          .atMost(
              "no\\s+more\\s+than\\s+N\\s+column",
              "not\\s+have\\s+more\\s+than\\s+N\\s+column",
              "must\\s+not\\s+exceed\\s+N\\s+column",
              "not\\s+exceed\\s+N\\s+column",
              "not\\s+exceeding\\s+N\\s+column",
              "column\\s+limit\\s+of\\s+N")
          .exactly("exactly\\s+.+and N\\s+column", "in\\s+N\\s+columns")
          .atMost(
              "not exceed\\s+.+and N\\s+column",
              "maximum of\\s+N\\s+columns",
              "maximum\\s+N\\s+columns",
              "at most\\s+N\\s+columns",
              "limited to\\s+N\\s+columns",
              "a maximum of\\s+.+and N\\s+column",
              "limit the number of columns to\\s+N",
              "limit it to\\s+N\\s+columns",
              "limit the table to\\s+N\\s+columns",
              "the number of columns in each table does not exceed\\s+N")
          .one("(?:a|each) single column", "presented in (?:a|one) single column");

  private static final LimitRules TITLE_WORDS =
      rules().atMost("title\\s+must\\s+not\\s+exceed\\s+N\\s+words");

  /** When columns are named, only this form is looked for, and only if there is no column limit. */
  private static final LimitRules TITLE_WORDS_BESIDE_NAMES =
      rules().atMost("title must not exceed N\\s+words");

  private static final PyPattern QUOTED = PyPattern.compile("\"([^\"]+)\"");
  private static final PyPattern SHOULD_BE =
      PyPattern.compile("columns?\\s+should\\s+be\\s+([\\w\\s,]+)");
  private static final PyPattern COLON = PyPattern.compile("columns:\\s+([\\w\\s,']+)");
  private static final PyPattern COLUMNS_FOR =
      PyPattern.compile("must include columns for\\s+\"([^\"]+)\"");

  /**
   * The reference reads its first group as the columns' names, although it is the word before them.
   */
  private static final PyPattern NAMED =
      PyPattern.compile("table must include columns (for|named)\\s+\"[^\"]+\"");

  private static final PyPattern COLUMNS_FOR_LIST =
      PyPattern.compile("include columns for\\s+(?:\"[^\"]+\",?\\s*)+");

  /** The reference means "or": as a character class it also splits at the letters a, n and d. */
  private static final PyPattern NAME_END = PyPattern.compile("[,\u3001\uFF0C\u548Cand]");

  private static final PyPattern COMMA = PyPattern.compile("[,\u3001\uFF0C]");
  private static final List<PyPattern> CONTENTS =
      List.of(
          PyPattern.compile(
              "each (?:entry|row|item|game|series) must include (?:the\\s+)?"
                  + "([\\w\\s,]+(?:\\s+and\\s+(?:its|their)\\s+[\\w\\s,]+)?)"),
          PyPattern.compile(
              "each (?:entry|row|item|game|series) should (?:be )?"
                  + "(?:present|include|contain|show)(?:ed)? (?:in|with)?\\s+([\\w\\s,]+)"));
  private static final PyPattern AND_ITS =
      PyPattern.compile(
          "each\\s+\\w+\\s+must\\s+include\\s+(?:the\\s+)?"
              + "([\\w\\s]+\\s+and\\s+its\\s+[\\w\\s]+)");
  private static final PyPattern ITS = PyPattern.compile("\\s+and\\s+its\\s+");

  private final String sentence;
  private @Nullable Bounds rows;
  private @Nullable Bounds columns;
  private @Nullable Bounds titleWords;
  private final List<String> names = new ArrayList<>();
  private final Set<String> contents = new LinkedHashSet<>();

  private static LimitRules rules() {
    return new LimitRules(NumberWords.TO_HUNDRED, NUMBER, 0);
  }

  /**
   * @param sentence in lower case
   */
  TableDemand(String sentence) {
    this.sentence = sentence;
    this.rows = ROWS.in(sentence);
    this.columns = COLUMNS.in(sentence);
    readContentsOfWholeSentence();
    if (!readNamesOnly()) {
      readNames();
      readContents();
      readRest();
    }
    contents.remove("");
  }

  @Nullable Bounds rows() {
    return rows;
  }

  @Nullable Bounds columns() {
    return columns;
  }

  @Nullable Bounds titleWords() {
    return titleWords;
  }

  /** What headers must hold. */
  List<String> names() {
    return names;
  }

  /** What headers or cells must hold. */
  Set<String> contents() {
    return contents;
  }

  private void readContentsOfWholeSentence() {
    if (ofSeries() && sentence.contains("author")) {
      contents.addAll(List.of("title", "author", "year", "publication"));
    }
    if (ofFilms()) {
      contents.clear();
      contents.addAll(List.of("film title", "release year"));
    }
  }

  /** A series' title, whatever else is asked. */
  boolean ofSeries() {
    return sentence.contains("series must include") && sentence.contains("title");
  }

  /** A film's title and its year. */
  boolean ofFilms() {
    return sentence.contains("film title") && sentence.contains("release year");
  }

  /** Columns for quoted names; nothing else is read then. */
  private boolean readNamesOnly() {
    if (!sentence.contains("columns for")) {
      return false;
    }
    names.addAll(quoted());
    if (names.isEmpty()) {
      return false;
    }
    if (columns == null) {
      titleWords = TITLE_WORDS_BESIDE_NAMES.in(sentence);
    }
    return true;
  }

  /** The text in quotation marks, without a comma at its end. */
  private List<String> quoted() {
    return QUOTED.findAll(CodePoints.of(sentence)).stream()
        .map(match -> PyText.strip(String.valueOf(match.group(1))))
        .map(name -> PyText.strip(PyText.stripTrailing(name, ",")))
        .filter(name -> !name.isEmpty())
        .toList();
  }

  private void readNames() {
    for (PyPattern pattern : List.of(SHOULD_BE, COLON, COLUMNS_FOR, NAMED)) {
      PyPattern.Match match = pattern.search(CodePoints.of(sentence));
      if (match != null) {
        for (String name : NAME_END.split(CodePoints.of(String.valueOf(match.group(1))))) {
          addName(PyText.strip(String.valueOf(name), "'\" "));
        }
      }
    }
    PyPattern.Match list = COLUMNS_FOR_LIST.search(CodePoints.of(sentence));
    if (list != null) {
      QUOTED
          .findAll(CodePoints.of(String.valueOf(list.group(0))))
          .forEach(match -> addName(PyText.strip(String.valueOf(match.group(1)))));
    }
    if (names.isEmpty()) {
      names.addAll(quoted());
    }
  }

  private void addName(String name) {
    if (!name.isEmpty()) {
      names.add(name);
    }
  }

  private void readContents() {
    for (PyPattern pattern : CONTENTS) {
      PyPattern.Match match = pattern.search(CodePoints.of(sentence));
      if (match != null) {
        addContents(String.valueOf(match.group(1)));
      }
    }
    PyPattern.Match match = AND_ITS.search(CodePoints.of(sentence));
    if (match != null) {
      ITS.split(CodePoints.of(String.valueOf(match.group(1))))
          .forEach(part -> contents.add(PyText.strip(String.valueOf(part))));
    }
  }

  private void addContents(String list) {
    List<String> parts = PyText.split(list, " and ");
    if (parts.size() == 1) {
      COMMA
          .split(CodePoints.of(list))
          .forEach(part -> contents.add(PyText.strip(String.valueOf(part))));
      return;
    }
    PyText.split(parts.get(0), ",").forEach(part -> contents.add(PyText.strip(part)));
    String last = parts.get(1);
    contents.add(PyText.strip(last.startsWith("its ") ? last.substring(4) : last));
  }

  private void readRest() {
    if (sentence.contains("single column")) {
      columns = Bounds.exactly(1);
    }
    titleWords = TITLE_WORDS.in(sentence);
  }
}
