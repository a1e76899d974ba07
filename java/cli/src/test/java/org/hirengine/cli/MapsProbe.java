package org.hirengine.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Runs a command, then prints the shared libraries that the process has mapped: one per line on
 * standard error, after {@code mapped:}. If the first argument is {@code --load-native}, it also
 * loads JavaCPP, to prove that the probe would see it.
 */
final class MapsProbe {

  private MapsProbe() {}

  public static void main(String[] args) throws IOException {
    int exit = 0;
    if (args[0].equals("--load-native")) {
      org.bytedeco.javacpp.Loader.load(org.bytedeco.javacpp.Loader.class);
      new org.bytedeco.javacpp.IntPointer(1L).close();
    } else {
      exit = Hir.commandLine().execute(args);
    }
    Files.readAllLines(Path.of("/proc/self/maps")).stream()
        .filter(line -> line.contains(".so"))
        .map(line -> line.substring(line.indexOf('/')))
        .distinct()
        .forEach(library -> System.err.println("mapped:" + library));
    System.exit(exit);
  }
}
