package org.hirengine.cli;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** Identifies an input by the SHA-256 of its lines. */
final class InputDigest {

  private final MessageDigest digest;

  InputDigest() {
    try {
      digest = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  void add(String line) {
    digest.update(line.getBytes(StandardCharsets.UTF_8));
    digest.update((byte) '\n');
  }

  /** The digest of the lines so far. */
  String hex() {
    return HexFormat.of().formatHex(digest.digest());
  }
}
