package org.hirengine.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.hirengine.replay.Instruction;
import org.hirengine.text.PyText;
import org.jspecify.annotations.Nullable;

/**
 * Responses keyed by what they answer, joined as the benchmarks' references join them: by the exact
 * prompt, then by the prompt without surrounding white space. Of several answers to one prompt the
 * last counts. A response without a prompt is joined by its id.
 */
final class Answers {

  private final Map<String, Answer> byPrompt = new HashMap<>();
  private final Map<String, Answer> byId = new HashMap<>();
  private final Set<Answer> unasked = new HashSet<>();
  private int repeated;
  private int asked;

  /** A response and its line. */
  static final class Answer {

    private final ObjectNode row;
    private final String response;
    private final long line;

    Answer(ObjectNode row, String response, long line) {
      this.row = row;
      this.response = response;
      this.line = line;
    }

    /** The line that it came in. */
    ObjectNode row() {
      return row;
    }

    String response() {
      return response;
    }

    /** Number of its line. */
    long line() {
      return line;
    }
  }

  void addByPrompt(String prompt, Answer answer) {
    replace(byPrompt.put(prompt, answer), answer);
    String stripped = PyText.strip(prompt);
    if (!stripped.equals(prompt)) {
      replace(byPrompt.put(stripped, answer), answer);
    }
  }

  void addById(String id, Answer answer) {
    replace(byId.put(id, answer), answer);
  }

  private void replace(@Nullable Answer before, Answer now) {
    unasked.add(now);
    if (before != null && before != now && unasked.remove(before)) {
      repeated++;
    }
  }

  /** The answer to an instruction, or null if there is none. */
  @Nullable Answer to(Instruction x) {
    String prompt = x.promptText();
    Answer answer = byPrompt.get(prompt);
    if (answer == null) {
      answer = byPrompt.get(PyText.strip(prompt));
    }
    if (answer == null) {
      answer = byId.get(x.id());
    }
    if (answer != null) {
      unasked.remove(answer);
      asked++;
    }
    return answer;
  }

  /** Whether some response has no prompt and is joined by its id. */
  boolean joinsByIds() {
    return !byId.isEmpty();
  }

  /** Instructions that an answer was found for. */
  int asked() {
    return asked;
  }

  /** Answers that no instruction has asked for so far. */
  Set<Answer> unasked() {
    return unasked;
  }

  /** Answers that a later one to the same prompt replaced. */
  int repeated() {
    return repeated;
  }
}
