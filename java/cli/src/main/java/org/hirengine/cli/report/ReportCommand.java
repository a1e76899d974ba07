package org.hirengine.cli.report;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.concurrent.Callable;
import org.hirengine.replay.JsonLines;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code hir report}: a run as one page, without a model. */
@Command(
    name = "report",
    mixinStandardHelpOptions = true,
    description = {
      "Writes a run as one self-contained page: curves, satisfaction by constraint type, rollouts"
          + " with their verdicts and rewritten instructions, configuration and summary.",
      "",
      "The page needs no network and no server. A run that is unfinished or was interrupted is"
          + " shown as far as it got."
    },
    footer = {
      "",
      "Examples:",
      "  hir report runs/hir",
      "  hir report runs/hir --rows 20000 --out /tmp/hir.html"
    })
public final class ReportCommand implements Callable<Integer> {

  @Parameters(paramLabel = "RUN_DIR", description = "The folder that a training run wrote.")
  private Path run;

  @Option(
      names = "--out",
      paramLabel = "FILE",
      description = "The page to write (default: RUN_DIR/report.html).")
  private @Nullable Path out;

  @Option(
      names = "--rows",
      paramLabel = "N",
      defaultValue = "1500",
      description =
          "Approximate number of rollouts in the page: whole steps, evenly spaced, always with the"
              + " first and the last (default: ${DEFAULT-VALUE}).")
  private int rows;

  @Option(names = "--json", description = "Print what was written as JSON.")
  private boolean json;

  @Spec private CommandSpec spec;

  @Override
  public Integer call() throws IOException {
    if (rows < 0) {
      throw new ParameterException(spec.commandLine(), "--rows must not be negative");
    }
    RunData data = RunData.read(run, rows);
    Path page = out == null ? run.resolve("report.html") : out;
    write(page, ReportPage.html(data.json()));
    if (json) {
      ObjectNode report = JsonLines.MAPPER.createObjectNode();
      report.put("report", page.toString());
      report.put("steps", data.steps());
      report.put("rollouts", data.rows());
      spec.commandLine().getOut().println(JsonLines.write(report));
    } else {
      spec.commandLine()
          .getOut()
          .printf("%s: %d steps, %d rollouts%n", page, data.steps(), data.rows());
    }
    return 0;
  }

  /** Written under another name first, so that a browser never reads half a page. */
  private static void write(Path page, String html) throws IOException {
    Path draft = page.resolveSibling(page.getFileName() + ".tmp");
    try {
      Files.writeString(draft, html);
      Files.move(draft, page, StandardCopyOption.REPLACE_EXISTING);
    } finally {
      Files.deleteIfExists(draft);
    }
  }
}
