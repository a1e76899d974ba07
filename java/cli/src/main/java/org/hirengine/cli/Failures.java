package org.hirengine.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import org.hirengine.engine.config.ConfigException;
import org.hirengine.engine.distributed.DistributedException;
import org.hirengine.engine.hub.HubException;
import org.hirengine.engine.model.ModelException;
import org.hirengine.engine.runs.RunException;
import org.hirengine.engine.runtime.DeviceException;
import org.hirengine.engine.train.TrainingStoppedException;
import org.hirengine.replay.DataException;
import org.hirengine.text.jinja.TemplateException;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;

/** Turns the exception that ended a command into {@code error: ...}, a hint and an exit code. */
final class Failures {

  private static final String STACK_TRACE = "HIR_STACKTRACE";

  /** The exit code that shells report for a command ended by Ctrl-C. */
  private static final int STOPPED = 130;

  private Failures() {}

  static int wrongUsage(ParameterException e, String[] args) {
    CommandLine command = e.getCommandLine();
    print(
        command.getErr(),
        // picocli adds this prefix itself when arguments exclude each other
        e.getMessage().replaceFirst("^Error: ", ""),
        command.getCommandSpec().qualifiedName() + " --help shows the options");
    return CommandLine.ExitCode.USAGE;
  }

  static int failed(Exception thrown, CommandLine command, ParseResult parsed) {
    PrintWriter err = command.getErr();
    Exception e = thrown instanceof RuntimeException run ? DeviceException.explain(run) : thrown;
    if (e instanceof StopSignal.Stopped) {
      return STOPPED;
    }
    if (System.getenv(STACK_TRACE) != null) {
      e.printStackTrace(err);
    }
    if (e instanceof Failure failure) {
      print(err, failure.getMessage(), failure.hint());
    } else if (e instanceof DataException data) {
      print(err, data.getMessage(), data.remedy());
    } else if (e instanceof RunException run) {
      print(err, run.getMessage(), run.remedy());
    } else if (e instanceof TrainingStoppedException stopped) {
      print(err, stopped.getMessage(), stopped.remedy());
    } else if (e instanceof DeviceException device) {
      print(err, device.getMessage(), device.remedy());
    } else if (e instanceof HubException hub) {
      print(err, hub.getMessage(), hub.remedy());
    } else if (e instanceof DistributedException ranks) {
      if (!ranks.toldByAnother()) {
        print(err, ranks.getMessage(), ranks.remedy());
      }
    } else if (e instanceof ConfigException) {
      print(err, e.getMessage(), "correct the configuration, or set the key on the command line");
      return CommandLine.ExitCode.USAGE;
    } else if (e instanceof ModelException model) {
      print(err, model.getMessage(), model.remedy());
    } else if (e instanceof TemplateException) {
      print(err, e.getMessage(), "check the chat template of the model folder");
    } else if (saysDiskFull(e)) {
      print(err, message(e), "free disk space, then run the command again");
    } else if (e instanceof NoSuchFileException missing) {
      print(err, missing.getFile() + ": no such file or folder", "check the path");
    } else if (e instanceof AccessDeniedException denied) {
      print(
          err,
          denied.getFile() + ": permission denied",
          "choose another path, or change its permissions");
    } else if (e instanceof FileSystemException system) {
      String reason = system.getReason() == null ? "cannot be used" : system.getReason();
      print(err, system.getFile() + ": " + reason, "choose another path");
    } else {
      print(err, message(e), "set " + STACK_TRACE + "=1 to see where it happened");
    }
    return CommandLine.ExitCode.SOFTWARE;
  }

  /** Java has no exception type for this, only the system's message. */
  private static boolean saysDiskFull(Exception e) {
    return (e instanceof IOException || e instanceof UncheckedIOException)
        && (message(e).contains("No space left") || message(e).contains("Disk quota exceeded"));
  }

  private static String message(Exception e) {
    return e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
  }

  /** A message that even a failing virtual machine can print. */
  static void gaveUp(Error e, PrintWriter err) {
    if (System.getenv(STACK_TRACE) != null) {
      e.printStackTrace(err);
    }
    print(
        err,
        e.toString(),
        e instanceof OutOfMemoryError
            ? "give Java more memory: HIR_JAVA_OPTS=-Xmx8g"
            : "set " + STACK_TRACE + "=1 to see where it happened; hir doctor looks for causes");
  }

  /** Names the rank that prints the message; empty if there is only one. */
  private static String speaker(String message) {
    String rank = System.getenv("RANK");
    return rank == null || message.contains("rank") ? "" : "rank " + rank + ": ";
  }

  static void print(PrintWriter err, String message, String hint) {
    err.println("error: " + speaker(message) + message.strip().replaceAll("\\s*\\R\\s*", " "));
    err.println("hint: " + hint);
    err.flush();
  }
}
