package org.hirengine.verify.ifbench;

import java.util.List;
import org.hirengine.text.PyText;
import org.hirengine.verify.Response;
import org.hirengine.verify.Verdict;
import org.hirengine.verify.rule.BinaryType;
import org.hirengine.verify.rule.Wording;

/** {@code SubBulletPointsChecker}: a hyphen after every asterisk, before the next one. */
final class SubBullets extends BinaryType {

  SubBullets() {
    super(
        "format:sub-bullets",
        "Write bullet points marked by *, each with at least one sub-point marked by -.");
  }

  @Override
  protected Verdict check(Response response) {
    List<String> parts = PyText.split(response.text(), "*");
    for (String part : parts.subList(1, parts.size())) {
      if (part.indexOf('-') < 0) {
        return Verdict.violated("no - between a * and the next");
      }
    }
    return Verdict.satisfied("a - behind each of " + Wording.count(parts.size() - 1, "asterisk"));
  }
}
