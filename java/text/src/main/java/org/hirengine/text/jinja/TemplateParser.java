package org.hirengine.text.jinja;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Set;
import org.hirengine.text.jinja.Token.Kind;
import org.jspecify.annotations.Nullable;

/** Parses a template's text and statements. */
final class TemplateParser {

  private static final int MAX_DEPTH = 100;

  /** Tags of jinja2 that a template without files or inheritance cannot use. */
  private static final Set<String> UNSUPPORTED =
      Set.of("autoescape", "block", "extends", "from", "import", "include");

  private final TokenStream tokens;
  private final ExpressionParser expressions;
  private final Deque<OpenBlock> open = new ArrayDeque<>();
  private int loops;

  private record OpenBlock(String tag, int line) {}

  TemplateParser(String source, String template) {
    tokens = new TokenStream(source, template);
    expressions = new ExpressionParser(tokens);
  }

  Statement parse() {
    return statements();
  }

  /** Statements up to a tag of one of the given names, which becomes the current token. */
  private Statement statements(String... endTags) {
    List<Statement> statements = new ArrayList<>();
    while (true) {
      Token token = tokens.next();
      switch (token.kind()) {
        case DATA -> statements.add(new Statements.Text(token.text()));
        case VARIABLE_BEGIN -> {
          statements.add(new Statements.Print(expressions.parseTuple(true)));
          tokens.expect(Kind.VARIABLE_END, "'}}'");
        }
        case BLOCK_BEGIN -> {
          if (tokens.current().is(Kind.NAME)
              && List.of(endTags).contains(tokens.current().text())) {
            return new Statements.Block(statements);
          }
          statements.add(statement());
          tokens.expect(Kind.BLOCK_END, "'%}'");
        }
        case END -> {
          if (endTags.length > 0) {
            OpenBlock innermost = open.getFirst();
            throw tokens.fault(
                innermost.line(),
                "the block '"
                    + innermost.tag()
                    + "' is never closed by '{% "
                    + String.join(" %}' or '{% ", endTags)
                    + " %}'");
          }
          return new Statements.Block(statements);
        }
        default -> throw tokens.fault(token.line(), "unexpected " + token.describe());
      }
    }
  }

  private Statement statement() {
    Token tag = tokens.expect(Kind.NAME, "the name of a tag");
    open.push(new OpenBlock(tag.text(), tag.line()));
    if (open.size() > MAX_DEPTH) {
      throw tokens.fault(tag.line(), "blocks are nested too deeply");
    }
    Statement statement =
        switch (tag.text()) {
          case "if" -> ifStatement();
          case "for" -> forStatement(tag.line());
          case "set" -> setStatement();
          case "macro" -> macro();
          case "call" -> callBlock(tag.line());
          case "filter" -> filterBlock();
          case "with" -> with();
          case "print" -> print();
          case "generation" -> new Statements.Scoped(captured("endgeneration"));
          case "break" -> jump(tag, Statement.Flow.BREAK);
          case "continue" -> jump(tag, Statement.Flow.CONTINUE);
          default -> throw unknown(tag);
        };
    open.pop();
    return statement;
  }

  private TemplateException unknown(Token tag) {
    String name = tag.text();
    if (UNSUPPORTED.contains(name)) {
      return tokens.fault(tag.line(), "the tag '" + name + "' is not supported in chat templates");
    }
    open.pop();
    String innermost =
        open.isEmpty()
            ? ""
            : "; the innermost open block is '"
                + open.getFirst().tag()
                + "' of line "
                + open.getFirst().line();
    return tokens.fault(tag.line(), "unknown tag '" + name + "'" + innermost);
  }

  /**
   * Parses the rest of a tag and its body, including one of the end tags, and returns that tag's
   * name.
   */
  private Statement body(String... endTags) {
    tokens.skipOperator(":");
    tokens.expect(Kind.BLOCK_END, "'%}'");
    Statement body = statements(endTags);
    if (endTags.length == 1) {
      tokens.next();
    }
    return body;
  }

  /** A body whose output is captured as text: it cannot break out of a loop around it. */
  private Statement captured(String endTag) {
    int outside = loops;
    loops = 0;
    Statement body = body(endTag);
    loops = outside;
    return body;
  }

  private Statement ifStatement() {
    List<Statements.Arm> arms = new ArrayList<>();
    while (true) {
      Expression test = expressions.parseTuple(false);
      arms.add(new Statements.Arm(test, body("elif", "else", "endif")));
      String end = tokens.next().text();
      if (end.equals("else")) {
        arms.add(new Statements.Arm(null, body("endif")));
      }
      if (!end.equals("elif")) {
        return new Statements.If(arms);
      }
    }
  }

  private Statement forStatement(int line) {
    Target target = expressions.parseTarget(false, "in");
    tokens.expectName("in");
    Expression iterable = expressions.parseTuple(false, "recursive");
    Expression filter = tokens.skipName("if") ? expressions.parse() : null;
    boolean recursive = tokens.skipName("recursive");
    loops++;
    Statement body = body("endfor", "else");
    loops--;
    Statement otherwise = tokens.next().text().equals("else") ? body("endfor") : null;
    return new For(target, iterable, filter, body, otherwise, recursive, line);
  }

  private Statement setStatement() {
    Target target = expressions.parseTarget(true);
    if (tokens.skipOperator("=")) {
      return new Statements.Assign(target, expressions.parseTuple(true));
    }
    Access.FilterCall filter = null;
    while (tokens.current().isOperator("|")) {
      filter = (Access.FilterCall) expressions.filter(filter);
    }
    return new Statements.AssignBlock(target, filter, captured("endset"));
  }

  private Statement filterBlock() {
    Access.FilterCall filter = (Access.FilterCall) expressions.namedFilter(null);
    while (tokens.current().isOperator("|")) {
      filter = (Access.FilterCall) expressions.filter(filter);
    }
    return new Statements.FilterBlock(filter, captured("endfilter"));
  }

  private Statement macro() {
    String name = tokens.expectName();
    List<String> parameters = new ArrayList<>();
    List<Expression> defaults = new ArrayList<>();
    signature(parameters, defaults);
    return new Macro.Define(definition(name, parameters, defaults, "endmacro"));
  }

  private Statement callBlock(int line) {
    List<String> parameters = new ArrayList<>();
    List<Expression> defaults = new ArrayList<>();
    if (tokens.current().isOperator("(")) {
      signature(parameters, defaults);
    }
    if (!(expressions.parse() instanceof Access.Call call)) {
      throw tokens.fault(line, "expected a call of a macro");
    }
    return new Macro.CallBlock(call, definition(null, parameters, defaults, "endcall"));
  }

  private Macro.Definition definition(
      @Nullable String name, List<String> parameters, List<Expression> defaults, String endTag) {
    Set<String> outside = Set.copyOf(expressions.namesRead());
    expressions.namesRead().clear();
    Statement body = captured(endTag);
    Set<String> inside = Set.copyOf(expressions.namesRead());
    expressions.namesRead().addAll(outside);
    return new Macro.Definition(name, parameters, defaults, body, inside);
  }

  private void signature(List<String> parameters, List<Expression> defaults) {
    tokens.expectOperator("(");
    while (!tokens.skipOperator(")")) {
      parameters.add(tokens.expectName());
      if (tokens.skipOperator("=")) {
        defaults.add(expressions.parse());
      } else if (!defaults.isEmpty()) {
        throw tokens.fault(tokens.line(), "a parameter without a default follows one with it");
      }
      if (!tokens.current().isOperator(")")) {
        tokens.expectOperator(",");
      }
    }
  }

  private Statement with() {
    List<Target> targets = new ArrayList<>();
    List<Expression> values = new ArrayList<>();
    while (!tokens.current().is(Kind.BLOCK_END)) {
      if (!targets.isEmpty()) {
        tokens.expectOperator(",");
      }
      targets.add(expressions.parseTarget(false));
      tokens.expectOperator("=");
      values.add(expressions.parse());
    }
    return new Statements.With(targets, values, body("endwith"));
  }

  private Statement print() {
    List<Statement> prints = new ArrayList<>();
    while (!tokens.current().is(Kind.BLOCK_END)) {
      if (!prints.isEmpty()) {
        tokens.expectOperator(",");
      }
      prints.add(new Statements.Print(expressions.parse()));
    }
    return new Statements.Block(prints);
  }

  private Statement jump(Token tag, Statement.Flow flow) {
    if (loops == 0) {
      throw tokens.fault(tag.line(), "'" + tag.text() + "' outside of a loop");
    }
    return new Statements.Jump(flow);
  }
}
