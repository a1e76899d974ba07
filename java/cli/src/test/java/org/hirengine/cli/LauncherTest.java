package org.hirengine.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The shell launcher, in a separate checkout whose java and mvn only record their calls. */
class LauncherTest {

  private static final String RECORD =
      "printf '%s' \"NAME\" >>\"$CALLS\"; printf ' %s' \"$@\" >>\"$CALLS\"; echo >>\"$CALLS\"\n";
  private static final String JAVA =
      "#!/bin/sh\n"
          + "if [ \"$1\" = -version ]; then echo 'openjdk version \"VERSION\" 2025-04-15' >&2;"
          + " exit; fi\n"
          + RECORD.replace("NAME", "java");
  private static final String MVN =
      "#!/bin/sh\n"
          + RECORD.replace("NAME", "mvn")
          + "echo '[INFO] Building HiR engine 0.1.0-SNAPSHOT    [5/6]'\n"
          + "mkdir -p java/cli/target/lib\n"
          + "case \" $* \" in\n"
          + "  *' -Dhir.native.skip '*) echo pure ;;\n"
          + "  *' -Pgpu '*) echo gpu ;;\n"
          + "  *) echo cpu ;;\n"
          + "esac >java/cli/target/profile\n"
          + ": >java/cli/target/hir-cli.jar\n";

  private static final String PURE = "mvn -B -Dhir.native.skip -pl java/cli -am package ";
  private static final String CPU = "mvn -B -pl java/cli -am package ";

  /** A command line for every command, and whether it runs a model. */
  private static final Map<String, Boolean> COMMANDS =
      Map.ofEntries(
          Map.entry("verify --in a", false),
          Map.entry("rewrite --in a", false),
          Map.entry("compose --seeds a", false),
          Map.entry("evaluate --bench ifeval --responses a", false),
          Map.entry("evaluate --bench ifeval --responses=a", false),
          Map.entry("evaluate --bench ifeval --model a", true),
          Map.entry("doctor --data a", false),
          Map.entry("doctor --data=a --json", false),
          Map.entry("doctor", true),
          Map.entry("report a", false),
          Map.entry("fetch a/b", false),
          Map.entry("convert a b", false),
          Map.entry("demo-data --out a", false),
          Map.entry("train a.yaml", true),
          Map.entry("train --help", false),
          Map.entry("sft a.yaml", true),
          Map.entry("generate --model a", true),
          Map.entry("score --model a", true),
          Map.entry("merge --model a --adapter b c", true),
          Map.entry("plan a.yaml", true),
          Map.entry("audit-step a", true),
          Map.entry("bench step", true));

  private static final List<String> SHELL_TOOLS =
      List.of(
          "dirname",
          "readlink",
          "sed",
          "head",
          "find",
          "mkdir",
          "tee",
          "grep",
          "tail",
          "cat",
          "rm",
          "touch");

  @TempDir Path folder;
  private Path root;
  private Path bin;

  @BeforeEach
  void checkout() throws IOException {
    root = folder.resolve("a checkout");
    bin = Files.createDirectories(folder.resolve("bin"));
    Files.createDirectories(root.resolve("java/cli/src/main"));
    Files.copy(
        Path.of(System.getProperty("hir.root", "../..")).resolve("java/hir"),
        root.resolve("java/hir"));
    Files.setPosixFilePermissions(
        root.resolve("java/hir"), PosixFilePermissions.fromString("rwxr-xr-x"));
    Files.writeString(root.resolve("pom.xml"), "<project/>");
    Files.writeString(root.resolve("java/cli/src/main/A.java"), "");
    tool("java", JAVA.replace("VERSION", "17.0.15"));
    for (String name : List.of("javac", "cmake", "g++", "make")) {
      tool(name, "#!/bin/sh\n");
    }
    tool("mvn", MVN);
    // the shell's own tools, and nothing else on this machine
    for (String name : SHELL_TOOLS) {
      tool(name, "#!/bin/sh\nPATH=/usr/bin:/bin exec " + name + " \"$@\"\n");
    }
    system("Linux x86_64");
  }

  /** Only commands that run a model build native code; the test knows every command. */
  @Test
  void buildsNativeCodeForTheCommandsThatRunAModel() throws Exception {
    Set<String> known = new TreeSet<>(Hir.commandLine().getSubcommands().keySet());
    COMMANDS.keySet().forEach(line -> known.remove(line.split(" ")[0]));
    assertEquals(Set.of(), known, "commands that this test does not know");
    for (Map.Entry<String, Boolean> line : COMMANDS.entrySet()) {
      Files.deleteIfExists(root.resolve("java/cli/target/hir-cli.jar"));
      Files.deleteIfExists(root.resolve("java/cli/target/profile"));
      Files.deleteIfExists(folder.resolve("calls"));
      hir(root.resolve("java/hir"), line.getKey().split(" "));
      String build = line.getValue() ? CPU : PURE;
      assertTrue(calls().get(0).startsWith(build), line.getKey() + ": " + calls().get(0));
      assertTrue(calls().get(1).endsWith(".jar " + line.getKey()), calls().get(1));
    }
  }

  /** A build of the Java alone serves until a command needs native code, which is then built. */
  @Test
  void aPureBuildNeedsNoToolsAndBecomesANativeOne() throws Exception {
    for (String name : List.of("cmake", "g++", "make")) {
      Files.delete(bin.resolve(name));
    }
    assertEquals(0, hir(root.resolve("java/hir"), "verify").exit());
    assertEquals(0, hir(root.resolve("java/hir"), "rewrite").exit());
    HirProcess.Result train = hir(root.resolve("java/hir"), "train", "a.yaml");
    assertTrue(train.err().startsWith("error: cmake is needed"), train.err());
    assertEquals(0, hir(root.resolve("java/hir"), "verify").exit());
    assertEquals(1, calls().stream().filter(call -> call.startsWith("mvn")).count());

    for (String name : List.of("cmake", "g++", "make")) {
      tool(name, "#!/bin/sh\n");
    }
    hir(root.resolve("java/hir"), "train", "a.yaml");
    hir(root.resolve("java/hir"), "verify");
    List<String> builds = calls().stream().filter(call -> call.startsWith("mvn")).toList();
    assertEquals(2, builds.size(), builds.toString());
    assertTrue(builds.get(0).startsWith(PURE) && builds.get(1).startsWith(CPU), builds.toString());
  }

  @Test
  void otherPlatformsRunWhatIsPureJava() throws Exception {
    system("Darwin arm64");
    assertEquals(0, hir(root.resolve("java/hir"), "verify").exit());
    HirProcess.Result train = hir(root.resolve("java/hir"), "train", "a.yaml");
    assertEquals(1, train.exit());
    assertEquals(
        "error: 'hir train' needs native code, which is written for Linux on x86_64; this is"
            + " Darwin arm64\nhint: what runs here: verify, rewrite, compose, convert, report,"
            + " evaluate --responses, doctor --data\n",
        train.err());
  }

  /** A jar that is older than the record of the build belongs to an earlier build. */
  @Test
  void aBuildThatWasCutOffIsRepeated() throws Exception {
    hir(root.resolve("java/hir"), "verify");
    Path profile = Files.writeString(root.resolve("java/cli/target/profile"), "cpu\n");
    Files.setLastModifiedTime(profile, FileTime.from(Instant.now().plusSeconds(60)));
    hir(root.resolve("java/hir"), "train", "a.yaml");
    assertTrue(calls().get(2).startsWith(CPU), calls().toString());
  }

  /** After a build for GPUs all builds are for GPUs, and Java finds NVIDIA's libraries. */
  @Test
  void rebuildsForWhatItWasBuiltForAndFindsItsLibraries() throws Exception {
    Path packages = folder.resolve("site packages");
    Files.createDirectories(packages.resolve("nvidia/cudnn/lib"));
    Files.createDirectories(packages.resolve("nvidia/cu13/lib"));
    tool("python3", "#!/bin/sh\necho '" + packages + "'\n");
    tool("nvcc", "#!/bin/sh\n");
    tool(
        "java",
        JAVA.replace("VERSION", "17.0.15") + "echo \"path $LD_LIBRARY_PATH\" >>\"$CALLS\"\n");
    hir(root.resolve("java/hir"), "doctor");
    assertTrue(calls().get(0).startsWith("mvn -B -pl"), calls().get(0));
    assertEquals("path ", calls().get(2));

    Files.writeString(root.resolve("java/cli/target/profile"), "gpu\n");
    Path source = root.resolve("java/cli/src/main/A.java");
    Files.setLastModifiedTime(source, FileTime.from(Instant.now().plusSeconds(60)));
    hir(root.resolve("java/hir"), "doctor");
    List<String> calls = calls().subList(3, calls().size());
    assertTrue(calls.get(0).startsWith("mvn -B -Pgpu -pl"), calls.get(0));
    String path = calls.get(calls.size() - 1);
    assertTrue(
        path.contains(packages + "/nvidia/cudnn/lib")
            && path.contains(packages + "/nvidia/cu13/lib"),
        path);
  }

  @Test
  void buildsOnceAndRunsFromAnywhere() throws Exception {
    HirProcess.Result first = hir(root.resolve("java/hir"), "verify", "--in", "a b");
    assertEquals(0, first.exit(), first.err());
    assertTrue(first.err().contains("building HiR engine [5/6]"), first.err());
    String jar = root.toRealPath().resolve("java/cli/target/hir-cli.jar").toString();
    List<String> calls = calls();
    assertEquals(2, calls.size());
    assertTrue(calls.get(0).startsWith(PURE + "-DskipTests"), calls.get(0));
    assertEquals("java -XX:TieredStopAtLevel=1 -jar " + jar + " verify --in a b", calls.get(1));

    Path link = Files.createSymbolicLink(folder.resolve("link"), root.resolve("java/hir"));
    hir(Files.createSymbolicLink(folder.resolve("hir"), link), "report", "a");
    assertEquals(List.of("java -jar " + jar + " report a"), calls().subList(2, 3));

    Path source = root.resolve("java/cli/src/main/A.java");
    Files.setLastModifiedTime(source, FileTime.from(Instant.now().plusSeconds(60)));
    Files.setLastModifiedTime(
        root.resolve("java/cli/target/hir-cli.jar"), FileTime.from(Instant.now().plusSeconds(30)));
    hir(root.resolve("java/hir"), "verify");
    assertTrue(calls().get(3).startsWith("mvn "), "a newer source is built");
  }

  @Test
  void aFailedBuildIsAnError() throws Exception {
    tool("mvn", "#!/bin/sh\necho '[ERROR] A.java:[1,1] no such class'; exit 1\n");
    HirProcess.Result run = hir(root.resolve("java/hir"), "doctor");
    assertEquals(1, run.exit());
    assertTrue(run.err().contains("A.java:[1,1] no such class"), run.err());
    assertTrue(run.err().contains("error: the build failed\nhint: the whole log is "), run.err());
    assertTrue(Files.notExists(folder.resolve("calls")), "nothing is run");
  }

  @Test
  void whatIsMissingIsNamedWithItsPackage() throws Exception {
    tool("java", JAVA.replace("VERSION", "11.0.2"));
    assertError("is Java 11, 17 or later is needed", "openjdk-17-jdk-headless");
    tool("java", JAVA.replace("VERSION", "1.8.0_402"));
    assertError("is Java 1, 17 or later is needed", "openjdk-17-jdk-headless");
    tool("java", JAVA.replace("VERSION", "21"));
    Files.delete(bin.resolve("mvn"));
    assertError("mvn is needed for building and is not installed", "apt-get install maven");
    tool("mvn", MVN);
    Files.delete(bin.resolve("cmake"));
    assertError("cmake is needed", "apt-get install cmake");
    Files.delete(bin.resolve("java"));
    assertError("java is not installed", "apt-get install openjdk-17-jdk-headless");
  }

  private void assertError(String message, String hint) throws Exception {
    HirProcess.Result run = hir(root.resolve("java/hir"), "doctor");
    assertEquals(1, run.exit());
    assertEquals(2, run.err().lines().count(), run.err());
    assertTrue(run.err().startsWith("error: ") && run.err().contains(message), run.err());
    assertTrue(run.err().contains(hint), run.err());
  }

  private HirProcess.Result hir(Path launcher, String... args) throws Exception {
    ProcessBuilder builder = new ProcessBuilder("/bin/sh", launcher.toString());
    builder.command().addAll(List.of(args));
    builder.directory(folder.toFile());
    builder.environment().clear();
    builder.environment().put("PATH", bin.toString());
    builder.environment().put("CALLS", folder.resolve("calls").toString());
    return HirProcess.command("", builder);
  }

  private List<String> calls() throws IOException {
    return Files.readAllLines(folder.resolve("calls"));
  }

  /** The output of {@code uname -sm}. */
  private void system(String name) throws IOException {
    tool("uname", "#!/bin/sh\necho '" + name + "'\n");
  }

  private void tool(String name, String text) throws IOException {
    Path file = Files.writeString(bin.resolve(name), text);
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
  }
}
