package org.hirengine.replay;

import com.fasterxml.jackson.core.JsonProcessingException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What is wrong with JSON, for people: the parser's message without its settings. */
final class JsonFault {

  private static final Pattern TOKEN = Pattern.compile("Non-standard token '(.+?)'.*");

  /** ", from `StreamReadConstraints...`", ": enable `JsonReadFeature...` to allow". */
  private static final Pattern SETTING = Pattern.compile("[,:]? ?\\w* `[^`]*`( to allow)?");

  private JsonFault() {}

  /** The cause in one line. */
  static String describe(JsonProcessingException e) {
    String message = e.getOriginalMessage().lines().findFirst().orElse("");
    Matcher token = TOKEN.matcher(message);
    if (token.matches()) {
      return token.group(1) + " is no JSON: write a number or null";
    }
    return message.startsWith("Trailing token")
        ? "something follows the value"
        : SETTING.matcher(message).replaceAll("");
  }
}
