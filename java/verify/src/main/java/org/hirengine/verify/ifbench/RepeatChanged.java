package org.hirengine.verify.ifbench;

import java.util.List;
import org.hirengine.text.PyText;
import org.hirengine.verify.Verdict;
import org.hirengine.verify.Verifier;
import org.hirengine.verify.rule.Kwargs;
import org.hirengine.verify.rule.RequestType;

/**
 * {@code RepeatChangeChecker}: the request with its first word changed; the first revision compares
 * from the second character on, the second from the second word.
 */
final class RepeatChanged extends RequestType {

  private final Revision revision;

  RepeatChanged(Revision revision) {
    super("repeat:repeat_change");
    this.revision = revision;
  }

  /** What must stay as it is. */
  private String rest(String text) {
    if (revision == Revision.R1) {
      return PyText.slice(text, 1, PyText.length(text));
    }
    List<String> words = PyText.split(text);
    return String.join(" ", words.subList(Math.min(1, words.size()), words.size()));
  }

  @Override
  protected Verifier parse(Kwargs kwargs) {
    String prompt = request(kwargs);
    String rest = rest(prompt);
    return response -> {
      if (prompt.equals(response.text())) {
        return Verdict.violated("the request is repeated without change");
      }
      boolean equal = rest.equals(rest(response.text()));
      return Verdict.of(
          equal,
          equal
              ? "the request, its beginning changed"
              : "more than the beginning of the request is changed");
    };
  }

  @Override
  protected String sentence(Kwargs kwargs) {
    return "Do not answer; repeat this request with its first word changed and everything else as"
        + " it is: "
        + request(kwargs)
        + ".";
  }
}
