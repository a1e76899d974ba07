package org.hirengine.cli.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** A headless Chromium that runs a page's script and returns the document. */
final class Chromium {

  private final Path program;
  private final Path temp;

  private Chromium(Path program, Path temp) {
    this.program = program;
    this.temp = temp;
  }

  /** Finds the machine's browser; skips the test if there is none. */
  static Chromium find(Path temp) {
    Path program =
        Stream.of(System.getenv("PATH").split(":", -1))
            .flatMap(
                folder ->
                    Stream.of("chromium", "chromium-browser", "google-chrome")
                        .map(name -> Path.of(folder, name)))
            .filter(Files::isExecutable)
            .findFirst()
            .orElse(null);
    assumeTrue(
        program != null,
        "no browser: the report page was not looked at; apt-get install chromium tests it");
    return new Chromium(program, temp);
  }

  /**
   * Measures how far a page overflows sideways on a screen of {@code width} pixels.
   *
   * @param address a file, with its fragment if any
   */
  int sidewaysScroll(String address, int width) throws IOException, InterruptedException {
    // A browser's window has a minimum width; a frame has none.
    Path frame = Files.createTempFile(temp, "frame", ".html");
    Files.writeString(
        frame,
        """
        <iframe src="%s" style="width:%dpx;height:900px;border:0"></iframe>
        <script>addEventListener('load', () => setTimeout(() => {
          document.title = 'width ' + frames[0].document.documentElement.scrollWidth + ' of '
            + frames[0].document.documentElement.clientWidth;
        }, 1000))</script>
        """
            .formatted(address.replace("&", "&amp;"), width));
    String document =
        run(
            "--dump-dom",
            "--virtual-time-budget=10000",
            "--disable-web-security",
            "--allow-file-access-from-files",
            frame.toUri().toString());
    Matcher title = Pattern.compile("<title>width (\\d+) of (\\d+)</title>").matcher(document);
    assertTrue(title.find(), document);
    int room = Integer.parseInt(title.group(2));
    assertTrue(room <= width, document);
    return Integer.parseInt(title.group(1)) - room;
  }

  /**
   * Returns the document once the page has settled.
   *
   * @param address a file, with its fragment if any
   */
  String document(String address) throws IOException, InterruptedException {
    return run("--dump-dom", "--virtual-time-budget=10000", address);
  }

  private String run(String... arguments) throws IOException, InterruptedException {
    List<String> command =
        new ArrayList<>(
            List.of(
                program.toString(),
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--window-size=1400,1000",
                "--user-data-dir=" + Files.createTempDirectory(temp, "profile")));
    command.addAll(List.of(arguments));
    Path out = Files.createTempFile(temp, "browser", ".out");
    Path err = Files.createTempFile(temp, "browser", ".err");
    Process browser =
        new ProcessBuilder(command)
            .redirectOutput(out.toFile())
            .redirectError(err.toFile())
            .start();
    try {
      boolean ended = browser.waitFor(60, TimeUnit.SECONDS);
      assertEquals(0, ended ? browser.exitValue() : -1, () -> text(err));
    } finally {
      browser.descendants().forEach(ProcessHandle::destroyForcibly);
      browser.destroyForcibly();
    }
    return text(out);
  }

  private static String text(Path file) {
    try {
      return new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
    } catch (IOException e) {
      return e.toString();
    }
  }
}
