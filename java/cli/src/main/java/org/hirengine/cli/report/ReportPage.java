package org.hirengine.cli.report;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The page around a run's data: one file without references to any other.
 *
 * <p>Its content security policy admits no source but this very style and script, by their hashes,
 * so nothing that a model or a data set produced can run, load or send anything even if it got into
 * the markup. It does not get there: the script puts data into text nodes only.
 */
final class ReportPage {

  private static final List<String> SCRIPTS =
      List.of("dom.js", "charts.js", "constraints.js", "rollouts.js", "report.js");
  private static final Pattern SLOT = Pattern.compile("\\{\\{(\\w+)}}");

  private ReportPage() {}

  /**
   * The page.
   *
   * @param data {@link RunData#json}
   */
  static String html(String data) throws IOException {
    String style = resource("report.css");
    StringBuilder script = new StringBuilder("'use strict';\n");
    for (String part : SCRIPTS) {
      script.append(resource(part));
    }
    StringBuilder page = new StringBuilder();
    Matcher slot = SLOT.matcher(resource("report.html"));
    while (slot.find()) {
      String value =
          switch (slot.group(1)) {
            case "style" -> style;
            case "script" -> script.toString();
            case "style_hash" -> hash(style);
            case "script_hash" -> hash(script.toString());
            case "data" -> data;
            default -> throw new IllegalStateException("unknown slot " + slot.group());
          };
      slot.appendReplacement(page, Matcher.quoteReplacement(value));
    }
    return slot.appendTail(page).toString();
  }

  private static String hash(String text) {
    try {
      byte[] digest =
          MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
      return "sha256-" + Base64.getEncoder().encodeToString(digest);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e); // every Java platform has it
    }
  }

  private static String resource(String name) throws IOException {
    try (InputStream in = ReportPage.class.getResourceAsStream(name)) {
      if (in == null) {
        throw new IllegalStateException("the jar lacks " + name);
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }
}
