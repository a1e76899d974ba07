package org.hirengine.verify.text;

import java.util.List;

/** Finds the part of speech of a text's first word. */
public interface PosTagger {

  /** How many tokens the first tag may depend on. */
  int TOKENS_FOR_FIRST = 3;

  /**
   * The Penn Treebank tag of the first token, such as {@code VBG}.
   *
   * @param tokens the first {@value #TOKENS_FOR_FIRST} of the text or more, or all; at least one
   */
  String firstTag(List<String> tokens);
}
