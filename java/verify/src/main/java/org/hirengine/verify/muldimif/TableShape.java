package org.hirengine.verify.muldimif;

import java.util.List;
import java.util.function.Predicate;
import org.hirengine.text.PyText;
import org.hirengine.text.regex.PyPattern;
import org.hirengine.verify.Response;
import org.hirengine.verify.Verdict;
import org.hirengine.verify.Verifier;
import org.hirengine.verify.rule.Wording;
import org.jspecify.annotations.Nullable;

/**
 * {@code Format_Table}: a table, with limits of rows and columns, names of columns, contents
 * ({@link TableDemand}).
 *
 * <p>The table is the text between the first and the last bar: rows are its lines without header
 * and separator, columns the pieces of its first line less two. Without a bar the constraint is
 * satisfied if the sentence asks for no table, or only says what one should look like if used.
 */
final class TableShape {

  private static final String TAKEN = "(?:used|included|utilized|incorporated|presented|chosen)";

  /** {@code optional_patterns}; a missing comma joins two of them. */
  private static final PyPattern OPTIONAL =
      PyPattern.compile(
          String.join(
              "|",
              "if you (?:include|use|utilize|incorporate|present) (?:a |any )?"
                  + "(?:tables?|tabular data)",
              "if you (?:decide|choose|opt) to (?:use|include|incorporate|present|utilize)"
                  + " (?:a |any )?(?:tables?|tabular data)",
              "if (?:a |any )?(?:tables?|tabular data|table format) (?:is|are) " + TAKEN,
              "if there (?:is|are) (?:a |any )?(?:tables?|tabular data|table format) " + TAKEN,
              "if you (?:decide|choose|opt) to (?:use|include|incorporate|present|utilize)"
                  + " (?:your )?information in a tableif presented in a table"));

  private final TableDemand demand;
  private final boolean optional;
  private final boolean markdown;
  private final boolean byAnyPart;
  private final boolean ofSeries;

  private TableShape(Demand sentence) {
    this.demand = new TableDemand(sentence.lower());
    this.optional = !sentence.says("table") || sentence.says(OPTIONAL);
    this.markdown = sentence.says("markdown");
    this.byAnyPart = sentence.says("columns for");
    this.ofSeries = demand.ofSeries() && sentence.says("author") && sentence.says("year");
  }

  static Verifier of(Demand demand) {
    Demand sentence = demand.inLower();
    TableShape shape = new TableShape(sentence);
    if (shape.asksNothing() && (shape.optional || sentence.says("row", "column"))) {
      return NotUnderstood.of("no limit of rows or columns, and no names", shape::check);
    }
    return shape::check;
  }

  private boolean asksNothing() {
    return demand.rows() == null
        && demand.columns() == null
        && demand.titleWords() == null
        && demand.names().isEmpty()
        && demand.contents().isEmpty();
  }

  private Verdict check(Response response) {
    String text = response.text();
    int from = text.indexOf('|');
    if (from < 0) {
      return Verdict.of(optional, "no table");
    }
    int to = text.lastIndexOf('|');
    List<String> lines =
        PyText.split(from < to ? text.substring(from, to + 1) : "", "\n").stream()
            .map(PyText::strip)
            .filter(line -> !line.isEmpty())
            .toList();
    String problem = problem(lines);
    return Verdict.of(problem == null, problem == null ? shape(lines) : problem);
  }

  private static long rows(List<String> lines) {
    boolean separated = lines.size() > 1 && lines.get(1).contains("---");
    return lines.size() - (separated ? 2L : 1L);
  }

  private static long columns(String line) {
    return PyText.split(line, "|").size() - 2L;
  }

  private static String shape(List<String> lines) {
    return "a table of "
        + Wording.count(rows(lines), "row")
        + (lines.isEmpty() ? "" : " and " + Wording.count(columns(lines.get(0)), "column"));
  }

  /** What the table lacks, or null. */
  private @Nullable String problem(List<String> lines) {
    if (markdown && lines.stream().noneMatch(line -> line.startsWith("|"))) {
      return "no line of a table";
    }
    String shape = shapeProblem(lines);
    if (shape != null) {
      return shape;
    }
    List<String> headers = lines.isEmpty() ? List.of() : headers(PyText.split(lines.get(0), "|"));
    if (ofSeries) {
      return anyHolds(headers, "title") && anyHolds(headers, "author") && anyHolds(headers, "year")
          ? null
          : "headers for title, author and year asked";
    }
    if (!demand.names().isEmpty()) {
      if (lines.isEmpty()) {
        return "no table";
      }
      for (String name : demand.names()) {
        if (headers.stream().noneMatch(names(PyText.lower(name)))) {
          return "the header lacks " + Wording.brief(name);
        }
      }
      if (byAnyPart) {
        return null;
      }
    }
    if (demand.ofFilms()) {
      boolean title = anyHolds(headers, "film") || anyHolds(headers, "title");
      boolean year = anyHolds(headers, "release") || anyHolds(headers, "year");
      return title && year ? null : "headers for title and year asked";
    }
    return contentProblem(lines, headers);
  }

  private @Nullable String shapeProblem(List<String> lines) {
    Bounds rows = demand.rows();
    if (rows != null && !rows.holds(rows(lines))) {
      return rows.verdict(rows(lines), "row").reason();
    }
    Bounds columns = demand.columns();
    Bounds title = demand.titleWords();
    if (lines.isEmpty() && (columns != null || title != null)) {
      return "no table";
    }
    if (columns != null && !columns.holds(columns(lines.get(0)))) {
      return columns.verdict(columns(lines.get(0)), "column").reason();
    }
    if (title != null) {
      long words = PyText.split(PyText.strip(PyText.strip(lines.get(0), "|"))).size();
      return title.holds(words) ? null : title.verdict(words, "word").reason();
    }
    return null;
  }

  private static List<String> headers(List<String> pieces) {
    return pieces.size() < 2
        ? List.of()
        : pieces.subList(1, pieces.size() - 1).stream()
            .map(header -> PyText.lower(PyText.strip(header)))
            .toList();
  }

  private Predicate<String> names(String name) {
    return byAnyPart
        ? header -> header.contains(name) || name.contains(header)
        : header -> header.contains(name);
  }

  private static boolean anyHolds(List<String> headers, String word) {
    return headers.stream().anyMatch(header -> header.contains(word));
  }

  /** Each content occurs in the table, or one of its words in a header. */
  private @Nullable String contentProblem(List<String> lines, List<String> headers) {
    String table = PyText.lower(String.join(" ", lines).replace('|', ' '));
    for (String content : demand.contents()) {
      boolean found =
          content.equals("publication")
              || table.contains(content)
              || PyText.split(content).stream().anyMatch(word -> anyHolds(headers, word));
      if (!found) {
        return "the table lacks " + Wording.brief(content);
      }
    }
    return null;
  }
}
