package org.hirengine.engine.config;

/**
 * Section {@code limits} of a training run's configuration: how long prompts and responses may be.
 */
public record LimitsSection(
    @Key(
            doc = "Prompt tokens; a longer prompt is skipped and counted, never truncated.",
            value = "2048",
            min = 1,
            max = 1e7,
            elsewhere = "max_prompt_length")
        int prompt,
    @Key(
            doc = "Response tokens.",
            value = "4096",
            min = 1,
            max = 1e7,
            elsewhere = {
              "max_response_length",
              "max_completion_length",
              "max_new_tokens",
              "max_tokens"
            })
        int response) {}
