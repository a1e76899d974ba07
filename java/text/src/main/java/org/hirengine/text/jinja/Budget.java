package org.hirengine.text.jinja;

/**
 * The remaining cost that a rendering may have. One unit is one statement, call or element; text
 * costs a unit per eight characters. So neither a loop nor a doubling text can run forever or fill
 * the memory.
 */
final class Budget {

  /** A real template spends a few thousand units on a conversation. */
  private static final long BASE = 10_000_000;

  /** Templates that collect their output in a variable copy it once per message. */
  private static final long PER_INPUT_CHARACTER = 64;

  private static final int CHARACTERS_PER_UNIT = 8;

  private long left = BASE;

  void grantForInput(long characters) {
    left += PER_INPUT_CHARACTER * characters;
  }

  void spend(long units) {
    left -= units;
    if (left < 0) {
      throw new RenderError(
          "the template does not come to an end (more than " + BASE + " steps); it was stopped");
    }
  }

  /** Charges for text before it is made or searched. */
  void spendText(long characters) {
    spend(1 + characters / CHARACTERS_PER_UNIT);
  }
}
