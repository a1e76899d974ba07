package org.hirengine.engine.train;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.hirengine.engine.HirTrainer;
import org.hirengine.engine.TinyWorld;
import org.hirengine.engine.model.CompanionFiles;
import org.hirengine.replay.DataException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Files beside the weights are saved, whatever happens to the folder that they came from. */
class CompanionFilesTest {

  private static final Map<String, String> CONTENT =
      Map.of(
          "tokenizer.json",
          "{}",
          "tokenizer_config.json",
          "{\"a\": 1}",
          "tokenizer.model",
          "sentencepiece",
          "chat_template.jinja",
          "{{ messages }}",
          "additional_chat_templates/tool_use.jinja",
          "{{ tools }}",
          "additional_chat_templates/rag.jinja",
          "{{ documents }}",
          "generation_config.json",
          "{\"eos_token_id\": 2}");

  @TempDir Path temp;

  /** Makes folders writable again: only root can delete files in read-only ones. */
  @AfterEach
  void makeWritable() throws IOException {
    try (Stream<Path> tree = Files.walk(temp)) {
      for (Path folder : tree.filter(Files::isDirectory).toList()) {
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxrwxrwx"));
      }
    }
  }

  /** A model in the layout of the Hugging Face cache: files named by digest, and links to them. */
  private Path cached() throws IOException {
    Path blobs = Files.createDirectories(temp.resolve("cache/blobs"));
    Path snapshot = Files.createDirectories(temp.resolve("cache/snapshots/main"));
    int number = 0;
    for (Map.Entry<String, String> file : CONTENT.entrySet()) {
      Path blob = Files.writeString(blobs.resolve("blob" + number++), file.getValue());
      Path link = snapshot.resolve(file.getKey());
      Files.createDirectories(link.getParent());
      Files.createSymbolicLink(link, link.getParent().relativize(blob));
    }
    Files.writeString(snapshot.resolve("additional_chat_templates/README.md"), "not a template");
    readOnly(temp.resolve("cache"));
    return snapshot;
  }

  private static void readOnly(Path folder) throws IOException {
    try (Stream<Path> tree = Files.walk(folder)) {
      for (Path entry : tree.filter(entry -> !Files.isSymbolicLink(entry)).toList()) {
        Files.setPosixFilePermissions(
            entry,
            PosixFilePermissions.fromString(Files.isDirectory(entry) ? "r-xr-xr-x" : "r--r--r--"));
      }
    }
  }

  private static void check(Path folder) throws IOException {
    Map<String, String> written = new TreeMap<>();
    try (Stream<Path> tree = Files.walk(folder)) {
      for (Path file : tree.filter(Files::isRegularFile).toList()) {
        assertFalse(Files.isSymbolicLink(file), file.toString());
        Set<PosixFilePermission> mode = Files.getPosixFilePermissions(file);
        assertTrue(mode.contains(PosixFilePermission.OWNER_WRITE), file + " " + mode);
        written.put(folder.relativize(file).toString(), Files.readString(file));
      }
    }
    assertEquals(new TreeMap<>(CONTENT), written);
  }

  @Test
  void copiesOfReadOnlyLinksAreOrdinaryWritableFiles() throws IOException {
    Path target = temp.resolve("out");
    CompanionFiles files = CompanionFiles.read(cached());
    files.write(target);
    check(target);
    files.write(target);
    check(target);
  }

  @Test
  void theSourceMayBeGoneByThen() throws IOException {
    Path source = Files.createDirectories(temp.resolve("source"));
    Files.writeString(source.resolve("tokenizer.json"), "{}");
    CompanionFiles files = CompanionFiles.read(source);
    Files.delete(source.resolve("tokenizer.json"));
    Files.delete(source);
    files.write(temp.resolve("out"));
    assertEquals("{}", Files.readString(temp.resolve("out/tokenizer.json")));
  }

  @Test
  void nothingIsWrittenThroughALink() throws IOException {
    Path blob = Files.writeString(temp.resolve("blob"), "another model's");
    Path target = Files.createDirectories(temp.resolve("out"));
    Files.createSymbolicLink(target.resolve("tokenizer.json"), blob);
    new CompanionFiles(Map.of("tokenizer.json", "{}".getBytes(UTF_8))).write(target);
    assertEquals("another model's", Files.readString(blob));
    assertEquals("{}", Files.readString(target.resolve("tokenizer.json")));
    assertFalse(Files.isSymbolicLink(target.resolve("tokenizer.json")));
  }

  @Test
  void aLinkToNothingIsSaidAtTheBeginning() throws IOException {
    Files.createSymbolicLink(temp.resolve("generation_config.json"), temp.resolve("gone"));
    DataException e = assertThrows(DataException.class, () -> CompanionFiles.read(temp));
    assertTrue(e.getMessage().contains("generation_config.json"), e.getMessage());
    assertTrue(e.getMessage().contains("link to a missing file"), e.getMessage());
  }

  /** The same as a user who obeys file modes; in another process if this one belongs to root. */
  @Test
  void anotherUserThanRootSavesTwice() throws Exception {
    Path setpriv = Path.of("/usr/bin/setpriv");
    boolean root = (int) Files.getAttribute(Path.of("/proc/self"), "unix:uid") == 0;
    assumeTrue(!root || Files.isExecutable(setpriv), "root, and no setpriv to be another user by");
    Path source = cached();
    Files.createDirectories(temp.resolve("home"));
    makeReachable();
    String path =
        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
    ProcessBuilder child = new ProcessBuilder();
    if (root) {
      child.command().addAll(List.of(setpriv.toString(), "--reuid=65534"));
      child.command().addAll(List.of("--regid=65534", "--clear-groups"));
    }
    child.command().add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    child.command().addAll(List.of("-Xmx64m", "-cp", path, SaveTwice.class.getName()));
    child.command().addAll(List.of(source.toString(), temp.resolve("home").toString()));
    Path log = temp.resolve("log");
    Process process = child.redirectErrorStream(true).redirectOutput(log.toFile()).start();
    assertTrue(process.waitFor(60, TimeUnit.SECONDS), "the child did not end");
    String said = Files.readString(log);
    assumeTrue(!said.contains("ClassNotFoundException"), "classes that only root may read");
    assertEquals(0, process.exitValue(), said);
    check(temp.resolve("home/out"));
  }

  private void makeReachable() throws IOException {
    Files.setPosixFilePermissions(temp, PosixFilePermissions.fromString("rwxr-xr-x"));
    Files.setPosixFilePermissions(
        temp.resolve("home"), PosixFilePermissions.fromString("rwxrwxrwx"));
  }

  /** Reads the folder of its first argument, and writes it twice under the second. */
  static final class SaveTwice {

    private SaveTwice() {}

    public static void main(String[] args) throws IOException {
      if (Files.isWritable(Path.of(args[0]).resolve("tokenizer.json"))) {
        throw new IllegalStateException("file modes do not bind this user");
      }
      CompanionFiles files = CompanionFiles.read(Path.of(args[0]));
      Path out = Path.of(args[1]).resolve("out");
      files.write(out);
      Checkpoints.force(out);
      for (String name : files.files().keySet()) {
        Files.writeString(out.resolve(name), "older");
      }
      files.write(out);
    }
  }

  @Test
  void checkpointsOfAReadOnlyModelAreModelsThemselves() throws IOException {
    TinyWorld world = new TinyWorld(temp.resolve("world"));
    Path templates = Files.createDirectories(world.model().resolve("additional_chat_templates"));
    Files.writeString(templates.resolve("tool_use.jinja"), "{{ tools }}");
    Files.writeString(
        world.model().resolve("chat_template.jinja"), "{{ messages[0]['content'] }} <|end|>");
    readOnly(world.model());
    try (HirTrainer trainer =
        HirTrainer.builder().config(world.config("run", "data.eval=null")).build()) {
      trainer.step();
      trainer.save();
      Path saved = trainer.save();
      assertEquals(
          "{{ tools }}",
          Files.readString(saved.resolve("additional_chat_templates/tool_use.jinja")));
      try (Stream<Path> tree = Files.walk(saved)) {
        for (Path entry : tree.toList()) {
          assertTrue(
              Files.getPosixFilePermissions(entry).contains(PosixFilePermission.OWNER_WRITE),
              entry.toString());
        }
      }
    }
  }
}
