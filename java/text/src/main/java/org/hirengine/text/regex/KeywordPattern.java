package org.hirengine.text.regex;

import org.hirengine.text.CodePoints;

/**
 * A keyword from a constraint, which the references put unescaped into a regular expression that
 * ignores case.
 */
public final class KeywordPattern {

  private final String keyword;
  private final LazyPattern pattern;

  private KeywordPattern(String keyword, String source) {
    this.keyword = keyword;
    this.pattern = LazyPattern.of(source, PyPattern.IGNORECASE);
  }

  /** The keyword anywhere, also within a word. */
  public static KeywordPattern of(String keyword) {
    return new KeywordPattern(keyword, keyword);
  }

  /** The keyword between word boundaries. */
  public static KeywordPattern word(String keyword) {
    return new KeywordPattern(keyword, "\\b" + keyword + "\\b");
  }

  /**
   * Whether there is a match.
   *
   * @throws PyPatternException if the keyword is no valid pattern
   * @throws BudgetSpentException if matching takes too long
   */
  public boolean occurs(CodePoints text) {
    return pattern.get().find(text);
  }

  /**
   * The number of matches.
   *
   * @throws PyPatternException if the keyword is no valid pattern
   * @throws BudgetSpentException if matching takes too long
   */
  public int count(CodePoints text) {
    return pattern.get().count(text);
  }

  @Override
  public String toString() {
    return keyword;
  }
}
