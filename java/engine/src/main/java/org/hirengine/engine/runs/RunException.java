package org.hirengine.engine.runs;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;

/**
 * A run folder that cannot be used as requested: one line that says what is wrong, and what to do
 * about it.
 */
public final class RunException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  private final String remedy;

  public RunException(String problem, String remedy) {
    super(problem);
    this.remedy = remedy;
  }

  /**
   * A fault of the file system.
   *
   * @param action what was tried, such as "write"
   * @param path the file or folder it was tried on
   */
  public static RunException io(String action, Path path, IOException cause, String remedy) {
    RunException e =
        new RunException("cannot " + action + " " + path + ": " + reason(cause), remedy);
    e.initCause(cause);
    return e;
  }

  /** What to do about it, as one sentence. */
  public String remedy() {
    return remedy;
  }

  /** The JDK's messages are often only the path; the exception types say more. */
  private static String reason(IOException e) {
    if (e instanceof AccessDeniedException) {
      return "permission denied";
    }
    if (e instanceof NoSuchFileException) {
      return "no such file or folder";
    }
    if (e instanceof FileAlreadyExistsException || e instanceof NotDirectoryException) {
      return "a file of that name is in the way";
    }
    if (e instanceof FileSystemException failure && failure.getReason() != null) {
      return failure.getReason();
    }
    String message = e.getMessage();
    if (e instanceof FileNotFoundException && message != null && message.endsWith(")")) {
      // "PATH (Permission denied)": the system's message is in the parentheses.
      return message.substring(message.lastIndexOf('(') + 1, message.length() - 1);
    }
    return message == null ? e.getClass().getSimpleName() : message;
  }
}
