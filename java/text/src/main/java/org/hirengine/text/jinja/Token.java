package org.hirengine.text.jinja;

import org.jspecify.annotations.Nullable;

/**
 * One token of a template.
 *
 * @param kind what it is
 * @param text the data, name or operator as written
 * @param value the literal's value: String, Long or Double
 * @param line its line from 1
 */
record Token(Kind kind, String text, @Nullable Object value, int line) {

  enum Kind {
    /** Text outside tags. */
    DATA,
    VARIABLE_BEGIN,
    VARIABLE_END,
    BLOCK_BEGIN,
    BLOCK_END,
    NAME,
    STRING,
    NUMBER,
    OPERATOR,
    /** After the last token. */
    END
  }

  boolean is(Kind other) {
    return kind == other;
  }

  boolean isName(String name) {
    return kind == Kind.NAME && text.equals(name);
  }

  boolean isOperator(String operator) {
    return kind == Kind.OPERATOR && text.equals(operator);
  }

  /** Its name in error messages. */
  String describe() {
    return switch (kind) {
      case DATA -> "text";
      case VARIABLE_BEGIN -> "'{{'";
      case VARIABLE_END -> "'}}'";
      case BLOCK_BEGIN -> "'{%'";
      case BLOCK_END -> "'%}'";
      case STRING -> "a string";
      case END -> "the end of the template";
      case NAME, NUMBER, OPERATOR -> "'" + text + "'";
    };
  }
}
