/**
 * What a step collects before the policy changes: tasks drawn from data, sampled responses, their
 * verdicts and log-probs, replays, and the rows that the update trains on. Internal: its classes
 * are public for the runs alone.
 */
@NullMarked
package org.hirengine.engine.experience;

import org.jspecify.annotations.NullMarked;
