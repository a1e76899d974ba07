/** Python's semantics of text: strings, JSON, CSV, literals, regular expressions, templates. */
module org.hirengine.text {
  requires static transitive org.jspecify;

  exports org.hirengine.text;
  exports org.hirengine.text.jinja;
  exports org.hirengine.text.regex;
}
