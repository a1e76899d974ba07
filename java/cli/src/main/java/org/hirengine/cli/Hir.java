package org.hirengine.cli;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.hirengine.cli.demo.DemoDataCommand;
import org.hirengine.cli.report.ReportCommand;
import org.hirengine.engine.hub.Location;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/**
 * The {@code hir} command. Exit code 0 is success, 1 a failure, 2 wrong usage; errors are one line
 * {@code error: ...} and a hint.
 */
@Command(
    name = "hir",
    mixinStandardHelpOptions = true,
    versionProvider = Hir.Version.class,
    synopsisSubcommandLabel = "COMMAND",
    description = {
      "Hindsight instruction Replay: trains language models to follow instructions with many"
          + " constraints, and checks whether they do."
    },
    footer = {"", "hir COMMAND --help shows a command's options and examples."},
    subcommands = {
      TrainCommand.class,
      PlanCommand.class,
      VerifyCommand.class,
      RewriteCommand.class,
      ComposeCommand.class,
      EvaluateCommand.class,
      GenerateCommand.class,
      ScoreCommand.class,
      SftCommand.class,
      AuditStepCommand.class,
      ReportCommand.class,
      FetchCommand.class,
      ConvertCommand.class,
      MergeCommand.class,
      BenchCommand.class,
      DemoDataCommand.class,
      DoctorCommand.class
    })
public final class Hir implements Runnable {

  /**
   * The logger of warnings that commands show themselves. This reference keeps its level:
   * java.util.logging forgets the level of a logger that is garbage-collected.
   */
  private static final Logger ALARMS = Logger.getLogger("org.hirengine.engine.runs.StepGuards");

  private static final Logger ENGINE = Logger.getLogger("org.hirengine");

  @Spec private CommandSpec spec;

  @Override
  public void run() {
    spec.commandLine().usage(spec.commandLine().getOut());
  }

  /** Runs one command and ends the process with its exit code. */
  public static void main(String[] args) {
    // Data is UTF-8 whatever the locale; the default streams would write '?' in a plain C locale.
    PrintStream out = utf8(FileDescriptor.out);
    PrintStream err = utf8(FileDescriptor.err);
    System.setOut(out);
    System.setErr(err);
    ENGINE.setLevel(Level.WARNING);
    ALARMS.setLevel(Level.OFF);
    CommandLine command = commandLine();
    command.setOut(new PrintWriter(out, true, StandardCharsets.UTF_8));
    command.setErr(new PrintWriter(err, true, StandardCharsets.UTF_8));
    int code;
    try {
      code = command.execute(args);
    } catch (Error e) { // a library that does not load, or no memory: picocli passes these on
      Failures.gaveUp(e, command.getErr());
      code = CommandLine.ExitCode.SOFTWARE;
    }
    out.flush();
    if (code != 0 && System.getenv("RANK") != null) {
      // A rank that gave up on the others may leave native threads waiting for them.
      Runtime.getRuntime().halt(code);
    }
    System.exit(code);
  }

  /** The command with its error handling, for running inside another process. */
  public static CommandLine commandLine() {
    CommandLine command = new CommandLine(new Hir());
    command.setParameterExceptionHandler(Failures::wrongUsage);
    command.setExecutionExceptionHandler(Failures::failed);
    command.setCaseInsensitiveEnumValuesAllowed(true);
    command.registerConverter(Location.class, new Downloads.ModelConverter());
    command.setUsageHelpWidth(100);
    return command;
  }

  private static PrintStream utf8(FileDescriptor descriptor) {
    return new PrintStream(new FileOutputStream(descriptor), true, StandardCharsets.UTF_8);
  }

  /** The version from the jar's manifest. */
  static final class Version implements CommandLine.IVersionProvider {

    @Override
    public String[] getVersion() {
      String version = Hir.class.getPackage().getImplementationVersion();
      return new String[] {"hir " + (version == null ? "development build" : version)};
    }
  }
}
