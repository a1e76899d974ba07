package org.hirengine.verify.ifbench;

import java.util.List;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.random.RandomGenerator;
import org.hirengine.text.Pieces;
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
    return response.pieces("person names " + revision, this::found).different();
  }

  /** All names found, in order of position. */
  private Pieces found(Response response) {
    String text = response.text();
    NavigableMap<Integer, String> places = new TreeMap<>();
    for (String name : NAMES) {
      for (int at = text.indexOf(name); at >= 0; at = text.indexOf(name, at + 1)) {
        if (revision == Revision.R1 || isWord(text, at, at + name.length())) {
          places.put(at, name); // no name begins with another
        }
      }
    }
    Pieces.Builder names = new Pieces.Builder(text, places.size());
    places.forEach((at, name) -> names.add(at, at + name.length()));
    return names.build();
  }

  /** Whether there are word boundaries at both ends. */
  private static boolean isWord(String text, int from, int to) {
    return (from == 0 || !PyChars.isWord(text.codePointBefore(from)))
        && (to == text.length() || !PyChars.isWord(text.codePointAt(to)));
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
