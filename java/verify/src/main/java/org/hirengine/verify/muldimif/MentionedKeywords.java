package org.hirengine.verify.muldimif;

import java.util.ArrayList;
import java.util.List;
import org.hirengine.text.CodePoints;
import org.hirengine.text.PyText;
import org.hirengine.text.regex.PyPattern;
import org.hirengine.verify.Response;
import org.hirengine.verify.Verdict;
import org.hirengine.verify.Verifier;
import org.hirengine.verify.rule.Wording;
import org.jspecify.annotations.Nullable;

/**
 * {@code Content_Keywords}: what the sentence quotes occurs in the response ({@link KeywordRule}),
 * or in each element of it ({@link KeywordsOfEach}); and two special wordings: one keyword required
 * and another forbidden, and keywords for topics.
 */
final class MentionedKeywords {

  private static final PyPattern EACH =
      PyPattern.compile("\\b(?:each|every)\\b", PyPattern.IGNORECASE);
  private static final PyPattern INCLUDE =
      PyPattern.compile("includes?\\s+the\\s+keyword\\s+[\"']([^\"']+)[\"']", PyPattern.IGNORECASE);
  private static final PyPattern AVOID =
      PyPattern.compile("avoids?\\s+the\\s+keyword\\s+[\"']([^\"']+)[\"']", PyPattern.IGNORECASE);
  private static final PyPattern TOPIC =
      PyPattern.compile(
          "If discussing\\s+([^,]+),\\s*the summary must include the keyword\\s+"
              + "[\"']([^\"']+)[\"']",
          PyPattern.IGNORECASE);
  private static final PyPattern EITHER = PyPattern.compile("^(.*\\s)(\\S+)/(\\S+)(\\s.*)$");

  private MentionedKeywords() {}

  static Verifier of(Demand demand) {
    if (demand.says(EACH) && !demand.text().contains("for each word")) {
      return KeywordsOfEach.of(demand);
    }
    PyPattern.Match include = demand.match(INCLUDE);
    PyPattern.Match avoid = demand.match(AVOID);
    if (include != null && avoid != null) {
      String in = String.valueOf(include.group(1));
      String out = String.valueOf(avoid.group(1));
      return response ->
          Verdict.of(
              response.text().contains(in) && !response.text().contains(out),
              Wording.brief(in) + " asked, and no " + Wording.brief(out));
    }
    List<Topic> topics = demand.matches(TOPIC).stream().map(Topic::of).toList();
    if (!topics.isEmpty()) {
      return response -> ofTopics(topics, response);
    }
    KeywordRule rule = KeywordRule.of(demand.text());
    Verifier verifier = response -> rule.check(response.text());
    return rule.isEmpty() ? NotUnderstood.of("no keyword", verifier) : verifier;
  }

  /** {@code check_02}: if the text mentions a topic, its keyword is required. */
  private static Verdict ofTopics(List<Topic> topics, Response response) {
    String text = response.text();
    for (Topic topic : topics) {
      if (topic.names.stream().anyMatch(text::contains) && !text.contains(topic.keyword)) {
        return Verdict.violated("no " + Wording.brief(topic.keyword) + " for its topic");
      }
    }
    return Verdict.satisfied("the keyword of each topic");
  }

  /** A topic's names, several if it contains a slash, and the keyword that it requires. */
  private record Topic(List<String> names, String keyword) {

    static Topic of(PyPattern.Match match) {
      return new Topic(names(String.valueOf(match.group(1))), String.valueOf(match.group(2)));
    }

    private static List<String> names(String topic) {
      if (!topic.contains("/")) {
        return List.of(topic);
      }
      PyPattern.@Nullable Match either = EITHER.match(CodePoints.of(topic));
      if (either != null) {
        return List.of(
            String.valueOf(either.group(1)) + either.group(2) + either.group(4),
            String.valueOf(either.group(1)) + either.group(3) + either.group(4));
      }
      List<String> names = new ArrayList<>();
      PyText.split(topic, "/").forEach(part -> names.add(PyText.strip(part)));
      return names;
    }
  }
}
