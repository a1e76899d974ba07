package org.hirengine.engine.runtime;

/** Sets autograd's mode for the calling thread, and restores the previous one when closed. */
public final class GradMode implements AutoCloseable {

  private final boolean before = org.bytedeco.pytorch.GradMode.is_enabled();

  private GradMode(boolean enabled) {
    org.bytedeco.pytorch.GradMode.set_enabled(enabled);
  }

  public static GradMode enabled() {
    return new GradMode(true);
  }

  public static GradMode disabled() {
    return new GradMode(false);
  }

  @Override
  public void close() {
    org.bytedeco.pytorch.GradMode.set_enabled(before);
  }
}
