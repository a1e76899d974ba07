package org.hirengine.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.hadoop.metadata.CompressionCodecName;
import org.hirengine.engine.runs.Summary;
import org.hirengine.parquet.ParquetTables;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Training with a context class loader that sees neither the engine nor its libraries. */
class ContextLoaderTest {

  @TempDir Path temp;

  /** The program of the packed application. */
  public static final class Application {

    private Application() {}

    public static void main(String[] args) throws IOException {
      ClassLoader context = Thread.currentThread().getContextClassLoader();
      TinyWorld world = TinyWorld.existing(Path.of(args[0]));
      String table = "data.train=" + world.folder().resolve("train.parquet");
      try (HirTrainer trainer =
          HirTrainer.builder()
              .config(world.config("run", table, "train.steps=1", "limits.prompt=100"))
              .build()) {
        trainer.run();
      }
      if (Thread.currentThread().getContextClassLoader() != context) {
        throw new IllegalStateException("the context loader was left changed");
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"system", "null", "foreign"})
  void trainsOnATable(String contextLoader) throws Exception {
    new TinyWorld(temp);
    List<Consumer<Group>> rows =
        IntStream.range(0, 8)
            .<Consumer<Group>>mapToObj(i -> row -> ParquetTables.verlRow(row, i))
            .toList();
    ParquetTables.write(
        temp.resolve("train.parquet"), ParquetTables.VERL, CompressionCodecName.ZSTD, 5, rows);

    String path =
        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
    Path entries = temp.resolve("class.path");
    Files.write(entries, Arrays.stream(path.split(File.pathSeparator)).distinct().toList());
    String name = PackedLauncher.class.getName().replace('.', '/') + ".class";
    Path launcher = temp.resolve("launcher").resolve(name);
    Files.createDirectories(launcher.getParent());
    try (InputStream in = PackedLauncher.class.getResourceAsStream("/" + name)) {
      Files.copy(in, launcher);
    }
    Path log = temp.resolve("log");
    Process child =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx1g",
                "-cp",
                temp.resolve("launcher").toString(),
                PackedLauncher.class.getName(),
                entries.toString(),
                contextLoader,
                Application.class.getName(),
                temp.toString())
            .redirectErrorStream(true)
            .redirectOutput(log.toFile())
            .start();
    assertTrue(child.waitFor(120, TimeUnit.SECONDS), "the child did not end");
    assertEquals(0, child.exitValue(), Files.readString(log));
    assertEquals(1, Summary.read(temp.resolve("run/summary.json")).steps());
  }
}
