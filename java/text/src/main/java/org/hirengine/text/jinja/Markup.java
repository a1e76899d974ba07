package org.hirengine.text.jinja;

import org.jspecify.annotations.Nullable;

/**
 * Text marked as safe HTML by the filters {@code safe} and {@code escape}. It prints unchanged;
 * text that is added to it is escaped, as in markupsafe.
 *
 * @param text the markup
 */
record Markup(String text) {

  static Markup escape(@Nullable Object value, Budget budget) {
    if (value instanceof Markup markup) {
      return markup;
    }
    String text = PyString.of(value, budget);
    budget.spendText(text.length());
    return new Markup(
        text.replace("&", "&amp;")
            .replace(">", "&gt;")
            .replace("<", "&lt;")
            .replace("'", "&#39;")
            .replace("\"", "&#34;"));
  }
}
