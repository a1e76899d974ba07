package org.hirengine.replay;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.spi.ToolProvider;
import java.util.stream.Stream;
import org.hirengine.text.PyText;
import org.hirengine.verify.Verifiers;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A program of named modules, in a separate virtual machine. */
class ModulePathTest {

  private static final String MODULE =
      """
      module app {
        requires org.hirengine.replay;
        provides org.hirengine.verify.ConstraintTypeProvider with app.Types;
        provides org.hirengine.replay.DataRowsProvider with app.Rows;
      }
      """;

  private static final String TYPES =
      """
      package app;

      import java.util.Collection;
      import java.util.List;
      import org.hirengine.verify.*;
      import org.hirengine.verify.rule.NoMark;

      public final class Types implements ConstraintTypeProvider {
        @Override
        public String bench() {
          return "app";
        }

        @Override
        public Collection<ConstraintType> types(TextTools tools) {
          return List.of(new NoMark("app:no_hash", "#", "hash sign"));
        }
      }
      """;

  private static final String ROWS =
      """
      package app;

      import java.io.IOException;
      import java.io.InputStream;
      import java.nio.file.*;
      import org.hirengine.replay.*;

      public final class Rows implements DataRowsProvider {
        @Override
        public boolean accepts(byte[] start) {
          return start.length > 0 && start[0] == '!';
        }

        @Override
        public DataRows open(Path file, String name) throws IOException {
          InputStream in = Files.newInputStream(file);
          in.read();
          JsonLines lines = new JsonLines(in, name);
          return () -> {
            JsonLines.Line line = lines.next();
            return line == null ? null : row(lines, line);
          };
        }

        private static DataRow row(JsonLines lines, JsonLines.Line line) {
          return new DataRow() {
            @Override
            public long number() {
              return line.number();
            }

            @Override
            public String text() {
              return line.text();
            }

            @Override
            public com.fasterxml.jackson.databind.node.ObjectNode parse() {
              return lines.parse(line);
            }
          };
        }
      }
      """;

  private static final String MAIN =
      """
      package app;

      import com.fasterxml.jackson.databind.node.ObjectNode;
      import java.nio.file.Path;
      import java.util.Map;
      import org.hirengine.replay.*;
      import org.hirengine.verify.*;

      public final class Main {
        public static void main(String[] args) throws Exception {
          Verifiers verifiers = Verifiers.standard();
          var german = new ConstraintSpec("ifeval", "language:response_language", Map.of("language", "de"));
          Response text = Response.of("Am Morgen ging ich langsam durch den alten Wald. #");
          System.out.println(verifiers.judge(german, text, Strictness.STRICT));
          var own = new ConstraintSpec("app", "app:no_hash", Map.of());
          System.out.println(verifiers.judge(own, text, Strictness.STRICT));
          ObjectNode line = (ObjectNode) JsonLines.MAPPER.readTree(args[0]);
          new JsonlVerifier(verifiers).verify(line);
          System.out.println(line.get("strict"));
          InstructionReader.Result read = new InstructionReader().read(Path.of(args[1]));
          System.out.println(read.instructions().get(0).promptText());
          System.out.println(InstructionJson.write(read.instructions().get(0)));
          System.out.println((Object) JsonLines.MAPPER.valueToTree(Coverage.of(read, verifiers)).get("verified"));
          System.out.println(Main.class.getModule() + " " + Verifiers.class.getModule() + " "
              + Instruction.class.getModule());
        }
      }
      """;

  @Test
  void aModularProgramVerifiesAndReads(@TempDir Path folder) throws Exception {
    Path modules = Files.createDirectories(folder.resolve("modules"));
    List<String> path = new ArrayList<>(libraries());
    path.add(module(modules, "text", PyText.class, "../text", path));
    path.add(module(modules, "verify", Verifiers.class, "../verify", path));
    path.add(module(modules, "replay", Instruction.class, ".", path));
    Path app = Files.createDirectories(folder.resolve("app/app"));
    Files.writeString(app.resolveSibling("module-info.java"), MODULE);
    Files.writeString(app.resolve("Types.java"), TYPES);
    Files.writeString(app.resolve("Rows.java"), ROWS);
    Files.writeString(app.resolve("Main.java"), MAIN);
    Path out = folder.resolve("out");
    javac(
        path,
        out,
        List.of(
            app.resolveSibling("module-info.java"),
            app.resolve("Types.java"),
            app.resolve("Rows.java"),
            app.resolve("Main.java")));
    Path data =
        Files.writeString(
            folder.resolve("data"),
            "!{'prompt': 'Ask.', 'instruction_id_list': ['punctuation:no_comma'], 'kwargs': [{}]}"
                .replace('\'', '"'));
    path.add(out.toString());
    String line =
        "{'bench': 'ifeval', 'response': 'a b', 'instruction_id_list': ['punctuation:no_comma'],"
            + " 'kwargs': [{}]}";
    List<String> printed = java(path, line.replace('\'', '"'), data.toString());
    assertEquals(7, printed.size(), printed.toString());
    assertTrue(printed.get(0).contains("language de, de asked"), printed.get(0));
    assertTrue(printed.get(1).contains("1 hash sign, none allowed"), printed.get(1));
    assertEquals("[true]", printed.get(2));
    assertEquals("Ask.", printed.get(3));
    assertTrue(printed.get(4).contains("\"bench\":\"ifeval\""), printed.get(4));
    assertEquals("1", printed.get(5));
    assertEquals(
        "module app module org.hirengine.verify module org.hirengine.replay", printed.get(6));
  }

  /** The libraries of the two modules, and no others. */
  private static List<String> libraries() {
    return Stream.of(System.getProperty("java.class.path").split(File.pathSeparator))
        .filter(
            entry ->
                Path.of(entry)
                    .getFileName()
                    .toString()
                    .matches("(jackson-(core|databind|annotations)|langdetect|jspecify)-.*\\.jar"))
        .distinct()
        .toList();
  }

  /** The module's classes with its descriptor, which some builds do not compile. */
  private static String module(
      Path modules, String name, Class<?> of, String source, List<String> path) throws Exception {
    Path classes = Path.of(of.getProtectionDomain().getCodeSource().getLocation().toURI());
    if (!Files.isDirectory(classes) || Files.exists(classes.resolve("module-info.class"))) {
      return classes.toString();
    }
    Path copy = modules.resolve(name);
    try (Stream<Path> files = Files.walk(classes)) {
      for (Path file : (Iterable<Path>) files::iterator) {
        Files.copy(file, copy.resolve(classes.relativize(file).toString()));
      }
    }
    javac(path, copy, List.of(Path.of(source, "src/main/java/module-info.java")));
    return copy.toString();
  }

  private static void javac(List<String> path, Path out, List<Path> sources) {
    List<String> args =
        new ArrayList<>(List.of("--release", "17", "-Xlint:all", "-Werror", "-cp", ""));
    args.addAll(List.of("--module-path", String.join(File.pathSeparator, path)));
    args.addAll(List.of("-d", out.toString()));
    sources.forEach(source -> args.add(source.toString()));
    int exit =
        ToolProvider.findFirst("javac")
            .orElseThrow()
            .run(System.out, System.err, args.toArray(String[]::new));
    assertEquals(0, exit, "javac " + args);
  }

  private static List<String> java(List<String> path, String... arguments)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("--module-path", String.join(File.pathSeparator, path)));
    command.addAll(List.of("--module", "app/app.Main"));
    command.addAll(List.of(arguments));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertTrue(process.waitFor(60, TimeUnit.SECONDS));
    assertEquals(0, process.exitValue(), printed);
    return printed.lines().toList();
  }
}
