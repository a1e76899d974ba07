package org.hirengine.cli.demo;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The demo's own wording of its constraints, short enough for a policy with a vocabulary of a few
 * hundred words. Written out as {@code sentences.json}, with which the trainer rewords constraints.
 */
final class Sentences {

  private Sentences() {}

  /** Templates by constraint id. */
  static Map<String, String> templates() {
    Map<String, String> templates = new LinkedHashMap<>();
    templates.put("length_constraints:number_words", "{relation} {num_words} words.");
    templates.put("length_constraints:number_sentences", "{relation} {num_sentences} sentences.");
    templates.put("length_constraints:number_paragraphs", "{num_paragraphs} paragraphs.");
    templates.put("keywords:existence", "include {keywords}.");
    templates.put("keywords:frequency", "{keyword} {relation} {frequency} times.");
    templates.put("keywords:word_once", "{keyword} once.");
    templates.put("keywords:forbidden_words", "avoid {forbidden_words}.");
    templates.put("punctuation:no_comma", "no comma.");
    templates.put("punctuation:punctuation_exclamation", "no exclamation.");
    templates.put("detectable_format:number_bullet_lists", "{num_bullets} bullets.");
    templates.put("detectable_format:title", "title.");
    templates.put("startend:quotation", "in quotes.");
    templates.put("detectable_content:postscript", "postscript.");
    templates.put(
        "detectable_content:number_placeholders", "at least {num_placeholders} placeholders.");
    templates.put("combination:repeat_prompt", "repeat request.");
    templates.put(
        "change_case:capital_word_frequency",
        "{capital_relation} {capital_frequency} capital words.");
    templates.put("count:lowercase_counting", "at most {N} lowercase words.");
    templates.put("first_word:first_word_answer", "first word {first_word}.");
    templates.put("last_word:last_word_answer", "last word {last_word}.");
    return templates;
  }
}
