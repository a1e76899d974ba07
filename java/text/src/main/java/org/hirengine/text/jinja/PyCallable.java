package org.hirengine.text.jinja;

import org.jspecify.annotations.Nullable;

/** A function, method or macro. */
@FunctionalInterface
interface PyCallable {

  /**
   * Calls it.
   *
   * @param arguments evaluated arguments
   * @param scope the caller's scope
   */
  @Nullable Object call(CallArguments arguments, Scope scope);
}
