package org.hirengine.verify.ifeval;

import org.hirengine.text.PyJson;
import org.hirengine.text.PyText;
import org.hirengine.verify.Response;
import org.hirengine.verify.Verdict;
import org.hirengine.verify.rule.BinaryType;

/** {@code JsonFormat}: the text, without a surrounding code fence, is JSON. */
final class JsonFormat extends BinaryType {

  JsonFormat() {
    super(
        "detectable_format:json_format",
        "Give your entire response as one valid JSON value; a ``` code fence around it is"
            + " allowed.");
  }

  @Override
  protected Verdict check(Response response) {
    String json = json(response);
    return switch (PyJson.read(json)) {
      case VALID -> Verdict.satisfied("valid JSON");
      case INVALID -> Verdict.violated("not valid JSON " + PyJson.problem(json));
      case TOO_DEEP ->
          Verdict.failed(
              "the reference raises: JSON nested deeper than " + PyJson.MAX_DEPTH + " levels");
    };
  }

  /** A sentence in quotes is a JSON value, and nobody who asks for JSON means it. */
  @Override
  protected boolean achieves(Response response) {
    String json = json(response);
    return json.startsWith("{") || json.startsWith("[");
  }

  private static String json(Response response) {
    String text = response.stripped();
    for (String fence : new String[] {"```json", "```Json", "```JSON", "```"}) {
      if (text.startsWith(fence)) {
        text = text.substring(fence.length());
      }
    }
    if (text.endsWith("```")) {
      text = text.substring(0, text.length() - 3);
    }
    return PyText.strip(text);
  }
}
