package org.hirengine.text.jinja;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import org.hirengine.text.jinja.Token.Kind;
import org.jspecify.annotations.Nullable;

/**
 * Parses expressions by recursive descent, with jinja2's precedence, loosest first: inline if, or,
 * and, not, comparison, {@code + -}, {@code ~}, {@code * / // %}, {@code **} (from the left), sign,
 * then attribute, item, call, filter and test.
 */
final class ExpressionParser {

  /** Deeper than anybody nests by hand; the bound protects the Java stack. */
  private static final int MAX_DEPTH = 200;

  private static final Set<String> COMPARISONS = Set.of("==", "!=", "<", "<=", ">", ">=");
  private static final Set<String> CONSTANTS =
      Set.of("true", "false", "none", "True", "False", "None");

  private final TokenStream tokens;
  private final Set<String> namesRead = new HashSet<>();
  private int depth;

  ExpressionParser(TokenStream tokens) {
    this.tokens = tokens;
  }

  /**
   * Every name that an expression has read so far; macros look for {@code varargs} and the like.
   */
  Set<String> namesRead() {
    return namesRead;
  }

  /** One expression. */
  Expression parse() {
    return parse(true);
  }

  private Expression parse(boolean inlineIf) {
    if (++depth > MAX_DEPTH) {
      throw tokens.fault(tokens.line(), "the expression is nested too deeply");
    }
    Expression expression = inlineIf ? conditional() : or();
    depth--;
    return expression;
  }

  /** One expression, or several with commas between them, which make a tuple. */
  Expression parseTuple(boolean inlineIf, String... endNames) {
    return tuple(() -> parse(inlineIf), false, endNames);
  }

  private Expression tuple(Supplier<Expression> element, boolean mayBeEmpty, String... endNames) {
    List<Expression> elements = new ArrayList<>();
    boolean commas = false;
    while (!tupleEnds(endNames)) {
      elements.add(element.get());
      if (!tokens.skipOperator(",")) {
        break;
      }
      commas = true;
    }
    if (!commas && elements.size() == 1) {
      return elements.get(0);
    }
    if (elements.isEmpty() && !mayBeEmpty) {
      throw tokens.expected("an expression");
    }
    return new Literals.TupleOf(elements);
  }

  private boolean tupleEnds(String... endNames) {
    Token token = tokens.current();
    if (token.is(Kind.VARIABLE_END) || token.is(Kind.BLOCK_END) || token.isOperator(")")) {
      return true;
    }
    for (String name : endNames) {
      if (token.isName(name)) {
        return true;
      }
    }
    return false;
  }

  /** The left side of {@code =} or of {@code in}: names, attributes of namespaces, tuples. */
  Target parseTarget(boolean attributes, String... endNames) {
    List<Target> targets = new ArrayList<>();
    boolean commas = false;
    while (targets.isEmpty() || !(tokens.current().isOperator("=") || tupleEnds(endNames))) {
      targets.add(oneTarget(attributes));
      if (!tokens.skipOperator(",")) {
        break;
      }
      commas = true;
    }
    return commas ? new Target.Several(targets) : targets.get(0);
  }

  private Target oneTarget(boolean attributes) {
    if (tokens.skipOperator("(")) {
      Target inner = parseTarget(attributes);
      tokens.expectOperator(")");
      return inner;
    }
    int line = tokens.line();
    String name = tokens.expect(Kind.NAME, "a name to assign to").text();
    if (CONSTANTS.contains(name)) {
      throw tokens.fault(line, "cannot assign to '" + name + "'");
    }
    if (attributes && tokens.skipOperator(".")) {
      return new Target.Attribute(name, tokens.expectName(), line);
    }
    return new Target.Name(name);
  }

  private Expression conditional() {
    Expression value = or();
    while (tokens.skipName("if")) {
      Expression test = or();
      Expression otherwise = tokens.skipName("else") ? parse(true) : null;
      value = new Operations.Conditional(test, value, otherwise);
    }
    return value;
  }

  private Expression or() {
    Expression left = and();
    while (tokens.skipName("or")) {
      left = new Operations.Or(left, and());
    }
    return left;
  }

  private Expression and() {
    Expression left = not();
    while (tokens.skipName("and")) {
      left = new Operations.And(left, not());
    }
    return left;
  }

  private Expression not() {
    if (!tokens.skipName("not")) {
      return comparison();
    }
    if (++depth > MAX_DEPTH) {
      throw tokens.fault(tokens.line(), "the expression is nested too deeply");
    }
    Expression inner = not();
    depth--;
    return new Operations.Not(inner);
  }

  private Expression comparison() {
    int line = tokens.line();
    Expression first = sum();
    List<String> operators = new ArrayList<>();
    List<Expression> operands = new ArrayList<>();
    while (true) {
      Token token = tokens.current();
      if (token.is(Kind.OPERATOR) && COMPARISONS.contains(token.text())) {
        operators.add(tokens.next().text());
      } else if (tokens.skipName("in")) {
        operators.add("in");
      } else if (token.isName("not") && tokens.following().isName("in")) {
        tokens.next();
        tokens.next();
        operators.add("not in");
      } else {
        break;
      }
      operands.add(sum());
    }
    return operators.isEmpty() ? first : new Operations.Compare(first, operators, operands, line);
  }

  private Expression sum() {
    Expression left = concatenation();
    while (tokens.current().isOperator("+") || tokens.current().isOperator("-")) {
      Token operator = tokens.next();
      left = new Operations.Binary(operator.text(), left, concatenation(), operator.line());
    }
    return left;
  }

  private Expression concatenation() {
    Expression first = product();
    if (!tokens.current().isOperator("~")) {
      return first;
    }
    List<Expression> parts = new ArrayList<>(List.of(first));
    while (tokens.skipOperator("~")) {
      parts.add(product());
    }
    return new Operations.Concat(parts);
  }

  private Expression product() {
    Expression left = power();
    while (tokens.current().is(Kind.OPERATOR)
        && Set.of("*", "/", "//", "%").contains(tokens.current().text())) {
      Token operator = tokens.next();
      left = new Operations.Binary(operator.text(), left, power(), operator.line());
    }
    return left;
  }

  private Expression power() {
    Expression left = unary(true);
    while (tokens.current().isOperator("**")) {
      Token operator = tokens.next();
      left = new Operations.Binary("**", left, unary(true), operator.line());
    }
    return left;
  }

  /** A filter binds to the signed number as a whole: {@code -1|abs} is 1. */
  private Expression unary(boolean withFilter) {
    if (++depth > MAX_DEPTH) {
      throw tokens.fault(tokens.line(), "the expression is nested too deeply");
    }
    Expression expression;
    Token token = tokens.current();
    if (token.isOperator("-") || token.isOperator("+")) {
      tokens.next();
      expression = new Operations.Sign(token.text().equals("-"), unary(false), token.line());
    } else {
      expression = primary();
    }
    expression = postfix(expression);
    depth--;
    return withFilter ? filtersAndTests(expression) : expression;
  }

  private Expression primary() {
    Token token = tokens.next();
    switch (token.kind()) {
      case NAME -> {
        return switch (token.text()) {
          case "true", "True" -> new Literals.Constant(true);
          case "false", "False" -> new Literals.Constant(false);
          case "none", "None" -> new Literals.Constant(null);
          default -> {
            namesRead.add(token.text());
            yield new Literals.Name(token.text(), token.line());
          }
        };
      }
      case STRING -> {
        StringBuilder text = new StringBuilder(String.valueOf(token.value()));
        while (tokens.current().is(Kind.STRING)) {
          text.append(tokens.next().value());
        }
        return new Literals.Constant(text.toString());
      }
      case NUMBER -> {
        return new Literals.Constant(token.value());
      }
      case OPERATOR -> {
        switch (token.text()) {
          case "(" -> {
            Expression inner = tuple(this::parse, true);
            tokens.expectOperator(")");
            return inner;
          }
          case "[" -> {
            return list();
          }
          case "{" -> {
            return dict(token.line());
          }
          default -> throw tokens.fault(token.line(), "unexpected " + token.describe());
        }
      }
      default -> throw tokens.fault(token.line(), "unexpected " + token.describe());
    }
  }

  private Expression list() {
    List<Expression> elements = new ArrayList<>();
    while (!tokens.skipOperator("]")) {
      elements.add(parse());
      if (!tokens.current().isOperator("]")) {
        tokens.expectOperator(",");
      }
    }
    return new Literals.ListOf(elements);
  }

  private Expression dict(int line) {
    List<Expression> keys = new ArrayList<>();
    List<Expression> values = new ArrayList<>();
    while (!tokens.skipOperator("}")) {
      keys.add(parse());
      tokens.expectOperator(":");
      values.add(parse());
      if (!tokens.current().isOperator("}")) {
        tokens.expectOperator(",");
      }
    }
    return new Literals.DictOf(keys, values, line);
  }

  private Expression postfix(Expression expression) {
    while (true) {
      Token token = tokens.current();
      if (token.isOperator(".")) {
        tokens.next();
        expression = attribute(expression, token.line());
      } else if (token.isOperator("[")) {
        tokens.next();
        expression = item(expression, token.line());
      } else if (token.isOperator("(")) {
        expression = new Access.Call(expression, arguments(), token.line());
      } else {
        return expression;
      }
    }
  }

  private Expression filtersAndTests(Expression expression) {
    while (true) {
      Token token = tokens.current();
      if (token.isOperator("|")) {
        expression = filter(expression);
      } else if (token.isName("is")) {
        expression = test(expression);
      } else if (token.isOperator("(")) {
        expression = new Access.Call(expression, arguments(), token.line());
      } else {
        return expression;
      }
    }
  }

  private Expression attribute(Expression object, int line) {
    Token token = tokens.next();
    if (token.is(Kind.NAME)) {
      return new Access.Attribute(object, token.text(), line);
    }
    if (token.value() instanceof Long) {
      return new Access.Item(object, new Literals.Constant(token.value()), line);
    }
    throw tokens.fault(token.line(), "expected a name or number behind '.'");
  }

  private Expression item(Expression object, int line) {
    List<Expression> keys = new ArrayList<>();
    boolean commas = false;
    while (!tokens.skipOperator("]")) {
      keys.add(subscript());
      if (!tokens.current().isOperator("]")) {
        tokens.expectOperator(",");
        commas = true;
      }
    }
    if (keys.isEmpty()) {
      throw tokens.fault(line, "expected an expression between '[' and ']'");
    }
    boolean single = keys.size() == 1 && !commas;
    return new Access.Item(object, single ? keys.get(0) : new Literals.TupleOf(keys), line);
  }

  private Expression subscript() {
    Expression start = tokens.current().isOperator(":") ? null : parse();
    if (start != null && !tokens.current().isOperator(":")) {
      return start;
    }
    tokens.expectOperator(":");
    Expression stop = sliceBound();
    Expression step = tokens.skipOperator(":") ? sliceBound() : null;
    return new Access.SliceOf(start, stop, step);
  }

  private @Nullable Expression sliceBound() {
    Token token = tokens.current();
    boolean none = token.isOperator(":") || token.isOperator("]") || token.isOperator(",");
    return none ? null : parse();
  }

  /** One or more filters after {@code |}. */
  Expression filter(@Nullable Expression value) {
    tokens.expectOperator("|");
    return namedFilter(value);
  }

  /** A filter from its name on. */
  Expression namedFilter(@Nullable Expression value) {
    int line = tokens.line();
    String name = dottedName();
    Access.Arguments arguments =
        tokens.current().isOperator("(") ? arguments() : Access.Arguments.NONE;
    return new Access.FilterCall(value, name, arguments, line);
  }

  private String dottedName() {
    StringBuilder name = new StringBuilder(tokens.expectName());
    while (tokens.skipOperator(".")) {
      name.append('.').append(tokens.expectName());
    }
    return name.toString();
  }

  private Expression test(Expression value) {
    int line = tokens.next().line();
    boolean negated = tokens.skipName("not");
    String name = dottedName();
    Access.Arguments arguments = Access.Arguments.NONE;
    if (tokens.current().isOperator("(")) {
      arguments = arguments();
    } else if (bareTestArgument(tokens.current())) {
      if (tokens.current().isName("is")) {
        throw tokens.fault(tokens.line(), "tests cannot be chained with 'is'");
      }
      arguments = Access.Arguments.of(postfix(primary()));
    }
    Expression test = new Access.TestCall(value, name, arguments, line);
    return negated ? new Operations.Not(test) : test;
  }

  /** As in jinja2, a test takes what follows as its argument, except the words that join tests. */
  private static boolean bareTestArgument(Token token) {
    return switch (token.kind()) {
      case NAME -> !(token.isName("else") || token.isName("or") || token.isName("and"));
      case STRING, NUMBER -> true;
      default -> token.isOperator("(") || token.isOperator("[") || token.isOperator("{");
    };
  }

  private Access.Arguments arguments() {
    int line = tokens.line();
    tokens.expectOperator("(");
    List<Expression> positional = new ArrayList<>();
    Map<String, Expression> named = new LinkedHashMap<>();
    Expression spreadList = null;
    Expression spreadDict = null;
    while (!tokens.skipOperator(")")) {
      Token token = tokens.current();
      if (spreadDict != null) {
        throw tokens.fault(line, "no argument can follow '**'");
      }
      if (tokens.skipOperator("*")) {
        if (spreadList != null) {
          throw tokens.fault(line, "only one '*' argument is possible");
        }
        spreadList = parse();
      } else if (tokens.skipOperator("**")) {
        spreadDict = parse();
      } else if (token.is(Kind.NAME) && tokens.following().isOperator("=")) {
        tokens.next();
        tokens.next();
        if (named.put(token.text(), parse()) != null) {
          throw tokens.fault(line, "the argument '" + token.text() + "' is given twice");
        }
      } else if (spreadList != null || !named.isEmpty()) {
        throw tokens.fault(line, "a positional argument cannot follow a named one");
      } else {
        positional.add(parse());
      }
      if (!tokens.current().isOperator(")")) {
        tokens.expectOperator(",");
      }
    }
    return new Access.Arguments(positional, named, spreadList, spreadDict);
  }
}
