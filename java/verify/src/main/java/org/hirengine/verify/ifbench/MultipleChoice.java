package org.hirengine.verify.ifbench;

import java.util.ArrayList;
import java.util.List;
import org.hirengine.text.PyChars;
import org.hirengine.text.PyText;
import org.hirengine.verify.Response;
import org.hirengine.verify.Verdict;
import org.hirengine.verify.rule.Wording;

/**
 * {@code MultipleChoiceQuestionsChecker}: four parts that begin with "Question" and a number, each
 * with five options lettered a to e, and each with a longer question than the one before.
 */
final class MultipleChoice extends FixedTask {

  private static final String LABEL = "Question";

  MultipleChoice() {
    super(
        "custom:mcq_count_length",
        "Write 4 multiple choice questions with 5 options each on the art of the 20th century,"
            + " label each with \"Question\" and its number, make each longer than the one before,"
            + " and explain nothing.");
  }

  @Override
  protected Verdict check(Response response) {
    if (!response.text().startsWith(LABEL)) {
      return Verdict.violated("does not begin with \"Question\"");
    }
    List<String> questions = questions(response.text());
    if (questions.size() != 4) {
      return Verdict.violated(Wording.count(questions.size(), "question") + ", exactly 4 asked");
    }
    int before = -1;
    for (String question : questions) {
      StringBuilder text = new StringBuilder();
      int options = 0;
      for (String line : PyText.split(question, "\n")) {
        String stripped = PyText.strip(line);
        if (isOption(stripped)) {
          options++;
        } else if (options == 0) {
          text.append(' ').append(stripped);
        }
      }
      if (options != 5) {
        return Verdict.violated(Wording.count(options, "option") + ", exactly 5 asked");
      }
      int length = PyText.length(PyText.strip(text.toString()));
      if (length <= before) {
        return Verdict.violated("a question of " + length + " characters follows one of " + before);
      }
      before = length;
    }
    return Verdict.satisfied("4 questions with 5 options each");
  }

  /** The stripped parts, blank ones left out, between {@code Question \d+[.|):;]?}. */
  private static List<String> questions(String text) {
    List<String> parts = new ArrayList<>();
    int from = 0;
    for (int at = text.indexOf(LABEL); at >= 0; at = text.indexOf(LABEL, at + 1)) {
      int number = at + LABEL.length() + 1;
      int end = number;
      while (end < text.length() && PyChars.isDecimal(text.codePointAt(end))) {
        end += Character.charCount(text.codePointAt(end));
      }
      if (end == number || text.charAt(number - 1) != ' ') {
        continue;
      }
      add(parts, text.substring(from, at));
      from = end < text.length() && ".|):;".indexOf(text.charAt(end)) >= 0 ? end + 1 : end;
    }
    add(parts, text.substring(from));
    return parts;
  }

  private static void add(List<String> parts, String part) {
    if (!PyText.isBlank(part)) {
      parts.add(PyText.strip(part));
    }
  }

  /** {@code [A-Ea-e][.|)]\s*\w+} at the beginning. */
  private static boolean isOption(String line) {
    if (line.length() < 3 || ".|)".indexOf(line.charAt(1)) < 0) {
      return false;
    }
    int letter = line.charAt(0) | 0x20;
    String rest = PyText.stripLeading(line.substring(2));
    return letter >= 'a' && letter <= 'e' && !rest.isEmpty() && PyChars.isWord(rest.codePointAt(0));
  }
}
