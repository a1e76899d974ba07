package org.hirengine.verify.muldimif;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import org.hirengine.text.CodePoints;
import org.hirengine.text.PyJson;
import org.hirengine.text.PyText;
import org.hirengine.text.regex.PyPattern;
import org.hirengine.verify.Response;
import org.hirengine.verify.Verdict;
import org.hirengine.verify.Verifier;
import org.jspecify.annotations.Nullable;

/**
 * {@code Format_Json}: valid JSON (the first {@code ```json} fence or the whole text), nested as
 * deep as asked. A scalar has depth 0, an empty object or list adds nothing, {@code null} is no
 * JSON. If no number of levels is known, the reference's verdict is "violated".
 */
final class JsonDepth {

  private static final PyPattern MARKS = PyPattern.compile("[^\\w\\s]");
  private static final PyPattern FENCED = PyPattern.compile("```json(.*?)```", PyPattern.DOTALL);

  /**
   * {@code calculate_depth} takes three calls per level and reaches Python's recursion limit of a
   * thousand.
   */
  private static final int MAX_DEPTH = 331;

  private static final LimitRules EXACTLY =
      rules()
          .exactly(
              "exactly N levels? of nesting",
              "structured as a json object with a nesting level of N",
              "json example with exactly N level",
              "object nesting levels must be N",
              "nesting level of N",
              "be limited to N levels of nesting");
  private static final LimitRules AT_MOST =
      rules()
          .atMost(
              "must not exceed N levels? of nesting",
              "no more than N level",
              "maximum of N nesting levels",
              "maximum of N object nesting levels",
              "maximum of N levels",
              "not exceed N levels",
              "levels not exceeding N",
              "with the structure not exceeding N levels",
              "object nesting levels must not exceed N",
              "and at most N");
  private static final LimitRules AT_LEAST =
      rules()
          .atLeast(
              "at least N levels? of nesting",
              "at least N levels? deep",
              "must include a json object with at least N level",
              "and at least N");

  private record Level(JsonNode node, int depth) {}

  private JsonDepth() {}

  private static LimitRules rules() {
    return new LimitRules(
        NumberWords.TWO_OR_THREE, "(\\d+|" + NumberWords.TWO_OR_THREE.alternatives() + ")", 0);
  }

  static Verifier of(Demand demand) {
    Bounds bounds = bounds(without(MARKS, demand.lower()));
    return bounds == null
        ? NotUnderstood.violated("no number of levels")
        : response -> check(response, bounds);
  }

  private static String without(PyPattern pattern, String text) {
    return String.join("", pattern.split(CodePoints.of(text)));
  }

  /** The exact number, or the strictest of all limits. */
  private static @Nullable Bounds bounds(String sentence) {
    Bounds exactly = EXACTLY.in(sentence);
    if (exactly != null) {
      return exactly;
    }
    List<Long> most = AT_MOST.numbersIn(sentence);
    List<Long> least = AT_LEAST.numbersIn(sentence);
    if (most.isEmpty() && least.isEmpty()) {
      return null;
    }
    return new Bounds(
        least.stream().max(Long::compare).orElse(Long.MIN_VALUE),
        most.stream().min(Long::compare).orElse(Long.MAX_VALUE));
  }

  private static Verdict check(Response response, Bounds bounds) {
    PyPattern.Match fenced = FENCED.search(response.codePoints());
    String json = fenced == null ? response.text() : PyText.strip(String.valueOf(fenced.group(1)));
    Optional<JsonNode> tree = JsonText.read(json);
    if (tree.isEmpty()) {
      return Verdict.violated("no valid JSON " + PyJson.problem(json));
    }
    if (tree.get().isNull()) {
      return Verdict.violated("JSON null");
    }
    return bounds.verdict(depth(tree.get()), "level");
  }

  private static int depth(JsonNode tree) {
    int deepest = 0;
    Deque<Level> open = new ArrayDeque<>();
    open.push(new Level(tree, 0));
    while (!open.isEmpty()) {
      Level level = open.pop();
      deepest = Math.max(deepest, level.depth);
      level.node.forEach(child -> open.push(new Level(child, level.depth + 1)));
    }
    if (deepest > MAX_DEPTH) {
      throw new ReferenceRaises("JSON nested deeper than " + MAX_DEPTH + " levels");
    }
    return deepest;
  }
}
