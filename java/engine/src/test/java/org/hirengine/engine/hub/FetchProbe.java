package org.hirengine.engine.hub;

import org.hirengine.engine.train.StopHook;

/** Fetches a model in a separate process, and prints progress to standard error. */
final class FetchProbe {

  private FetchProbe() {}

  public static void main(String[] args) {
    HubListener listener =
        new HubListener() {
          @Override
          public void progress(HubName name, String file, long done, long total) {}

          @Override
          public void note(String text) {
            System.err.println(text);
          }
        };
    try (StopHook hook = new StopHook(() -> System.err.println("to end"))) {
      new Hub(HubSettings.ofThisProcess(), listener).fetch(HubName.model(args[0]));
    }
  }
}
