package org.hirengine.text.jinja;

import java.util.List;
import org.hirengine.text.jinja.Token.Kind;

/** The tokens of a template under parsing. */
final class TokenStream {

  private final String template;
  private final List<Token> tokens;
  private int at;

  TokenStream(String source, String template) {
    this.template = template;
    this.tokens = Lexer.tokenize(source, template);
  }

  Token current() {
    return tokens.get(at);
  }

  /** The token after the current one. */
  Token following() {
    return tokens.get(Math.min(at + 1, tokens.size() - 1));
  }

  /** The current token; moves on. */
  Token next() {
    Token token = tokens.get(at);
    if (!token.is(Kind.END)) {
      at++;
    }
    return token;
  }

  int line() {
    return current().line();
  }

  boolean skipName(String name) {
    if (current().isName(name)) {
      at++;
      return true;
    }
    return false;
  }

  boolean skipOperator(String operator) {
    if (current().isOperator(operator)) {
      at++;
      return true;
    }
    return false;
  }

  Token expect(Kind kind, String what) {
    if (!current().is(kind)) {
      throw expected(what);
    }
    return next();
  }

  String expectName() {
    return expect(Kind.NAME, "a name").text();
  }

  void expectName(String name) {
    if (!skipName(name)) {
      throw expected("'" + name + "'");
    }
  }

  void expectOperator(String operator) {
    if (!skipOperator(operator)) {
      throw expected("'" + operator + "'");
    }
  }

  TemplateException expected(String what) {
    return fault(line(), "expected " + what + ", got " + current().describe());
  }

  TemplateException fault(int line, String problem) {
    return new TemplateException(template, line, problem);
  }
}
