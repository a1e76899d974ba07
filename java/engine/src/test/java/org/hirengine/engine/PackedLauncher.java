package org.hirengine.engine;

import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ForkJoinPool;

/**
 * Starts a program as a packed application does: its own class loader has the classes, and threads
 * of the common pool do the work, whose context loader does not know them.
 */
final class PackedLauncher {

  private PackedLauncher() {}

  /**
   * @param args a file with the entries of the class path, the context loader ({@code system},
   *     {@code null} or {@code foreign}), the program's class, and its argument
   */
  public static void main(String[] args) throws Exception {
    List<URL> path = new ArrayList<>();
    for (String entry : Files.readAllLines(Path.of(args[0]))) {
      path.add(Path.of(entry).toUri().toURL());
    }
    URLClassLoader packed =
        new URLClassLoader(path.toArray(new URL[0]), ClassLoader.getPlatformClassLoader());
    URLClassLoader foreign = new URLClassLoader(new URL[0], null);
    ForkJoinPool.commonPool()
        .submit(
            () -> {
              if (!args[1].equals("system")) {
                Thread.currentThread()
                    .setContextClassLoader(args[1].equals("null") ? null : foreign);
              }
              return packed
                  .loadClass(args[2])
                  .getMethod("main", String[].class)
                  .invoke(null, (Object) new String[] {args[3]});
            })
        .get();
  }
}
