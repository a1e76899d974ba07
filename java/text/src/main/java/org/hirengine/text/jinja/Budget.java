package org.hirengine.text.jinja;

/**
 * What a rendering may still cost. One unit is one statement, call or element; text costs a unit
 * per eight characters. So neither a loop nor a doubling text can run for ever or fill the memory.
 */
final class Budget {

  /** A real template spends some thousand units on a conversation. */
  private static final long BASE = 10_000_000;

  /** Templates that gather their output in a variable copy it once a message. */
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

  /** Charges for text about to be made or searched. */
  void spendText(long characters) {
    spend(1 + characters / CHARACTERS_PER_UNIT);
  }
}
