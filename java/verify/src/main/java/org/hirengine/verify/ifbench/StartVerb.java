package org.hirengine.verify.ifbench;

import java.util.Optional;
import org.hirengine.verify.Response;
import org.hirengine.verify.TextTools;
import org.hirengine.verify.Verdict;
import org.hirengine.verify.rule.BinaryType;

/** {@code StartWithVerbChecker}: the tagger tags the first token as a verb. */
final class StartVerb extends BinaryType {

  private final TextTools tools;

  StartVerb(TextTools tools) {
    super("words:start_verb", "Begin your response with a verb.");
    this.tools = tools;
  }

  @Override
  protected Verdict check(Response response) {
    Optional<String> tag = tools.firstTag(response);
    return Verdict.of(
        tag.isPresent() && tag.get().contains("VB"),
        tag.map(found -> "the first word is tagged " + found + ", a verb (VB) asked")
            .orElse("there are no words"));
  }
}
