package org.hirengine.engine.experience;

import org.hirengine.verify.JudgeList;
import org.hirengine.verify.Response;
import org.jspecify.annotations.Nullable;

/**
 * A response to a held-out task, verified.
 *
 * @param tokens its length, the stop token included
 * @param stopped whether it ended by itself, within the limit of tokens
 * @param refLogprob log-prob under the reference policy at temperature 1, sum over tokens in nats;
 *     null where there is no such policy
 */
public record Answer(
    Task task,
    Response response,
    JudgeList judges,
    int tokens,
    boolean stopped,
    @Nullable Double refLogprob) {}
