package org.hirengine.replay;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.StreamSupport;
import org.hirengine.verify.JudgeList;
import org.hirengine.verify.Verdict;

/** Golden JSON values as Java values, and judge lists from booleans. */
final class Golden {

  private Golden() {}

  static List<String> strings(JsonNode array) {
    List<String> strings = new ArrayList<>();
    array.forEach(n -> strings.add(n.asText()));
    return strings;
  }

  static int[] ints(JsonNode array) {
    return StreamSupport.stream(array.spliterator(), false).mapToInt(JsonNode::asInt).toArray();
  }

  static JudgeList judges(boolean... satisfied) {
    List<Verdict> verdicts = new ArrayList<>();
    for (boolean s : satisfied) {
      verdicts.add(Verdict.of(s, ""));
    }
    return new JudgeList(verdicts);
  }

  /** JSON booleans or 0/1. */
  static JudgeList judges(JsonNode array) {
    List<Verdict> verdicts = new ArrayList<>();
    array.forEach(n -> verdicts.add(Verdict.of(n.asBoolean(), "")));
    return new JudgeList(verdicts);
  }
}
