/**
 * The policy update: rows cut into micro-batches, the gradient of the policy loss, and the
 * optimizer.
 */
@NullMarked
package org.hirengine.engine.update;

import org.jspecify.annotations.NullMarked;
