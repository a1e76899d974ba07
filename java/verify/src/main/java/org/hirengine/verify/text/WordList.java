package org.hirengine.verify.text;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;
import org.hirengine.text.PyText;

/** Words read from a file or a resource, one per line; lines that begin with # are comments. */
final class WordList {

  private WordList() {}

  /**
   * @throws IOException if the file cannot be read
   */
  static Set<String> read(Path file) throws IOException {
    try (BufferedReader lines = Files.newBufferedReader(file)) {
      return read(lines);
    }
  }

  /** The words of a resource in this package; several may share a line. */
  static Set<String> resource(String name) {
    InputStream in = WordList.class.getResourceAsStream(name);
    if (in == null) {
      throw new IllegalStateException("resource " + name + " is missing from the jar");
    }
    try (BufferedReader lines =
        new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8))) {
      return read(lines);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Set<String> read(BufferedReader lines) throws IOException {
    Set<String> words = new HashSet<>();
    for (String line; (line = lines.readLine()) != null; ) {
      if (!line.startsWith("#")) {
        words.addAll(PyText.split(line));
      }
    }
    return Set.copyOf(words);
  }
}
