package org.hirengine.cli;

import org.jspecify.annotations.Nullable;

/**
 * One check of {@code hir doctor}.
 *
 * @param what its name
 * @param state whether the engine can work with it
 * @param found what was found
 * @param remedy what to do about it, or null if there is nothing to do
 */
record Finding(String what, State state, String found, @Nullable String remedy) {

  /** The outcome of a check. */
  enum State {
    /** As it should be. */
    OK,
    /** The engine works, but something optional or better is absent. */
    NOTE,
    /** Training cannot run without it. */
    MISSING
  }

  static Finding ok(String what, String found) {
    return new Finding(what, State.OK, found, null);
  }

  static Finding note(String what, String found, @Nullable String remedy) {
    return new Finding(what, State.NOTE, found, remedy);
  }

  static Finding missing(String what, String found, String remedy) {
    return new Finding(what, State.MISSING, found, remedy);
  }
}
