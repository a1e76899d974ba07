/**
 * The policy update: rows split into micro-batches, the gradient of the policy loss, and the
 * optimizer. Internal: its classes are public for the runs alone.
 */
@NullMarked
package org.hirengine.engine.update;

import org.jspecify.annotations.NullMarked;
