package org.hirengine.engine.runs;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * {@code summary.json}: a run in one object.
 *
 * @param algorithm the preset's name, such as {@code hir}
 * @param seed the run's seed
 * @param steps training steps taken
 * @param rollouts responses sampled for training, without evaluation
 * @param generatedTokens their tokens
 * @param updates optimizer updates made
 * @param seconds wall time of the whole run, across resumes, including evaluation
 * @param before the evaluation before the first step; null if there was none
 * @param after the same after the last step
 */
@JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
@JsonIgnoreProperties(ignoreUnknown = true)
public record Summary(
    String algorithm,
    long seed,
    int steps,
    long rollouts,
    long generatedTokens,
    long updates,
    double seconds,
    @Nullable HeldOut before,
    @Nullable HeldOut after) {

  private static final ObjectMapper MAPPER = new ObjectMapper();

  /** One indented JSON object. */
  public String toJson() {
    try {
      return MAPPER.writerWithDefaultPrettyPrinter().writeValueAsString(this);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  /**
   * Reads {@code summary.json}.
   *
   * @throws RunException when it cannot be read
   */
  public static Summary read(Path file) {
    try {
      return MAPPER.readValue(Files.readString(file), Summary.class);
    } catch (JsonProcessingException e) {
      throw new RunException(
          file + " is not a run's summary: " + e.getOriginalMessage(),
          "let the run write it again with --resume");
    } catch (IOException e) {
      throw RunException.io("read", file, e, "check the path");
    }
  }
}
