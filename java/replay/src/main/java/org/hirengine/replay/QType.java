package org.hirengine.replay;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * The six ways in which a question and its constraint sentences become one prompt text
 * (`_concat_question` of the reference trainer, string for string).
 *
 * <p>The sentences form a block that is stripped at both ends as Python's {@code str.strip} does;
 * the question is never touched.
 */
public enum QType {
  /** {@code question sentence. sentence.} */
  TYPE1 {
    @Override
    public String render(String question, List<String> criteria) {
      return question + " " + running(criteria);
    }
  },
  /** The sentences on the line below the question. */
  TYPE2 {
    @Override
    public String render(String question, List<String> criteria) {
      return question + "\n" + running(criteria);
    }
  },
  /** A numbered list of rules. */
  TYPE3 {
    @Override
    public String render(String question, List<String> criteria) {
      String rules =
          IntStream.range(0, criteria.size())
              .mapToObj(i -> (i + 1) + ". " + criteria.get(i))
              .collect(Collectors.joining("\n"));
      return question + "\n\n" + strip("The output must follow the following rules:\n" + rules);
    }
  },
  /** A list with dashes. */
  TYPE4 {
    @Override
    public String render(String question, List<String> criteria) {
      String items = criteria.stream().map(s -> "- " + s).collect(Collectors.joining("\n"));
      return question + "\n\n" + strip(items);
    }
  },
  /** The sentences first, then the question. */
  TYPE5 {
    @Override
    public String render(String question, List<String> criteria) {
      return running(criteria) + "\n\n" + question;
    }
  },
  /** One sentence per line. */
  TYPE6 {
    @Override
    public String render(String question, List<String> criteria) {
      return question + "\n\n" + strip(String.join("\n", criteria));
    }
  };

  /** The prompt text of {@code question} under the constraint sentences {@code criteria}. */
  public abstract String render(String question, List<String> criteria);

  /** The name used in data: {@code type1} to {@code type6}. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  /**
   * The type named {@code label}.
   *
   * @throws IllegalArgumentException listing the known labels
   */
  public static QType of(String label) {
    for (QType type : values()) {
      if (type.label().equals(label)) {
        return type;
      }
    }
    throw new IllegalArgumentException(
        "unknown q_type '"
            + label
            + "'; known are "
            + Arrays.stream(values()).map(QType::label).collect(Collectors.joining(", ")));
  }

  /** The sentences as running text; one without an end mark of , . ? ! gets a full stop. */
  private static String running(List<String> criteria) {
    StringBuilder text = new StringBuilder();
    for (String sentence : criteria) {
      boolean ended =
          !sentence.isEmpty() && ",.?!".indexOf(sentence.charAt(sentence.length() - 1)) >= 0;
      text.append(sentence).append(ended ? " " : ". ");
    }
    return strip(text.toString());
  }

  /** Python's {@code str.strip}: Java's own keeps no-break spaces. */
  private static String strip(String text) {
    int start = 0;
    int end = text.length();
    while (start < end && isPythonSpace(text.charAt(start))) {
      start++;
    }
    while (end > start && isPythonSpace(text.charAt(end - 1))) {
      end--;
    }
    return text.substring(start, end);
  }

  private static boolean isPythonSpace(char c) {
    return Character.isSpaceChar(c)
        || (c >= '\t' && c <= '\r')
        || (c >= 0x1C && c <= 0x1F)
        || c == 0x85;
  }
}
