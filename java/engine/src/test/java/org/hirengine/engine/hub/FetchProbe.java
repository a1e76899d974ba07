package org.hirengine.engine.hub;

/** Fetches a model in a process of its own and says on standard error what it is told. */
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
    new Hub(HubSettings.ofThisProcess(), listener).fetch(HubName.model(args[0]));
  }
}
