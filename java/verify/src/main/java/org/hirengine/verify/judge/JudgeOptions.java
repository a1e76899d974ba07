package org.hirengine.verify.judge;

import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * How a judge is asked, as commands and training files set it. Which judge, and its key, come from
 * the environment alone ({@link ModelJudge#fromEnvironment}).
 *
 * @param cache folder that keeps decided verdicts; null keeps none
 * @param template file with the prompt ({@link ModelJudge.Builder#template}); null is the built-in
 * @param parallel most requests at the same time
 * @param timeoutSeconds how long a connection, and an answer, may take
 * @param retries how often a request that failed is tried again
 * @param stripThinking read the answer after its last {@code </think>}
 */
public record JudgeOptions(
    @Nullable Path cache,
    @Nullable Path template,
    int parallel,
    double timeoutSeconds,
    int retries,
    boolean stripThinking) {

  /** The defaults. */
  public static final JudgeOptions DEFAULT = new JudgeOptions(null, null, 8, 60, 4, false);

  /**
   * @throws IllegalArgumentException if a number is out of range
   */
  public JudgeOptions {
    if (parallel < 1 || retries < 0 || !(timeoutSeconds > 0)) {
      throw new IllegalArgumentException(
          "a judge takes at least 1 request at once, 0 retries or more and a time-out above 0 s,"
              + " not %d, %d and %s".formatted(parallel, retries, timeoutSeconds));
    }
  }

  /**
   * The judge that the environment names, if any.
   *
   * @throws IOException if the template cannot be read
   * @throws IllegalArgumentException if the template lacks a placeholder, if the environment's URL
   *     or key cannot be used, or if cache or template are given but no judge is named
   */
  public Optional<ModelJudge> judge(Map<String, String> environment) throws IOException {
    Optional<ModelJudge.Builder> named = ModelJudge.fromEnvironment(environment);
    if (named.isEmpty()) {
      if (cache != null || template != null) {
        throw new IllegalArgumentException(
            "the judge has a %s, but %s and %s are not set"
                .formatted(
                    cache != null ? "cache" : "template",
                    ModelJudge.URL_VARIABLE,
                    ModelJudge.MODEL_VARIABLE));
      }
      return Optional.empty();
    }
    ModelJudge.Builder builder = named.get();
    if (cache != null) {
      builder.cache(cache);
    }
    if (template != null) {
      try {
        builder.template(Files.readString(template));
      } catch (CharacterCodingException e) {
        throw new IllegalArgumentException(
            template + ": is not UTF-8 text; save the file in UTF-8", e);
      } catch (IllegalArgumentException e) {
        throw new IllegalArgumentException(template + ": " + e.getMessage(), e);
      }
    }
    return Optional.of(
        builder
            .parallel(parallel)
            .timeout(Duration.ofMillis(Math.max(1, Math.round(timeoutSeconds * 1000))))
            .retries(retries, ModelJudge.FIRST_WAIT)
            .stripThinking(stripThinking)
            .build());
  }
}
