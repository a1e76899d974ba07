package org.hirengine.engine.hub;

/** Receives download events, on the thread that asked for the download. */
public interface HubListener {

  /** Ignores everything. */
  HubListener NONE = (name, file, done, total) -> {};

  /**
   * Bytes have arrived.
   *
   * @param name what is fetched
   * @param file the file under way
   * @param done bytes of all files, those of earlier tries included
   * @param total bytes of all files; the last call has {@code done == total}
   */
  void progress(HubName name, String file, long done, long total);

  /** A message for the user: a wait, or a copy that may be out of date. */
  default void note(String text) {}
}
