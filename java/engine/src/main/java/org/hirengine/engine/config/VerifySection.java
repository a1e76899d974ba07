package org.hirengine.engine.config;

import java.nio.file.Path;
import org.hirengine.verify.Unread;
import org.jspecify.annotations.Nullable;

/** Section {@code verify} of a training run's configuration: how responses are verified. */
public record VerifySection(
    @Key(doc = "Threads that verify; null is one per core.", value = "null", min = 1, max = 1024)
        @Nullable Integer threads,
    @Key(doc = "Leaves text up to the last </think> out of verification.", value = "false")
        boolean stripThinking,
    @Key(doc = "Folder with NLTK's data; null looks at $NLTK_DATA.", value = "null")
        @Nullable Path textData,
    @Key(doc = "What happens to a row with a constraint that got no verdict.", value = "skip")
        NoVerdict noVerdict,
    @Key(
            doc =
                "Constraints whose words no rule understands (MulDimIF's sentences): no verdict,"
                    + " or the reference's default, which is often that any response satisfies"
                    + " them.",
            value = "no-verdict")
        Unread unread,
    JudgeSection judge) {

  /** What happens to a row with a constraint that got no verdict. */
  public enum NoVerdict {
    /** Left out of training, and counted. */
    SKIP,
    /** Trained on as if the constraint were violated. */
    VIOLATED
  }
}
