package org.hirengine.engine.train;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;
import org.hirengine.engine.gguf.GgufModel;

/** A digest of the weights of a model, which identifies them. */
final class WeightDigest {

  private WeightDigest() {}

  /** SHA-256 over the safetensors files in the order of their names, or over the GGUF file. */
  static String sha256(Path model) throws IOException {
    MessageDigest digest;
    try {
      digest = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e); // every JDK has SHA-256
    }
    for (Path file : files(model)) {
      try (InputStream in = new DigestInputStream(Files.newInputStream(file), digest)) {
        in.transferTo(OutputStream.nullOutputStream());
      }
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  private static List<Path> files(Path model) throws IOException {
    if (GgufModel.is(model)) {
      return GgufModel.files(model);
    }
    try (Stream<Path> entries = Files.list(model)) {
      return entries.filter(f -> f.toString().endsWith(".safetensors")).sorted().toList();
    }
  }
}
