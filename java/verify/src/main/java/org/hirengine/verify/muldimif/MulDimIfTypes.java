package org.hirengine.verify.muldimif;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;
import org.hirengine.verify.ConstraintType;
import org.hirengine.verify.TextTools;
import org.hirengine.verify.Verifier;

/**
 * The categories of MulDimIF ({@code category_subcategory} in its reference), the checker of each
 * ({@code class_mapping}) and the second-level category under which its score is reported ({@code
 * constraint_mapping}); the two need not agree.
 */
public final class MulDimIfTypes {

  /** Reads a sentence, with the analysers that sentences are split by. */
  private interface Checker extends BiFunction<Demand, TextTools, Verifier> {}

  private record Category(String secondLevel, Checker checker) {}

  /** By id, in the order of the report. */
  private static final Map<String, Category> CATEGORIES = new LinkedHashMap<>();

  private static void put(String secondLevel, Checker checker, String... ids) {
    for (String id : ids) {
      CATEGORIES.put(id, new Category(secondLevel, checker));
    }
  }

  static {
    Checker contentPhrases = (demand, tools) -> ContentPhrases.of(demand);
    Checker formatPhrases = (demand, tools) -> FormatPhrases.of(demand);
    put("Format_XML", formatPhrases, "Format_XML", "XML_Number of attributes");
    put(
        "Format_Table",
        (demand, tools) -> TableShape.of(demand),
        "Format_Table",
        "Format_Table: Column limit",
        "Format_Table: Row limit",
        "Table_Column limit",
        "Table_Row limit");
    put("Format_Table", formatPhrases, "Table_Table");
    put(
        "Length_Words",
        (demand, tools) -> WordLimit.of(demand),
        "Length_Words",
        "Length_Words: At least",
        "Length_Words: At most",
        "Length_Words: Range",
        "Words_At most",
        "Format_Word Count");
    put("Length_Words", contentPhrases, "Content_Length");
    put("Length_Words", formatPhrases, "Format_Blurb", "Format_Length");
    put(
        "Language_English",
        (demand, tools) -> LetterCase.of(demand),
        "Language_English",
        "Language_English: All Uppercase",
        "Language_English: Capitalized");
    put(
        "Length_Sentences",
        (demand, tools) -> SentenceLimit.of(demand),
        "Length_Sentences",
        "Length_Sentences: At least",
        "Length_Sentences: At most",
        "Length_Sentences: Range",
        "Sentences_At least",
        "Sentences_At most");
    put(
        "Content_Keywords",
        (demand, tools) -> MentionedKeywords.of(demand),
        "Content_Keywords",
        "Content_Keywords: Must include");
    put("Content_Keywords", contentPhrases, "Content_Mention");
    put(
        "Format_Json",
        (demand, tools) -> JsonDepth.of(demand),
        "Format_Json",
        "Json_Number of attributes",
        "Json_Object nesting levels");
    put(
        "Content_Punctuation",
        EndMark::of,
        "Content_Punctuation",
        "Content_Punctuation: Ending punctuation",
        "Punctuation_Ending punctuation");
    put("Content_Punctuation", contentPhrases, "Content_Quotes");
    put(
        "Format_Markdown",
        (demand, tools) -> Headings.of(demand),
        "Format_Markdown",
        "Format_Markdown: Heading levels",
        "Markdown_Block quotes",
        "Markdown_Heading levels");
    put("Format_Markdown", formatPhrases, "Format_Markdown: Block quotes");
    put(
        "Language_Chinese",
        (demand, tools) -> ChineseScript.of(demand),
        "Language_Chinese",
        "Language_Chinese: Simplified",
        "Language_Chinese: Traditional");
    put(
        "Content_Identifiers",
        contentPhrases,
        "Content_Identifiers",
        "Content_Sources",
        "Citations_In-text");
    put(
        "Content_Identifiers",
        formatPhrases,
        "Format_Text",
        "References_Format",
        "Format_Bullet Points");
    put(
        "Length_Paragraphs",
        (demand, tools) -> ParagraphLimit.of(demand),
        "Length_Paragraphs",
        "Length_Paragraphs: At least",
        "Length_Paragraphs: At most",
        "Length_Paragraphs: Range",
        "Paragraphs_At most");
  }

  private MulDimIfTypes() {}

  /** All types, with the analysers that sentences are split by. */
  public static List<ConstraintType> all(TextTools tools) {
    List<ConstraintType> types = new ArrayList<>();
    CATEGORIES.forEach(
        (id, category) ->
            types.add(new MulDimIfType(id, demand -> category.checker.apply(demand, tools))));
    return types;
  }

  /**
   * The category under which a constraint is reported, such as {@code Format_Table} for {@code
   * Table_Row limit}; the id itself where it is not known.
   */
  public static String secondLevel(String id) {
    Category category = CATEGORIES.get(id);
    return category == null ? id : category.secondLevel;
  }

  /** The category above {@link #secondLevel}: Content, Format, Language or Length. */
  public static String firstLevel(String id) {
    String category = secondLevel(id);
    int end = category.indexOf('_');
    return end < 0 ? category : category.substring(0, end);
  }
}
