package org.hirengine.engine.model;

import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Path;

/**
 * A model folder or one of its files cannot be used; the message names the file, the field or
 * tensor in it, and what to do.
 */
public final class ModelException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final String remedy;

  public ModelException(String message) {
    this(message, "check the model folder");
  }

  public ModelException(String message, String remedy) {
    super(message);
    this.remedy = remedy;
  }

  public ModelException(String message, Throwable cause) {
    this(message);
    initCause(cause);
  }

  /** A path that does not exist. */
  public static ModelException absent(Path path) {
    return new ModelException(
        path + ": no such model",
        "give a folder (config.json, model.safetensors, tokenizer.json), a .gguf file, or a model"
            + " of the Hugging Face Hub as OWNER/NAME (hf://OWNER/NAME where a folder OWNER is"
            + " here)");
  }

  /** A file of a model that cannot be written. */
  public static ModelException unwritable(Path file, IOException cause) {
    boolean bare = cause instanceof FileSystemException failure && failure.getReason() != null;
    String reason = bare ? ((FileSystemException) cause).getReason() : cause.toString();
    ModelException e =
        new ModelException(
            file + ": cannot be written: " + reason,
            "free disk space, or choose a folder that can be written to");
    e.initCause(cause);
    return e;
  }

  /** What to do about it, as one sentence. */
  public String remedy() {
    return remedy;
  }
}
