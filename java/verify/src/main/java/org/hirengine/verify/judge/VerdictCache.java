package org.hirengine.verify.judge;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Optional;

/** Verdicts on disk, one small file each, named by the hash of model and prompt. */
final class VerdictCache {

  private final Path folder;

  VerdictCache(Path folder) {
    this.folder = folder;
  }

  /** The key of a prompt, which holds criterion and response. */
  static String key(String model, String prompt) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      digest.update(model.getBytes(StandardCharsets.UTF_8));
      digest.update((byte) 0);
      digest.update(prompt.getBytes(StandardCharsets.UTF_8));
      return HexFormat.of().formatHex(digest.digest());
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  /** The verdict under this key; empty if there is none, or none that can be read. */
  Optional<Boolean> get(String key) {
    try {
      String text = Files.readString(file(key));
      return switch (text) {
        case "YES" -> Optional.of(true);
        case "NO" -> Optional.of(false);
        default -> Optional.empty();
      };
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  /**
   * Keeps a verdict; written under a temporary name and renamed, so that readers never see a
   * partial file.
   */
  void put(String key, boolean satisfied) throws IOException {
    Path file = file(key);
    Files.createDirectories(file.getParent());
    Path half = Files.createTempFile(file.getParent(), key, ".part");
    Files.writeString(half, satisfied ? "YES" : "NO");
    Files.move(half, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }

  private Path file(String key) {
    return folder.resolve(key.substring(0, 2)).resolve(key);
  }
}
