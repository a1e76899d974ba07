/**
 * Training runs: the steps of reinforcement and of supervised learning, evaluation, and checkpoints
 * from which a run continues bit for bit.
 */
@NullMarked
package org.hirengine.engine.train;

import org.jspecify.annotations.NullMarked;
