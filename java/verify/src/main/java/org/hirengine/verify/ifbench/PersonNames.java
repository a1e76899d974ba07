package org.hirengine.verify.ifbench;

import java.util.List;
import java.util.random.RandomGenerator;
import org.hirengine.text.PyChars;
import org.hirengine.verify.Response;
import org.hirengine.verify.rule.NumberType;
import org.hirengine.verify.rule.Wording;

/**
 * {@code PersonNameCountChecker}: how many of fifty given names occur, in the first revision also
 * within words.
 */
final class PersonNames extends NumberType {

  private static final List<String> NAMES =
      List.of(
          "Emma",
          "Liam",
          "Sophia",
          "Jackson",
          "Olivia",
          "Noah",
          "Ava",
          "Lucas",
          "Isabella",
          "Mason",
          "Mia",
          "Ethan",
          "Charlotte",
          "Alexander",
          "Amelia",
          "Benjamin",
          "Harper",
          "Leo",
          "Zoe",
          "Daniel",
          "Chloe",
          "Samuel",
          "Lily",
          "Matthew",
          "Grace",
          "Owen",
          "Abigail",
          "Gabriel",
          "Ella",
          "Jacob",
          "Scarlett",
          "Nathan",
          "Victoria",
          "Elijah",
          "Layla",
          "Nicholas",
          "Audrey",
          "David",
          "Hannah",
          "Christopher",
          "Penelope",
          "Thomas",
          "Nora",
          "Andrew",
          "Aria",
          "Joseph",
          "Claire",
          "Ryan",
          "Stella",
          "Jonathan");

  private final Revision revision;

  PersonNames(Revision revision) {
    super("count:person_names", "N", "person name", Match.AT_LEAST);
    this.revision = revision;
  }

  @Override
  protected int count(Response response) {
    String text = response.text();
    return (int)
        NAMES.stream()
            .filter(name -> revision == Revision.R1 ? text.contains(name) : isWord(text, name))
            .count();
  }

  /** Does the name stand between word boundaries somewhere? */
  private static boolean isWord(String text, String name) {
    for (int at = text.indexOf(name); at >= 0; at = text.indexOf(name, at + 1)) {
      int end = at + name.length();
      if ((at == 0 || !PyChars.isWord(text.codePointBefore(at)))
          && (end == text.length() || !PyChars.isWord(text.codePointAt(end)))) {
        return true;
      }
    }
    return false;
  }

  @Override
  protected String sentence(int asked) {
    return "Mention at least "
        + asked
        + " of these "
        + Wording.plural(asked, "name")
        + ": "
        + String.join(", ", NAMES)
        + ".";
  }

  @Override
  protected int sampleCount(RandomGenerator random) {
    return 1 + random.nextInt(20);
  }
}
