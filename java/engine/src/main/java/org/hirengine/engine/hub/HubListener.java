package org.hirengine.engine.hub;

/** Receives download events, on the thread that asked for the download. */
public interface HubListener {

  /** Ignores everything. */
  HubListener NONE = (name, file, done, total) -> {};

  /**
   * Bytes have arrived.
   *
   * @param name what is being fetched
   * @param file the current file
   * @param done bytes of all files, including those of earlier tries
   * @param total bytes of all files; the last call has {@code done == total}
   */
  void progress(HubName name, String file, long done, long total);

  /** A message for the user: a wait, or a copy that may be out of date. */
  default void note(String text) {}
}
