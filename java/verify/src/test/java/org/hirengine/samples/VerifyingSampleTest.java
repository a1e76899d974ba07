package org.hirengine.samples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.jar.JarFile;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class VerifyingSampleTest {

  @Test
  void sampleSaysWhatItFound() {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    VerifyingSample.run(new PrintStream(bytes, true, StandardCharsets.UTF_8));
    assertEquals(
        """
        false: 7 words, at least 12 asked
        STRICT: CLA 0.6666666666666666, ILA false
          punctuation:no_comma: 1 comma, none allowed
          keywords:existence: all 2 keywords found
          last_word:last_word_answer: the last word is 'sea'
        LOOSE: CLA 1.0, ILA true
          punctuation:no_comma: 0 commas, none allowed
          keywords:existence: all 2 keywords found
          last_word:last_word_answer: the last word is 'sea'
        Do not use any commas.
        Include the keywords "river" and "sea".
        End your response with the word "sea".
        """,
        bytes.toString(StandardCharsets.UTF_8).replace(System.lineSeparator(), "\n"));
  }

  /** The verifiers and all their dependencies are pure Java. */
  @Test
  void classPathHoldsNoNativeCode() throws IOException {
    List<String> entries = new ArrayList<>();
    String[] classPath = System.getProperty("java.class.path").split(File.pathSeparator, -1);
    for (String element : classPath) {
      Path path = Path.of(element);
      if (Files.isDirectory(path)) {
        try (Stream<Path> files = Files.walk(path)) {
          files.forEach(file -> entries.add(path.relativize(file).toString()));
        }
      } else if (Files.isRegularFile(path)) {
        entries.add(path.getFileName().toString());
        try (JarFile jar = new JarFile(path.toFile())) {
          jar.stream().forEach(entry -> entries.add(entry.getName()));
        }
      }
    }
    assertTrue(
        entries.stream().anyMatch(name -> name.equals("org/hirengine/verify/Verifiers.class")),
        "the class path that was looked at lacks the module itself");
    assertTrue(
        entries.stream().anyMatch(name -> name.startsWith("com/fasterxml/jackson/databind/")),
        "the class path that was looked at lacks the module's dependencies");
    List<String> natives =
        entries.stream()
            .filter(
                name -> {
                  String lower = name.toLowerCase(Locale.ROOT);
                  return lower.matches(".*\\.(so|dll|jnilib|dylib)(\\.[0-9.]+)?")
                      || lower.contains("bytedeco");
                })
            .toList();
    assertEquals(List.of(), natives);
  }
}
