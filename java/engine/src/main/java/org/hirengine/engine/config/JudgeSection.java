package org.hirengine.engine.config;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * Settings of the judge of constraints in words; the environment gives its address, model and key
 * (HIR_JUDGE_URL, HIR_JUDGE_MODEL, HIR_JUDGE_KEY).
 */
public record JudgeSection(
    @Key(doc = "Folder that keeps the judge's verdicts; null keeps none.", value = "null")
        @Nullable Path cache,
    @Key(
            doc =
                "File with the judge's prompt, which holds {criterion} and {response}; null is"
                    + " the built-in one.",
            value = "null")
        @Nullable Path template,
    @Key(doc = "Parallel requests to the judge.", value = "8", min = 1, max = 1024) int parallel,
    @Key(
            doc = "Seconds that a connection to the judge, and an answer, may take.",
            value = "60",
            min = 0.001,
            max = 86400)
        double timeoutS,
    @Key(doc = "Retries of a failed request to the judge.", value = "4", min = 0, max = 100)
        int retries,
    @Key(doc = "Reads the judge's answer after its last </think>.", value = "false")
        boolean stripThinking) {}
