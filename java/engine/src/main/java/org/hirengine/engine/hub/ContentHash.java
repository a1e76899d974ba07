package org.hirengine.engine.hub;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.regex.Pattern;

/**
 * Checks content against the Hub's etags: SHA-256 for files in LFS or Xet, git's blob SHA-1 for the
 * others.
 */
final class ContentHash {

  private static final Pattern SHA256 = Pattern.compile("[0-9a-f]{64}");
  private static final Pattern GIT_SHA1 = Pattern.compile("[0-9a-f]{40}");

  private ContentHash() {}

  /** Whether an etag is the hash of a content. */
  static boolean isHash(String etag) {
    return SHA256.matcher(etag).matches() || GIT_SHA1.matcher(etag).matches();
  }

  /**
   * Whether a file's content matches an etag; true for an etag that is not a hash, as some mirrors
   * send.
   */
  static boolean matches(Path file, String etag) throws IOException {
    if (SHA256.matcher(etag).matches()) {
      return etag.equals(digest(sha("SHA-256"), file));
    }
    if (GIT_SHA1.matcher(etag).matches()) {
      MessageDigest digest = sha("SHA-1");
      digest.update(("blob " + Files.size(file) + "\0").getBytes(StandardCharsets.US_ASCII));
      return etag.equals(digest(digest, file));
    }
    return true;
  }

  private static MessageDigest sha(String algorithm) {
    try {
      return MessageDigest.getInstance(algorithm);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e); // every Java has both
    }
  }

  private static String digest(MessageDigest digest, Path file) throws IOException {
    byte[] buffer = new byte[1 << 16];
    try (InputStream in = Files.newInputStream(file)) {
      for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
        digest.update(buffer, 0, n);
      }
    }
    return HexFormat.of().formatHex(digest.digest());
  }
}
